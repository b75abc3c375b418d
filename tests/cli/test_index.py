"""The EROFS index, seen through the kernel: its mount is the tree that GNU tar extracts from the tar."""

import os
import pathlib
import random
import re
import shutil
import stat
import struct
import subprocess

import pytest
from conftest import SOURCE, needs_erofs, run, tool

TOOL = tool("tests/images/index-tool")
SAME_TREE = SOURCE / "tests/images/same-tree.py"
TAR = ["tar", "--format=pax", "--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"]


@pytest.fixture
def place(tmp_path):
    """Directories of a test: `tree` to fill, `extracted` and `mnt` for the comparison."""
    for name in ("tree", "extracted", "mnt"):
        (tmp_path / name).mkdir()
    yield tmp_path
    shutil.rmtree(os.fsencode(tmp_path), ignore_errors=True)


def make_index(place):
    made = run([TOOL, "make", place / "t.tar", place / "index"])
    assert made.status == 0, made.err
    words = made.out.split()
    return {key: float(value) for key, value in zip(words[::2], words[1::2])}


def pack(place, *options):
    subprocess.run([*TAR, *options, "-C", place / "tree", "-cf", place / "t.tar", "."], check=True)


def mounted(place, *command):
    return run([TOOL, "run", place / "index", place / "mnt", place / "t.tar", *command])


def assert_mount_is_what_tar_extracts(place):
    """Indexes PLACE/t.tar, extracts it beside, and compares all there is to see."""
    make_index(place)
    extract = [*TAR, "--same-owner", "-p", "-C", place / "extracted", "-xf", place / "t.tar"]
    subprocess.run(extract, check=True)
    compared = mounted(place, SAME_TREE, place / "mnt", place / "extracted")
    assert compared.status == 0, compared.out + compared.err


def acl(*entries):
    """The kernel's form of an ACL of (tag, permissions, id)."""
    none = 0xFFFFFFFF
    packed = [struct.pack("<HHI", tag, perm, none if id_ is None else id_) for tag, perm, id_ in entries]
    return struct.pack("<I", 2) + b"".join(packed)


ACL = acl((1, 6, None), (2, 7, 70001), (4, 4, None), (8, 5, 70002), (0x10, 7, None), (0x20, 4, None))


def touch(path, data=b"x"):
    with open(path, "wb") as file:
        file.write(data)


@needs_erofs
def test_files_of_all_sizes(place):
    generator = random.Random(1)
    around = [base + step for base in (0, 512, 1024, 4096, 65536) for step in (-1, 0, 1)]
    for size in [*(size for size in around if size >= 0), 3 << 20, (5 << 20) + 1]:
        touch(place / "tree" / str(size), generator.randbytes(size))
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_modes_owners_and_times(place):
    modes = [0, 0o1, 0o644, 0o755, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777]
    for mode in modes:
        touch(place / "tree" / f"file-{mode:o}")
        (place / "tree" / f"dir-{mode:o}").mkdir()
    for owner in (1, 65535, 65536, 70000, 2**31, 2**32 - 2):
        touch(place / "tree" / f"owner-{owner}")
        os.chown(place / "tree" / f"owner-{owner}", owner, owner)
    for time in (0, 1, -1, -1500000000, 999999999, 1418290200123456789, -(2**31) * 10**9, 4 * 10**18):
        touch(place / "tree" / f"time-{time}")
        os.utime(place / "tree" / f"time-{time}", ns=(time, time))
    for mode in modes:
        os.chmod(place / "tree" / f"file-{mode:o}", mode)
        os.chmod(place / "tree" / f"dir-{mode:o}", mode)
    os.chmod(place / "tree", 0o711)
    os.utime(place / "tree", ns=(0, 1234567890000000001))
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_devices_and_fifos(place):
    tree = place / "tree"
    for kind, major, minor in (("c", 1, 3), ("c", 4095, 1048575), ("c", 0, 1), ("b", 7, 255), ("b", 0, 0)):
        type_ = stat.S_IFCHR if kind == "c" else stat.S_IFBLK
        os.mknod(tree / f"{kind}-{major}-{minor}", type_ | 0o640, os.makedev(major, minor))
    os.mkfifo(tree / "fifo", 0o604)
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_hard_links(place):
    tree = place / "tree"
    for name in ("b", "a/x", "c/d"):
        (tree / name).mkdir(parents=True)
    touch(tree / "b" / "first", b"shared")
    for number in range(300):
        os.link(tree / "b" / "first", tree / "c" / "d" / f"again-{number}")
    os.link(tree / "b" / "first", tree / "a" / "x" / "before")
    touch(tree / "empty", b"")
    os.link(tree / "empty", tree / "empty-too")
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_names_of_all_bytes_and_lengths(place):
    tree = os.fsencode(place / "tree")
    for byte in set(range(1, 256)) - {ord("/"), ord(".")}:
        touch(os.path.join(tree, bytes([byte])))
        touch(os.path.join(tree, b"." + bytes([byte])))
        touch(os.path.join(tree, b"n" + bytes([byte]) * 2))
    for length in (2, 98, 99, 100, 101, 154, 155, 156, 254, 255):
        touch(os.path.join(tree, b"l" * length))
    for name in (b"...", b"..a", b"!", b"-a", b".-", b"new\nline", b"\xff\xfe", "ü€".encode()):
        touch(os.path.join(tree, name))
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_deep_directories(place):
    top = place / "tree"
    path = top.joinpath(*["d" * (3 + number % 40) for number in range(100)])
    path.mkdir(parents=True)
    touch(path / "bottom")
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_directory_of_5000(place):
    generator = random.Random(2)
    for number in range(5000):
        touch(place / "tree" / ("%x-%s" % (generator.getrandbits(40), "y" * (number % 90))), b"")
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_directories_of_every_size_around_a_block(place):
    for count in range(60):
        (place / "tree" / f"d{count}").mkdir()
        for number in range(count):
            touch(place / "tree" / f"d{count}" / f"{number:03}-{'z' * (count % 7)}", b"")
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_symlinks_of_all_lengths(place):
    # every one is in test_index.c; removing thousands of long ones takes ext4 very long
    for length in {*range(1, 530, 3), *range(440, 520), *range(530, 4096, 97), 4094, 4095}:
        os.symlink("t" * length, place / "tree" / f"s{length}")
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_extended_attributes(place):
    tree = place / "tree"
    capability = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    for number in range(40):
        touch(tree / f"file-{number}", b"z" * number)
        (tree / f"dir-{number}").mkdir()
        for path in (tree / f"file-{number}", tree / f"dir-{number}"):
            os.setxattr(path, "user.size", b"v" * (number * 13))
    touch(tree / "program")
    os.setxattr(tree / "program", "security.capability", capability)
    os.setxattr(tree / "program", "trusted.b", b"\0binary\n\xff")
    os.setxattr(tree / "program", "trusted.a", b"")
    os.setxattr(tree / "program", "user." + "n" * 250, b"longest name")
    for number in range(30):
        os.setxattr(tree / "program", f"user.many-{number}", b"%d" % number)
    os.symlink("program", tree / "link")
    os.setxattr(tree / "link", "trusted.on-a-link", b"l" * 300, follow_symlinks=False)
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_access_control_lists(place):
    tree = place / "tree"
    (tree / "dir").mkdir()
    os.setxattr(tree / "dir", "system.posix_acl_access", ACL)
    os.setxattr(tree / "dir", "system.posix_acl_default", ACL)
    touch(tree / "file")
    os.setxattr(tree / "file", "system.posix_acl_access", ACL)
    os.chmod(tree / "file", 0o4751)
    pack(place)
    assert_mount_is_what_tar_extracts(place)


@needs_erofs
def test_overlay_attributes_are_not_shown(place):
    touch(place / "tree" / "file")
    os.setxattr(place / "tree" / "file", "trusted.overlay.opaque", b"y")
    os.setxattr(place / "tree" / "file", "user.overlay.whiteout", b"y")
    os.setxattr(place / "tree" / "file", "user.kept", b"y")
    pack(place)
    assert make_index(place)["xattrs_dropped"] == 2
    listed = mounted(
        place, "/usr/bin/python3", "-c", f"import os; print(os.listxattr({str(place / 'mnt/file')!r}))"
    )
    assert listed.out.strip() == "['user.kept']"


@needs_erofs
def test_missing_parents_are_0755_root_of_time_0(place):
    (place / "tree" / "a" / "b").mkdir(parents=True)
    touch(place / "tree" / "a" / "b" / "file")
    subprocess.run([*TAR, "-C", place / "tree", "-cf", place / "t.tar", "a/b/file"], check=True)
    make_index(place)
    shown = mounted(place, "stat", "-c", "%a %u:%g %Y %h", place / "mnt", place / "mnt/a", place / "mnt/a/b")
    assert shown.out.split("\n")[:3] == ["755 0:0 0 3", "755 0:0 0 3", "755 0:0 0 2"]


@needs_erofs
def test_the_mount_is_read_only_and_nodev(place):
    touch(place / "tree" / "file")
    pack(place)
    make_index(place)
    assert mounted(place, "touch", place / "mnt" / "new").err.rstrip().endswith("Read-only file system")
    options = mounted(place, "findmnt", "-no", "OPTIONS", place / "mnt").out.strip().split(",")
    assert {"ro", "nodev"} <= set(options) and "nosuid" not in options


def test_same_tar_gives_the_same_bytes(place):
    for number in range(200):
        touch(place / "tree" / f"{number * 7919 % 200}")
    pack(place)
    make_index(place)
    first = (place / "index").read_bytes()
    make_index(place)
    assert (place / "index").read_bytes() == first


def test_character_device_0_0_is_refused(place):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.mknod(place / "tree" / "gone", stat.S_IFCHR | 0o600, 0)
    pack(place)
    made = run([TOOL, "make", place / "t.tar", place / "index"])
    assert made.status == 4
    assert "indexing gone: character device 0:0" in made.err


@needs_erofs
def test_probe_tells_why_a_memory_file_system_will_not_do(place):
    assert run([TOOL, "probe", place]).status == 0
    shm = pathlib.Path("/dev/shm")
    if not shm.is_dir():
        pytest.skip("no /dev/shm")
    probed = run([TOOL, "probe", shm])
    assert probed.status == 1
    assert "index on a disk file system" in probed.err


def fsck_version():
    """(major, minor) of fsck.erofs; (0, 0) when there is none."""
    if not shutil.which("fsck.erofs"):
        return 0, 0
    said = run(["fsck.erofs", "--version"])
    found = re.search(r"(\d+)\.(\d+)", said.out + said.err)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@pytest.mark.skipif(fsck_version() < (1, 8), reason="needs fsck.erofs 1.8 (erofs-utils)")
def test_fsck_finds_nothing(place):
    for number in range(1000):
        touch(place / "tree" / f"file-{number}", b"c" * number)
        os.symlink("t" * (number * 4 + 1), place / "tree" / f"link-{number}")
    pack(place)
    make_index(place)
    checked = run(["fsck.erofs", f"--device={place / 't.tar'}", place / "index"])
    assert checked.status == 0, checked.out + checked.err
