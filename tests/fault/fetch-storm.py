"""Many fetches of a small signed image through a server that answers one request in ten wrong, and clients that are
killed at random: the store stays whole, nothing unsigned is accepted, gc leaves nothing.

RKT_FAULT_FETCHES (60) of them, four at a time, at one store. An image is removed now and then, so that there is
something to do. RKT_FAULT_SEED repeats what chance did.
"""

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

from conftest import data_dir, run, tool  # noqa: E402
from fetchlib import noise  # noqa: E402
from siglib import Gpg, needs_gpg, trust  # noqa: E402
from storelib import files_in, ids, image_tar, info, store  # noqa: E402
from weblib import File, Web  # noqa: E402

assert data_dir and trust  # fixtures
pytestmark = needs_gpg
FETCHES = int(os.environ.get("RKT_FAULT_FETCHES", "60"))
SEED = int(os.environ.get("RKT_FAULT_SEED", time.time_ns() % 100000))
CLIENTS = 4
IMAGES = 3
FAULTY = 0.1  # of all requests
KILLED = 0.25  # of all clients
NAME = "example.com/app"


class Faulty(File):
    """GOOD most of the time."""

    def __init__(self, body, chance, wrong, counts):
        super().__init__(body)
        self.chance, self.wrong, self.counts = chance, wrong, counts

    def __call__(self, handler, asked):
        fault = None
        if self.chance.random() < FAULTY:
            fault = self.chance.choice(["reset", "ended", "status", "short", "changed", "other"])
            self.counts[fault] = self.counts.get(fault, 0) + 1
        at = self.chance.randrange(len(self.body))
        if fault in ("reset", "ended"):
            File(self.body, drop_at=[at] if fault == "reset" else [], end_at=[at])(handler, asked)
        elif fault == "status":
            handler.reply(self.chance.choice([500, 502, 503, 429, 404]))
        elif fault == "short":
            File(self.body[:at])(handler, asked)
        elif fault == "changed":
            File(self.body[:at] + bytes([self.body[at] ^ 16]) + self.body[at + 1 :], etag=self.etag)(handler, asked)
        elif fault == "other":
            File(self.wrong)(handler, asked)
        else:
            super().__call__(handler, asked)


class Storm:
    def __init__(self, web, gpg, folder):
        self.web, self.chance, self.lock = web, random.Random(SEED), threading.Lock()
        self.counts, self.left = {}, FETCHES
        self.good = {}
        for number in range(IMAGES):
            body, forged = (image_tar(NAME, content=noise(60_000, bytes([number, bad]))) for bad in (0, 1))
            signatures = []
            for user, what in ("alice", body), ("mallory", forged):
                file = folder / "signed"
                file.write_bytes(what)
                signatures.append(gpg.run("-u", f"{user}@example.com", "--detach-sign", "-o", "-", file))
            web.route(f"/{number}.aci", Faulty(body, self.chance, forged, self.counts))
            web.route(f"/{number}.aci.asc", Faulty(signatures[0], self.chance, signatures[1], self.counts))
            self.good[number] = self.id_of(folder, body)
        self.ended, self.wrong = {}, []

    @staticmethod
    def id_of(folder, body):
        (folder / "image").write_bytes(body)
        return "sha256-" + run(["aci-hash", folder / "image"]).out.split()[0]

    def client(self):
        """One fetch after the other."""
        while True:
            with self.lock:
                if self.left == 0 or self.wrong:
                    return
                self.left -= 1
                number, killed = self.chance.randrange(IMAGES), self.chance.random() < KILLED
                after, remove = self.chance.uniform(0, 0.12), self.chance.random() < 0.3
            if remove:
                store("rm", self.good[number])
            self.fetch(number, after if killed else None)

    def fetch(self, number, killed_after):
        command = [tool("rkt-store"), "fetch", "--insecure-options=http", "--tries=2", "--retry-wait=0s", "--idle-timeout=5s",
                   f"{self.web.url}/{number}.aci"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=killed_after or 60)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if not killed_after:
                self.wrong.append(f"it hangs: {err.decode()}")
        with self.lock:
            self.ended[process.returncode] = self.ended.get(process.returncode, 0) + 1
        self.judge(number, process.returncode, out.decode().split(), err.decode())

    def judge(self, number, status, out, err):
        if out not in ([], [self.good[number]]) or (status == 0 and not out):
            self.wrong.append(f"{number}: {status}, {out}, {err}")
        # missing, not signed, not as signed, no server: all with a word; 9: ours
        if status not in (0, 1, 3, 4, 5, -9) or (status > 0 and not err.startswith("rkt-store: ")):
            self.wrong.append(f"{number}: {status}, {err}")


def assert_whole(storm, key):
    result = store("verify")
    assert result.status == 0, result
    there = ids()
    assert set(there) <= set(storm.good.values())
    for image in there:
        assert info(image)["signedBy"] == key


def test_a_storm(data_dir, tmp_path, trust, capsys, monkeypatch):
    began = time.monotonic()
    (tmp_path / "tmp").mkdir()
    gpg = Gpg(tmp_path / "gpg")
    web = Web()
    try:
        gpg.make_key("mallory")
        key = gpg.make_key("alice")
        trust.put("local", NAME, gpg.fingerprint("alice"), key.read_bytes())
        storm = Storm(web, gpg, tmp_path)
        assert store("init").status == 0
        monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
        clients = [threading.Thread(target=storm.client) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        with capsys.disabled():
            print(f"# seed {SEED}: {FETCHES} fetches, {len(web.requests)} requests, ended {storm.ended}, faults "
                  f"{storm.counts}, {time.monotonic() - began:.0f} s")
        assert not storm.wrong, storm.wrong[:5]
        assert storm.ended.get(0, 0) > FETCHES / 4 and sum(storm.counts.values()) > 0
        assert_whole(storm, gpg.fingerprint("alice"))
        # when the weather is good again, all is fetched
        for number in range(IMAGES):
            for path in f"/{number}.aci", f"/{number}.aci.asc":
                web.file(path, web.routes[path].body)
            result = run(["rkt-store", "fetch", "--no-cache", "--insecure-options=http", f"{web.url}/{number}.aci"])
            assert (result.status, result.out.split()) == (0, [storm.good[number]]), result
        assert_whole(storm, gpg.fingerprint("alice"))
        assert len(ids()) == IMAGES
        assert os.listdir(tmp_path / "tmp") == []
        assert store("gc", "--grace-period=0s").status == 0
        assert files_in(data_dir) == []
        assert os.listdir(data_dir / "cas/partial") == [] and os.listdir(data_dir / "cas/tmp") == []
    finally:
        gpg.stop()
        web.close()
