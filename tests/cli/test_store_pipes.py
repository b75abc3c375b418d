"""rkt-store import through pipes: one image comes in once, different ones side by side."""

import gzip
import os
import resource
import signal
import subprocess

import pytest
from conftest import tool
from storelib import add, files_in, holders, ids, image_tar, is_reading, store, wait_until, write

MEGABYTE = 1 << 20


class Importer:
    """rkt-store reading a FIFO that is written by hand."""

    def __init__(self, path, **more):
        os.mkfifo(path)
        self.child = subprocess.Popen(
            [tool("rkt-store"), "import", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        self.pipe = open(path, "wb", buffering=0)

    def give(self, data):
        view = memoryview(data)
        while view:
            view = view[self.pipe.write(view) :]

    def end(self):
        """Closes the pipe and returns the ID."""
        self.pipe.close()
        out, err = self.child.communicate(timeout=60)
        assert self.child.returncode == 0, err
        return out.strip()

    def kill(self):
        self.child.kill()
        self.child.communicate()


def text(seed, size=3 * MEGABYTE):
    """Much in little: packed it is a small part of that, but half of it is enough to tell pipes apart."""
    noise = os.urandom(size // 4).hex()
    return f"{seed}{noise}" + "x" * (size - len(noise))


def small_files_only():
    """A pipe can be written down, but no image of text() unpacked."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))


@pytest.fixture
def locks(data_dir, tmp_path):
    """The file with the locks of importers, in a store that has been made."""
    add(write(tmp_path / "small", image_tar(content="makes the store")))
    return data_dir / "cas/index/import.lock"


@pytest.fixture
def packed():
    return gzip.compress(image_tar(content=text("one")), mtime=0)


def test_a_second_pipe_with_the_same_image_waits_and_unpacks_nothing(data_dir, locks, tmp_path, packed):
    first = Importer(tmp_path / "first")
    first.give(packed[: len(packed) // 2])
    wait_until(lambda: holders(locks, "held"))
    second = Importer(tmp_path / "second", preexec_fn=small_files_only)
    second.give(packed)
    second.pipe.close()
    wait_until(lambda: holders(locks, "waiting"))
    assert second.child.poll() is None
    first.give(packed[len(packed) // 2 :])
    image = first.end()
    assert second.end() == image and image in ids()
    assert len(files_in(data_dir)) == 4


def test_the_limit_of_these_tests_keeps_new_images_out(locks, packed):
    result = store("import", "-", stdin=packed, preexec_fn=small_files_only)
    assert result.status == 1 and "File too large" in result.err, result


def test_pipes_with_different_images_do_not_wait_for_each_other(locks, tmp_path, packed):
    first = Importer(tmp_path / "first")
    first.give(packed[: len(packed) // 2])
    wait_until(lambda: holders(locks, "held"))
    other = gzip.compress(image_tar(content=text("other")), mtime=0)
    assert store("import", "-", stdin=other).out.strip() in ids()
    first.give(packed[len(packed) // 2 :])
    assert first.end() in ids()
    assert len(ids()) == 3


def test_images_that_begin_alike_both_come_in(locks, tmp_path):
    content = text("same", 300_000)
    tars = [image_tar(content=content + end) for end in ("1", "2")]
    packed = [gzip.compress(tar, 0, mtime=0) for tar in tars]
    assert packed[0][:65536] == packed[1][:65536]
    first = Importer(tmp_path / "first")
    first.give(packed[0][:280_000])
    wait_until(lambda: holders(locks, "held"))
    second = Importer(tmp_path / "second")
    second.give(packed[1])
    second.pipe.close()
    wait_until(lambda: holders(locks, "waiting"))
    first.give(packed[0][280_000:])
    images = {first.end(), second.end()}
    assert len(images) == 2 and images < set(ids())


@pytest.mark.parametrize("how", ["killed", "truncated"])
def test_after_a_pipe_that_failed_the_next_does_the_work(data_dir, locks, tmp_path, packed, how):
    first = Importer(tmp_path / "first")
    first.give(packed[: len(packed) // 2])
    wait_until(lambda: holders(locks, "held"))
    second = Importer(tmp_path / "second")
    second.give(packed)
    second.pipe.close()
    wait_until(lambda: holders(locks, "waiting"))
    if how == "killed":
        first.kill()
    else:
        first.pipe.close()
        assert "truncated" in first.child.communicate()[1] and first.child.returncode == 4
    assert second.end() in ids()
    assert len(files_in(data_dir)) == 4


def test_a_regular_file_does_not_wait_for_a_pipe(locks, tmp_path, packed):
    first = Importer(tmp_path / "first")
    first.give(packed[: len(packed) // 2])
    wait_until(lambda: holders(locks, "held"))
    image = add(write(tmp_path / "a.aci", packed))
    first.give(packed[len(packed) // 2 :])
    assert first.end() == image


def test_a_pipe_waits_for_a_regular_file_and_unpacks_nothing(locks, tmp_path):
    packed = gzip.compress(image_tar(content=os.urandom(8 * MEGABYTE).hex()), 1)
    file = write(tmp_path / "a.aci", packed)
    first = subprocess.Popen([tool("rkt-store"), "import", file], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: holders(locks, "held") and is_reading(first.pid, file))
    first.send_signal(signal.SIGSTOP)
    second = Importer(tmp_path / "pipe")
    second.give(packed)
    second.pipe.close()
    wait_until(lambda: holders(locks, "waiting"))
    first.send_signal(signal.SIGCONT)
    assert first.communicate(timeout=60)[0].strip() == second.end()


def test_a_pipe_that_waits_says_when_there_is_no_room_to_write_it_down(locks, tmp_path, packed):
    def no_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    first = Importer(tmp_path / "first")
    first.give(packed[: len(packed) // 2])
    wait_until(lambda: holders(locks, "held"))
    result = store("import", "-", stdin=packed, preexec_fn=no_files)
    assert result.status == 1 and len(result.err.splitlines()) == 1, result
    first.give(packed[len(packed) // 2 :])
    assert first.end() in ids()
