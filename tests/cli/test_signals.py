"""Signals that end a program half way: nothing of it stays, and it ends by the signal."""

import contextlib
import json
import os
import pathlib
import pty
import resource
import signal
import subprocess
import time

import pytest
from conftest import UNDER_STRACE, Held, entry, make_aci, manifest, meddled, run, symlink, tar_bytes, tool
from siglib import Gpg, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import add, image_tar, store, wait_until

WIPE = b"\r\x1b[K"
LINKS = [symlink(f"rootfs/link{i}", "content") for i in range(40)]


def half_way(args, *signals):
    """Runs ARGS, which get SIGNALS when they have made a few symbolic links: the status, and what they say."""
    with Held(args, "symlinkat", when=3, stderr=subprocess.PIPE) as process:
        process.wait_held()
        for number in signals:
            process.send_signal(number)
        process.release()
        err = process.communicate(timeout=60)[1]
    return process.returncode, err


@pytest.fixture
def image(data_dir, tmp_path):
    return add(make_aci(tmp_path / "a.aci", LINKS))


@pytest.fixture
def room(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["render", "extract", "aci-extract"])
def test_a_tree_half_written_is_removed(image, tmp_path, room, command, number):
    words = [tool("rkt-store"), command, image, room / "out"]
    if command == "aci-extract":
        words = [tool("aci-extract"), tmp_path / "a.aci", room / "out"]
    assert half_way(words, number) == (-number, b"")
    assert list(room.iterdir()) == []


@pytest.mark.parametrize("sent", ["half", "nothing"])
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_who_waits_for_the_rest_of_an_image_leaves_nothing(room, name, sent):
    data = tar_bytes([entry("manifest", json.dumps(manifest("example.com/test"))), entry("rootfs"), *LINKS,
                      entry("rootfs/content", "x" * (1 << 20))])
    process = subprocess.Popen([tool("aci-extract"), name, room / "out"], stdin=subprocess.PIPE, bufsize=0,
                               stderr=subprocess.PIPE)
    if sent == "half":
        process.stdin.write(data[: 1 << 19])
        wait_until(lambda: any(room.rglob("link0")))
    else:
        wait_until(lambda: "poll" in pathlib.Path(f"/proc/{process.pid}/wchan").read_text())
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(60) == -signal.SIGINT
    finally:
        process.kill()
    assert process.stderr.read() == b"" and list(room.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(image, room):
    words = ["env", "--ignore-signal=HUP", tool("rkt-store"), "extract", image, room / "out"]
    assert half_way(words, signal.SIGHUP, signal.SIGTERM) == (-signal.SIGTERM, b"")
    assert list(room.iterdir()) == []


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


@pytest.mark.parametrize("command", ["import", "render", "extract", "export", "aci-extract", "aci-build"])
def test_a_file_that_may_not_grow_is_an_error_and_leaves_nothing(data_dir, tmp_path, room, command):
    """RLIMIT_FSIZE, whose signal ends those who say nothing of it."""
    file = tmp_path / "big.aci"
    file.write_bytes(image_tar(content=os.urandom(1 << 21).hex()))
    words = {
        "import": ["rkt-store", "import", file],
        "aci-extract": ["aci-extract", file, room / "out"],
        "aci-build": ["aci-build", "--patch", "--name=example.com/b", file, room / "out"],
    }.get(command, ["rkt-store", command, "example.com/test", room / "out"])
    if command in ("render", "extract", "export"):
        add(file)
    result = run(words, preexec_fn=small_files)
    assert result.status == 1 and result.err.endswith(": File too large\n"), result
    assert len(result.err.splitlines()) == 1 and list(room.iterdir()) == []
    assert store("verify").status in (0, 3)


def test_the_line_of_progress_is_wiped(data_dir):
    """An import whose file comes slowly, on a terminal."""
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [tool("rkt-store"), "import", "-"], stdin=subprocess.PIPE, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    image = image_tar(content="x" * (1 << 25))
    seen, at = b"", 0
    os.set_blocking(screen, False)
    while WIPE not in seen and at < len(image):
        process.stdin.write(image[at : at + (1 << 16)])
        process.stdin.flush()
        at += 1 << 16
        time.sleep(0.03)
        with contextlib.suppress(BlockingIOError):
            seen += os.read(screen, 4096)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT
    with contextlib.suppress(OSError):  # nobody else has the terminal open
        seen += os.read(screen, 4096)
    assert seen.endswith(WIPE), seen
    assert store("list", "--no-legend").out == ""


# ---- nobody reads what is printed --------------------------------------------------------------------------


def unread(*args, before=None, meddle=None):
    """rkt-store ARGS, whose system calls strace(1) may MEDDLE with, into a pipe that nobody reads: (status, what it
    says)."""
    command = [tool("rkt-store"), *args]
    env = {**os.environ, **UNDER_STRACE} if meddle else None
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(meddled(command, meddle, None) if meddle else command, stdin=subprocess.DEVNULL,
                              stdout=closed, stderr=subprocess.PIPE, timeout=60, env=env, preexec_fn=before, check=False)
    return done.returncode, done.stderr.decode()


@pytest.fixture
def keys(tmp_path, trust):
    """A signature of the image, and who may sign it."""
    gpg = Gpg(tmp_path / "home")
    key = gpg.make_key("alice")
    trust.put("local", "example.com/test", gpg.fingerprint("alice"), key.read_bytes())
    yield gpg.sign("alice", tmp_path / "a.aci", "a.sig", "--detach-sign"), key
    gpg.stop()


COMMANDS = [["list"], ["import", "FILE"], ["fetch", "FILE"], ["fetch", "--json", "FILE"], ["fetch", "FILE", "FILE"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_who_is_not_read_ends_by_sigpipe(image, tmp_path, command):
    """Also where a library wants that signal to be ignored."""
    words = [tmp_path / "a.aci" if word == "FILE" else word for word in command]
    assert unread(*words) == (-signal.SIGPIPE, "")


@needs_gpg
def test_who_is_not_read_and_asks_gpg_ends_by_sigpipe(image, tmp_path, keys):
    signature, key = keys
    assert unread("import", "--signature", signature, tmp_path / "a.aci") == (-signal.SIGPIPE, "")
    assert unread("trust", "--prefix=example.com/other", "--yes", key) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_who_was_started_with_sigpipe_ignored_says_why_it_ends(image, tmp_path, command):
    words = [tmp_path / "a.aci" if word == "FILE" else word for word in command]
    told = "rkt-store: write to standard output: Broken pipe\n"
    assert unread(*words, before=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)) == (1, told)


def test_what_failed_is_told_where_nobody_reads_the_rest(data_dir, tmp_path):
    """By who did not look before whether anybody does."""
    file = make_aci(tmp_path / "a.aci")
    told = "rkt-store: importing ./none.aci: no such file\n"
    assert unread("fetch", file, "./none.aci", meddle="/^p?poll$:retval=0") == (3, told)
