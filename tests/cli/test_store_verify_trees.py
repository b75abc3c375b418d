"""rkt-store verify: indexes over several layers are what the blobs of all of them give (S-043)."""

import json
import os
import pathlib
import random
import shutil
import tarfile

import pytest
from conftest import entry, hardlink, is_sanitized, make_aci, manifest, needs_erofs, run, run_failing, tool
from podlib import house  # noqa: F401 - a fixture
from storelib import add, blob_path, files_in, flip, ids, info, mounts_below, own_mounts, store, write

assert own_mounts  # a fixture

BASE, TOP, OTHER = "example.com/base", "example.com/top", "example.com/other"


@pytest.fixture
def images(data_dir, tmp_path):
    """Two images over one base, one with a whitelist, and their indexes; the IDs."""
    base = [entry("rootfs/a", "a" * 3000), entry("rootfs/hidden", "h" * 3000), hardlink("rootfs/b", "rootfs/hidden")]
    on = [{"imageName": BASE}]
    found = add(
        make_aci(tmp_path / "base.aci", base, manifest(BASE)),
        make_aci(tmp_path / "top.aci", [entry("rootfs/c", "c")], manifest(TOP, dependencies=on, pathWhitelist=["/a", "/b"])),
        make_aci(tmp_path / "other.aci", [entry("rootfs/c", "c" * 999)], manifest(OTHER, dependencies=on)),
    )
    for name in (TOP, OTHER):  # without EROFS mounts the index is made all the same
        store("render", "--form=erofs", name)
    assert all(index_path(data_dir, name).exists() for name in (TOP, OTHER))
    return found


@pytest.fixture(autouse=True)
def unmounted(data_dir):
    yield
    for mount in mounts_below(data_dir):
        run(["umount", mount])


def tree_of(name):
    return info(name)["tree"]


def index_path(data_dir, name):
    tree = tree_of(name)
    return pathlib.Path(data_dir) / "cas/erofs/sha256" / tree[7:9] / tree


def verdicts(result):
    """Of images and of trees."""
    lines = [line.split() for line in result.out.splitlines()]
    assert all(len(line) == 2 or line[2:] == ["tree"] for line in lines)
    return ({line[0]: line[1] for line in lines if len(line) == 2},
            {line[0]: line[1] for line in lines if len(line) == 3})


def good(*ids):
    return dict.fromkeys(ids, "good")


def test_good_trees_come_after_the_images(images):
    result = store("verify")
    assert result.status == 0 and result.err == "", result
    assert verdicts(result) == (good(*images), good(tree_of(TOP), tree_of(OTHER)))
    assert [line.endswith(" tree") for line in result.out.splitlines()] == [False] * 3 + [True] * 2


def test_trees_are_those_of_the_images_asked_for(images):
    assert verdicts(store("verify", TOP)) == (good(images[1]), good(tree_of(TOP)))
    assert verdicts(store("verify", BASE)) == (good(images[0]), {})


def test_every_byte_of_a_tree_counts(images, data_dir):
    path, tree = index_path(data_dir, TOP), tree_of(TOP)
    size = path.stat().st_size
    for at in random.Random(45).sample(range(size), 16) + [0, 1024, size - 1]:
        flip(path, at)
        result = store("verify")
        assert result.status == 4, at
        assert verdicts(result) == (good(*images), {tree: "damaged", tree_of(OTHER): "good"}), at
        assert f"the tree {tree}: the EROFS index is damaged" in result.err
        assert result.err.splitlines()[-1].startswith("rkt-store: 1 of 2 trees are damaged"), result
        flip(path, at)
    assert store("verify").status == 0


@pytest.mark.parametrize("damage", ["missing", "empty", "short", "long", "flipped"])
def test_a_damaged_tree_is_made_anew(images, data_dir, damage):
    path = index_path(data_dir, TOP)
    before = path.read_bytes()
    path.chmod(0o644)
    if damage == "missing":
        path.unlink()
    elif damage == "flipped":
        flip(path, 1200)
    else:
        os.truncate(path, {"empty": 0, "short": len(before) - 512, "long": len(before) + 512}[damage])
    assert store("verify").status == 4
    result = store("verify", "--repair")
    assert result.status == 0 and "made anew from the blobs of its layers" in result.err, result
    assert verdicts(result)[1] == {tree_of(TOP): "repaired", tree_of(OTHER): "good"}
    assert path.read_bytes() == before and path.stat().st_mode & 0o7777 == 0o444
    assert verdicts(store("verify")) == (good(*images), good(tree_of(TOP), tree_of(OTHER)))


@needs_erofs
def test_the_mount_over_a_damaged_tree_goes(own_mounts, images, data_dir):
    store("render", TOP)
    assert f"{data_dir}/cas/mnt/{tree_of(TOP)}" in mounts_below(data_dir)
    flip(index_path(data_dir, TOP), 1200)
    assert store("verify", "--repair").status == 0
    assert f"{data_dir}/cas/mnt/{tree_of(TOP)}" not in mounts_below(data_dir)
    root = pathlib.Path(json.loads(store("render", "--json", TOP).out)["path"])
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]


def test_a_damaged_layer_damages_its_trees_and_is_named(images, data_dir):
    """Also where the index would be the same."""
    with tarfile.open(blob_path(data_dir, images[0])) as tar:
        offset = tar.getmember("rootfs/a").offset_data
    flip(blob_path(data_dir, images[0]), offset)
    before = files_in(data_dir)
    result = store("verify")
    assert result.status == 4 and "1 of 3 images and 2 of 2 trees are damaged" in result.err
    assert verdicts(result)[1] == dict.fromkeys([tree_of(TOP), tree_of(OTHER)], "damaged")
    assert f"the tree {tree_of(TOP)}: {BASE}: " in result.err, result
    assert files_in(data_dir) == before


def test_trees_go_with_a_layer_that_is_put_away(images, data_dir, tmp_path):
    trees = [tree_of(TOP), tree_of(OTHER)]
    flip(blob_path(data_dir, images[0]), 1000)
    result = store("verify", "--repair")
    assert result.status == 0, result
    assert verdicts(result) == ({**good(*images), images[0]: "repaired"}, {})
    assert not [name for name in files_in(data_dir) if any(tree in name for tree in trees)]
    assert add(tmp_path / "base.aci") == images[0]
    assert verdicts(store("verify")) == (good(*images), {})


def test_of_a_layer_in_use_the_tree_stays_as_it_is(house, tmp_path):  # noqa: F811
    """S-044"""
    base = house.shell("while [ ! -e /stop ]; do sleep 0.05; done")
    top = add(make_aci(tmp_path / "top.aci", [], manifest(TOP, dependencies=[{"imageName": info(base)["name"]}])))
    store("render", "--form=erofs", top)
    house.start(base)
    flip(blob_path(house.data, base), 1500)
    result = store("verify", "--repair", base, top)
    assert result.status == 4, result
    assert verdicts(result) == ({base: "damaged", top: "good"}, {tree_of(TOP): "damaged"})
    assert "not repaired: that takes all its layers" in result.err
    assert index_path(house.data, TOP).exists()


def test_json_has_trees_of_their_own(images, data_dir):
    flip(index_path(data_dir, TOP), 1200)
    shown = json.loads(store("verify", "--json").out)
    assert (shown["good"], shown["damaged"], shown["repaired"]) == (3, 0, 0)
    assert (shown["treesGood"], shown["treesDamaged"], shown["treesRepaired"]) == (1, 1, 0)
    assert {tree["id"]: tree["verdict"] for tree in shown["trees"]} == {tree_of(TOP): "damaged", tree_of(OTHER): "good"}
    assert {image["id"] for image in shown["images"]} == set(images)


@pytest.mark.parametrize("jobs", ["1", "3", "16"])
def test_any_number_at_a_time(images, jobs):
    assert verdicts(store("verify", "-j", jobs)) == (good(*images), good(tree_of(TOP), tree_of(OTHER)))


def test_what_cannot_be_read_is_left_alone(images, data_dir):
    """S-042: an error of the machine says nothing about the bytes."""
    before = files_in(data_dir)
    verify = [tool("rkt-store"), "verify", "--repair", TOP]
    result = run_failing(verify, "pread64:error=EIO", index_path(data_dir, TOP))
    assert result.status == 1 and "Input/output error" in result.err, result
    assert result.err.endswith("1 of 1 trees could not be looked at\n")
    assert files_in(data_dir) == before
    assert store("verify").status == 0


# a file system that makes no unnamed files (open(2), O_TMPFILE)
NO_TMPFILE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

int openat(int dir, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat");
	va_list more;
	int mode;

	va_start(more, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, int) : 0;
	va_end(more);
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return real(dir, path, flags, mode);
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="cc is not installed")
def test_a_damaged_layer_is_told_also_where_files_cannot_be_unnamed(images, data_dir, tmp_path):
    """What is made anew for the second look then has a name, and names are locked."""
    if is_sanitized():
        pytest.skip("AddressSanitizer wants to be the first library")
    library = tmp_path / "named.so"
    run(["cc", "-w", "-shared", "-fPIC", "-o", library, write(tmp_path / "named.c", NO_TMPFILE.encode())])
    flip(blob_path(data_dir, images[0]), 1500)
    result = run([tool("rkt-store"), "verify", "--repair", TOP], env={"LD_PRELOAD": library}, timeout=60)
    assert result.status == 4 and "that takes all its layers" in result.err, result
    assert len(ids()) == 3
