"""rkt-pod status"""

import json
import subprocess

from conftest import run, tool
from podlib import house, wait_for  # noqa: F401

UNKNOWN = "11111111-1111-4111-8111-111111111111"


def lines(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_running_pod_has_a_pid_inside_it(house):
    process, uuid = house.start(house.shell("sleep 1000"))
    found = lines(run(["rkt-pod", "status", uuid]).out)
    assert found["state"] == "running" and found["uuid"] == uuid
    assert "app-busybox" not in found and "ended" not in found
    with open(f"/proc/{found['pid']}/status", encoding="ascii") as status:
        assert f"PPid:\t{process.pid}\n" in status.read()


def test_exited_pod_says_how_each_app_ended(house):
    good = house.shell("exit 0", name="example.com/good")
    bad = house.shell("sleep 0.3; exit 3", name="example.com/bad")
    assert run(["rkt-run", good, bad]).status == 3
    found = lines(run(["rkt-pod", "status", house.pods()[0][:8]]).out)
    assert found["state"] == "exited" and "pid" not in found
    assert (found["app-good"], found["app-bad"]) == ("0", "3")
    assert found["created"] <= found["started"] <= found["ended"]


def test_json_is_an_object(house):
    assert run(["rkt-run", house.shell("exit 3")]).status == 3
    found = json.loads(run(["rkt-pod", "status", "--json", house.pods()[0]]).out)
    assert found["state"] == "exited" and found["apps"][0]["status"] == 3


def test_wait_returns_when_the_pod_has_ended(house):
    image = house.shell("while [ ! -e /srv/stop ]; do sleep 0.05; done; exit 8")
    process, uuid = house.start(image)
    waiter = subprocess.Popen(
        [tool("rkt-pod"), "status", "--wait", uuid], stdout=subprocess.PIPE, text=True
    )
    house.started.append(waiter)
    try:
        waiter.wait(timeout=0.5)
        raise AssertionError("it did not wait")
    except subprocess.TimeoutExpired:
        pass
    process.terminate()
    out, _ = waiter.communicate(timeout=60)
    assert lines(out)["state"] == "exited"


def test_unknown_pod_is_three(house):
    house.image()
    result = run(["rkt-pod", "status", UNKNOWN])
    assert result.status == 3 and UNKNOWN in result.err


def test_unknown_pod_without_a_store_is_three(data_dir):
    assert run(["rkt-pod", "status", UNKNOWN]).status == 3
    assert not data_dir.exists()


def test_what_is_no_uuid_is_two(house):
    assert run(["rkt-run", house.image()]).status == 0
    for text in ("1234567", "not-a-uuid", "../../etc", ""):
        assert run(["rkt-pod", "status", text]).status == 2


def test_pod_that_never_ran_is_garbage(house):
    house.image()
    (house.data / "containers").mkdir(mode=0o700, exist_ok=True)
    (house.data / "containers" / UNKNOWN).mkdir()
    assert lines(run(["rkt-pod", "status", UNKNOWN]).out)["state"] == "garbage"
