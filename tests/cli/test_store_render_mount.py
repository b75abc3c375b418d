"""rkt-store render --mount: a tree on a directory of the user's, read-only, as long as he wants it."""

import json
import os
import pathlib

import pytest
from conftest import entry, make_aci, manifest, needs_erofs, needs_root, run
from storelib import add, as_nobody, assert_one_line, files_in, open_dir, own_mounts, store

assert open_dir and own_mounts  # fixtures

BELOW, TOP = "example.com/below", "example.com/top"
FORMS = ["extracted", pytest.param("erofs", marks=needs_erofs)]


def make(folder):
    top = manifest(TOP, dependencies=[{"imageName": BELOW}])
    program = entry("rootfs/program", "x", mode=0o4755)
    return [
        make_aci(folder / "below.aci", [entry("rootfs/content", "below" * 5000), program], manifest(BELOW)),
        make_aci(folder / "top.aci", [entry("rootfs/own", "top")], top),
    ]


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*make(tmp_path))


@pytest.fixture
def here(tmp_path):
    path = tmp_path / "here"
    path.mkdir()
    yield path
    while os.path.ismount(path):
        run(["umount", path])


@needs_root
@pytest.mark.parametrize("form", FORMS)
def test_all_layers_are_mounted_without_anything_that_acts_on_the_host(own_mounts, images, here, form):
    """S-010"""
    result = store("render", "--json", f"--form={form}", "--mount", here, TOP)
    assert result.status == 0, result
    assert json.loads(result.out)["form"] == form and json.loads(result.out)["path"] == str(here)
    assert sorted(os.listdir(here)) == ["content", "own", "program"]
    flags = os.statvfs(here).f_flag
    assert flags & os.ST_RDONLY and flags & os.ST_NOSUID and flags & os.ST_NODEV
    assert (here / "program").stat().st_mode & 0o7777 == 0o4755


@needs_erofs
def test_a_mount_stays_usable_when_its_images_are_collected(own_mounts, images, data_dir, here):
    assert store("render", "--form=erofs", "--mount", here, TOP).status == 0
    assert store("gc", "--grace-period=0s").status == 0
    assert files_in(data_dir) == []
    run(["sh", "-c", "echo 3 >/proc/sys/vm/drop_caches"])
    assert (here / "content").read_text() == "below" * 5000
    assert (here / "own").read_text() == "top"
    assert run(["umount", here]).status == 0 and list(here.iterdir()) == []


@needs_root
def test_ordinary_users_are_told_before_anything_is_made(open_dir):
    env = {"RKT_DIR": ""}
    (open_dir / "home/here").mkdir()
    assert as_nobody(open_dir, "import", *make(open_dir), env=env).status == 0
    assert_one_line(as_nobody(open_dir, "render", "--form=extracted", "--mount", open_dir / "home/here", TOP, env=env),
                    1, "needs root")
    assert list((open_dir / "home/.local/share/rkt/cas/rootfs").rglob("sha256-*")) == []


def test_a_directory_is_needed_before_anything_is_made(images, data_dir, tmp_path):
    before = files_in(data_dir)
    assert_one_line(store("render", "--mount", tmp_path / "none", TOP), 3, f"no such directory: {tmp_path}/none")
    file = pathlib.Path(tmp_path / "file")
    file.write_text("x")
    assert_one_line(store("render", "--mount", file, TOP), 1, "Not a directory")
    assert files_in(data_dir) == before
