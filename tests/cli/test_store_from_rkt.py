"""rkt-store import --from-rkt: the images of old rkt, found by their old names, and nothing of rkt's changed."""

import gzip
import hashlib
import os
import stat

import pytest
from conftest import compress, needs_root
from storelib import add, as_nobody, assert_one_line, files_in, flip, ids, image_tar, info, open_dir, store, write

assert open_dir  # a fixture


def old_id(tar):
    """rkt's name for an image: half of its SHA-512."""
    return f"sha512-{hashlib.sha512(tar).hexdigest()[:64]}"


def new_id(tar):
    return f"sha256-{hashlib.sha256(tar).hexdigest()}"


class OldRkt:
    """A data directory as rkt 1.30 leaves it (store/imagestore, store/treestore of its sources)."""

    def __init__(self, path):
        self.path = path
        cas = path / "cas"
        for folder in ("blob", "imageManifest", "imagelocks", "db", "tmp", "tree", "treestorelocks"):
            (cas / folder).mkdir(parents=True)
            (cas / folder).chmod(0o2770)
        for folder in ("run", "prepared", "exited-garbage"):
            (path / "pods" / folder).mkdir(parents=True)
        (cas / "db/ql.db").write_bytes(b"\0QL" + bytes(1000))
        (cas / "db/.34a8b4c1e9b0a3").write_bytes(b"")
        (cas / "tmp/tmp123456").write_bytes(b"left over")
        self.clock = 1_400_000_000

    def blob(self, name):
        return self.path / "cas/blob/sha512" / name[7:9] / name

    def add(self, tar, name=None):
        """As rkt fetch does; later ones are newer."""
        name = name or old_id(tar)
        for store_name, data in (("blob", tar), ("imageManifest", b"{}")):
            file = self.path / "cas" / store_name / "sha512" / name[7:9] / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o660)
            self.clock += 60
            os.utime(file, (self.clock, self.clock))
        (self.path / "cas/imagelocks" / name).write_bytes(b"")
        tree = self.path / f"cas/tree/deps-sha512-{name[7:]}/rootfs"
        tree.mkdir(parents=True)
        (tree / "content").write_text("content")
        return name

    def look(self):
        """All of it, times and rights too."""
        found = []
        for path in sorted(self.path.rglob("*")):
            status = path.lstat()
            found.append((str(path), status.st_mode, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
            if stat.S_ISREG(status.st_mode):
                found.append(hashlib.sha256(path.read_bytes()).hexdigest())
        return found


@pytest.fixture
def old(tmp_path):
    return OldRkt(tmp_path / "old")


TARS = [image_tar(f"example.com/{n}", f"content {n}" * 1000) for n in range(5)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_images_come_over_and_their_old_names_find_them(data_dir, old, jobs):
    names = [old.add(tar) for tar in TARS]
    before = old.look()
    result = store("import", f"-j{jobs}", "--from-rkt", old.path)
    assert result.status == 0 and result.err == "", result
    assert result.out.split() == [new_id(tar) for tar in TARS]
    assert old.look() == before
    for name, tar in zip(names, TARS):
        assert info(name)["id"] == new_id(tar)
        assert info(name)["source"] == str(old.blob(name))
        assert info(name[: 7 + 12])["id"] == new_id(tar)
        assert info(f"sha512-{hashlib.sha512(tar).hexdigest()}")["id"] == new_id(tar)
    assert store("verify").status == 0 and len(files_in(data_dir)) == 2 * len(TARS)


def test_old_names_are_known_without_reading_the_images(data_dir, old):
    name = old.add(TARS[0])
    assert store("import", "--from-rkt", old.path).status == 0
    image = ids()[0]
    blob = data_dir / "cas/blob/sha256" / image[7:9] / image
    flip(blob, 100)  # who made the SHA-512 now would see that
    assert info(name)["id"] == image


def test_again_is_success_and_writes_nothing(data_dir, old):
    for tar in TARS:
        old.add(tar)
    first = store("import", "--from-rkt", old.path)
    before = sorted(ids()), files_in(data_dir)
    again = store("import", "--from-rkt", old.path)
    assert (again.status, again.out) == (0, first.out)
    assert (sorted(ids()), files_in(data_dir)) == before


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_an_image_that_is_there_already_gets_its_old_name(data_dir, old, tmp_path, compression):
    name = old.add(TARS[0])
    image = add(write(tmp_path / "a.aci", compress(TARS[0], compression)))
    assert store("import", "--from-rkt", old.path).out == f"{image}\n"
    blob = data_dir / "cas/blob/sha256" / image[7:9] / image
    flip(blob, 100)
    assert info(name)["id"] == image


def test_of_images_of_one_name_the_one_rkt_got_last_is_the_newest(data_dir, old):
    tars = sorted((image_tar("example.com/app", str(n)) for n in range(6)), key=old_id)
    for tar in reversed(tars):  # so that it is not the order of their names
        old.add(tar)
    assert store("import", "--from-rkt", old.path).status == 0
    assert info("example.com/app")["id"] == new_id(tars[0])


@pytest.mark.parametrize("how", ["content", "truncated", "other"])
def test_a_damaged_image_is_named_and_the_others_come_over(data_dir, old, how):
    names = [old.add(tar) for tar in TARS]
    bad = old.blob(names[2])
    if how == "content":
        at = TARS[2].index(b"content 2") + 5
        bad.write_bytes(TARS[2][:at] + b"!" + TARS[2][at + 1 :])
    elif how == "truncated":
        bad.write_bytes(TARS[2][:2000])
    else:
        bad.write_bytes(TARS[3])
    result = store("import", "--from-rkt", old.path)
    assert result.status == 4, result
    lines = result.err.splitlines()
    assert len(lines) == 2 and names[2] in lines[0], result
    assert f"1 of 5 images of {old.path}" in lines[1]
    if how != "truncated":
        assert "damaged" in lines[0]
    good = [new_id(tar) for n, tar in enumerate(TARS) if n != 2]
    assert result.out.split() == good and sorted(ids()) == sorted(good)
    assert store("info", names[2]).status == 3
    assert info(names[3])["id"] == new_id(TARS[3])


def test_a_compressed_blob_is_not_what_rkt_keeps(data_dir, old, tmp_path):
    """Also when the file is known: its SHA-512 is not that of an image."""
    packed = gzip.compress(TARS[0])
    add(write(tmp_path / "a.aci", packed))
    name = old.add(packed)
    result = store("import", "--from-rkt", old.path)
    assert result.status == 4 and name in result.err and "compressed" in result.err, result
    assert store("info", name).status == 3


def test_what_is_no_image_of_rkts_is_left_out_with_a_word(data_dir, old, tmp_path):
    name = old.add(TARS[0])
    shard = old.blob(name).parent
    (shard / "README").write_text("x")
    (shard / f"sha512-{'00' * 32}").symlink_to(write(tmp_path / "secret", TARS[1]))
    (shard.parent / "zz").mkdir()
    (shard / f"sha512-{name[7:9]}{'0' * 61}").write_bytes(TARS[2])
    result = store("import", "--from-rkt", old.path)
    assert result.status == 0 and result.out == f"{new_id(TARS[0])}\n", result
    assert len(result.err.splitlines()) == 1 and "4 files" in result.err, result
    assert ids() == [new_id(TARS[0])]


def test_a_directory_without_images_is_no_error(data_dir, old):
    result = store("import", "--from-rkt", old.path)
    assert result.status == 0 and result.out == "" and "no images" in result.err


def test_our_own_store_is_not_old_rkts(data_dir, tmp_path):
    add(write(tmp_path / "a.aci", TARS[0]))
    assert_one_line(store("import", "-d", tmp_path / "new", "--from-rkt", data_dir), 2, str(data_dir), "ours")


@pytest.mark.parametrize("what", ["empty", "cas", "file"])
def test_any_other_directory_is_a_usage_error(data_dir, tmp_path, what):
    path = tmp_path / "other"
    path.mkdir()
    if what == "cas":
        (path / "cas/blob").mkdir(parents=True)
    elif what == "file":
        (path / "cas").write_text("x")
    result = store("import", "--from-rkt", path)
    assert_one_line(result, 2, str(path), "old rkt")
    assert not data_dir.exists()


def test_a_missing_directory_is_missing(data_dir, tmp_path):
    assert_one_line(store("import", "--from-rkt", tmp_path / "none"), 3, "none", "no such directory")


def test_files_and_checks_of_files_do_not_go_with_it(data_dir, old, tmp_path):
    file = write(tmp_path / "a.aci", TARS[0])
    for more in ([file], ["--verify-with", new_id(TARS[0])], ["--name-check=example.com/0"]):
        assert_one_line(store("import", "--from-rkt", old.path, *more), 2, "--from-rkt")
    assert_one_line(store("import"), 2, "too few operands")


def test_the_directory_of_old_rkt_itself_is_refused_with_the_way_over(old):
    old.add(TARS[0])
    before = old.look()
    result = store("import", "-d", old.path, "--from-rkt", old.path)
    assert_one_line(result, 4, "old rkt", "--dir or RKT_DIR", f"rkt-store import --from-rkt {old.path}")
    assert old.look() == before


@needs_root
def test_an_ordinary_user_may_bring_over_what_he_can_read(open_dir):
    old = OldRkt(open_dir / "old")
    old.add(TARS[0])
    for path in [old.path, *old.path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    result = as_nobody(open_dir, "import", "--from-rkt", old.path, env={"RKT_DIR": "", "XDG_DATA_HOME": ""})
    assert result.status == 0 and result.out == f"{new_id(TARS[0])}\n", result
    (old.path / "cas/blob/sha512").chmod(0o700)
    result = as_nobody(open_dir, "import", "--from-rkt", old.path, env={"RKT_DIR": "", "XDG_DATA_HOME": ""})
    assert_one_line(result, 1, "Permission denied")
