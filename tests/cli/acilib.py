"""What the tests of the four image tools share: other users, small disks, canaries."""

import ctypes
import os
import pathlib
import platform
import shutil
import struct
import subprocess
import tempfile

import pytest
from conftest import run, tool


def lines(text):
    return text.splitlines()


def one_line(result, status, words):
    """Asserts that RESULT is a failure told in one clear line that holds WORDS."""
    assert result.status == status, result
    assert len(lines(result.err)) == 1, result
    assert words in result.err, result
    return result


@pytest.fixture
def public_dir():
    """A directory that everybody may enter (pytest's own are private)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="rkt-test."))
    path.chmod(0o755)
    yield path
    for below in [path, *path.rglob("*")]:
        if below.is_dir() and not below.is_symlink():
            below.chmod(0o755)
    shutil.rmtree(path)


def as_nobody(where, args, **more):
    """Runs the program ARGS[0] as an ordinary user. WHERE is a public directory for a copy of it."""
    program = where / f".{args[0]}"
    shutil.copy(tool(args[0]), program)
    program.chmod(0o755)
    command = [program, *args[1:]]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return run(command, cwd=where, **more)


def on_small_disk(size, script, *args):
    """Runs SCRIPT (sh; $1... are ARGS) in a tmpfs of SIZE bytes that nobody else sees."""
    inner = f'mount -t tmpfs -o size={size} none "$0" && cd "$0" && {script}'
    with tempfile.TemporaryDirectory() as where:
        command = ["unshare", "-m", "--propagation=private", "sh", "-c", inner, where, *args]
        return run(command)


# <linux/seccomp.h>, <linux/bpf_common.h>: what a filter is made of
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EACCES, EINVAL, ENOSYS, EOPNOTSUPP = 13, 22, 38, 95
PRCTL, OPENAT, MEMFD_CREATE, OPENAT2 = 157, 257, 319, 437  # of x86_64
PR_SET_SECCOMP = 22  # prctl(2)
MFD_NOEXEC_SEAL = 8  # memfd_create(2)
TMPFILE = 0o20000000  # __O_TMPFILE

only_x86_64 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the filter knows the call numbers of x86_64 only")


def _set_filter(*program):
    """Installs a seccomp filter of (code, jump if true, jump if false, value) in this process."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, head, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def without_openat2():
    """For preexec_fn: a kernel before 5.6."""
    _set_filter((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, OPENAT2), (RETURN, 0, 0, ERRNO | ENOSYS),
                (RETURN, 0, 0, ALLOW))


def without_filters():
    """For preexec_fn: a kernel that was built without seccomp filters."""
    _set_filter((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3, PRCTL), (LOAD, 0, 0, 16),
                (JUMP_IF_EQUAL, 0, 1, PR_SET_SECCOMP), (RETURN, 0, 0, ERRNO | EINVAL),
                (RETURN, 0, 0, ALLOW))


def without_noexec_memory():
    """For preexec_fn: a kernel before 6.3, whose memfd_create() does not know MFD_NOEXEC_SEAL."""
    _set_filter((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3, MEMFD_CREATE), (LOAD, 0, 0, 24),
                (JUMP_IF_SET, 0, 1, MFD_NOEXEC_SEAL), (RETURN, 0, 0, ERRNO | EINVAL),
                (RETURN, 0, 0, ALLOW))


def only_noexec_memory():
    """For preexec_fn: vm.memfd_noexec=2 as Linux 6.3 to 6.5 read it (later ones take what does not say)."""
    _set_filter((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3, MEMFD_CREATE), (LOAD, 0, 0, 24),
                (JUMP_IF_SET, 1, 0, MFD_NOEXEC_SEAL), (RETURN, 0, 0, ERRNO | EACCES),
                (RETURN, 0, 0, ALLOW))


def without_tmpfile():
    """For preexec_fn: a file system that cannot make files without a name."""
    _set_filter((LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3, OPENAT), (LOAD, 0, 0, 32),
                (JUMP_IF_SET, 0, 1, TMPFILE), (RETURN, 0, 0, ERRNO | EOPNOTSUPP),
                (RETURN, 0, 0, ALLOW))


class Canary:
    """A directory beside an extraction, with content: whether any of it was touched."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        (self.path / "dir").mkdir(parents=True)
        (self.path / "file").write_text("canary")
        (self.path / "link").symlink_to("file")
        (self.path / "dir/file").write_text("canary")
        self.before = self.look()

    def look(self):
        found = {}
        for path in [self.path, *sorted(self.path.rglob("*"))]:
            st = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (
                st.st_ino, st.st_mode, st.st_uid, st.st_nlink, st.st_mtime_ns, st.st_ctime_ns,
                content,
            )
        return found

    def assert_untouched(self):
        assert self.look() == self.before


def same_trees(left, right):
    """Asserts that two directories hold the same files with the same properties."""
    for root in (left, right):
        assert pathlib.Path(root).is_dir()
    script = pathlib.Path(__file__).parents[1] / "images/same-tree.py"
    done = subprocess.run(
        ["python3", script, left, right], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")
