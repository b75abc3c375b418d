"""rkt-store import --jobs: several files at a time, told of in their order."""

import gzip
import hashlib
import os
import pty
import select
import subprocess
import time

import pytest
from conftest import tool
from storelib import add, assert_one_line, files_in, ids, image_tar, info, store, wait_until, write

MEGABYTE = 1 << 20


def id_of(tar):
    return f"sha256-{hashlib.sha256(tar).hexdigest()}"


def start(*args, **more):
    return subprocess.Popen(
        [tool("rkt-store"), "import", *args],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **more},
    )


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def big_tar(name="example.com/big", size=24 * MEGABYTE):
    return image_tar(name, os.urandom(size // 2).hex())


@pytest.mark.parametrize("jobs", [1, 2, 4, 64])
def test_ids_come_in_the_order_of_the_files(data_dir, tmp_path, jobs):
    tars = [big_tar(), *(image_tar(content=str(n)) for n in range(9))]
    files = [write(tmp_path / f"{n}.aci", tar) for n, tar in enumerate(tars)]
    result = store("import", f"--jobs={jobs}", *files)
    assert result.status == 0 and result.err == ""
    assert result.out.split() == [id_of(tar) for tar in tars]
    assert set(ids()) == {id_of(tar) for tar in tars}
    assert store("verify").status == 0


def test_a_file_is_imported_while_another_is_not_done(data_dir, tmp_path, fifo):
    slow, quick = image_tar(content="slow"), image_tar(content="quick")
    child = start("-j2", fifo, write(tmp_path / "quick", quick))
    with open(fifo, "wb") as pipe:
        wait_until(lambda: data_dir.exists() and id_of(quick) in stored())
        assert child.poll() is None
        pipe.write(slow)
    assert child.communicate(timeout=60)[0].split() == [id_of(slow), id_of(quick)]
    assert child.returncode == 0


def stored():
    """The images there are; none while the store is being made."""
    result = store("list", "--full", "--no-legend")
    return [line.split("\t")[0] for line in result.out.splitlines()]


def test_with_one_job_files_come_one_after_the_other(data_dir, tmp_path, fifo):
    slow, quick = image_tar(content="slow"), image_tar(content="quick")
    child = start("-j1", fifo, write(tmp_path / "quick", quick))
    with open(fifo, "wb") as pipe:
        time.sleep(0.3)
        assert id_of(quick) not in stored()
        pipe.write(slow)
    assert child.communicate(timeout=60)[0].split() == [id_of(slow), id_of(quick)]


def test_an_id_is_printed_while_later_files_are_not_done(data_dir, tmp_path, fifo):
    quick, slow = image_tar(content="quick"), image_tar(content="slow")
    child = start("-j2", write(tmp_path / "quick", quick), fifo)
    with open(fifo, "wb") as pipe:
        assert child.stdout.readline() == f"{id_of(quick)}\n"
        assert ids() == [id_of(quick)]
        pipe.write(slow)
    assert child.communicate(timeout=60)[0] == f"{id_of(slow)}\n"


@pytest.mark.parametrize("jobs", [1, 4])
def test_of_images_of_one_name_the_last_is_the_newest(data_dir, tmp_path, jobs):
    """Although the first is done long after it."""
    tars = [big_tar("example.com/app"), *(image_tar("example.com/app", str(n)) for n in range(5))]
    files = [write(tmp_path / f"{n}.aci", gzip.compress(tar, 1)) for n, tar in enumerate(tars)]
    add(f"--jobs={jobs}", *files)
    assert info("example.com/app")["id"] == id_of(tars[-1])
    assert ids() == [id_of(tar) for tar in reversed(tars)]


def test_the_first_bad_file_in_order_is_named_and_those_before_it_stay(data_dir, tmp_path):
    good = big_tar()
    files = [write(tmp_path / "good.aci", good)]
    files += [write(tmp_path / f"bad-{n}.aci", b"no archive") for n in range(3)]
    result = store("import", "-j3", *files)
    assert_one_line(result, 4, "importing", "bad-0.aci")
    assert result.out == f"{id_of(good)}\n" and ids() == [id_of(good)]


def test_after_a_bad_file_none_is_begun(data_dir, tmp_path):
    big = big_tar()
    first = write(tmp_path / "big.aci", big)
    bad = write(tmp_path / "bad.aci", b"no archive")
    files = [write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(40)]
    result = store("import", "-j2", first, bad, *files)
    assert_one_line(result, 4, "bad.aci")
    assert result.out == f"{id_of(big)}\n" and ids() == [id_of(big)]


def test_a_pipe_is_not_waited_for_when_a_file_before_it_is_bad(data_dir, tmp_path):
    child = start("-j4", write(tmp_path / "bad.aci", b"no archive"), "-", stdin=subprocess.PIPE)
    assert child.wait(timeout=60) == 4
    assert "bad.aci" in child.stderr.read() and child.stdout.read() == ""


def test_one_file_twice_is_one_image(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", gzip.compress(big_tar(), 1))
    images = add("-j4", file, file, file, file)
    assert len(images) == 4 and len(set(images)) == 1
    assert len(files_in(data_dir)) == 2


@pytest.mark.parametrize("jobs", ["0", "65", "many"])
def test_jobs_out_of_range_are_a_usage_error(data_dir, tmp_path, jobs):
    file = write(tmp_path / "a.aci", image_tar())
    assert_one_line(store("import", f"--jobs={jobs}", file), 2, "jobs")
    assert not data_dir.exists()


def test_standard_input_twice_is_a_usage_error(data_dir):
    assert_one_line(store("import", "-", "-", stdin=image_tar()), 2, "standard input")


def test_progress_of_several_files_is_one_line(data_dir, tmp_path, fifo):
    ours, theirs = pty.openpty()
    quick, slow = image_tar(content="quick"), image_tar(content="slow")
    child = start("-j2", fifo, write(tmp_path / "quick", quick), stderr=theirs)
    os.close(theirs)
    with open(fifo, "wb") as pipe:
        said = b""
        while b"2 images" not in said:
            assert select.select([ours], [], [], 30)[0], said
            said += os.read(ours, 4096)
        pipe.write(slow)
    assert child.communicate(timeout=60)[0].split() == [id_of(slow), id_of(quick)]
    os.close(ours)
    assert b"\n" not in said
