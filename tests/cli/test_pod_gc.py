"""rkt-pod gc"""

import fcntl
import os
import time

import pytest
from conftest import run, tool
from podlib import house, killed_at, mounts_below  # noqa: F401

A = "11111111-1111-4111-8111-111111111111"
B = "22222222-2222-4222-8222-222222222222"


def make(house, name, files=()):
    house.image()
    path = house.data / "containers" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.mkdir()
    for file in files:
        (path / file).write_text("1\n")
    return path


def test_fresh_pod_stays_and_old_pod_goes(house):
    image = house.image()
    assert run(["rkt-run", image]).status == 0
    assert run(["rkt-run", image]).status == 0
    old, fresh = house.pods()
    hour_ago = time.time() - 3600
    for name in ("pid", "status"):
        os.utime(house.pod(old) / name, (hour_ago, hour_ago))
    result = run(["rkt-pod", "gc"])
    assert result.status == 0
    assert result.out == f"removed {old}: exited 1 hour ago\n"
    assert house.pods() == [fresh]


def test_zero_grace_removes_all_that_has_ended(house):
    image = house.image()
    assert run(["rkt-run", image]).status == 0
    _, running = house.start(house.shell("sleep 1000"))
    assert run(["rkt-pod", "gc", "--grace-period=0s"]).status == 0
    assert house.pods() == [running]
    assert run(["rkt-store", "rm", image]).status == 0


def test_dry_run_removes_nothing(house):
    assert run(["rkt-run", house.image()]).status == 0
    result = run(["rkt-pod", "gc", "--grace-period=0s", "--dry-run"])
    assert result.status == 0 and result.out.startswith("would remove")
    assert len(house.pods()) == 1


def test_interrupted_start_is_removed_at_once(house):
    make(house, A)
    make(house, B, ["container"])
    assert run(["rkt-pod", "gc"]).status == 0
    assert house.pods() == []


def test_interrupted_removal_is_finished(house):
    make(house, f".garbage-{A}", ["container", "pid"])
    result = run(["rkt-pod", "gc"])
    assert result.out == f"removed {A}: was not finished\n"
    assert house.pods() == []


def test_dead_embryo_is_removed_and_a_living_one_is_not(house):
    make(house, f".new-{A}")
    living = make(house, f".new-{B}")
    fd = os.open(living, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert run(["rkt-pod", "gc"]).status == 0
    os.close(fd)
    assert house.pods() == [f".new-{B}"]


@pytest.mark.parametrize(
    "call, number, leaves",
    [
        ("renameat2", 1, ".new-"),  # made, not named
        ("linkat", 1, ""),  # leased, no manifest
        ("unshare", 1, ""),  # manifest, no mounts
        ("move_mount", 2, ""),  # half of the mounts
        ("execve", 1, ""),  # all but stage1: strace does not count its own
    ],
)
def test_start_killed_at_any_step_is_collected(house, call, number, leaves):
    image = house.image()
    assert run(["rkt-run", image]).status == 0  # the stage1 image is imported, trees are mounted
    assert run(["rkt-pod", "rm", *house.pods()]).status == 0
    killed_at(call, number, [tool("rkt-run"), image])
    (name,) = house.pods()
    assert name.startswith(leaves or "")
    assert ("garbage" in run(["rkt-pod", "list"]).out) == (leaves == "")
    assert run(["rkt-pod", "gc"]).status == 0
    assert house.pods() == []
    assert mounts_below(house.data) == []
    assert run(["rkt-store", "rm", image]).status == 0


@pytest.mark.parametrize("call, number", [("renameat", 1), ("fdatasync", 1), ("unlinkat", 3)])
def test_removal_killed_at_any_step_is_finished(house, call, number):
    image = house.shell("mkdir /srv/d; touch /srv/d/f")
    assert run(["rkt-run", image]).status == 0
    (uuid,) = house.pods()
    killed_at(call, number, [tool("rkt-pod"), "rm", uuid])
    assert len(house.pods()) == 1
    assert run(["rkt-pod", "gc", "--grace-period=0s"]).status == 0
    assert house.pods() == []
    assert run(["rkt-store", "rm", image]).status == 0


def test_strange_names_are_left_alone(house):
    make(house, "lost+found")
    assert run(["rkt-pod", "gc", "--grace-period=0s"]).status == 0
    assert house.pods() == ["lost+found"]


def test_no_store_is_nothing_to_do(data_dir):
    assert run(["rkt-pod", "gc"]).status == 0
    assert not data_dir.exists()


def test_host_is_as_before(house):
    """S-072"""
    before = mounts_below("/")
    image = house.image()
    assert run(["rkt-run", image]).status == 0
    assert run(["rkt-pod", "gc", "--grace-period=0s"]).status == 0
    assert run(["rkt-store", "gc", "--grace-period=0s"]).status == 0
    assert mounts_below("/") == before
    assert house.pods() == []
