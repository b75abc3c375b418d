"""rkt-store: what images may be called: SHA-512, names with labels; and what an import may insist on."""

import hashlib
import json

import pytest
from storelib import add, assert_one_line, blob_path, files_in, flip, ids, image_tar, info, store, write


def labels(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def sha512(tar):
    return "sha512-" + hashlib.sha512(tar).hexdigest()


@pytest.fixture
def two(data_dir, tmp_path):
    """Two images and their SHA-512."""
    tars = [image_tar(content=content) for content in ("one", "two")]
    images = [add(write(tmp_path / f"{n}", tar)) for n, tar in enumerate(tars)]
    return list(zip(images, map(sha512, tars)))


# ---- SHA-512


@pytest.mark.parametrize("digits", [128, 64, 8])
def test_an_image_is_found_by_the_sha512_of_its_tar_and_by_its_beginning(two, digits):
    for image, other in two:
        assert info(other[: len("sha512-") + digits])["id"] == image


@pytest.mark.parametrize(
    "command", [["info"], ["cat-manifest"], ["export", "{}", "-"], ["render", "--form=extracted"], ["verify"], ["rm"]], ids=lambda c: c[0]
)
def test_all_commands_take_a_sha512_at_once(two, command):
    image, other = two[0]
    words = [word.format(other) for word in command] if "{}" in command else [*command, other]
    assert store(*words).status == 0
    assert (image in ids()) == (command != ["rm"])


def test_a_sha512_is_made_once(two, data_dir):
    assert info(two[0][1])["id"] == two[0][0]
    for image, _ in two:  # whoever read them again would see it
        flip(blob_path(data_dir, image), 600)
    assert info(two[1][1])["id"] == two[1][0]


def test_a_damaged_image_hides_no_other_and_is_named(two, data_dir):
    flip(blob_path(data_dir, two[0][0]), 600)
    assert info(two[1][1])["id"] == two[1][0]
    assert_one_line(store("info", two[0][1]), 4, two[0][0], "damaged")


def test_an_unknown_sha512_is_missing(two):
    assert_one_line(store("info", "sha512-" + "0" * 128), 3, "sha512-000")


def test_a_removed_image_is_not_found_by_its_sha512(two):
    image, other = two[0]
    assert store("rm", other).out == f"{image}\n"
    assert_one_line(store("info", other), 3, other)


@pytest.mark.parametrize("reference", ["sha512-1234567", "sha256-1234567"])
def test_fewer_than_eight_digits_are_refused(two, reference):
    assert_one_line(store("info", reference), 2, "8 digits")


# ---- names with labels


@pytest.fixture
def kinds(data_dir, tmp_path):
    """Images of one name with several labels, oldest first."""
    sets = [
        {"version": "1.0", "os": "linux", "arch": "amd64"},
        {"version": "2.0", "os": "linux", "arch": "amd64", "channel": "beta"},
        {"version": "2.0", "os": "linux", "arch": "aarch64"},
        {},
    ]
    return [
        add(write(tmp_path / f"{n}", image_tar("example.com/app", str(n), labels=labels(**each))))
        for n, each in enumerate(sets)
    ]


@pytest.mark.parametrize(
    "reference, which",
    [
        ("example.com/app", 3),
        ("example.com/app:2.0", 2),
        ("example.com/app:2.0,arch=amd64", 1),
        ("example.com/app,version=1.0", 0),
        ("example.com/app,channel=beta", 1),
        ("example.com/app,os=linux,arch=amd64", 1),
    ],
)
def test_a_name_with_labels_means_the_newest_image_that_has_them_all(kinds, reference, which):
    assert info(reference)["id"] == kinds[which]


@pytest.mark.parametrize("reference", ["example.com/app:3.0", "example.com/app,channel=", "example.com/app,colour=red"])
def test_labels_nobody_has_are_missing(kinds, reference):
    assert_one_line(store("info", reference), 3, reference)


@pytest.mark.parametrize(
    "reference, words", [("example.com/app,os", "LABEL=VALUE"), ("example.com/app:1,version=2", "given twice")]
)
def test_labels_that_make_no_sense_are_usage(kinds, reference, words):
    assert_one_line(store("info", reference), 2, words)


# ---- an import that insists on name and labels


@pytest.mark.parametrize(
    "wanted, words",
    [
        ("example.com/other", ["example.com/app", "example.com/other"]),
        ("example.com/app:2", ["version=1", "2"]),
        ("example.com/app,os=linux", ["no label os"]),
    ],
)
def test_an_image_of_another_name_or_label_is_not_stored(data_dir, tmp_path, wanted, words):
    """S-025."""
    file = write(tmp_path / "a", image_tar("example.com/app", labels=labels(version="1")))
    assert_one_line(store("import", "--name-check", wanted, file), 4, *words)
    assert ids() == [] and files_in(data_dir) == []
    add(file)  # also when the file is known by then
    assert_one_line(store("import", "--name-check", wanted, file), 4, *words)


@pytest.mark.parametrize("wanted", ["example.com/app", "example.com/app:1", "example.com/app,version=1"])
def test_an_image_that_has_name_and_labels_is_stored(data_dir, tmp_path, wanted):
    file = write(tmp_path / "a", image_tar("example.com/app", labels=labels(version="1")))
    for _ in range(2):
        assert store("import", "--name-check", wanted, file).out.split() == ids() != []
    assert json.loads(store("list", "--json").out)[0]["name"] == "example.com/app"
