"""rkt-store gc: what nobody uses and what killed imports left; why each image stays or goes."""

import contextlib
import hashlib
import json
import os
import pathlib
import socket
import subprocess

import pytest
from conftest import Held, needs_erofs, needs_root, run_failing, tool
from storelib import (
    add,
    as_nobody,
    blob_path,
    files_in,
    ids,
    image_tar,
    is_waiting,
    mounts_below,
    open_dir,
    own_mounts,
    store,
    wait_until,
    write,
)

assert open_dir and own_mounts  # fixtures

LOST = "sha256-" + "ab" * 32


@pytest.fixture
def images(data_dir, tmp_path):
    return add(*[write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(2)])


def gc(*args):
    result = store("gc", *args)
    assert result.status == 0, result
    return result


def test_images_within_the_grace_period_stay_and_are_explained(images):
    result = gc()
    assert result.out == ""
    assert sorted(ids()) == sorted(images)
    for image in images:
        assert f"{image} kept: imported" in result.err


def test_downloads_that_were_given_up_go_with_their_notes(images, data_dir):
    folder = data_dir / "cas/partial"
    given_up, alone, link, below = [digit * 64 for digit in "abcd"]
    for name in given_up, f"{given_up}.json", f"{alone}.json":
        write(folder / name, b"{}")
    (folder / link).symlink_to(data_dir)  # in a shared store somebody may have put it there
    (folder / below).mkdir()
    everything = sorted(path.name for path in folder.iterdir())
    gc()
    assert sorted(path.name for path in folder.iterdir()) == everything
    gc("--grace-period=0s", "--dry-run")
    assert sorted(path.name for path in folder.iterdir()) == everything
    assert json.loads(store("stat", "--json").out)["leftOvers"]["count"] == len(everything)
    result = gc("--grace-period=0s")
    assert sorted(path.name for path in folder.iterdir()) == [link, below]
    for words in f"{given_up} removed", f"{alone}.json removed", f"{link} kept", f"{below} kept":
        assert f"cas/partial/{words}" in result.err


@pytest.mark.parametrize("again", [False, True], ids=["gone", "there again"])
def test_a_download_that_ended_meanwhile_is_passed_by(images, data_dir, again):
    """gc has opened it, and waits before it asks whether somebody works on it."""
    file = write(data_dir / "cas/partial" / ("a" * 64), b"old")
    with Held([tool("rkt-store"), "gc", "--grace-period=0s"], "flock", file, stderr=subprocess.PIPE) as collecting:
        collecting.wait_held()
        assert ids() == []
        file.unlink()
        if again:
            write(file, b"new")
        collecting.release()
        err = collecting.communicate(timeout=60)[1].decode()
    assert collecting.returncode == 0, err
    assert not again or file.read_bytes() == b"new"
    assert file.name not in err


def test_images_past_it_go_and_their_ids_are_printed(images, data_dir):
    result = gc("--grace-period=0s")
    assert sorted(result.out.split()) == sorted(images)
    assert ids() == [] and files_in(data_dir) == []
    assert "removed: 2 images and 0 left-over files" in result.err


def test_a_file_that_cannot_be_removed_keeps_no_other(data_dir, tmp_path):
    files = [write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(4)]
    images = sorted(add(*files))
    write(data_dir / "cas/tmp/file-1", b"scrap")
    stuck = blob_path(data_dir, images[0])
    result = run_failing([tool("rkt-store"), "gc", "--grace-period=0s"], "unlinkat:error=EIO", stuck.parent)
    assert result.status == 1 and result.err.splitlines()[-1] == (
        f"rkt-store: remove {images[0]}: Input/output error")
    assert ids() == [] and set(images) <= set(result.out.split()), result
    assert files_in(data_dir) == [str(stuck.relative_to(data_dir / "cas"))]
    assert "no record names it" in gc().err and files_in(data_dir) == []


def test_what_was_done_is_told_whatever_ended_it(images, data_dir):
    command = [tool("rkt-store"), "gc", "--grace-period=0s"]
    stuck = "unlinkat:error=EIO", blob_path(data_dir, images[0]).parent
    value = json.loads(run_failing([*command, "--json"], *stuck).out)
    assert {item["what"] for item in value["decisions"]} == set(images) and value["imagesRemoved"] == 2
    assert ids() == []


def test_dry_run_says_the_same_and_does_nothing(images, data_dir):
    before = files_in(data_dir)
    result = gc("--grace-period=0s", "--dry-run")
    assert sorted(result.out.split()) == sorted(images)
    assert "would be removed: 2 images" in result.err
    assert all(f"{image} would be removed: no pod uses it" in result.err for image in images)
    assert files_in(data_dir) == before and sorted(ids()) == sorted(images)


def test_json_tells_every_decision(images, data_dir):
    value = json.loads(gc("--grace-period=0s", "--json").out)
    assert value["imagesRemoved"] == 2 and value["imagesKept"] == 0
    assert {item["what"] for item in value["decisions"]} == set(images)
    assert {item["decision"] for item in value["decisions"]} == {"removed"}
    assert value["bytesFreed"] > 0


def test_left_overs_are_collected(images, data_dir):
    cas = data_dir / "cas"
    left = [cas / f"{shelf}/sha256/ab/{LOST}" for shelf in ("blob", "erofs")]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        path.chmod(0o444)
    tree = cas / f"rootfs/sha256/ab/{LOST}"
    (tree / "folder").mkdir(parents=True)
    (tree / "folder/file").write_text("x")
    (cas / "tmp/file-1").write_text("x")
    (cas / "tmp/tree-1/a/b").mkdir(parents=True)
    before = files_in(data_dir)
    result = gc()
    assert not any(path.exists() for path in [*left, tree])
    assert list((cas / "tmp").iterdir()) == []
    assert len(files_in(data_dir)) == len(before) - 4
    assert sorted(ids()) == sorted(images)
    assert all(LOST in line or "cas/tmp" in line for line in result.out.splitlines())
    assert len(result.out.splitlines()) == 5


def test_what_left_over_trees_take_is_counted(images, data_dir):
    tree = data_dir / f"cas/rootfs/sha256/ab/{LOST}"
    tree.mkdir(parents=True)
    (tree / "file").write_bytes(b"x" * 1_000_000)
    (data_dir / "cas/tmp/file-1").write_bytes(b"x" * 500_000)
    before = json.loads(store("stat", "--json").out)["leftOvers"]
    assert before["count"] == 2 and before["bytes"] > 1_500_000
    would = json.loads(gc("--dry-run", "--json").out)
    assert would["bytesFreed"] > 1_000_000
    assert json.loads(gc("--json").out)["bytesFreed"] == before["bytes"]
    assert "0 left-over files or trees" in gc().err


def test_what_extracted_trees_take_is_counted(data_dir, tmp_path):
    image = add(write(tmp_path / "a.aci", image_tar(content="x" * 1_000_000)))
    assert store("render", "--form=extracted", image).status == 0
    freed = [json.loads(gc("--grace-period=0s", "--json", *more).out)["bytesFreed"] for more in (["--dry-run"], [])]
    assert freed[0] == freed[1] > 2_000_000


def test_what_the_store_would_not_name_is_left_alone(images, data_dir):
    mine = data_dir / "cas/blob/sha256/ab/notes.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    result = gc()
    assert mine.read_text() == "mine"
    assert "notes.txt kept" in result.err


@pytest.mark.parametrize("shelf", ["blob", "erofs", "rootfs"])
def test_what_is_no_folder_where_the_store_has_folders_is_left_alone(images, data_dir, shelf):
    stray = write(data_dir / "cas" / shelf / "sha256/notes", b"of somebody")
    result = gc("--grace-period=0s")
    assert stray.exists() and f"cas/{shelf}/sha256/notes kept: " in result.err
    assert sorted(result.out.split()) == sorted(images)


@pytest.mark.parametrize("shelf", ["blob", "erofs"])
def test_a_folder_where_the_store_has_files_is_left_alone(images, data_dir, shelf):
    folder = data_dir / "cas" / shelf / "sha256/ab" / LOST
    folder.mkdir(parents=True)
    result = gc("--grace-period=0s")
    assert folder.exists() and f"cas/{shelf}/…/{LOST} kept: " in result.err
    assert sorted(result.out.split()) == sorted(images)


@pytest.mark.parametrize("command", [["gc", "--grace-period=0s"], ["rm", "example.com/test"]], ids=" ".join)
def test_a_socket_among_temporary_files_is_left_alone(images, data_dir, command):
    """It cannot be opened, so nobody knows whether somebody works on it."""
    path = data_dir / "cas/tmp/socket"
    with socket.socket(socket.AF_UNIX) as one, contextlib.chdir(path.parent):  # names are short
        one.bind(path.name)
    result = store(*command)
    assert result.status == 0 and path.exists(), result


def test_temporary_files_of_a_living_process_stay(images, data_dir):
    path = data_dir / "cas/tmp/file-1"
    path.write_text("x")
    with subprocess.Popen(["flock", "-F", path, "sleep", "60"]) as holder:
        try:
            free = ["flock", "-n", path, "true"]
            wait_until(lambda: subprocess.run(free, check=False).returncode)
            gc()
            assert path.exists()
        finally:
            holder.kill()
    gc()
    assert not path.exists()


def test_extracted_trees_nobody_uses_go(images, data_dir):
    tree = json.loads(store("render", "--form=extracted", "--json", images[0]).out)["path"]
    gc("--grace-period=1h")
    assert pathlib.Path(tree).exists()
    gc("--grace-period=0s")
    assert not pathlib.Path(tree).exists()
    assert list((data_dir / "cas/tmp").iterdir()) == []


@needs_erofs
def test_mounts_no_pod_uses_go_and_the_image_stays(own_mounts, images, data_dir):
    store("render", images[0])
    assert len(mounts_below(data_dir)) == 1
    gc()
    assert mounts_below(data_dir) == []
    assert list((data_dir / "cas/mnt").iterdir()) == []
    assert sorted(ids()) == sorted(images)
    assert json.loads(store("render", "--json", images[0]).out)["form"] == "erofs"


@needs_erofs
def test_clone_in_use_outlives_the_mount(own_mounts, images, data_dir, tmp_path):
    where = tmp_path / "here"
    where.mkdir()
    store("render", "--mount", where, images[0])
    gc("--grace-period=0s")
    assert (where / "content").read_text() == "0"
    subprocess.run(["umount", where], check=True)


def test_import_and_gc_side_by_side_lose_nothing(data_dir, tmp_path):
    """gc with a grace period while images come in: each acknowledged one is there with its files."""
    files = [write(tmp_path / f"{n}.aci", image_tar(content=str(n) * 1000)) for n in range(24)]
    add(files[0])
    collecting = subprocess.Popen(
        ["sh", "-c", f"while :; do {tool('rkt-store')} gc >/dev/null 2>&1 || exit 1; done"]
    )
    try:
        added = [add(file) for file in files]
        assert collecting.poll() is None
    finally:
        collecting.kill()
        collecting.wait()
    assert sorted(ids()) == sorted(added)
    assert len(files_in(data_dir)) == 2 * len(files)
    for image in added:
        assert store("export", image, "-").status == 0


@needs_root
def test_gc_waits_for_an_import_that_has_named_its_files(images, data_dir, tmp_path):
    """The import is held between the names of its files and its commit."""
    file = write(tmp_path / "slow.aci", image_tar(content="slow"))
    image = f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}"
    folder = blob_path(data_dir, image).parent
    with Held([tool("rkt-store"), "import", file], "fsync", folder, after=True, stdout=subprocess.PIPE) as importing:
        importing.wait_held()
        assert blob_path(data_dir, image).exists() and image not in ids()
        with subprocess.Popen([tool("rkt-store"), "gc"], stderr=subprocess.DEVNULL) as collecting:
            wait_until(lambda: is_waiting(collecting))
            assert blob_path(data_dir, image).exists()
            importing.release()
            assert importing.communicate(timeout=60)[0].decode().split() == [image]
        assert collecting.returncode == 0
    assert store("export", image, "-").status == 0


def test_grace_period_must_be_a_time(images):
    assert store("gc", "--grace-period=soon").status == 2


@needs_root
def test_ordinary_user_collects_in_his_own_store(open_dir):
    file = write(open_dir / "a.aci", image_tar())
    image = as_nobody(open_dir, "import", file, env={"RKT_DIR": ""}).out.strip()
    result = as_nobody(open_dir, "gc", "--grace-period=0s", env={"RKT_DIR": ""})
    assert result.out == f"{image}\n", result
    assert os.listdir(open_dir / "home/.local/share/rkt/cas/tmp") == []
