"""rkt-store import, again: a file that was imported before is known by its bytes, and not unpacked."""

import gzip
import os
import resource
import signal
import subprocess

import pytest
from conftest import compress, tool
from storelib import add, blob_path, holders, ids, image_tar, info, is_reading, store, wait_until, write

MEGABYTE = 1 << 20


def no_writing():
    """No file may grow: an import that unpacks anything fails."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def add_known(file, **more):
    result = store("import", file, preexec_fn=no_writing, **more)
    assert result.status == 0, result
    return result.out.strip()


def noise(size=MEGABYTE):
    return os.urandom(size // 2).hex()


def test_the_limit_of_these_tests_keeps_new_images_out(data_dir, tmp_path):
    add(write(tmp_path / "a", image_tar()))
    result = store("import", write(tmp_path / "b", image_tar(content="b")), preexec_fn=no_writing)
    assert result.status == 1, result


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz", "zstd"])
def test_the_same_bytes_are_known_under_any_name(data_dir, tmp_path, compression):
    packed = compress(image_tar(content=noise()), compression)
    image = add(write(tmp_path / "a.aci", packed))
    assert add_known(write(tmp_path / "b.aci", packed)) == image
    assert ids() == [image]


@pytest.mark.parametrize("size", [1, 65535, 65536, 65537, 131072, 262144, 262145])
def test_files_of_any_size_are_known(data_dir, tmp_path, size):
    packed = compress(image_tar(content=noise(2 * size)[:size]), "gzip")
    image = add(write(tmp_path / "a.aci", packed))
    assert add_known(tmp_path / "a.aci") == image


def test_one_image_in_two_packings_is_known_in_both(data_dir, tmp_path):
    tar = image_tar(content=noise())
    files = [write(tmp_path / f"{level}", gzip.compress(tar, level)) for level in (1, 9)]
    image = add(*files)[0]
    assert [add_known(file) for file in files] == [image, image]


def test_what_came_through_a_pipe_is_known_as_a_file(data_dir, tmp_path):
    packed = compress(image_tar(content=noise()), "gzip")
    assert store("import", "-", stdin=packed).status == 0
    assert [add_known(write(tmp_path / "a.aci", packed))] == ids()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_other_bytes_in_the_same_file_are_another_image(data_dir, tmp_path, compression):
    """Same inode, size, time, beginning and end: content decides."""
    one, other = "a" * MEGABYTE, "a" * (MEGABYTE // 2) + "b" + "a" * (MEGABYTE // 2 - 1)
    packed = [image_tar(content=content) for content in (one, other)]
    if compression == "gzip":  # stored, so that both are equally long; the checksums differ at the end
        packed = [gzip.compress(tar, 0, mtime=0) for tar in packed]
    file = write(tmp_path / "a.aci", packed[0])
    before = file.stat()
    first = add(file)
    with open(file, "r+b") as stream:
        stream.write(packed[1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    second = add(file)
    assert second != first and set(ids()) == {first, second}
    write(tmp_path / "b.aci", packed[0])
    assert add_known(tmp_path / "b.aci") == first and add_known(file) == second


def test_a_removed_image_is_unpacked_again(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", compress(image_tar(content=noise()), "gzip"))
    image = add(file)
    assert store("rm", image).status == 0
    assert add(file) == image and blob_path(data_dir, image).exists()


def test_a_lost_blob_is_put_back_although_the_file_is_known(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", compress(image_tar(content=noise()), "gzip"))
    image = add(file)
    blob_path(data_dir, image).unlink()
    assert add(file) == image and blob_path(data_dir, image).exists()


def test_verify_with_holds_for_known_files_too(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    add(file)
    other = "sha256-" + "0" * 64
    result = store("import", "--verify-with", other, file)
    assert result.status == 4 and other in result.err


def test_a_store_without_the_table_of_known_files_is_read_and_written(data_dir, tmp_path):
    """That of an older version: the name of the table is not there."""
    file = write(tmp_path / "a.aci", image_tar())
    image = add(file)
    index = data_dir / "cas/index/data.mdb"
    old = index.read_bytes()
    assert old.count(b"alias") >= 1
    index.write_bytes(old.replace(b"alias", b"alibi"))
    assert ids() == [image] and info(image)["id"] == image
    assert add(file) == image
    assert add_known(file) == image
    assert store("rm", image).status == 0


# ---- at the same time


@pytest.fixture
def slow(data_dir, tmp_path):
    """A big file, and an importer of it that stopped half-way."""
    add(write(tmp_path / "small", image_tar(content="makes the store")))
    file = write(tmp_path / "big.aci", gzip.compress(image_tar(content=noise(16 * MEGABYTE)), 1))
    first = subprocess.Popen(
        [tool("rkt-store"), "import", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lock = data_dir / "cas/index/import.lock"
    wait_until(lambda: holders(lock, "held") and is_reading(first.pid, file))
    first.send_signal(signal.SIGSTOP)
    yield first, file
    first.kill()
    first.communicate()


def test_a_second_importer_of_the_same_file_waits_and_unpacks_nothing(data_dir, slow):
    first, file = slow
    second = subprocess.Popen(
        [tool("rkt-store"), "import", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=no_writing,
    )
    wait_until(lambda: holders(data_dir / "cas/index/import.lock", "waiting"))
    assert second.poll() is None
    first.send_signal(signal.SIGCONT)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert first.communicate(timeout=60)[0] == out and out.strip() in ids()


def test_an_importer_of_another_file_does_not_wait(data_dir, slow, tmp_path):
    image = add(write(tmp_path / "other", image_tar(content="other")))
    assert image in ids()


def test_after_a_killed_importer_the_next_does_the_work(data_dir, slow):
    first, file = slow
    second = subprocess.Popen([tool("rkt-store"), "import", file], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: holders(data_dir / "cas/index/import.lock", "waiting"))
    first.kill()
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 0 and out.strip() in ids()
