"""Sparse files: what GNU tar and bsdtar write of them is the same file in a mount, in a tree, and here."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import SOURCE, needs_erofs, run, tool

INDEX_TOOL = tool("tests/images/index-tool")
SAME_TREE = SOURCE / "tests/images/same-tree.py"
WRITERS = {
    "gnu-old": ["tar", "--format=gnu", "-S"],
    "pax-0.0": ["tar", "--format=posix", "-S", "--sparse-version=0.0"],
    "pax-0.1": ["tar", "--format=posix", "-S", "--sparse-version=0.1"],
    "pax-1.0": ["tar", "--format=posix", "-S", "--sparse-version=1.0"],
    "raw": ["tar", "--format=posix", "-S", "--hole-detection=raw"],
    "bsdtar": ["bsdtar", "--format=pax", "--read-sparse"],
}
MANIFEST = '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/a"}'
PAGE = 4096
SLOW_TO_READ = 1 << 25  # for GNU tar, which looks for zeros by reading
# name: (size, what stands where)
FILES = {
    "begins-with-a-hole": (1 << 20, {(1 << 20) - PAGE: PAGE}),
    "ends-with-a-hole": (1 << 20, {0: PAGE}),
    "ends-within-a-block": ((1 << 20) + 100, {0: PAGE, 1 << 20: 100}),
    "hole-after-a-short-run": (10 * PAGE + 7, {3 * PAGE: PAGE}),
    "all-hole": (1 << 30, {}),
    "all-data": (3 * PAGE, {0: 3 * PAGE}),
    "one-byte": (1, {0: 1}),
    "large": (5 << 30, {0: PAGE, 1 << 30: 2 * PAGE, (5 << 30) - PAGE: PAGE}),
    "many-runs": (400 * PAGE, {i * 2 * PAGE: PAGE for i in range(200)}),
    "runs-of-many-sizes": (1 << 24, {(1 << i) * PAGE: (1 << i) * PAGE // 2 or PAGE for i in range(12)}),
}


@pytest.fixture(params=WRITERS, scope="module")
def tar(request, tmp_path_factory):
    """A tar of FILES as some program writes it, beside the `layout` it was made of."""
    if not shutil.which(WRITERS[request.param][0]):
        pytest.skip(f"needs {WRITERS[request.param][0]}")
    place = tmp_path_factory.mktemp("sparse")
    layout = place / "layout"
    (layout / "rootfs").mkdir(parents=True)
    (layout / "manifest").write_text(MANIFEST)
    for name, (size, data) in FILES.items():
        if size > SLOW_TO_READ and request.param == "raw":
            continue
        with open(layout / "rootfs" / name, "wb") as file:
            file.truncate(size)
            for offset, length in data.items():
                file.seek(offset)
                file.write(os.urandom(length))
    subprocess.run([*WRITERS[request.param], "-C", layout, "-cf", place / "t.tar", "manifest", "rootfs"],
                   check=True)
    assert (place / "t.tar").stat().st_size < 20 << 20, "the writer did not see the holes"
    yield place / "t.tar"
    shutil.rmtree(place, ignore_errors=True)


def data_of(path):
    """The runs of data in a file, without the zeros in them."""
    with open(path, "rb") as file:
        end, at, runs = os.fstat(file.fileno()).st_size, 0, []
        while at < end:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            at = min(end, (at + PAGE - 1) // PAGE * PAGE)
            file.seek(start // PAGE * PAGE)
            for offset in range(start // PAGE * PAGE, at, PAGE):
                piece = file.read(min(PAGE, at - offset))
                if any(piece):
                    runs.append((offset, piece))
    return end, runs


def assert_same_files(one, other):
    assert sorted(os.listdir(one)) == sorted(os.listdir(other))
    for name in os.listdir(one):
        assert data_of(pathlib.Path(one) / name) == data_of(pathlib.Path(other) / name), name


def test_valid_and_hashed(tar):
    assert run(["aci-validate", "--strict", tar]).status == 0
    digest = subprocess.run(["sha256sum", tar], check=True, capture_output=True, text=True).stdout
    assert run(["aci-hash", tar]).out == digest


def test_extracted_files_have_their_holes(tar, tmp_path):
    result = run(["aci-extract", tar, tmp_path / "out"])
    assert result.status == 0, result
    assert_same_files(tar.parent / "layout/rootfs", tmp_path / "out/rootfs")
    for file in (tmp_path / "out/rootfs").iterdir():
        assert file.stat().st_blocks * 512 <= sum(FILES[file.name][1].values()) + 16 * PAGE, file


def test_list_shows_the_size_of_the_file(tar):
    listed = {line.split()[-1]: line for line in run(["aci-extract", "--list", tar]).out.splitlines()}
    for file in (tar.parent / "layout/rootfs").iterdir():
        assert str(file.stat().st_size) in listed[file.name].split(), file


def compare_mounted(tar, place, files):
    """Asserts that the files of the image TAR are FILES when its index is mounted."""
    (place / "mnt").mkdir()
    made = run([INDEX_TOOL, "make", tar, place / "index"])
    assert made.status == 0, made
    (place / "compare.py").write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(SOURCE / 'tests/cli')!r})\n"
        "import test_sparse\n"
        f"test_sparse.assert_same_files({str(files)!r}, {str(place / 'mnt/rootfs')!r})\n")
    compared = run([INDEX_TOOL, "run", place / "index", place / "mnt", tar, "/usr/bin/python3", "-B",
                    place / "compare.py"])
    assert compared.status == 0, compared


@needs_erofs
def test_mounted_files_are_the_same(tar, tmp_path):
    compare_mounted(tar, tmp_path, tar.parent / "layout/rootfs")


def write_raw(path, size, runs):
    """A tar of one sparse file written here: GNU tar never writes runs off the grid of 512 bytes."""
    script = ("import sys; sys.path.insert(0, sys.argv[1]); from pieces import *; "
              "sys.stdout.buffer.write(member(b'manifest', sys.argv[4].encode()) + directory(b'rootfs') + "
              "sparse_1_0(b'rootfs/f', int(sys.argv[2]), eval(sys.argv[3]), "
              "b'd' * sum(n for _, n in eval(sys.argv[3]))) + END)")
    made = subprocess.run(["/usr/bin/python3", "-B", "-c", script, SOURCE / "tests/corpus", str(size), repr(runs),
                           MANIFEST],
                          check=True, capture_output=True)
    path.write_bytes(made.stdout)


@pytest.mark.parametrize("size, runs, says", [
    (8192, [(100, 1000), (4096, 512)], "not multiples of 512"),
    (8192, [(0, 1000), (4096, 512)], "not multiples of 512"),
    (1 << 40, [(512, 512)], "more than 4194304 entries"),
])
def test_what_an_index_cannot_show_is_refused(tmp_path, size, runs, says):
    write_raw(tmp_path / "t.tar", size, runs)
    made = run([INDEX_TOOL, "make", tmp_path / "t.tar", tmp_path / "index"])
    assert made.status != 0 and says in made.err, made
