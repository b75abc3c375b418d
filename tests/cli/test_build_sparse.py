"""aci-build: long spans of zeros become holes that every reader of tars knows, the same on every file system."""

import json
import os
import shutil
import subprocess
import tarfile

import pytest
from conftest import SOURCE, Held, manifest, needs_erofs, run, tool
from test_sparse import INDEX_TOOL, PAGE, WRITERS, assert_same_files, compare_mounted, write_raw

HOLE = 1 << 16  # the shortest that is written as one: aci/holes.h
# name: (size, what stands where)
FILES = {
    "all-data": (3 * HOLE, {0: 3 * HOLE}),
    "all-hole": (1 << 30, {}),
    "begins-with-a-hole": (4 * HOLE, {3 * HOLE + PAGE: PAGE}),
    "ends-with-a-hole": (4 * HOLE + 7, {5: 1}),
    "ends-within-a-block": (4 * HOLE + 100, {0: PAGE, 4 * HOLE: 100}),
    "large": (5 << 30, {0: PAGE, 1 << 30: 2 * PAGE, (5 << 30) - PAGE: PAGE}),
    "many-runs": (400 * HOLE, {i * 2 * HOLE: PAGE for i in range(200)}),
    "short-holes": (16 * PAGE, {i * 2 * PAGE: PAGE for i in range(8)}),
    "x" * 200: (2 * HOLE, {0: 1}),
    "\N{SNOWMAN}=%": (2 * HOLE, {HOLE: HOLE}),
}
READERS = {
    "aci-extract": None,
    "tar": ["tar", "-xpf"],
    "bsdtar": ["bsdtar", "-xpf"],
    "python": None,
}


def build(*args, **more):
    done = run(["aci-build", "--compress=none", *args], **more)
    assert (done.status, done.err) == (0, ""), done


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    place = tmp_path_factory.mktemp("build-sparse")
    (place / "layout/rootfs").mkdir(parents=True)
    (place / "layout/manifest").write_text(json.dumps(manifest()))
    for name, (size, data) in FILES.items():
        with open(place / "layout/rootfs" / name, "wb") as file:
            file.truncate(size)
            for offset, length in data.items():
                file.seek(offset)
                file.write(os.urandom(length))
    build(place / "layout", place / "built.aci")
    assert (place / "built.aci").stat().st_size < 20 << 20
    yield place / "layout"
    shutil.rmtree(place, ignore_errors=True)


@pytest.mark.parametrize("reader", READERS)
def test_all_readers_make_the_same_files_with_their_holes(layout, tmp_path, reader):
    aci = layout.parent / "built.aci"
    out = tmp_path / "out"
    if reader == "aci-extract":
        assert run(["aci-extract", aci, out]).status == 0
    elif reader == "python":
        with tarfile.open(aci) as tar:
            tar.extractall(out)
    elif shutil.which(reader):
        out.mkdir()
        subprocess.run([*READERS[reader], aci, "-C", out], check=True)
    else:
        pytest.skip(f"needs {reader}")
    assert_same_files(layout / "rootfs", out / "rootfs")
    for file in (out / "rootfs").iterdir():
        assert file.stat().st_size == FILES[file.name][0]
        assert file.stat().st_blocks * 512 <= (len(FILES[file.name][1]) * 2 + 1) * 3 * HOLE, file


@needs_erofs
def test_mounted_files_are_the_same(layout, tmp_path):
    compare_mounted(layout.parent / "built.aci", tmp_path, layout / "rootfs")


def test_zeros_that_a_file_system_keeps_give_the_same_bytes_as_holes(tmp_path):
    for name in ("written", "holes"):
        (tmp_path / name / "rootfs").mkdir(parents=True)
        (tmp_path / name / "manifest").write_text(json.dumps(manifest()))
        with open(tmp_path / name / "rootfs/file", "wb") as file:
            for piece in (b"begin", b"middle", b""):
                file.write(piece.ljust(HOLE, b"\0"))
                if name == "written":
                    file.write(bytes(20 * HOLE))
                else:
                    file.seek(20 * HOLE, os.SEEK_CUR)
            file.truncate()
    blocks = [(tmp_path / name / "rootfs/file").stat().st_blocks for name in ("written", "holes")]
    if blocks[0] == blocks[1]:
        pytest.skip("this file system keeps no holes")
    for name in ("written", "holes"):
        build("--verify-reproducible", tmp_path / name, tmp_path / f"{name}.aci",
              env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
    assert (tmp_path / "written.aci").read_bytes() == (tmp_path / "holes.aci").read_bytes()
    assert (tmp_path / "holes.aci").stat().st_size < 4 * HOLE


def test_what_is_appended_behind_a_hole_meanwhile_is_left_out(tmp_path):
    (tmp_path / "root").mkdir()
    log = tmp_path / "root/log"
    with open(log, "wb") as file:
        file.truncate(4 * HOLE)
        args = [tool("aci-build"), "--name=example.com/a", "--from-dir", tmp_path / "root", tmp_path / "a.aci"]
        with Held(args, "lseek", log, stdout=subprocess.DEVNULL) as held:
            held.wait_held()
            file.seek(40 * HOLE)
            file.write(b"x" * HOLE)
            file.flush()
            held.release()
            assert held.wait(60) == 0
    assert f" {4 * HOLE} " in run(["aci-extract", "--list", tmp_path / "a.aci"]).out


@pytest.mark.parametrize("compression", ["gzip", "xz", "zstd"])
def test_300_mb_of_zeros_make_a_valid_image(tmp_path, compression):
    (tmp_path / "layout/rootfs").mkdir(parents=True)
    (tmp_path / "layout/manifest").write_text(json.dumps(manifest()))
    with open(tmp_path / "layout/rootfs/zeros", "wb") as file:
        for _ in range(300):  # not a hole on disk
            file.write(bytes(1 << 20))
    made = run(["aci-build", f"--compress={compression}", tmp_path / "layout", tmp_path / "a.aci"])
    assert made.status == 0, made
    checked = run(["aci-validate", "--strict", "--render-check", tmp_path / "a.aci"])
    assert checked.status == 0, checked


# ---- from a tar ------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", [name for name in WRITERS if name != "raw"])  # reads 6 GiB of zeros
def test_what_is_sparse_in_a_tar_stays_so(layout, tmp_path, writer):
    if not shutil.which(WRITERS[writer][0]):
        pytest.skip(f"needs {WRITERS[writer][0]}")
    subprocess.run([*WRITERS[writer], "-C", layout / "rootfs", "-cf", tmp_path / "root.tar", "."], check=True)
    build("--name=example.com/a", "--from-tar", tmp_path / "root.tar", tmp_path / "a.aci")
    assert (tmp_path / "a.aci").stat().st_size < (tmp_path / "root.tar").stat().st_size + (1 << 16)
    assert run(["aci-extract", tmp_path / "a.aci", tmp_path / "out"]).status == 0
    assert_same_files(layout / "rootfs", tmp_path / "out/rootfs")


ODD_RUNS = [
    (8192, [(100, 1000), (4096, 512)]),
    (8192, [(0, 1000), (4096, 512)]),
    (8192, [(0, 10), (20, 10), (511, 2), (1023, 1)]),
    (8191, [(8190, 1)]),
    (8191, [(0, 8191)]),
    (1 << 61, [(1 << 30, 600)]),
]


@pytest.mark.parametrize("size, runs", ODD_RUNS)
def test_odd_runs_are_rounded_to_what_an_index_can_show(tmp_path, size, runs):
    write_raw(tmp_path / "t.tar", size, runs)  # with names of an image: the root has a rootfs in it
    build("--name=example.com/a", "--from-tar", tmp_path / "t.tar", tmp_path / "a.aci")
    assert (tmp_path / "a.aci").stat().st_size < 1 << 16
    if size > 1 << 40:
        return  # no file system here has such files, and an index has no room
    assert run(["aci-validate", "--render-check", tmp_path / "a.aci"]).status == 0
    assert run(["aci-extract", tmp_path / "a.aci", tmp_path / "out"]).status == 0
    data = (tmp_path / "out/rootfs/rootfs/f").read_bytes()
    expected = bytearray(size)
    for offset, length in runs:
        expected[offset : offset + length] = b"d" * length
    assert data == expected


def test_extracting_a_hole_larger_than_the_file_system_leaves_nothing(tmp_path):
    write_raw(tmp_path / "t.tar", 1 << 61, [(512, 512)])
    done = run(["aci-extract", tmp_path / "t.tar", tmp_path / "out"])
    assert done.status == (0 if (tmp_path / "out").exists() else 1), done
    if done.status:
        assert sorted(os.listdir(tmp_path)) == ["t.tar"]
