"""rkt-pod rm"""

import fcntl
import os
import subprocess
import time

from conftest import run, tool
from podlib import house, mounts_below  # noqa: F401

UNKNOWN = "11111111-1111-4111-8111-111111111111"


def test_exited_pod_is_removed_with_its_lease(house):
    image = house.shell("mkdir -p /srv/a/b/c; echo x >/srv/a/b/c/f; mkfifo /srv/p")
    assert run(["rkt-run", image]).status == 0
    (uuid,) = house.pods()
    assert run(["rkt-store", "rm", image]).status == 1
    result = run(["rkt-pod", "rm", uuid[:8]])
    assert (result.status, result.out) == (0, uuid + "\n")
    assert house.pods() == []
    assert mounts_below(house.data) == []
    assert run(["rkt-store", "rm", image]).status == 0


def test_running_pod_is_refused(house):
    _, uuid = house.start(house.shell("sleep 1000"))
    result = run(["rkt-pod", "rm", uuid])
    assert result.status == 1 and "running" in result.err
    assert house.state(uuid) == "running"


def test_somebody_who_only_looks_is_waited_for(house):
    """A list or status holds the lock for a moment, shared: the pod is not taken for a running one."""
    assert run(["rkt-run", house.image()]).status == 0
    (uuid,) = house.pods()
    fd = os.open(house.pod(), os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    remover = subprocess.Popen([tool("rkt-pod"), "rm", uuid], stdout=subprocess.PIPE)
    time.sleep(0.3)
    assert remover.poll() is None and house.pods() == [uuid]
    os.close(fd)
    assert remover.wait(timeout=60) == 0
    remover.communicate()
    assert house.pods() == []


def test_unknown_pod_is_three_and_nothing_is_removed(house):
    assert run(["rkt-run", house.image()]).status == 0
    result = run(["rkt-pod", "rm", house.pods()[0], UNKNOWN])
    assert result.status == 3 and UNKNOWN in result.err
    assert len(house.pods()) == 1


def test_several_are_removed_at_once(house):
    image = house.image()
    for _ in range(3):
        assert run(["rkt-run", image]).status == 0
    assert run(["rkt-pod", "rm", *house.pods()]).status == 0
    assert house.pods() == []


def test_no_pod_named_is_wrong_usage(data_dir):
    assert run(["rkt-pod", "rm"]).status == 2
    assert run(["rkt-pod", "rm", "1234"]).status in (2, 3)
    assert not data_dir.exists()
