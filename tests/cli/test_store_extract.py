"""rkt-store extract: an image unpacked from the store, verified, or nothing."""

import os
import pathlib

import pytest
from conftest import entry, hardlink, needs_root, run, symlink
from storelib import (
    add,
    as_nobody,
    assert_one_line,
    blob_path,
    content_offset,
    flip,
    image_tar,
    open_dir,
    store,
    write,
)

assert open_dir  # a fixture

MORE = [
    entry("rootfs/bin"),
    entry("rootfs/bin/program", "text", mode=0o4755),
    hardlink("rootfs/bin/other", "rootfs/bin/program"),
    symlink("rootfs/link", "/etc/passwd"),
    entry("rootfs/owned", "x", uid=1234, gid=5678, mode=0o640),
]


@pytest.fixture
def image(data_dir, tmp_path):
    return add(write(tmp_path / "a.aci", image_tar(more=MORE)))


def test_whole_image_comes_out_as_tar_unpacks_it(image, tmp_path):
    result = store("extract", image, tmp_path / "out")
    assert result.status == 0 and result.out == "", result
    (tmp_path / "tar").mkdir()
    run(["tar", "-xpf", tmp_path / "a.aci", "-C", tmp_path / "tar"])
    same = run(["diff", "-r", "--no-dereference", tmp_path / "out", tmp_path / "tar"])
    assert same.status == 0, same
    assert sorted(os.listdir(tmp_path / "out")) == ["manifest", "rootfs"]
    assert os.readlink(tmp_path / "out/rootfs/link") == "/etc/passwd"
    program = (tmp_path / "out/rootfs/bin/program").stat()
    assert program.st_ino == (tmp_path / "out/rootfs/bin/other").stat().st_ino


def test_rootfs_only_leaves_the_manifest_out(image, tmp_path):
    assert store("extract", "--rootfs-only", image, tmp_path / "out").status == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["bin", "content", "link", "owned"]


@needs_root
def test_root_keeps_owners_and_modes(image, tmp_path):
    assert store("extract", image, tmp_path / "out").status == 0
    owned = (tmp_path / "out/rootfs/owned").stat()
    assert (owned.st_uid, owned.st_gid, owned.st_mode & 0o7777) == (1234, 5678, 0o640)
    assert (tmp_path / "out/rootfs/bin/program").stat().st_mode & 0o7777 == 0o4755


@needs_root
def test_ordinary_user_gets_files_of_his_own(open_dir):
    file = write(open_dir / "a.aci", image_tar(more=MORE))
    image = as_nobody(open_dir, "import", file, env={"RKT_DIR": ""}).out.strip()
    result = as_nobody(open_dir, "extract", image, open_dir / "home/out", env={"RKT_DIR": ""})
    assert result.status == 0, result
    program = pathlib.Path(open_dir / "home/out/rootfs/bin/program").stat()
    assert program.st_uid == 65534 and program.st_mode & 0o7777 == 0o755


def test_existing_content_is_kept(image, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious").write_text("x")
    result = store("extract", image, tmp_path / "out")
    assert result.status == 1 and len(result.err.splitlines()) == 1, result
    assert os.listdir(tmp_path / "out") == ["precious"]


def test_empty_directory_is_filled(image, tmp_path):
    (tmp_path / "out").mkdir()
    assert store("extract", image, f"{tmp_path}/out/").status == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["manifest", "rootfs"]


def test_flipped_bit_is_found_and_nothing_appears(image, data_dir, tmp_path):
    flip(blob_path(data_dir, image), content_offset(data_dir, image))
    before = sorted(tmp_path.iterdir())
    assert_one_line(store("extract", image, tmp_path / "out"), 4, "damaged", image)
    assert sorted(tmp_path.iterdir()) == before


def test_device_nodes_are_refused_unless_asked_for(data_dir, tmp_path):
    import tarfile

    null = entry("rootfs/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
    image = add(write(tmp_path / "a.aci", image_tar(more=[null])))
    assert_one_line(store("extract", image, tmp_path / "out"), 4, "null")
    assert not (tmp_path / "out").exists()
    if os.geteuid() == 0:
        assert store("extract", "--devices", image, tmp_path / "out").status == 0
        assert (tmp_path / "out/rootfs/null").is_char_device()


def test_missing_folder_is_missing(image, tmp_path):
    assert_one_line(store("extract", image, tmp_path / "none/out"), 3, "none")


def test_unknown_image_leaves_nothing(image, tmp_path):
    assert_one_line(store("extract", "example.com/none", tmp_path / "out"), 3, "example.com/none")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [".", "..", "./", "sub/.."])
def test_a_directory_must_have_a_name(image, tmp_path, monkeypatch, name):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert_one_line(store("extract", image, name), 2, "does not say what to make")
