"""Signals that end a program half way: nothing of it stays, and it ends by the signal."""

import contextlib
import os
import pathlib
import pty
import signal
import subprocess
import time

import pytest
from conftest import make_aci, symlink, tool
from storelib import add, image_tar, store, wait_until

WIPE = b"\r\x1b[K"
LINKS = [symlink(f"rootfs/link{i}", "content") for i in range(40)]


def half_way(args, room):
    """A program that takes half a second for each symbolic link, when it has made one in ROOM: its
    tracer, and its own number."""
    slow = ["strace", "-o", "/dev/null", "-e", "inject=symlinkat:delay_enter=500000"]
    tracer = subprocess.Popen(
        [*slow, *(str(arg) for arg in args)],
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: any(room.rglob("link0*")))
    children = pathlib.Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children")
    return tracer, int(children.read_text())


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
    tracer, pid = half_way(words, room)
    os.kill(pid, number)
    _, err = tracer.communicate(timeout=30)
    assert (tracer.returncode, err) == (-number, b"")
    assert list(room.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(image, room):
    words = ["env", "--ignore-signal=HUP", tool("rkt-store"), "extract", image, room / "out"]
    tracer, pid = half_way(words, room)
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGTERM)
    tracer.communicate(timeout=30)
    assert tracer.returncode == -signal.SIGTERM and list(room.iterdir()) == []


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
    assert process.wait(30) == -signal.SIGINT
    with contextlib.suppress(OSError):  # nobody else has the terminal open
        seen += os.read(screen, 4096)
    assert seen.endswith(WIPE), seen
    assert store("list", "--no-legend").out == ""
