"""Images with dependencies: listed, rendered, run, kept and removed."""

import hashlib
import json
import pathlib
import tarfile
import time

import pytest
from conftest import busybox_entries, entry, make_aci, manifest, needs_erofs, needs_root, run
from podlib import house
from storelib import add, assert_one_line, blob_path, flip, info, mounts_below, own_mounts, store

assert house and own_mounts  # fixtures

BASE, MIDDLE, TOP = "example.com/base", "example.com/middle", "example.com/top"


def image(folder, name, files, version="1.0.0", **fields):
    """An image NAME whose rootfs has FILES (name: content)."""
    text = manifest(name, labels=[{"name": "version", "value": version}], **fields)
    path = folder / f"{name.replace('/', '-')}-{version}.aci"
    return make_aci(path, [entry(f"rootfs/{one}", data) for one, data in files.items()], text)


def on(*names):
    return [{"imageName": name} for name in names]


@pytest.fixture
def stack(data_dir, tmp_path):
    """Three layers: base, middle over base with a whitelist, top over both; returns their IDs."""
    return add(
        image(tmp_path, BASE, {"a": "base", "b": "base", "hidden": "x"}),
        image(tmp_path, MIDDLE, {"b": "middle"}, dependencies=on(BASE), pathWhitelist=["/a", "/b"]),
        image(tmp_path, TOP, {"c": "top"}, dependencies=on(MIDDLE)),
    )


def layers(name):
    result = store("render", "--list", "--json", name)
    assert result.status == 0, result
    return json.loads(result.out)


def render(name, *options):
    result = store("render", "--json", *options, name)
    assert result.status == 0, result
    return json.loads(result.out)


def test_layers_are_listed_lowest_first_with_whitelists(stack):
    base, middle, top = stack
    found = layers(TOP)
    assert [one["id"] for one in found["layers"]] == [base, middle, top]
    assert [one["neededBy"] for one in found["layers"]] == [1, 2, None]
    assert [one["pathWhitelist"] for one in found["layers"]] == [[], ["/a", "/b"], []]
    table = store("render", "--list", TOP).out.splitlines()
    assert table[0].split() == ["LAYER", "ID", "NAME", "VERSION", "NEEDED", "BY", "WHITELIST"]
    assert table[2].split() == ["1", middle, MIDDLE, "1.0.0", "2", "/a", "/b"]


def test_info_names_dependencies_found_and_missing(stack, tmp_path):
    base, middle, top = stack
    assert info(TOP)["dependencies"] == [
        {"imageName": MIDDLE, "labels": [], "id": middle, "problem": None}
    ]
    assert info(TOP)["tree"] == layers(TOP)["tree"] != top
    assert f"dependency: {MIDDLE} {middle}\n" in store("info", TOP).out
    assert info(BASE)["dependencies"] == [] and info(BASE)["tree"] == base
    add(image(tmp_path, "example.com/lone", {}, dependencies=on("example.com/gone")))
    lone = info("example.com/lone")
    assert lone["tree"] is None and lone["dependencies"][0]["id"] is None
    assert "not in the store" in lone["dependencies"][0]["problem"]
    assert "dependency: example.com/gone missing\n" in store("info", "example.com/lone").out


def test_what_is_missing_is_escaped_once_and_for_people(data_dir, tmp_path):
    gone = {"imageName": "example.com/gone", "labels": [{"name": "x", "value": "a\x1b[2Jb"}]}
    add(image(tmp_path, "example.com/lone", {}, dependencies=[gone]))
    said = "example.com/lone needs example.com/gone (x=a{}[2Jb): not in the store"
    assert info("example.com/lone")["dependencies"][0]["problem"] == said.format("\x1b")
    assert f"problem: {said.format(chr(92) + 'x1b')}\n" in store("info", "example.com/lone").out


@needs_root
@pytest.mark.parametrize("form", ["extracted", pytest.param("erofs", marks=needs_erofs)])
def test_a_tree_has_what_its_layers_give(stack, own_mounts, form):
    tree = render(TOP, f"--form={form}")
    root = pathlib.Path(tree["path"])
    assert root.name == layers(TOP)["tree"]
    assert {one.name: one.read_text() for one in root.iterdir()} == {
        "a": "base", "b": "middle", "c": "top"}


@needs_erofs
def test_an_index_over_all_layers_is_made_once_and_mounted_once(stack, data_dir, own_mounts):
    path = render(TOP, "--form=erofs")["path"]
    tree = layers(TOP)["tree"]
    index = data_dir / f"cas/erofs/sha256/{tree[7:9]}/{tree}"
    before = index.stat()
    assert render(TOP)["path"] == path
    assert mounts_below(data_dir) == [path]
    assert index.stat().st_ino == before.st_ino and before.st_mode & 0o7777 == 0o444


@needs_erofs
def test_an_image_alone_has_no_second_index(stack, data_dir, own_mounts):
    before = sorted((data_dir / "cas/erofs").rglob("sha256-*"))
    assert render(BASE, "--form=erofs")["path"].endswith(stack[0])
    assert sorted((data_dir / "cas/erofs").rglob("sha256-*")) == before


@needs_root
@pytest.mark.parametrize("form", ["extracted", pytest.param("erofs", marks=needs_erofs)])
def test_a_damaged_layer_is_refused_with_its_id(stack, data_dir, own_mounts, form):
    with tarfile.open(blob_path(data_dir, stack[0])) as tar:
        offset = tar.getmember("rootfs/a").offset_data
    flip(blob_path(data_dir, stack[0]), offset)
    assert_one_line(store("render", f"--form={form}", TOP), 4, "damaged", stack[0])
    assert list((data_dir / "cas/tmp").iterdir()) == []


def test_what_is_missing_is_named_with_who_needs_it(stack):
    assert store("rm", BASE).status == 0
    assert_one_line(store("render", TOP), 3, f"{MIDDLE} needs {BASE}: not in the store")


@needs_erofs
def test_removing_a_layer_takes_mount_and_index_of_the_tree_away(stack, data_dir, own_mounts):
    render(TOP, "--form=erofs")
    tree = layers(TOP)["tree"]
    assert store("rm", BASE).status == 0
    assert mounts_below(data_dir) == []
    assert list((data_dir / "cas/erofs").rglob(tree)) == []
    assert store("gc", "--grace-period=1h").status == 0


def test_gc_keeps_what_an_image_that_stays_needs(data_dir, tmp_path):
    base, other = add(image(tmp_path, BASE, {"a": "x"}), image(tmp_path, "example.com/other", {}))
    time.sleep(8)
    top = add(image(tmp_path, TOP, {}, dependencies=on(BASE)))
    result = store("gc", "--grace-period=7s", "--json")
    assert result.status == 0, result
    decisions = {one["what"]: one for one in json.loads(result.out)["decisions"]}
    assert decisions[base]["decision"] == "kept" and f"{top} needs it" in decisions[base]["reason"]
    assert decisions[top]["decision"] == "kept"
    assert decisions[other]["decision"] == "removed"


@needs_root
def test_a_pod_runs_on_its_layers(house, tmp_path):
    busybox = make_aci(tmp_path / "busybox.aci", busybox_entries(), manifest("example.com/bb"))
    greeting = image(tmp_path, "example.com/greeting", {"srv-text": "hello", "no": "x"},
                     pathWhitelist=["/srv-text"])
    text = manifest("example.com/app", ["/bin/sh", "-c", "cat /srv-text /own; ls / | tr '\\n' ' '"],
                    dependencies=on("example.com/bb", "example.com/greeting"))
    top = make_aci(tmp_path / "app.aci", [entry("rootfs/own", " world\n")], text)
    images = add(busybox, greeting, top)
    assert {info(one)["used"] for one in images} == {None}
    result = run(["rkt-run", "example.com/app"])
    assert result.status == 0, result
    assert "hello world" in result.out
    assert " own " in result.out and " no " not in result.out
    assert None not in {info(one)["used"] for one in images}


@needs_root
def test_layers_of_a_running_pod_stay_and_are_told(house, tmp_path):
    busybox = make_aci(tmp_path / "busybox.aci", busybox_entries(), manifest("example.com/bb"))
    text = manifest("example.com/app", ["/bin/sleep", "60"], dependencies=on("example.com/bb"))
    base, top = add(busybox, make_aci(tmp_path / "app.aci", [], text))
    _, uuid = house.start("example.com/app")
    assert_one_line(store("rm", "example.com/bb"), 1, "in use by pod", uuid)
    assert info(base)["pods"] == [uuid] and info(top)["pods"] == [uuid]
    assert store("gc", "--grace-period=0").status == 0
    assert info(base) and info(top)
    assert house.state(uuid) == "running"


# ---- by SHA-512 -----------------------------------------------------------------------------------


def sha512_of(data_dir, image):
    return "sha512-" + hashlib.sha512(blob_path(data_dir, image).read_bytes()).hexdigest()


@pytest.fixture
def by_sha512(data_dir, tmp_path):
    """Two of a name, and an image over the older one, given by its SHA-512; their IDs."""
    older, newer = add(
        image(tmp_path, BASE, {"a": "older"}, version="1.0.0"),
        image(tmp_path, BASE, {"a": "newer"}, version="2.0.0"),
    )
    wanted = [{"imageName": BASE, "imageID": sha512_of(data_dir, older)}]
    return older, newer, add(image(tmp_path, TOP, {"b": "top"}, dependencies=wanted))


@pytest.mark.parametrize("digits", [128, 64])
def test_a_dependency_may_be_given_by_its_sha512_or_the_half_that_rkt_kept(data_dir, tmp_path, by_sha512, digits):
    older, _, _ = by_sha512
    wanted = sha512_of(data_dir, older)[: len("sha512-") + digits]
    add(image(tmp_path, "example.com/mine", {}, dependencies=[{"imageName": BASE, "imageID": wanted}]))
    assert [one["name"] for one in layers("example.com/mine")["layers"]] == [BASE, "example.com/mine"]
    assert layers("example.com/mine")["layers"][0]["id"] == older


@pytest.mark.parametrize("command", [
    ["info"], ["render", "--list"], ["render", "--form=extracted"], pytest.param(["render", "--form=erofs"], marks=needs_erofs)])
def test_the_first_question_is_answered(by_sha512, own_mounts, command):
    result = store(*command, TOP)
    assert result.status == 0 and "not in the store" not in result.out, result
    assert info(TOP)["dependencies"][0]["id"] == by_sha512[0]


def test_it_is_the_right_tree(by_sha512, tmp_path):
    assert store("render", "--rootfs-only", TOP, tmp_path / "out").status == 0
    assert (tmp_path / "out/a").read_text() == "older"


def test_only_images_of_that_name_are_read_and_once(by_sha512, data_dir, tmp_path):
    other = add(image(tmp_path, "example.com/other", {"x": "x"}))
    name = sha512_of(data_dir, other)
    assert layers(TOP)["layers"][0]["id"] == by_sha512[0]
    for one in (*by_sha512, other):
        blob_path(data_dir, one).unlink()
    assert layers(TOP)["layers"][0]["id"] == by_sha512[0]
    assert store("info", name).status == 3


def test_another_sha512_is_missing_and_why(data_dir, tmp_path, by_sha512):
    wrong = [{"imageName": BASE, "imageID": "sha512-" + "0" * 128}]
    add(image(tmp_path, "example.com/wrong", {}, dependencies=wrong))
    assert_one_line(store("render", "example.com/wrong"), 3, f"example.com/wrong needs {BASE} with the ID sha512-000",
                    "not in the store: the 2 of that name have another SHA-512")
    nobody = [{"imageName": "example.com/none", "imageID": "sha512-" + "0" * 128}]
    add(image(tmp_path, "example.com/lone", {}, dependencies=nobody))
    assert_one_line(store("render", "example.com/lone"), 3, "with the ID sha512-000", "not in the store")


def test_a_sha512_of_an_image_of_another_name_or_other_labels_is_refused(data_dir, tmp_path, by_sha512):
    older, newer, _ = by_sha512
    assert store("info", sha512_of(data_dir, newer)).status == 0  # all are learnt
    other = [{"imageName": MIDDLE, "imageID": sha512_of(data_dir, older)}]
    add(image(tmp_path, "example.com/a", {}, dependencies=other))
    assert_one_line(store("render", "example.com/a"), 4, f"that image is called {BASE}")
    labels = [{"imageName": BASE, "imageID": sha512_of(data_dir, older), "labels": [{"name": "version", "value": "2.0.0"}]}]
    add(image(tmp_path, "example.com/b", {}, dependencies=labels))
    assert_one_line(store("render", "example.com/b"), 4, "that image has other labels")


def test_of_a_candidate_that_cannot_be_read_that_is_told(by_sha512, data_dir):
    flip(blob_path(data_dir, by_sha512[0]), 1000)
    assert_one_line(store("render", TOP), 4, f"needs {BASE} with the ID sha512-", "damaged", by_sha512[0])


@needs_root
def test_a_damaged_candidate_does_not_hide_the_right_image(by_sha512, data_dir, own_mounts):
    flip(blob_path(data_dir, by_sha512[1]), 1000)
    assert render(TOP)["id"] == by_sha512[2]


def test_gc_keeps_what_is_needed_by_its_sha512_only(data_dir, tmp_path):
    base, other = add(image(tmp_path, BASE, {"a": "x"}), image(tmp_path, BASE, {"a": "y"}, version="2.0.0"))
    time.sleep(4)
    wanted = [{"imageName": BASE, "imageID": sha512_of(data_dir, base)}]
    add(image(tmp_path, TOP, {}, dependencies=wanted))
    result = store("gc", "--grace-period=3s", "--json")
    assert result.status == 0, result
    decisions = {one["what"]: one["decision"] for one in json.loads(result.out)["decisions"]}
    assert decisions[base] == "kept" and decisions[other] == "removed"


@needs_root
def test_a_pod_runs_on_what_is_given_by_its_sha512(house, tmp_path):
    base = add(make_aci(tmp_path / "busybox.aci", busybox_entries(), manifest("example.com/bb")))
    wanted = [{"imageName": "example.com/bb", "imageID": sha512_of(house.data, base)}]
    text = manifest("example.com/app", ["/bin/echo", "hello"], dependencies=wanted)
    add(make_aci(tmp_path / "app.aci", [], text))
    result = run(["rkt-run", "example.com/app"])
    assert result.status == 0 and "hello" in result.out, result
