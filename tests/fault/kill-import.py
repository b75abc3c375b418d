"""SIGKILL during an import, at every file system call and at random moments (S-040, S-041).

After each kill the next ordinary command works without repair, the image is absent or whole, what was
acknowledged before is there, and gc collects every left-over.

Calls are counted in one undisturbed import under strace; then one import a call is killed as it enters
that call. RKT_FAULT_SECONDS bounds the whole (60 without it; 0: no bound): what does not fit is left
out evenly, and the test says how much.
"""

import collections
import gzip
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))

from conftest import run, tool  # noqa: E402
from storelib import files_in, ids, image_tar, store, write  # noqa: E402

SECONDS = float(os.environ.get("RKT_FAULT_SECONDS", "60"))
# What changes files, or decides what is changed; read-only calls come between these anyway.
CALLS = (
    "openat mkdir mkdirat fchmod chmod ftruncate write pwrite64 pwritev fdatasync fsync linkat "
    "unlinkat renameat renameat2 flock fcntl sync_file_range msync close"
).split()

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


@pytest.fixture(scope="module")
def strace_works():
    if run(["strace", "-o", "/dev/null", "-e", "inject=getppid:signal=KILL", "true"]).status != 0:
        pytest.skip("strace cannot trace here")


class Yard:
    """A store with one acknowledged image, and another image whose imports are killed."""

    def __init__(self, path):
        self.data_dir = path / "rkt"
        self.first = write(path / "first.aci", image_tar("example.com/first", "first"))
        body = random.Random(1).randbytes(1 << 20).hex()
        second = gzip.compress(image_tar("example.com/second", body), 1)
        self.second = write(path / "second.aci", second)
        os.environ["RKT_DIR"] = str(self.data_dir)
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"  # which does not work under ptrace
        self.kept = []

    def fill(self):
        self.kept = [store("import", self.first).out.strip()]

    def empty(self):
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.kept = []

    def check(self):
        """What must hold after a kill; leaves the store as it was before the import."""
        listed = store("list", "--full", "--no-legend")
        there = [line.split("\t")[0] for line in listed.out.splitlines()]
        # killed while the store itself was being made: there is none yet
        assert listed.status == 0 or (listed.status == 3 and not self.kept), listed
        assert set(self.kept) <= set(there)
        for image in there:
            result = store("export", image, "-")
            assert result.status == 0, result
        if listed.status == 0:
            result = store("gc")
            assert result.status == 0, result
            assert len(files_in(self.data_dir)) == 2 * len(there), files_in(self.data_dir)
        for image in set(there) - set(self.kept):
            assert store("rm", image).status == 0


@pytest.fixture
def yard(tmp_path, monkeypatch):
    monkeypatch.setenv("RKT_DIR", "")  # put back at the end, whatever the yard makes of them
    monkeypatch.setenv("ASAN_OPTIONS", "")
    return Yard(tmp_path)


def count_calls(yard, log):
    """How often the thread that imports makes each call."""
    strace = ["strace", "-f", "-o", log, "-e", f"trace={','.join(CALLS)}"]
    traced = run([*strace, tool("rkt-store"), "import", yard.second])
    assert traced.status == 0, traced
    counts = collections.Counter()
    lines = log.read_text().splitlines()
    main = lines[0].split()[0]
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match and match.group(1) == main:
            counts[match.group(2)] += 1
    return counts


def kill_at(yard, call, number):
    inject = f"inject={call}:signal=KILL:when={number}"
    trace = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
    return run([*trace, tool("rkt-store"), "import", yard.second])


def thin_out(points, seconds, cost):
    """As many of POINTS as fit, evenly spread."""
    room = len(points) if SECONDS == 0 else max(1, int(seconds / cost))
    step = max(1.0, len(points) / room)
    return [points[int(index * step)] for index in range(int(len(points) / step))]


def kill_at_every_call(yard, tmp_path, share, prepare):
    prepare()
    counts = count_calls(yard, tmp_path / "trace")
    points = [(call, number + 1) for call in sorted(counts) for number in range(counts[call])]
    assert counts["linkat"] == 2 and counts["fdatasync"] >= 3, counts
    prepare()
    began = time.monotonic()
    kill_at(yard, "linkat", 1)
    yard.check()
    chosen = thin_out(points, SECONDS * share, time.monotonic() - began)
    killed = tried = 0
    end = time.monotonic() + SECONDS * share
    for call, number in chosen:
        if SECONDS and time.monotonic() > end:
            break
        if prepare == yard.empty:
            prepare()
        result = kill_at(yard, call, number)
        tried += 1
        killed += result.status != 0
        try:
            yard.check()
        except AssertionError as error:
            raise AssertionError(f"killed entering {call} number {number}: {error}") from error
    print(f"# killed {killed} times at {tried} of {len(points)} calls")
    assert killed > tried // 2


def test_kill_at_every_call_of_an_import_into_a_store(strace_works, yard, tmp_path, capsys):
    def prepare():
        yard.empty()
        yard.fill()

    with capsys.disabled():
        kill_at_every_call(yard, tmp_path, 0.5, prepare)
    assert store("import", yard.second).status == 0
    assert len(ids()) == 2


def test_kill_at_every_call_of_the_very_first_import(strace_works, yard, tmp_path, capsys):
    with capsys.disabled():
        kill_at_every_call(yard, tmp_path, 0.3, yard.empty)
    assert store("import", yard.second).status == 0
    assert len(ids()) == 1


def test_kill_at_random_moments(yard):
    yard.fill()
    began = time.monotonic()
    assert store("import", yard.second).status == 0
    duration = time.monotonic() - began
    assert store("rm", "example.com/second").status == 0
    chance = random.Random(2)
    end = time.monotonic() + (SECONDS * 0.2 if SECONDS else 30)
    while time.monotonic() < end:
        child = subprocess.Popen(
            [tool("rkt-store"), "import", yard.second],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0, duration * 1.1))
        child.send_signal(signal.SIGKILL)
        acknowledged = child.communicate()[0].decode().split()
        assert set(acknowledged) <= set(ids())
        yard.check()
