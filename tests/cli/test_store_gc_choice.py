"""rkt-store gc --keep-latest and --max-size: which of the images that nobody uses stay."""

import json
import os

import pytest
from conftest import BUILD, needs_erofs, run
from storelib import add, assert_one_line, files_in, ids, image_tar, own_mounts, store, write

assert own_mounts  # a fixture

POD = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def image(folder, name, size=0, depends=(), wanted=None, **labels):
    """Imports an image called example.com/NAME, SIZE bytes and a little large; its ID. It depends on
    the images DEPENDS, of the versions WANTED."""
    fields = {"labels": [{"name": key, "value": value} for key, value in labels.items()]}
    if depends:
        fields["dependencies"] = [{"imageName": f"example.com/{one}"} for one in depends]
    for one in fields.get("dependencies", []) if wanted else []:
        version = wanted[one["imageName"].removeprefix("example.com/")]
        one["labels"] = [{"name": "version", "value": version}]
    path = folder / f"{name}-{len(list(folder.iterdir()))}.aci"
    content = f"{path}".ljust(size, "x")
    return add(write(path, image_tar(f"example.com/{name}", content, **fields)))


def use(data_dir, one):
    """A pod had the image ONE, and is gone."""
    assert run([BUILD / "tests/fault/pods", "lease", POD, one]).status == 0
    os.rmdir(data_dir / "containers" / POD)


def gc(*options):
    """Collects without a grace period: the reasons by ID, of what goes and of what stays."""
    result = store("gc", "--grace-period=0s", "--json", *options)
    assert result.status == 0, result
    gone, kept = {}, {}
    for one in json.loads(result.out)["decisions"]:
        (gone if one["decision"] == "removed" else kept)[one["what"]] = one["reason"]
    if "--dry-run" not in options:
        assert set(ids()) == {one for one in kept if one.startswith("sha256-")}
    return gone, kept


def size_of(data_dir, *images):
    """Bytes of the blobs and indexes of IMAGES; none: of all there are."""
    names = [name for name in files_in(data_dir) if name.startswith(("blob/", "erofs/"))]
    names = [name for name in names if not images or name.endswith(images)]
    return sum((data_dir / "cas" / name).stat().st_size for name in names)


# ---- --keep-latest -----------------------------------------------------------------------------


def test_the_newest_versions_of_each_name_stay(data_dir, tmp_path):
    ten, one, two = (image(tmp_path, "app", version=v) for v in ("10.0", "1.0", "2.0"))
    plain = image(tmp_path, "other")
    gone, kept = gc("--keep-latest=2")
    assert set(gone) == {one} and set(kept) == {ten, two, plain}
    assert kept[ten] == "number 1 of the latest of example.com/app"
    assert kept[two] == "number 2 of the latest of example.com/app"
    assert set(gc("--keep-latest=1")[0]) == {two}
    assert set(gc()[0]) == {ten, plain}


def test_of_one_version_the_last_import_is_the_latest(data_dir, tmp_path):
    older, newer = (image(tmp_path, "app", version="1.0") for _ in range(2))
    assert set(gc("--keep-latest=1")[0]) == {older}
    assert ids() == [newer]


def test_other_systems_and_architectures_count_apart_and_other_labels_do_not(data_dir, tmp_path):
    arm = image(tmp_path, "app", version="1.0", os="linux", arch="aarch64")
    bsd = image(tmp_path, "app", version="1.0", os="freebsd", arch="amd64")
    red = image(tmp_path, "app", version="1.0", os="linux", arch="amd64", colour="red")
    blue = image(tmp_path, "app", version="2.0", os="linux", arch="amd64", colour="blue")
    gone, kept = gc("--keep-latest=1")
    assert set(gone) == {red} and set(kept) == {arm, bsd, blue}


def test_images_kept_for_another_reason_count_among_the_latest(data_dir, tmp_path):
    old, new = (image(tmp_path, "app", version=v) for v in ("1.0", "2.0"))
    assert run([BUILD / "tests/fault/pods", "lease", POD, new]).status == 0
    gone, kept = gc("--keep-latest=1")
    assert set(gone) == {old} and "in use by pod" in kept[new]


def test_what_the_latest_depends_on_stays(data_dir, tmp_path):
    unused, base, newer = (image(tmp_path, "base", version=v) for v in ("1.0", "2.0", "3.0"))
    top = image(tmp_path, "top", depends=["base"], wanted={"base": "2.0"})
    gone, kept = gc("--keep-latest=1")
    assert set(gone) == {unused} and set(kept) == {base, newer, top}
    assert kept[newer].startswith("number 1 of the latest") and kept[base] == f"{top} needs it"


# ---- --max-size --------------------------------------------------------------------------------


def test_the_images_used_longest_ago_go_until_there_is_room(data_dir, tmp_path):
    a, b, c, d = (image(tmp_path, name, 200_000) for name in "abcd")
    use(data_dir, a)
    whole, limit = size_of(data_dir), size_of(data_dir, a, d) + 1000
    gone, kept = gc(f"--max-size={limit}")
    assert set(gone) == {b, c} and set(kept) == {a, d}
    assert "no pod uses it; least recently used (imported " in gone[b]
    assert gone[b].endswith(f"the store would take {whole / 1024**2:.1f} MiB of {limit / 1024:.1f} KiB")
    taken = size_of(data_dir)
    assert kept[a] == f"no pod uses it, but there is room: {taken / 1024:.1f} KiB of {limit / 1024:.1f} KiB"
    assert taken <= limit


def test_the_reason_tells_the_last_use(data_dir, tmp_path):
    a = image(tmp_path, "a")
    use(data_dir, a)
    assert "no pod uses it; last used " in gc("--dry-run")[0][a]
    assert "least recently used (last used " in gc("--dry-run", "--max-size=1K")[0][a]


def test_with_room_for_all_nothing_goes(data_dir, tmp_path):
    all_ = {image(tmp_path, name) for name in "ab"}
    gone, kept = gc(f"--max-size={size_of(data_dir)}")
    assert not gone and set(kept) == all_
    assert len(gc(f"--max-size={size_of(data_dir) - 1}")[0]) == 1


def test_dry_run_decides_the_same(data_dir, tmp_path):
    a, b, c = (image(tmp_path, name, 100_000) for name in "abc")
    limit = f"--max-size={size_of(data_dir, c)}"
    before = files_in(data_dir)
    assert set(gc(limit, "--dry-run")[0]) == {a, b}
    assert files_in(data_dir) == before
    assert set(gc(limit)[0]) == {a, b}


def test_an_image_goes_before_what_it_depends_on(data_dir, tmp_path):
    """The base is older than all, but needed by the newest."""
    base = image(tmp_path, "base", 100_000)
    other = image(tmp_path, "other", 100_000)
    middle = image(tmp_path, "middle", 100_000, depends=["base"])
    top = image(tmp_path, "top", 100_000, depends=["middle"])
    everything = size_of(data_dir)
    # an image and its index are some 170 000 bytes
    gone = [set(gc("--dry-run", f"--max-size={everything - n * 140_000}")[0]) for n in range(5)]
    assert gone == [set(), {other}, {other, top}, {other, top, middle}, {other, top, middle, base}]


def test_an_image_that_cannot_be_made_keeps_nothing(data_dir, tmp_path):
    base = image(tmp_path, "base", 100_000)
    other = image(tmp_path, "other", 100_000)
    broken = image(tmp_path, "broken", depends=["base", "nowhere"])
    gone, kept = gc(f"--max-size={size_of(data_dir) - 1}")
    assert set(gone) == {base} and set(kept) == {other, broken}


def test_the_grace_period_the_latest_and_what_they_need_stay_whatever_the_size(data_dir, tmp_path):
    base, top = image(tmp_path, "base"), image(tmp_path, "top", depends=["base"], version="2")
    old = image(tmp_path, "top", version="1")
    result = store("gc", "--max-size=1K")
    assert result.status == 0 and result.out == "" and len(ids()) == 3
    size = size_of(data_dir)
    assert result.err.splitlines()[-1] == (
        f"rkt-store: warning: the store still takes {size / 1024:.1f} KiB, more than 1.0 KiB: no more "
        "images may go"
    )
    gone, kept = gc("--max-size=1K", "--keep-latest=1")
    assert set(gone) == {old} and set(kept) == {base, top}


def test_the_warning_comes_with_json_too_and_not_when_there_is_room(data_dir, tmp_path):
    image(tmp_path, "a")
    result = store("gc", "--max-size=1K", "--json")
    assert json.loads(result.out)["bytesKept"] == size_of(data_dir) > 1024
    assert len(result.err.splitlines()) == 1
    assert store("gc", "--max-size=1G", "--json").err == ""
    assert store("gc", "--json").err == ""


@needs_erofs
def test_the_index_over_several_layers_counts_and_goes_with_its_image(own_mounts, data_dir, tmp_path):
    base = image(tmp_path, "base", 50_000)
    top = image(tmp_path, "top", 50_000, depends=["base"])
    before = size_of(data_dir)
    assert store("render", "--form=erofs", top).status == 0
    everything = size_of(data_dir)
    assert everything > before
    gone, kept = gc("--dry-run", f"--max-size={everything}")
    assert not gone
    # with the image its tree goes too
    assert base in gc("--dry-run", f"--max-size={everything - size_of(data_dir, top) - 1}")[1]
    gone, kept = gc("--dry-run")
    assert [gone[what] for what in gone if what.startswith("the tree")] == ["its image goes"]
    gone, kept = gc(f"--max-size={everything - 1}")
    assert set(kept) == {base} and top in gone and len(gone) == 2
    assert [reason for what, reason in gone.items() if what != top] == ["its image goes"]
    assert size_of(data_dir) == size_of(data_dir, base)


def test_the_old_extracted_tree_of_an_image_that_stays_goes(data_dir, tmp_path):
    one = image(tmp_path, "one")
    path = json.loads(store("render", "--form=extracted", "--json", one).out)["path"]
    result = store("gc", "--grace-period=0s", "--max-size=1G", "--json")
    (decision,) = json.loads(result.out)["decisions"]
    assert decision["decision"] == "kept, its extracted tree removed" and not os.path.exists(path)


@pytest.mark.parametrize(
    "option, words",
    [
        ("--max-size=big", "'big' is not a size"),
        ("--max-size=", "'' is not a size"),
        ("--max-size=99999999T", "99999999T is too large"),
        ("--max-size=0", "--max-size is not 0"),
        ("--grace-period=1x", "'1x' is not a time: 90s, 30m, 12h, 7d, or seconds"),
        ("--keep-latest=few", "'few' is not a number"),
    ],
)
def test_wrong_values_are_usage(data_dir, tmp_path, option, words):
    image(tmp_path, "a")
    assert_one_line(store("gc", option), 2, words)
