"""rkt-store rm: images leave the store with all that is theirs, unless a pod uses them."""

import json
import pathlib

import pytest
from conftest import needs_erofs
from storelib import (
    add,
    assert_one_line,
    blob_path,
    files_in,
    ids,
    image_tar,
    mounts_below,
    own_mounts,
    same_prefix,
    store,
    write,
)

assert own_mounts  # a fixture


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*[write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(3)])


def test_record_and_files_go_and_the_id_is_printed(images, data_dir):
    result = store("rm", images[0])
    assert result.status == 0 and result.out == f"{images[0]}\n" and result.err == ""
    assert images[0] not in ids()
    assert not any(images[0] in name for name in files_in(data_dir))
    assert len(files_in(data_dir)) == 4


def test_several_at_once_by_prefix_and_name(images, data_dir):
    result = store("rm", images[0][:15], images[1].removeprefix("sha256-"), "example.com/test")
    assert result.out.split() == images
    assert ids() == [] and files_in(data_dir) == []


def test_name_means_the_newest_import(images):
    assert store("rm", "example.com/test").out == f"{images[2]}\n"


def test_first_unknown_image_ends_the_work(images):
    result = store("rm", images[0], "example.com/none", images[1])
    assert_one_line(result, 3, "example.com/none")
    assert result.out == f"{images[0]}\n"
    assert len(ids()) == 2


def test_ambiguous_prefix_removes_nothing(data_dir, tmp_path):
    one, other = same_prefix()
    both = add(write(tmp_path / "one", one), write(tmp_path / "other", other))
    assert_one_line(store("rm", both[0][:15]), 2, "ambiguous")
    assert len(ids()) == 2


def test_removed_image_can_be_imported_again(images, data_dir, tmp_path):
    store("rm", images[0])
    assert add(tmp_path / "0.aci") == images[0]
    assert blob_path(data_dir, images[0]).exists()


def test_extracted_tree_goes_too(images, data_dir):
    tree = json.loads(store("render", "--form=extracted", "--json", images[0]).out)["path"]
    assert store("rm", images[0]).status == 0
    assert not pathlib.Path(tree).exists()
    assert list((data_dir / "cas/tmp").iterdir()) == []


@needs_erofs
def test_mount_goes_too(own_mounts, images, data_dir):
    store("render", images[0])
    assert len(mounts_below(data_dir)) == 1
    assert store("rm", images[0]).status == 0
    assert mounts_below(data_dir) == []
    assert list((data_dir / "cas/mnt").iterdir()) == []


def test_other_names_that_begin_alike_stay(data_dir, tmp_path):
    one = add(write(tmp_path / "one", image_tar("example.com/app")))
    add(write(tmp_path / "more", image_tar("example.com/app-more")))
    assert store("rm", "example.com/app").out == f"{one}\n"
    assert len(ids()) == 1
