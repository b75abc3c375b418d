"""rkt-store verify: damage is found, said, and with --repair mended or put away (S-043)."""

import json
import os
import random
import shutil
import socket
import subprocess
import tarfile

import pytest
from conftest import Held, entry, make_aci, manifest, needs_erofs, needs_root, run, run_failing, tool
from podlib import house  # noqa: F401 - a fixture
from storelib import (add, assert_one_line, blob_path, files_in, ids, image_tar, on_small_disk, own_mounts,
                      store, write)

assert own_mounts  # a fixture


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*[write(tmp_path / f"{n}.aci", image_tar(content=str(n) * 3000)) for n in range(3)])


def index_path(data_dir, image):
    return data_dir / "cas/erofs/sha256" / image.removeprefix("sha256-")[:2] / image


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << at % 8
    os.chmod(path, 0o644)
    path.write_bytes(data)


def verdicts(result):
    return dict(line.split() for line in result.out.splitlines())


def test_good_images(images):
    result = store("verify")
    assert result.status == 0 and result.err == ""
    assert verdicts(result) == {image: "good" for image in images}


def test_no_images(data_dir, images):
    store("rm", *images)
    result = store("verify")
    assert (result.status, result.out, result.err) == (0, "", "")


def test_only_the_named_ones_are_read(images, data_dir):
    flip(blob_path(data_dir, images[0]), 100)
    assert verdicts(store("verify", images[1][:15], images[2])) == {images[1]: "good", images[2]: "good"}
    assert_one_line(store("verify", "example.com/none"), 3, "example.com/none")


def test_every_byte_of_a_blob_counts(images, data_dir):
    path = blob_path(data_dir, images[0])
    good = path.read_bytes()
    places = random.Random(43).sample(range(len(good)), 24) + [0, 511, 512, len(good) - 1]
    for at in places:
        flip(path, at)
        result = store("verify", images[0])
        assert result.status == 4 and verdicts(result) == {images[0]: "damaged"}, at
        path.write_bytes(good)
    assert store("verify").status == 0


def test_every_byte_of_an_index_counts(images, data_dir):
    path = index_path(data_dir, images[0])
    good = path.read_bytes()
    for at in random.Random(44).sample(range(len(good)), 16) + [0, 1024, len(good) - 1]:
        flip(path, at)
        result = store("verify", images[0])
        assert result.status == 4 and "EROFS index is damaged" in result.err, at
        path.write_bytes(good)
    assert store("verify").status == 0


@pytest.mark.parametrize("damage", ["missing", "empty", "short", "long"])
@pytest.mark.parametrize("path_of", [blob_path, index_path])
def test_length_and_presence(images, data_dir, damage, path_of):
    path = path_of(data_dir, images[1])
    os.chmod(path, 0o644)
    if damage == "missing":
        path.unlink()
    else:
        size = path.stat().st_size
        os.truncate(path, {"empty": 0, "short": size - 512, "long": size + 512}[damage])
    result = store("verify")
    assert result.status == 4
    assert verdicts(result) == {images[0]: "good", images[1]: "damaged", images[2]: "good"}
    assert "1 of 3 images are damaged" in result.err


def test_damaged_index_is_made_anew(images, data_dir):
    path = index_path(data_dir, images[0])
    good, blocks = path.read_bytes(), path.stat().st_blocks
    flip(index_path(data_dir, images[0]), 2000)
    index_path(data_dir, images[2]).unlink()
    result = store("verify", "--repair")
    assert result.status == 0 and "made anew" in result.err
    assert verdicts(result) == {images[0]: "repaired", images[1]: "good", images[2]: "repaired"}
    assert index_path(data_dir, images[0]).read_bytes() == good
    assert verdicts(store("verify")) == {image: "good" for image in images}
    assert path.stat().st_blocks <= blocks  # most of a small index is a hole


@needs_erofs
def test_mount_over_a_damaged_index_goes(own_mounts, images, data_dir):
    store("render", images[0])
    flip(index_path(data_dir, images[0]), 2000)
    assert store("verify", "--repair").status == 0
    assert list((data_dir / "cas/mnt").iterdir()) == []
    assert store("render", images[0]).status == 0


def test_damaged_blob_is_put_away_and_can_come_back(images, data_dir, tmp_path):
    flip(blob_path(data_dir, images[0]), 1000)
    damaged = blob_path(data_dir, images[0]).read_bytes()
    result = store("verify", "--repair")
    assert result.status == 0 and "cas/quarantine" in result.err
    assert verdicts(result)[images[0]] == "repaired"
    assert sorted(ids()) == sorted(images[1:])
    assert (data_dir / "cas/quarantine" / images[0]).read_bytes() == damaged
    assert not index_path(data_dir, images[0]).exists()
    assert add(tmp_path / "0.aci") == images[0]
    assert verdicts(store("verify")) == {image: "good" for image in images}


def test_the_extracted_tree_of_what_is_put_away_goes(images, data_dir):
    store("render", "--form=extracted", images[0])
    flip(blob_path(data_dir, images[0]), 1000)
    assert verdicts(store("verify", "--repair"))[images[0]] == "repaired"
    assert not any(images[0] in name for name in files_in(data_dir) if name.startswith("rootfs"))
    assert os.listdir(data_dir / "cas/tmp") == []


@pytest.mark.parametrize("options", [[], ["--repair"]], ids=" ".join)
def test_any_number_of_damaged_indexes_can_be_looked_at(data_dir, tmp_path, options):
    """More than files may be open."""
    added = add(*[write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(150)])
    for image in added:
        index_path(data_dir, image).unlink()
    result = run(["prlimit", "--nofile=100", tool("rkt-store"), "verify", "--jobs=4", *options])
    assert verdicts(result) == dict.fromkeys(added, "repaired" if "--repair" in options else "damaged"), result


def test_a_verdict_is_told_when_all_before_it_are(images, data_dir):
    """Not only when all are looked at: that may take hours."""
    first, last = sorted(images)[0], sorted(images)[-1]
    # the last blob comes from a disk that does not answer
    command = [tool("rkt-store"), "verify"]
    with Held(command, "read", blob_path(data_dir, last), stdout=subprocess.PIPE) as verifying:
        verifying.wait_held()
        assert verifying.stdout.readline() == f"{first} good\n".encode()
        verifying.release()
        assert f"{last} good\n".encode() in verifying.communicate(timeout=60)[0]


@pytest.mark.parametrize("damage", ["blob", "blob and index"])
def test_what_is_damaged_no_more_at_the_second_look_is_looked_at_wholly(images, data_dir, damage):
    """Somebody removed the image and imported it anew meanwhile."""
    blob, index = blob_path(data_dir, images[0]), index_path(data_dir, images[0])
    good = blob.read_bytes()
    flip(blob, 1000)
    if damage != "blob":
        flip(index, 2000)
    # before the second look it locks names, as an import does
    command = [tool("rkt-store"), "verify", images[0]]
    with Held(command, "flock", data_dir / "cas/tmp", stdout=subprocess.PIPE) as verifying:
        verifying.wait_held()
        blob.write_bytes(good)
        verifying.release()
        out = verifying.communicate(timeout=60)[0].decode()
    assert out == f"{images[0]} {'good' if damage == 'blob' else 'damaged'}\n"


def test_damage_that_could_not_be_confirmed_is_told_as_that(images, data_dir):
    """Somebody may have removed the image and imported it anew meanwhile."""
    flip(blob_path(data_dir, images[0]), 1000)
    result = run_failing([tool("rkt-store"), "verify", images[0]], "flock:error=ENOLCK", data_dir / "cas/tmp")
    assert result.status == 4 and verdicts(result) == {images[0]: "damaged"}
    assert "; not looked at again: lock: No locks available\n" in result.err


def test_missing_blob_leaves_the_store(images, data_dir):
    blob_path(data_dir, images[0]).unlink()
    result = store("verify", "--repair")
    assert result.status == 0 and "is gone; its record is taken out: import" in result.err, result
    assert sorted(ids()) == sorted(images[1:])
    assert not any(images[0] in name for name in files_in(data_dir))


@needs_root
def test_what_is_right_needs_no_room_to_be_found_so(tmp_path):
    """A full disk is no reason to know nothing; what is damaged there is told and can be put away."""
    folder = tmp_path / "disk"
    folder.mkdir()
    for number in range(2):
        # what their blobs leave is room for the index, which takes new pages while somebody reads the old ones
        write(tmp_path / f"{number}.aci", image_tar(content=str(number) * 60_000))
    script = (
        '$STORE import -d $FOLDER/s $FILES/0.aci $FILES/1.aci && dd if=/dev/zero of=$FOLDER/fill 2>/dev/null;'
        "$STORE verify -d $FOLDER/s --repair; echo $?; truncate -s 1 $FOLDER/s/cas/erofs/*/*/*;"
        "$STORE verify -d $FOLDER/s --repair; echo $?; truncate -s 1 $FOLDER/s/cas/blob/*/*/*;"
        "$STORE verify -d $FOLDER/s --repair; echo $?"
    )
    result = on_small_disk(folder, "800k", script, FILES=tmp_path)
    lines = [line.split()[-1] for line in result.out.splitlines()[2:]]
    assert lines == ["good", "good", "0", "damaged", "damaged", "4", "repaired", "repaired", "0"], result
    assert result.err.count("not repaired: write the EROFS index: write: No space left on device\n") == 2


def test_a_missing_folder_is_a_missing_blob(images, data_dir):
    shutil.rmtree(blob_path(data_dir, images[0]).parent)
    result = store("verify", images[0])
    assert result.status == 4 and f"the blob of {images[0]} is gone\n" in result.err, result


def bind_socket(path):
    folder = os.open(path.parent, os.O_PATH)  # by this the path is short enough for bind(2)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/socket")
    os.rename("socket", path, src_dir_fd=folder)
    os.close(folder)


NO_FILES = {"symlink": lambda path: path.symlink_to("/etc/passwd"), "socket": bind_socket, "FIFO": os.mkfifo}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_put_away_or_made_anew(images, data_dir, kind):
    blob, index = blob_path(data_dir, images[0]), index_path(data_dir, images[1])
    for path in (blob, index):
        path.unlink()
        NO_FILES[kind](path)
    result = store("verify")
    assert result.status == 4, result
    assert verdicts(result) == {images[0]: "damaged", images[1]: "damaged", images[2]: "good"}
    assert f"the blob of {images[0]} is damaged: it is no file\n" in result.err
    assert "the EROFS index is damaged: it is no file\n" in result.err
    assert store("verify", "--repair").status == 0
    assert index.is_file() and not index.is_symlink()
    assert sorted(ids()) == sorted(images[1:])


def test_a_blob_that_cannot_be_put_away_is_out_of_the_store_all_the_same(images, data_dir):
    flip(blob_path(data_dir, images[0]), 1000)
    (data_dir / "cas/quarantine" / images[0]).mkdir(parents=True)
    result = store("verify", "--repair", images[0])
    assert result.status == 4 and "not repaired: it is out of the store, but not all" in result.err, result
    assert sorted(ids()) == sorted(images[1:])
    assert store("gc").status == 0 and not blob_path(data_dir, images[0]).exists()


def test_images_that_depend_on_what_is_put_away_are_named(images, data_dir, tmp_path):
    on = [{"imageName": "example.com/base"}]
    base = add(make_aci(tmp_path / "base", [], manifest("example.com/base")))
    over = add(make_aci(tmp_path / "over", [], manifest("example.com/over", dependencies=on)))
    flip(blob_path(data_dir, base), 1000)
    result = store("verify", "--repair", base)
    assert result.status == 0, result
    assert f"import the image again; it was a dependency of {over} (example.com/over)\n" in result.err
    flip(blob_path(data_dir, images[0]), 1000)
    assert "dependency" not in store("verify", "--repair", images[0]).err


def test_without_repair_nothing_changes(images, data_dir):
    flip(blob_path(data_dir, images[0]), 1000)
    before = files_in(data_dir)
    assert_one_line_at_the_end(store("verify"))
    assert files_in(data_dir) == before and len(ids()) == 3


def assert_one_line_at_the_end(result):
    assert result.status == 4
    assert result.err.splitlines()[-1].startswith("rkt-store: 1 of 3 images are damaged"), result


@pytest.mark.parametrize("jobs", ["1", "3", "16"])
def test_any_number_at_a_time(images, jobs):
    assert verdicts(store("verify", "-j", jobs)) == {image: "good" for image in images}


@pytest.mark.parametrize("jobs", ["0", "257", "many"])
def test_wrong_number_at_a_time(images, jobs):
    assert_one_line(store("verify", "-j", jobs), 2, "jobs")


def test_json(images, data_dir):
    flip(blob_path(data_dir, images[0]), 1000)
    result = store("verify", "--json")
    shown = json.loads(result.out)
    assert result.status == 4
    assert (shown["good"], shown["damaged"], shown["repaired"]) == (2, 1, 0)
    assert {image["id"]: image["verdict"] for image in shown["images"]} == {
        images[0]: "damaged", images[1]: "good", images[2]: "good"}
    assert all(image["what"] for image in shown["images"])


def test_image_without_an_index_is_judged_by_its_blob(data_dir, tmp_path):
    whiteout = entry("rootfs/gone", type=tarfile.CHRTYPE, devmajor=0, devminor=0)
    image = add(make_aci(tmp_path / "a.aci", [whiteout]))
    assert not index_path(data_dir, image).exists()
    assert verdicts(store("verify")) == {image: "good"}


def test_image_in_use_is_not_put_away(house):
    """S-044"""
    image = house.shell("while [ ! -e /stop ]; do sleep 0.05; done")
    _, uuid = house.start(image)
    flip(blob_path(house.data, image), 1500)
    result = store("verify", "--repair", image)
    assert result.status == 4 and uuid in result.err
    assert image in ids()


@pytest.mark.parametrize("call, path_of", [("read", blob_path), ("pread64", index_path)])
def test_what_cannot_be_read_is_left_alone(images, data_dir, call, path_of):
    """S-042: an error of the machine says nothing about the bytes."""
    before = files_in(data_dir)
    path = path_of(data_dir, images[0])
    result = run_failing([tool("rkt-store"), "verify", "--repair", images[0]], f"{call}:error=EIO", path)
    assert result.status == 1 and "Input/output error" in result.err, result
    assert result.err.endswith("rkt-store: 1 of 1 images could not be looked at\n")
    assert verdicts(result) == {images[0]: "unknown"}
    assert files_in(data_dir) == before and len(ids()) == 3
    assert verdicts(store("verify")) == {image: "good" for image in images}


def test_index_that_could_not_be_made_is_not_put_in_place(images, data_dir):
    """S-042: half an index is none."""
    flip(index_path(data_dir, images[0]), 2000)
    damaged = index_path(data_dir, images[0]).read_bytes()
    result = run_failing([tool("rkt-store"), "verify", "--repair", images[0]], "ftruncate:error=ENOSPC")
    assert result.status == 1 and verdicts(result) == {images[0]: "unknown"}, result
    assert index_path(data_dir, images[0]).read_bytes() == damaged
