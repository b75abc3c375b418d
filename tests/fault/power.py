"""Power loss at any moment, with writes that were not flushed lost or torn (S-041).

A store on an ext4 of its own goes through imports, removal, rendering and collection, while
disk-recorder.c writes down in which order its disk was written and flushed, and this file after
which of the writes each command had ended. Then the disk is made as it may have been found after a
power cut: all that was flushed, and of what was written since (up to some write) all, nothing, or a
random part of it, sectors torn. It is mounted, which replays the journal, in what looks like
another boot; and the images are those of the last command that ended or of the one under way.

Every flush is a place to cut: there with everything before it and with random parts of what follows,
with RKT_FAULT_FULL many of them, and also on ext4 as it is mounted usually (without: only with
data=writeback, which promises less).
"""

import os
import pathlib
import random
import struct
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import BUILD, needs_root, run  # noqa: E402
from faultlib import (  # noqa: E402
    FULL, KEPT, KEPT_TAR, POD, SUBJECT, SUBJECT_TAR, can_be_rendered, is_sanitized)
from storelib import files_in, own_mounts, store, write  # noqa: E402

assert own_mounts  # a fixture

HEAD = struct.Struct("<IIQ")
WRITE, FLUSH, MARK = b"WFM"
SECTOR = 512
SIZE = 24 << 20
PARTS = 12 if FULL else 1
BOOT_ID = "/proc/sys/kernel/random/boot_id"

pytestmark = needs_root


def must(*args):
    result = run(args)
    assert result.status == 0, result
    return result.out.strip()


class Disk:
    """An ext4 on a disk that is recorded."""

    def __init__(self, path, options):
        self.path, self.options = path, options
        self.image, self.log, self.mnt = path / "image", path / "log", path / "mnt"
        self.mnt.mkdir()
        self.image.write_bytes(b"")
        os.truncate(self.image, SIZE)
        must("mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-E", "lazy_itable_init=0", self.image)
        self.before = self.image.read_bytes()
        self.recorder = subprocess.Popen(
            [BUILD / "tests/fault/disk-recorder", self.image, self.log],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.recorder.stdout.readline() != b"ready\n":
            pytest.skip(f"no FUSE: {self.recorder.stderr.read().decode()}")
        self.loop = must("losetup", "--find", "--show", self.image)
        must("mount", "-t", "ext4", "-o", options, self.loop, self.mnt)

    def mark(self, images):
        """From here on IMAGES are there for good."""
        with open(self.log, "ab", buffering=0) as log:
            text = " ".join(sorted(images)).encode()
            log.write(HEAD.pack(MARK, len(text), 0) + text)

    def close(self):
        for args in (["umount", self.mnt], ["losetup", "-d", self.loop], ["umount", "-l", self.image]):
            run(args)
        self.recorder.wait(timeout=20)

    def records(self):
        data, at, found = self.log.read_bytes(), 0, []
        while at < len(data):
            kind, length, offset = HEAD.unpack_from(data, at)
            at += HEAD.size + length
            found.append((kind, offset, data[at - length : at]))
        return found


def live(disk, tmp_path):
    """What happens to the store; each command ends before what it did is marked."""
    kept = write(tmp_path / "kept.aci", KEPT_TAR)
    subject = write(tmp_path / "subject.aci", SUBJECT_TAR)
    os.environ["RKT_DIR"] = str(disk.mnt / "rkt")
    one, both = {KEPT}, {KEPT, SUBJECT}
    steps = [
        (["import", kept], one),
        (["import", subject], both),
        (["rm", SUBJECT], one),
        (["import", subject], both),
        (["render", "--form=extracted", SUBJECT], both),
        (["gc", "--grace-period=0s"], one),
        (["import", subject], both),
    ]
    for args, images in steps:
        if args[0] == "gc":
            must(str(BUILD / "tests/fault/pods"), "lease", POD, KEPT)
        assert store(*args).status == 0
        disk.mark(images)


def tear(chance, data):
    """DATA as a power cut may leave it: some of its sectors."""
    return [
        (at, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR) if chance.random() < 0.5
    ]


def cuts(disk, chance):
    """(what for, disk, images allowed) for every place to cut."""
    durable = bytearray(disk.before)
    pending, acked, allowed = [], set(), [set()]
    records = disk.records()
    marks = [set(data.decode().split()) for kind, _, data in records if kind == MARK]
    for number, (kind, offset, data) in enumerate(records):
        if kind == WRITE:
            pending.append((offset, data))
        elif kind == MARK:
            acked = marks.pop(0)
        if kind != FLUSH:
            continue
        next_one = marks[0] if marks else acked
        allowed = [acked, next_one]
        for part in range(PARTS if pending else 0):
            lost = bytearray(durable)
            for at, piece in pending[: chance.randint(1, len(pending))]:
                fate = chance.randrange(3)
                for sector, bytes_ in tear(chance, piece) if fate == 2 else [(0, piece)] * fate:
                    lost[at + sector : at + sector + len(bytes_)] = bytes_
            yield f"within {len(pending)} writes before record {number}, part {part}", lost, allowed
        for at, piece in pending:
            durable[at : at + len(piece)] = piece
        if pending:
            yield f"flush {number}", durable, allowed
        pending = []


def judge(data_dir, allowed):
    result = store("verify")
    if result.status == 3:
        assert set() in allowed, "the store is gone"
        return
    assert result.status == 0, result
    there = {line.split()[0] for line in result.out.splitlines()}
    assert there in allowed, f"{there} is none of {allowed}"
    result = store("gc")
    assert result.status == 0, result
    left = [name for name in files_in(data_dir) if not name.startswith("rootfs")]
    assert len(left) == 2 * len(there), left
    assert os.listdir(data_dir / "cas/tmp") == []
    if SUBJECT in there and (data_dir / f"cas/rootfs/sha256/{SUBJECT[7:9]}/{SUBJECT}").exists():
        can_be_rendered(None)


@pytest.fixture
def next_boot(own_mounts, tmp_path):
    """What was recorded belongs to an earlier boot from here on: call it."""

    def begin():
        other = write(tmp_path / "boot_id", b"6ba7b811-9dad-11d1-80b4-00c04fd430c8\n")
        must("mount", "--bind", other, BOOT_ID)

    yield begin
    run(["umount", BOOT_ID])


@pytest.mark.parametrize("options", ["data=ordered", "data=writeback"] if FULL else ["data=writeback"])
def test_power_is_cut_at_every_flush_and_between(next_boot, options, tmp_path, monkeypatch, capsys):
    if is_sanitized():
        pytest.skip("what is on the disk is the same: the plain build shows it")
    monkeypatch.setenv("RKT_DIR", "")
    disk = Disk(tmp_path, options)
    try:
        live(disk, tmp_path)
    finally:
        disk.close()
    next_boot()
    began = time.monotonic()
    count = 0
    found = tmp_path / "found"
    for what, image, allowed in cuts(disk, random.Random(41)):
        found.write_bytes(image)
        must("mount", "-o", f"loop,{options}", found, disk.mnt)
        try:
            judge(disk.mnt / "rkt", allowed)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        finally:
            run(["umount", "-R", disk.mnt])
        count += 1
    with capsys.disabled():
        print(f"# {options}: {count} power cuts, {time.monotonic() - began:.0f} s")
    assert count > 40
