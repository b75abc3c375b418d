"""How many images a tree may be made of, and how deep: real trees at the limit, a sentence beyond it."""

import json
import pathlib
import resource

import pytest
from conftest import entry, make_aci, manifest, needs_erofs, needs_root
from storelib import add, assert_one_line, mounts_below, own_mounts, store

assert own_mounts  # a fixture

LAYERS_MAX, DEPTH_MAX = 512, 64
OPEN_FILES = 1024  # what a process may have by default


def image(folder, name, dependencies):
    """An image with a file of its own and one that all have."""
    text = manifest(f"example.com/{name}", dependencies=[{"imageName": f"example.com/{one}"} for one in dependencies])
    files = [entry(f"rootfs/own/{name}", name), entry("rootfs/last", name)]
    return make_aci(folder / f"{name}.aci", files, text, "none")


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A data directory with `most`, made of 512 images, and `more`, of 513."""
    folder = tmp_path_factory.mktemp("wide")
    names = [f"layer-{number}" for number in range(LAYERS_MAX)]
    files = [image(folder, name, []) for name in names]
    files += [image(folder, "most", names[: LAYERS_MAX - 1]), image(folder, "more", names)]
    result = store("import", *files, env={"RKT_DIR": folder / "rkt"})
    assert result.status == 0, result
    return folder / "rkt"


@pytest.fixture
def in_wide(wide, monkeypatch):
    monkeypatch.setenv("RKT_DIR", str(wide))
    return wide


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


@needs_root
@pytest.mark.parametrize("form", ["extracted", pytest.param("erofs", marks=needs_erofs)])
def test_512_images_are_one_tree(own_mounts, in_wide, form):
    result = store("render", "--json", f"--form={form}", "example.com/most", preexec_fn=few_files)
    assert result.status == 0, result
    tree = json.loads(result.out)
    root = pathlib.Path(tree["path"])
    assert tree["form"] == form and (form == "extracted" or mounts_below(in_wide) == [str(root)])
    assert (root / "last").read_text() == "most"
    found = {path.name: path.read_text() for path in (root / "own").iterdir()}
    assert found == {name: name for name in ["most", *(f"layer-{n}" for n in range(LAYERS_MAX - 1))]}


@pytest.mark.parametrize("command", [
    ["--form=erofs"], ["--form=extracted"], ["--list"], []])
def test_513_are_refused_with_the_number(in_wide, tmp_path, command):
    to = [] if command else [tmp_path / "out"]
    assert_one_line(store("render", *command, "example.com/more", *to), 4, "more than 512 layers")
    assert not (tmp_path / "out").exists()


@needs_root
def test_64_deep_is_a_tree_and_65_are_refused_with_the_number(data_dir, tmp_path, own_mounts):
    below, files = [], []
    for number in range(DEPTH_MAX + 1):
        files.append(image(tmp_path, f"depth-{number}", below))
        below = [f"depth-{number}"]
    add(*files)
    deepest = store("render", "--json", f"example.com/depth-{DEPTH_MAX - 1}")
    assert deepest.status == 0, deepest
    root = pathlib.Path(json.loads(deepest.out)["path"])
    assert len(list((root / "own").iterdir())) == DEPTH_MAX
    assert (root / "last").read_text() == f"depth-{DEPTH_MAX - 1}"
    assert_one_line(store("render", f"example.com/depth-{DEPTH_MAX}"), 4, "more than 64 deep")
