"""rkt-store stat: the space that a store takes, image by image, and how its index is."""

import json
import os
import re
import subprocess

import pytest
from conftest import BUILD, UNDER_STRACE, Held, entry, hardlink, needs_erofs, needs_root, run, tool
from storelib import (
    add,
    as_nobody,
    blob_path,
    files_in,
    flip,
    image_tar,
    open_dir,
    own_mounts,
    store,
    write,
)

assert open_dir and own_mounts  # fixtures

POD, OTHER_POD = "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
LOST = "sha256-" + "ab" * 32


@pytest.fixture
def two(data_dir, tmp_path):
    """A base of 300 000 bytes and a top over it."""
    on = [{"imageName": "example.com/base"}]
    return add(
        write(tmp_path / "base", image_tar("example.com/base", "b" * 300_000)),
        write(tmp_path / "top", image_tar("example.com/top", dependencies=on, labels=[])),
    )


def stat(*options):
    result = store("stat", "--json", *options)
    assert result.status == 0 and result.err == "", result
    return json.loads(result.out)


def by_image():
    return {one["id"]: one for one in stat("--images")}


def on_disk(folder, shelf, name=""):
    """What the files on a shelf take whose name ends with NAME."""
    paths = [folder / "cas" / one for one in files_in(folder) if one.startswith(shelf) and one.endswith(name)]
    return sum(path.stat().st_blocks * 512 for path in paths)


def test_files_count_with_what_they_take_on_the_disk(two, data_dir):
    value = stat()
    assert value["images"] == 2
    assert value["blobs"] == {"count": 2, "bytes": on_disk(data_dir, "blob")}
    assert value["indexes"] == {"count": 2, "bytes": on_disk(data_dir, "erofs")}
    assert value["blobs"]["bytes"] >= 300_000
    for nothing in ("extractedTrees", "leftOvers", "quarantine"):
        assert value[nothing] == {"count": 0, "bytes": 0}
    space = os.statvfs(data_dir)
    assert value["disk"]["size"] == space.f_blocks * space.f_frsize
    assert abs(value["disk"]["free"] - space.f_bavail * space.f_frsize) < 1 << 30


def test_table_says_the_same_to_people(two):
    lines = store("stat").out.splitlines()
    assert lines[0].split() == ["images", "2"]
    assert re.fullmatch(r"blobs +\d+\.\d KiB in 2 files", lines[1])
    assert any(re.fullmatch(r"index +\d+\.\d KiB; \d+ pages of 4.0 KiB, \d+ of them free", line) for line in lines)
    assert "TABLE     ENTRIES  PAGES  DEPTH" in lines
    assert any(line.split()[:2] == ["image", "2"] for line in lines)


def test_extracted_trees_count_as_du_does(data_dir, tmp_path):
    """Hard links once, deep directories, and what a hole does not take."""
    more = [entry("rootfs/large", "l" * 500_000), hardlink("rootfs/again", "rootfs/large")]
    more += [entry("rootfs" + "/d" * depth) for depth in range(1, 200)]
    image = add(write(tmp_path / "a", image_tar(more=more)))
    path = json.loads(store("render", "--form=extracted", "--json", image).out)["path"]
    du = subprocess.run(["du", "-sB1", path], stdout=subprocess.PIPE, check=True)
    bytes_ = int(du.stdout.split()[0])
    assert 500_000 < bytes_ < 2_000_000
    assert stat()["extractedTrees"] == {"count": 1, "bytes": bytes_}
    assert by_image()[image]["extractedTrees"] == bytes_


def test_deeper_trees_than_there_may_be_descriptors(data_dir, tmp_path):
    more = [entry("rootfs" + "/d" * depth) for depth in range(1, 300)]
    image = add(write(tmp_path / "a", image_tar(more=more)))
    assert store("render", "--form=extracted", image).status == 0
    limited = ["prlimit", "--nofile=64", tool("rkt-store"), "stat", "--json"]
    assert json.loads(run(limited).out)["extractedTrees"] == stat()["extractedTrees"]


def test_an_image_has_its_files_and_the_trees_it_is_on_top_of(two, data_dir):
    base, top = two
    assert store("render", "--form=extracted", top).status == 0
    assert run([BUILD / "tests/fault/pods", "lease", POD, top]).status == 0
    images = by_image()
    assert images[base]["blob"] == on_disk(data_dir, "blob", base)
    assert images[base]["indexes"] == on_disk(data_dir, "erofs", base)
    assert images[base]["extractedTrees"] == 0 and images[base]["pods"] == 1
    assert images[top]["extractedTrees"] == stat()["extractedTrees"]["bytes"] > 0
    assert (images[top]["name"], images[top]["version"]) == ("example.com/top", None)
    lines = store("stat", "--images").out.splitlines()
    assert lines[0].split() == ["SPACE", "BLOB", "INDEXES", "TREES", "PODS", "ID", "NAME", "VERSION"]
    assert [line.split()[-2] for line in lines[1:]] == ["example.com/base", "example.com/top"]
    assert top[:19] in lines[2] and len(lines) == 3


@needs_erofs
def test_an_index_over_layers_counts_to_the_image_on_top(own_mounts, two, data_dir):
    base, top = two
    own = by_image()
    assert store("render", "--form=erofs", top).status == 0
    value, images = stat(), by_image()
    assert value["indexes"]["count"] == 3
    assert images[base] == own[base] and images[top]["indexes"] > own[top]["indexes"]
    assert images[base]["indexes"] + images[top]["indexes"] == value["indexes"]["bytes"]


def test_what_no_record_names_is_left_over(two, data_dir):
    cas = data_dir / "cas"
    for shelf in ("blob", "erofs"):
        (cas / f"{shelf}/sha256/ab").mkdir(exist_ok=True)
        (cas / f"{shelf}/sha256/ab" / LOST).write_bytes(b"x" * 5000)
    (cas / f"rootfs/sha256/ab/{LOST}/folder").mkdir(parents=True)
    (cas / f"rootfs/sha256/ab/{LOST}/folder/file").write_bytes(b"x" * 5000)
    (cas / "tmp/file-1").write_bytes(b"x" * 5000)
    (cas / "blob/sha256/ab/notes.txt").write_text("mine")
    value = stat()
    assert value["leftOvers"]["count"] == 5 and value["leftOvers"]["bytes"] >= 4 * 5000
    assert value["blobs"]["count"] == value["indexes"]["count"] == 2
    assert store("gc").status == 0
    assert stat()["leftOvers"]["count"] == 1  # the notes


def test_damaged_blobs_that_were_put_away_are_counted(two, data_dir):
    flip(blob_path(data_dir, two[0]), 2000)
    assert store("verify", "--repair").status == 0
    value = stat()
    assert value["quarantine"]["count"] == 1 and value["quarantine"]["bytes"] >= 300_000
    assert value["images"] == value["blobs"]["count"] == 1


def test_pods_that_are_there_count_once(two, data_dir):
    for pod in (POD, OTHER_POD):
        assert run([BUILD / "tests/fault/pods", "lease", pod, *two]).status == 0
    value = stat()
    assert value["pods"] == 2 and value["leases"] == 6  # base, top and the tree of both
    (data_dir / "containers" / POD).rmdir()
    value = stat()
    assert value["pods"] == 1 and value["leases"] == 3


def test_the_index_has_its_tables_and_pages(two, data_dir):
    index = stat()["index"]
    tables = {table["name"]: table for table in index["tables"]}
    assert set(tables) == {"meta", "image", "manifest", "name", "tree", "lease", "alias", "used", "origin", "remote"}
    assert tables["image"]["entries"] == tables["manifest"]["entries"] == 2
    assert tables["image"]["depth"] == 1 and tables["image"]["pages"] == 1
    assert tables["lease"] == {"name": "lease", "entries": 0, "pages": 0, "depth": 0}
    assert index["bytes"] == (data_dir / "cas/index/data.mdb").stat().st_blocks * 512
    assert index["mapBytes"] == (data_dir / "cas/index/data.mdb").stat().st_size
    used = sum(table["pages"] for table in tables.values())
    assert used < index["pages"] - index["pagesFree"] <= used + 8
    assert store("rm", two[0]).status == 0
    assert stat()["index"]["pagesFree"] > index["pagesFree"]


@pytest.mark.parametrize("shelf", ["blob", "erofs", "rootfs"])
def test_a_file_where_the_store_has_folders_is_a_left_over(two, data_dir, shelf):
    before = stat()["leftOvers"]
    (data_dir / "cas" / shelf / "sha256/notes").write_bytes(b"x" * 10_000)
    after = stat()["leftOvers"]
    assert after["count"] == before["count"] + 1 and after["bytes"] >= before["bytes"] + 10_000


def slow_reader(data_dir):
    """A process that, while it reads records, never gets to know whether a pod is there."""
    return Held([tool("rkt-store"), "stat"], "newfstatat", data_dir / "containers", when=2, stdout=subprocess.DEVNULL)


def end(reader):
    reader.kill()
    reader.wait()


def test_readers_are_others_and_killed_ones_are_cleared(two, data_dir):
    pod = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert run([BUILD / "tests/fault/pods", "lease", pod, two[0]]).status == 0
    assert stat()["index"]["readers"] == 0
    readers = [slow_reader(data_dir), slow_reader(data_dir)]
    try:
        for reader in readers:
            reader.wait_held()
        assert stat()["index"]["readers"] == 2
        end(readers[0])
        index = stat()["index"]
        assert index["readers"] == 1 and index["readersCleared"] == 1
        assert stat()["index"]["readersCleared"] == 0
    finally:
        for reader in readers:
            end(reader)
    assert stat()["index"]["readers"] == 0


def test_folders_are_walked_when_all_records_were_read(two):
    """What may take long holds no old pages and no reader slot."""
    with Held([tool("rkt-store"), "stat"], "getdents64", stdout=subprocess.DEVNULL) as walker:
        walker.wait_held()
        assert stat()["index"]["readers"] == 0
    assert walker.returncode == 0


def test_no_blob_is_read(two, data_dir, tmp_path):
    trace = tmp_path / "trace"
    run(["strace", "-f", "-o", trace, "-e", "trace=openat,open", tool("rkt-store"), "stat", "--images"],
        env=UNDER_STRACE)
    text = trace.read_text()
    assert "data.mdb" in text and not any(image in text for image in two)


def test_without_a_store_there_is_nothing_to_tell(data_dir):
    assert store("stat").status == 3
    assert store("stat", "extra").status == 2


@needs_root
def test_an_ordinary_user_sees_his_own_store(open_dir):
    closed = [entry("rootfs/closed", mode=0), entry("rootfs/closed/file", "x" * 9000)]
    write(open_dir / "a", image_tar(more=closed))
    assert as_nobody(open_dir, "import", open_dir / "a").status == 0
    assert as_nobody(open_dir, "render", "--form=extracted", "example.com/test").status == 0
    result = as_nobody(open_dir, "stat", "--json")
    assert result.status == 0, result
    assert json.loads(result.out)["extractedTrees"]["count"] == 1
