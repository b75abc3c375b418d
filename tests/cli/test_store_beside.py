"""What other processes at the same store do, and how long one waits for them."""

import contextlib
import fcntl
import os
import pathlib
import subprocess
import sys
import termios

import pytest
from conftest import BUILD, Held, needs_root, run, tool
from storelib import add, blob_path, content_offset, flip, ids, image_tar, is_waiting, store, wait_until, write

@pytest.mark.parametrize("number", [1, 2])
def test_a_reader_waits_for_no_writer_however_slow_the_disk(data_dir, tmp_path, number):
    """The disk takes for ever for one of its writes. How many there are depends on what was free in the index."""
    add(write(tmp_path / "0.aci", image_tar("example.com/0")))
    held = 0
    for image in range(1, 5):
        command = [tool("rkt-store"), "import", write(tmp_path / f"{image}.aci", image_tar(f"example.com/{image}"))]
        # what is written is there to be seen, but the writer goes on only later
        with Held(command, "pwrite64", when=number, after=True, stdout=subprocess.DEVNULL) as importing:
            wait_until(lambda: importing.is_held() or importing.poll() is not None)
            held += importing.poll() is None
            assert store("list", "--no-legend").status == 0
        assert importing.returncode == 0 and len(ids()) == image + 1
    assert held


def test_the_index_may_grow_while_it_is_opened(data_dir, tmp_path):
    add(write(tmp_path / "one.aci", image_tar("example.com/one")))
    index = data_dir / "cas/index/data.mdb"
    size = index.stat().st_size
    notes = [{"name": "example.com/note", "value": "x" * 300_000}]
    more = [write(tmp_path / f"{i}.aci", image_tar(f"example.com/{i}", annotations=notes)) for i in range(4)]
    with Held([tool("rkt-store"), "list", "--no-legend"], "pread64", index, stdout=subprocess.PIPE) as listing:
        listing.wait_held()
        add(*more)
        assert index.stat().st_size > size
        listing.release()
        out = listing.communicate(timeout=60)[0]
    assert listing.returncode == 0 and len(out.splitlines()) == 5


def test_an_index_that_is_half_made_is_waited_for(data_dir):
    """By somebody who has the naming lock alone; where nobody has, it is damaged."""
    store("init")
    index = data_dir / "cas/index/data.mdb"
    whole = index.read_bytes()
    index.write_bytes(whole[:5000])
    result = store("list")
    assert result.status == 4 and "is truncated" in result.err, result
    maker = os.open(data_dir / "cas/tmp", os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(maker, fcntl.LOCK_EX)
    with subprocess.Popen([tool("rkt-store"), "list"], stderr=subprocess.PIPE) as listing:
        wait_until(lambda: is_waiting(listing))
        index.write_bytes(whole)
        os.close(maker)
        assert listing.communicate(timeout=60)[1] == b"" and listing.returncode == 0


def waiting_in(pipe):
    """How many bytes nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@needs_root
def test_two_of_one_number_are_told_what_is_wrong(data_dir, tmp_path):
    """In PID namespaces of their own both are number 1."""
    add(write(tmp_path / "one.aci", image_tar()))
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    holder = subprocess.Popen([*alone, tool("rkt-store"), "import", "-"], stdin=subprocess.PIPE, bufsize=0)
    holder.stdin.write(b"x")
    wait_until(lambda: not waiting_in(holder.stdin))  # it has the store open, and reads

    def second():
        return subprocess.run([*alone, tool("rkt-store"), "list"], stderr=subprocess.PIPE, check=False)

    result = second()
    assert result.returncode == 1
    assert b"a process with the same number as this one, 1, in another PID namespace" in result.stderr
    holder.stdin.close()
    holder.wait(60)
    assert second().returncode == 0


def full_pipe():
    """Two ends of a pipe into which nothing more goes."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETFL, os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(into, b"x" * 512)
    fcntl.fcntl(into, fcntl.F_SETFL, 0)
    return out, into


def in_use(image):
    """A pod has a lease on IMAGE, and will not start."""
    return run([BUILD / "tests/fault/pods", "lease", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", image])


def damaged(data_dir, image):
    """The blob of IMAGE has a byte that is another."""
    flip(blob_path(data_dir, image), content_offset(data_dir, image))


TELLING = {
    "gc": ["gc", "--grace-period=0s"],
    "rm": ["rm", "--force", "example.com/one"],
    "verify": ["verify"],
    "verify --repair": ["verify", "--repair"],
}


@pytest.mark.parametrize("command", TELLING)
def test_nobody_waits_for_who_reads_what_is_told(data_dir, tmp_path, command):
    """Not who wants to add an image, nor who wants to remove one."""
    image = add(write(tmp_path / "one.aci", image_tar("example.com/one")))
    if command == "rm":
        assert in_use(image).status == 0
    if command.startswith("verify"):
        damaged(data_dir, image)
    out, into = full_pipe()
    telling = subprocess.Popen([tool("rkt-store"), *TELLING[command]], stderr=into, stdout=subprocess.DEVNULL)
    wait_until(lambda: pathlib.Path(f"/proc/{telling.pid}/wchan").read_text().endswith("pipe_write"))
    two = write(tmp_path / "two.aci", image_tar("example.com/two"))
    for beside in (["import", two], ["rm", "example.com/two"]):
        done = subprocess.run([tool("rkt-store"), *beside], timeout=60, check=False)
        assert done.returncode == 0 and telling.poll() is None
    os.close(out)
    os.close(into)
    telling.wait(60)
