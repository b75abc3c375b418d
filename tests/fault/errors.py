"""Errors at every system call of the commands of the store (S-042).

Each command is run once for every call it makes that can fail and every error this call can fail
with: ENOSPC and EDQUOT where room is needed, EIO where a disk is touched, EMFILE where a descriptor
is made, ENOMEM where memory is, EINTR where a call may wait. The call is not made and returns the
error. Without RKT_FAULT_FULL one of the errors a call, taken in turn,
and of commands other than import every second call.

What is promised: no crash, no hang. Status 0: it is done, whole. Another status: one line says what
went wrong, with the error's own words; the images are those from before, or (where the error came
after the commit) those from after, and whole; gc collects what is left. When memory ends, in the
middle of anything, the program says so and aborts, which is a kill at that call. libcurl has words
of its own for what happens to it, and so has the loader, which is asked for libraries on the way;
what it does before the program begins is left to it.
"""

import collections
import errno
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from faultlib import CHANGING, FULL, READING, scenes, yard  # noqa: E402
from fetchscenes import FETCHING  # noqa: E402
from storelib import own_mounts  # noqa: E402

assert own_mounts and yard  # fixtures

ABORTED = 134

ROOM = ["ENOSPC", "EDQUOT", "EIO"]
CAN_FAIL = {
    "openat": ["EMFILE", "EIO", "ENOMEM", "EINTR"],
    "openat+create": ["ENOSPC", "EMFILE", "EDQUOT", "EIO", "ENOMEM"],
    **dict.fromkeys(["write", "pwrite64", "writev", "pwritev"], [*ROOM, "EINTR"]),
    **dict.fromkeys(["fsync", "fdatasync", "msync", "sync_file_range"], [*ROOM, "EINTR"]),
    **dict.fromkeys(["mkdir", "mkdirat", "linkat", "symlinkat", "mknodat", "renameat", "renameat2"], [*ROOM, "ENOMEM"]),
    **dict.fromkeys(["ftruncate", "fallocate"], [*ROOM, "EINTR"]),
    **dict.fromkeys(["chmod", "fchmod", "fchmodat", "fchown", "fchownat", "utimensat", "fsetxattr", "fremovexattr"], ROOM),
    **dict.fromkeys(["unlinkat", "rmdir", "unlink"], ["EIO", "ENOMEM"]),
    **dict.fromkeys(["read", "pread64", "readv"], ["EIO", "EINTR", "ENOMEM"]),
    **dict.fromkeys(["newfstatat", "fstat", "statx", "fstatfs", "statfs", "getdents64", "lseek", "readlink",
                     "readlinkat", "faccessat2", "faccessat", "fgetxattr", "flistxattr"], ["EIO", "ENOMEM"]),
    "fcntl+dup": ["EMFILE"],
    "fcntl+lock": ["EINTR", "ENOLCK"],
    "flock": ["EINTR", "ENOLCK"],
    "fcntl": ["EIO"],
    "mmap": ["ENOMEM"],
    "mmap+file": ["ENOMEM", "EIO"],
    **dict.fromkeys(["brk", "mremap", "mprotect", "clone", "clone3"], ["ENOMEM"]),
    "memfd_create": ["EMFILE", "ENOMEM"],
    **dict.fromkeys(["fsopen", "fsmount", "open_tree", "pipe2", "socket", "openat2"], ["EMFILE", "ENOMEM", "EIO"]),
    **dict.fromkeys(["fsconfig", "move_mount", "mount_setattr", "umount2", "mount"], ["ENOMEM", "EIO"]),
    "getrandom": ["EINTR"],
    "execve": ["ENOMEM", "EIO", "EMFILE"],
    **dict.fromkeys(["socketpair", "eventfd2"], ["EMFILE", "ENOMEM"]),
    "connect": ["EINTR", "ECONNREFUSED", "ENETUNREACH"],
    **dict.fromkeys(["sendto", "recvfrom"], ["ECONNRESET", "ENOMEM"]),
    "poll": ["EINTR", "ENOMEM"],
    **dict.fromkeys(["getsockname", "getpeername", "setsockopt", "getsockopt"], ["ENOBUFS"]),
}
# these cannot go wrong, or nobody can do anything about it
CANNOT_FAIL = set(
    "brk+ask close exit exit_group geteuid getuid getpid gettid uname ioctl fadvise64 madvise munmap rseq "
    "rt_sigaction rt_sigprocmask set_robust_list prlimit64 sched_yield umask getegid prctl "
    "arch_prctl set_tid_address access sched_getaffinity clock_nanosleep kill tgkill sysinfo "
    "setgroups setresuid setresgid getcwd".split()
)


def once_begun(calls):
    """Those of CALLS that are not the loader's before a program begins."""
    begun = set()
    for call in calls:
        if call.whose == "program":
            begun.add(call.thread)
        if call.thread in begun:
            yield call
        if call.name == "execve":
            begun.discard(call.thread)


def points(yard):
    """(call, error) of all that is tried."""
    calls = [*once_begun(yard.calls())]
    unknown = {call.name for call in calls} - set(CAN_FAIL) - CANNOT_FAIL
    assert not unknown, f"can these fail? {unknown}"
    turn = collections.Counter()
    if not FULL and "import" not in yard.scene.name:
        calls = calls[::2]
    for call in calls:
        errors = CAN_FAIL.get(call.name, [])
        if errors and not FULL:
            errors = [errors[turn[call.name] % len(errors)]]
            turn[call.name] += 1
        for error in errors:
            yield call, error


def check_words(scene, result, error, whose):
    words = os.strerror(getattr(errno, error))
    if whose == "loader":
        words = "a library cannot be loaded: "
    if error == "ENOLCK" and "lock.mdb" in result.err:  # LMDB does not tell
        words = "the locks in cas/index/lock.mdb cannot be used: none can be had there"
    lines = result.err.splitlines()
    assert 0 < result.status < 125, "crashed"
    assert scene.own_words or words in result.err, "the error is not named"
    assert lines[-1].startswith("rkt-store: "), "no last line says what went wrong"
    assert scene.notes or len(lines) == 1, "more than one line"


def try_one(yard, call, error):
    """Whether the command failed by it."""
    what = ["fail", call.thread, call.number, getattr(errno, error)]
    result, hit = yard.at(*what)
    try:
        # folders are read in the order of names made up anew, so another call may have been hit
        assert hit or result.status == 0, "failed by nothing"
        other = bool(hit) and hit[0].name != call.name and error not in CAN_FAIL.get(hit[0].name, [])
        if result.status == ABORTED:
            assert error == "ENOMEM" and result.err.endswith("out of memory\n")
        elif result.status != 0 and not other:
            check_words(yard.scene, result, error, hit[0].whose)
        yard.judge(result.status)
    except AssertionError as wrong:
        raise AssertionError(f"{error} at {call}: {wrong}\n{result}") from wrong
    if yard.look() != yard.start:
        yard.reset()
    return result.status != 0


@scenes(CHANGING, READING, FETCHING[:1])
def test_error_at_every_call(own_mounts, scene, yard, capsys):
    began = time.monotonic()
    tried = failed = 0
    wrong = []
    for call, error in points(yard):
        try:
            failed += try_one(yard, call, error)
        except AssertionError as problem:
            wrong.append(str(problem))
            yard.reset()
        tried += 1
    with capsys.disabled():
        took = time.monotonic() - began
        print(f"# {scene}: {tried} errors, the command failed by {failed} of them, {took:.0f} s")
    assert not wrong, "\n".join(wrong)
    assert tried > 20


