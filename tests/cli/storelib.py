"""What the tests of rkt-store share: looking into a data directory, other users, small disks."""

import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import tarfile
import tempfile
import time

import pytest
from conftest import entry, manifest, run, tar_bytes, tool

ID = re.compile(r"sha256-[0-9a-f]{64}")
NOBODY = 65534
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def store(*args, **more):
    return run(["rkt-store", *args], **more)


def add(*files):
    """Imports FILES and returns their IDs (one: just it)."""
    result = store("import", *files)
    assert result.status == 0, result
    ids = result.out.split()
    return ids[0] if len(files) == 1 else ids


def ids():
    """The IDs in the store, in the order of the list."""
    result = store("list", "--full", "--no-legend")
    assert result.status == 0, result
    return [line.split("\t")[0] for line in result.out.splitlines()]


def info(image):
    result = store("info", "--json", image)
    assert result.status == 0, result
    return json.loads(result.out)


def blob_path(data_dir, image):
    digits = image.removeprefix("sha256-")
    return pathlib.Path(data_dir) / "cas/blob/sha256" / digits[:2] / image


def files_in(data_dir):
    """Everything below cas but the index itself, folders left out."""
    cas = pathlib.Path(data_dir) / "cas"
    return sorted(
        str(path.relative_to(cas))
        for path in cas.rglob("*")
        if not path.is_dir() and path.parent.name != "index"
    )


def assert_one_line(result, status, *words):
    """RESULT failed with STATUS and said why in one line (and a hint, when it is a usage error)."""
    assert result.status == status, result
    lines = result.err.splitlines()
    assert len(lines) == (2 if status == 2 else 1), result
    assert lines[0].startswith("rkt-store: "), result
    for word in words:
        assert word in lines[0], result


def image_tar(name="example.com/test", content="content", more=(), root_mode=0o755, **fields):
    """An image as an uncompressed tar, in bytes; FIELDS replace those of the manifest."""
    pairs = [
        entry("manifest", json.dumps(manifest(name, **fields))),
        entry("rootfs", mode=root_mode),
        entry("rootfs/content", content),
        *more,
    ]
    return tar_bytes(pairs)


def write(path, data):
    pathlib.Path(path).write_bytes(data)
    return path


def same_prefix(digits=8):
    """Two images whose IDs begin with the same DIGITS digits: by trying, as the birthday has it."""
    tar = image_tar(content="x" * 512)
    at = tar.index(b"x" * 512)
    head, tail = hashlib.sha256(tar[:at]), tar[at + 512 :]
    seen = {}
    for number in range(1 << 24):
        block = b"%-512d" % number
        digest = head.copy()
        digest.update(block)
        digest.update(tail)
        start = digest.hexdigest()[:digits]
        if start in seen:
            return tar[:at] + seen[start] + tail, tar[:at] + block + tail
        seen[start] = block
    raise AssertionError("no two alike")


@pytest.fixture
def open_dir():
    """A directory every user can enter and write to, with a copy of rkt-store in bin/."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="rkt-test-"))
    path.chmod(0o755)
    (path / "bin").mkdir(mode=0o755)
    shutil.copy(tool("rkt-store"), path / "bin/rkt-store")
    (path / "home").mkdir()
    os.chown(path / "home", NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def as_nobody(open_dir, *args, env=None, group=None):
    """Runs the copy of rkt-store in OPEN_DIR as an ordinary user, who is in GROUP."""
    groups = f"--groups={group}" if group else "--clear-groups"
    clean = [f"--reuid={NOBODY}", f"--regid={NOBODY}", groups]
    return run(
        ["setpriv", *clean, open_dir / "bin/rkt-store", *args],
        env={"HOME": open_dir / "home", **(env or {})},
    )


def on_small_disk(folder, size, script, **env):
    """Runs the shell SCRIPT with a tmpfs of SIZE on FOLDER that nobody else sees; $STORE is
    rkt-store."""
    text = f'mount -t tmpfs -o size={size} small "$FOLDER" && {script}'
    return run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", text],
        env={"FOLDER": folder, "STORE": tool("rkt-store"), **env},
    )


@pytest.fixture(scope="module")
def own_mounts():
    """From here on this process and its children have mounts of their own."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        pytest.skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")


def mounts_below(path):
    text = pathlib.Path("/proc/self/mountinfo").read_text()
    return [line.split()[4] for line in text.splitlines() if line.split()[4].startswith(f"{path}/")]


def flip(path, offset):
    """Changes one byte of a read-only file."""
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
    path.chmod(0o444)


def content_offset(data_dir, image):
    """Where the data of rootfs/content are in the image's blob."""
    with tarfile.open(blob_path(data_dir, image)) as tar:
        return tar.getmember("rootfs/content").offset_data


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def is_waiting(process):
    """Whether PROCESS waits for a lock that another has."""
    return any("-> " in line and f" {process.pid} " in line for line in open("/proc/locks"))


def somebody_waits(folder):
    """Whether a process waits for the lock on a file in FOLDER."""
    files = [f":{file.stat().st_ino} " for file in folder.iterdir()]
    return any("-> " in line and any(file in line for file in files) for line in open("/proc/locks"))


def holders(lock, sign):
    """The lines of /proc/locks on LOCK that are "held" or "waiting"."""
    if not lock.exists():
        return None
    inode = f":{lock.stat().st_ino} "
    lines = [line for line in open("/proc/locks") if "OFDLCK" in line and inode in line]
    return [line for line in lines if ("->" in line) == (sign == "waiting")]


def is_reading(pid, file):
    """Whether PID has read some of FILE."""
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{fd}") == str(file):
                text = open(f"/proc/{pid}/fdinfo/{fd}").read()
                if int(text.split("pos:")[1].split()[0]) > 1 << 20:
                    return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    return False
