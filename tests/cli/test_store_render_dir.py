"""rkt-store render IMAGE DIR: the tree of all layers as files in a directory, verified, or nothing."""

import os
import pathlib
import resource
import tarfile

import pytest
from conftest import entry, hardlink, make_aci, manifest, needs_root, run, symlink
from storelib import add, as_nobody, assert_one_line, blob_path, flip, open_dir, store

assert open_dir  # a fixture

BELOW, TOP = "example.com/below", "example.com/top"
BELOW_FILES = [
    entry("rootfs/both", "below"),
    entry("rootfs/hidden", "linked"),
    hardlink("rootfs/shown", "rootfs/hidden"),
    entry("rootfs/etc", mode=0o700),
    entry("rootfs/etc/conf", "x", uid=1234, gid=5678, mode=0o640),
    symlink("rootfs/var", "etc"),
]
TOP_FILES = [entry("rootfs/both", "top"), entry("rootfs/etc", mode=0o751), entry("rootfs/var/own", "y")]
WHITELIST = ["/both", "/shown", "/etc/conf", "/var/own"]


def make(folder, below=BELOW_FILES, top=TOP_FILES):
    """The files of an image and of the one it is over; only WHITELIST of both is shown."""
    fields = {"dependencies": [{"imageName": BELOW}], "pathWhitelist": WHITELIST}
    return [
        make_aci(folder / "below.aci", below, manifest(BELOW)),
        make_aci(folder / "top.aci", top, manifest(TOP, **fields)),
    ]


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*make(tmp_path))


def names_in(top):
    return sorted(str(path.relative_to(top)) for path in pathlib.Path(top).rglob("*"))


TREE = ["both", "etc", "etc/conf", "shown", "var", "var/own"]


def test_all_layers_come_out_as_one_tree(images, tmp_path):
    out = tmp_path / "out"
    result = store("render", TOP, out)
    assert result.status == 0 and result.out == result.err == "", result
    assert sorted(os.listdir(out)) == ["manifest", "rootfs"]
    assert (out / "manifest").read_text() + "\n" == store("cat-manifest", TOP).out
    assert names_in(out / "rootfs") == TREE
    assert (out / "rootfs/both").read_text() == "top"
    assert (out / "rootfs/shown").read_text() == "linked"
    assert (out / "rootfs/shown").stat().st_nlink == 1
    assert (out / "rootfs/etc").stat().st_mode & 0o7777 == 0o751
    assert (out / "rootfs/var").is_dir() and not (out / "rootfs/var").is_symlink()


def test_it_is_the_tree_that_pods_get(images, tmp_path):
    import json

    assert store("render", "--rootfs-only", TOP, tmp_path / "out").status == 0
    tree = json.loads(store("render", "--json", "--form=extracted", TOP).out)["path"]
    same = run(["diff", "-r", "--no-dereference", tree, tmp_path / "out"])
    assert same.status == 0, same
    for name in TREE:
        one, other = pathlib.Path(tree, name).lstat(), (tmp_path / "out" / name).lstat()
        assert (one.st_mode, one.st_uid, one.st_mtime_ns) == (other.st_mode, other.st_uid, other.st_mtime_ns), name


def test_an_image_alone_is_rendered_as_it_is_extracted(images, tmp_path):
    assert store("render", BELOW, tmp_path / "one").status == 0
    assert store("extract", BELOW, tmp_path / "other").status == 0
    same = run(["diff", "-r", "--no-dereference", tmp_path / "one", tmp_path / "other"])
    assert same.status == 0, same


def test_extract_takes_the_image_alone(images, tmp_path):
    assert store("extract", "--rootfs-only", TOP, tmp_path / "out").status == 0
    assert names_in(tmp_path / "out") == ["both", "etc", "var", "var/own"]


@needs_root
def test_root_keeps_owners(images, tmp_path):
    assert store("render", "--rootfs-only", TOP, tmp_path / "out").status == 0
    conf = (tmp_path / "out/etc/conf").stat()
    assert (conf.st_uid, conf.st_gid, conf.st_mode & 0o7777) == (1234, 5678, 0o640)


@needs_root
def test_ordinary_user_gets_files_of_his_own(open_dir):
    env = {"RKT_DIR": ""}
    assert as_nobody(open_dir, "import", *make(open_dir), env=env).status == 0
    result = as_nobody(open_dir, "render", TOP, open_dir / "home/out", env=env)
    assert result.status == 0, result
    assert names_in(open_dir / "home/out/rootfs") == TREE
    assert pathlib.Path(open_dir / "home/out/rootfs/etc/conf").stat().st_uid == 65534


@pytest.mark.parametrize("number, name", [(0, "rootfs/both"), (1, "rootfs/var/own")])
def test_flipped_bit_of_any_layer_is_found_and_nothing_appears(images, data_dir, tmp_path, number, name):
    """Also of a file that nobody sees in the end."""
    with tarfile.open(blob_path(data_dir, images[number])) as tar:
        offset = tar.getmember(name).offset_data
    flip(blob_path(data_dir, images[number]), offset)
    before = sorted(tmp_path.iterdir())
    assert_one_line(store("render", TOP, tmp_path / "out"), 4, "damaged", images[number])
    assert sorted(tmp_path.iterdir()) == before


def test_existing_content_is_kept_and_an_empty_directory_filled(images, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").write_text("x")
    before = sorted(tmp_path.iterdir())
    assert_one_line(store("render", TOP, out), 1, "not empty")
    assert os.listdir(out) == ["precious"] and sorted(tmp_path.iterdir()) == before
    (out / "precious").unlink()
    assert store("render", TOP, f"{out}/").status == 0
    assert sorted(os.listdir(out)) == ["manifest", "rootfs"]
    assert sorted(tmp_path.iterdir()) == before


def test_missing_dependency_is_named_and_nothing_appears(images, tmp_path):
    assert store("rm", BELOW).status == 0
    assert_one_line(store("render", TOP, tmp_path / "out"), 3, f"{TOP} needs {BELOW}: not in the store")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limit", range(14, 32))
def test_too_few_descriptors_leave_nothing(images, tmp_path, limit):
    """S-042: what was there when they ran out is removed all the same."""
    place = tmp_path / "place"
    place.mkdir()
    result = store("render", TOP, place / "out",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    if result.status == 0:
        assert os.listdir(place) == ["out"]
        return
    assert_one_line(result, 1, "Too many open files")
    assert os.listdir(place) == []


def test_device_nodes_are_refused_unless_asked_for(data_dir, tmp_path):
    null = entry("rootfs/both", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
    add(*make(tmp_path, below=[null], top=[]))
    before = sorted(tmp_path.iterdir())
    assert_one_line(store("render", TOP, tmp_path / "out"), 4, "both", "device node")
    assert sorted(tmp_path.iterdir()) == before
    if os.geteuid() == 0:
        assert store("render", "--devices", "--rootfs-only", TOP, tmp_path / "out").status == 0
        assert (tmp_path / "out/both").is_char_device()


@pytest.mark.parametrize("options", [["--form=extracted"], ["--json"], ["--list"], ["--mount=/mnt"]])
def test_options_of_the_other_uses_are_refused(images, tmp_path, options):
    assert_one_line(store("render", *options, TOP, tmp_path / "out"), 2, "DIR")
    assert not (tmp_path / "out").exists()


def test_options_of_this_use_need_a_dir(images):
    assert_one_line(store("render", "--rootfs-only", TOP), 2, "DIR")
    assert_one_line(store("render", "--devices", "--list"), 2, "DIR")
