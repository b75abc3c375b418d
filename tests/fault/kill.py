"""SIGKILL at every system call of every command that changes a store (S-040, S-041).

Each command is killed as it enters its first call, its second, and so on until one runs to its end;
calls of the dynamic loader and of every thread count. After each kill the next ordinary command
works without repair, what was acknowledged is there and whole, the image in question is absent or
whole, and gc collects every left-over.
"""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import tool  # noqa: E402
from faultlib import CHANGING, IMPORT, SUBJECT, numbers, scenes, yard  # noqa: E402
from fetchscenes import FETCHING  # noqa: E402
from storelib import ids, own_mounts, store, wait_until  # noqa: E402

assert own_mounts and yard  # fixtures

KILLED = 128 + signal.SIGKILL


@scenes(CHANGING, FETCHING)
def test_killed_at_every_call(own_mounts, scene, yard, capsys):
    began = time.monotonic()
    places = numbers(yard)
    thread, number = next(places)
    tried = judged = 0
    while True:
        result, hit = yard.at("kill", thread, number)
        assert (result.status == KILLED) == bool(hit), result
        try:
            changed = yard.judge(None if hit else result.status)
        except AssertionError as error:
            raise AssertionError(f"killed entering {hit}: {error}") from error
        if yard.look() != yard.start:
            yard.reset()
        tried += bool(hit)
        judged += changed
        try:
            thread, number = places.send(bool(hit))
        except StopIteration:
            break
    with capsys.disabled():
        took = time.monotonic() - began
        print(f"# {scene}: killed at {tried} calls, {judged} different states, {took:.0f} s")
    assert tried > 100


@scenes([IMPORT])
def test_killed_at_random_moments(scene, yard):
    """Between calls too: what the kernel does with a call that is under way."""
    chance = random.Random(2)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        child = subprocess.Popen(
            [tool("rkt-store"), *yard.args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        acknowledged = child.communicate()[0].decode().split()
        assert set(acknowledged) <= set(ids())
        yard.judge(child.returncode)
        yard.reset()
    assert store("import", yard.subject_file).status == 0


# after which something is on the disk that was not before
WRITING = {"pwrite64", "writev", "pwritev", "write", "fdatasync", "fsync", "unlinkat", "linkat", "renameat2", "mkdirat"}


@scenes([scene for scene in CHANGING if scene.before])
def test_killed_after_every_call_that_writes_while_others_look(own_mounts, scene, yard, capsys):
    """Somebody has the store open all the time, as a process that lives long does: then nobody who comes looks
    anew which commit is the last. And the kill comes when the call is done, before its caller knows."""
    tried = 0
    for call in yard.calls():
        if call.name not in WRITING:
            continue
        with held_open(yard):
            result, hit = yard.at("kill-after", call.thread, call.number)
            if not hit:  # the threads shared the work in another way
                continue
            assert result.status == KILLED, result
            try:
                yard.judge(None)
            except AssertionError as error:
                raise AssertionError(f"killed after {hit}: {error}") from error
            there = ids()
            assert store("import", yard.subject_file).out.split() == [SUBJECT], hit
            assert store("import", yard.layered_file).status == 0
            assert {*there, SUBJECT} <= set(ids()), hit
        yard.reset()
        tried += 1
    with capsys.disabled():
        print(f"# {scene}, held open: killed after {tried} calls")
    assert tried > 3


@contextlib.contextmanager
def held_open(yard):
    lock = yard.data_dir / "cas/index/lock.mdb"
    holder = subprocess.Popen([tool("rkt-store"), "import", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_until(lambda: any(os.path.realpath(f"/proc/{holder.pid}/fd/{fd}") == str(lock)
                           for fd in os.listdir(f"/proc/{holder.pid}/fd")))
    try:
        yield
    finally:
        holder.kill()
        holder.communicate()
