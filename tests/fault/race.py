"""Sixteen processes at one store: nothing acknowledged is lost, nobody waits for ever (S-044, S-045).

Commands that change, read and use the same few images run side by side, RKT_FAULT_SECONDS (10)
long; now and then one is killed. While they run, a leased image stays whole (pods.c looks), and no
command says anything worse than that an image is not there or in use. Afterwards every image is
right, gc leaves no left-overs, and no process that is gone holds a reader slot of LMDB.
"""

import collections
import hashlib
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import BUILD, data_dir, tool  # noqa: E402
from storelib import files_in, image_tar, mounts_below, own_mounts, store, write  # noqa: E402

assert data_dir and own_mounts  # fixtures

SECONDS = float(os.environ.get("RKT_FAULT_SECONDS", "10"))
IMAGES = 5
TIMEOUT_SEC = 60

# what runs, how many of it, and what it may end with besides 0: an image that is not there (3); one
# that a pod uses
WORK = [
    ("import", 2, ()),
    ("import-many", 1, ()),
    ("import-pipe", 1, ()),
    ("rm", 2, (3, "in use")),
    ("gc", 1, ()),
    ("list", 1, ()),
    ("render", 2, (3,)),
    ("export", 1, (3,)),
    ("verify", 1, ()),
    ("repair", 1, ()),
    ("pods", 3, ()),
]
assert sum(count for _, count, _ in WORK) == 16


class Race:
    def __init__(self, path):
        self.path = path
        tars = [image_tar(f"example.com/{n}", f"content {n} " * 500) for n in range(IMAGES)]
        self.files = [write(path / f"{n}.aci", tar) for n, tar in enumerate(tars)]
        self.images = [f"sha256-{hashlib.sha256(tar).hexdigest()}" for tar in tars]
        self.end = time.monotonic() + SECONDS
        self.done = collections.Counter()
        self.wrong = []
        self.lock = threading.Lock()

    def args(self, work, which):
        image = self.images[which]
        return {
            "import": ["import", self.files[which]],
            "import-many": ["import", "-j4", *self.files[which:], *self.files],
            "import-pipe": ["import", "-"],
            "rm": ["rm", image],
            "gc": ["gc", "--grace-period=0s"],
            "list": ["list", "--full", "--no-legend"],
            "render": ["render", f"--form={('auto', 'extracted')[which % 2]}", image],
            "export": ["export", image, "/dev/stdout"],
            "verify": ["verify"],
            "repair": ["verify", "--repair"],
        }[work]

    def once(self, work, allowed, chance):
        which = chance.randrange(IMAGES)
        args, given = self.args(work, which), None
        if work == "import-pipe":
            given = self.files[which].read_bytes()
        if work == "export":
            args[-1] = "-"
        child = subprocess.Popen(
            [tool("rkt-store"), *args],
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        kill = chance.random() < 0.05
        try:
            out, err = child.communicate(given, timeout=chance.uniform(0, 0.05) if kill else TIMEOUT_SEC)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            if not kill:
                self.complain(work, "hung", out, err)
            return "killed"
        good = child.returncode == 0 or child.returncode in allowed
        if not good and not any(isinstance(word, str) and word in err.decode() for word in allowed):
            self.complain(work, child.returncode, out[:2000], err)
        return work if child.returncode == 0 else f"{work} in vain"

    def work(self, work, allowed, seed):
        chance = random.Random(seed)
        while time.monotonic() < self.end and not self.wrong:
            name = self.once(work, allowed, chance)
            with self.lock:
                self.done[name] += 1

    def pods(self, seed):
        args = [BUILD / "tests/fault/pods", "race", str(int(SECONDS)), str(seed), *self.images]
        done = subprocess.run(args, capture_output=True, timeout=SECONDS + TIMEOUT_SEC, check=False)
        if done.returncode:
            self.complain("pods", done.returncode, done.stdout, done.stderr)
            return
        had, missed = map(int, done.stdout.split())
        with self.lock:
            self.done.update({"pods": had, "pods in vain": missed})

    def complain(self, *what):
        with self.lock:
            self.wrong.append(what)

    def run(self):
        threads = []
        for work, count, allowed in WORK:
            for _ in range(count):
                seed = len(threads)
                body = (self.pods, (seed,)) if work == "pods" else (self.work, (work, allowed, seed))
                threads.append(threading.Thread(target=body[0], args=body[1]))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def reader_slots(data_dir):
    """Processes that LMDB's lock file has as readers (lmdb 0.9: mdb.c, MDB_txninfo)."""
    data = (data_dir / "cas/index/lock.mdb").read_bytes()
    pids = [int.from_bytes(data[at + 8 : at + 12], "little") for at in range(128, len(data), 64)]
    return [pid for pid in pids if pid]


@pytest.fixture
def unmounted(own_mounts, data_dir):
    yield
    for mount in reversed(mounts_below(data_dir)):
        subprocess.run(["umount", "-l", mount], check=False)


def test_sixteen_processes_at_one_store(unmounted, data_dir, tmp_path, capsys):
    race = Race(tmp_path)
    assert store("import", *race.files).status == 0
    race.run()
    with capsys.disabled():
        print("# " + ", ".join(f"{count} {work}" for work, count in sorted(race.done.items())))
    assert not race.wrong
    assert all(race.done[work] for work in ("import", "import-many", "import-pipe", "rm", "pods"))
    result = store("verify")
    assert result.status == 0, result
    there = [line.split()[0] for line in result.out.splitlines()]
    assert store("gc").status == 0
    left = [name for name in files_in(data_dir) if not name.startswith("rootfs")]
    assert len(left) == 2 * len(there), left
    assert os.listdir(data_dir / "cas/tmp") == []
    assert reader_slots(data_dir) == []


def test_acknowledged_images_stay_whatever_else_goes(unmounted, data_dir, tmp_path):
    """Nobody removes the image that one process imports; everything else goes on."""
    race = Race(tmp_path)
    race.end = time.monotonic() + min(SECONDS, 5)
    kept = race.images[0]
    assert store("import", *race.files).status == 0
    race.args = lambda work, which, all_of=Race.args: all_of(
        race, "list" if work == "gc" else work, which if work == "import" else max(which, 1))
    race.pods = lambda seed: None
    race.run()
    assert not race.wrong
    assert kept in store("verify").out
