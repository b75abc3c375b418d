"""rkt-store import and fetch: an image is in the store wholly and durably, or not at all."""

import gzip
import hashlib
import os
import re
import signal
import stat
import subprocess
import tarfile
import time

import pytest
from conftest import UNDER_STRACE, busybox_entries, compress, entry, make_aci, manifest, needs_root, run, tool
from storelib import (
    NOBODY,
    add,
    as_nobody,
    assert_one_line,
    blob_path,
    files_in,
    ids,
    image_tar,
    info,
    on_small_disk,
    open_dir,
    store,
    write,
)

assert open_dir  # a fixture


def test_debug_says_what_came_and_where_it_lies(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    result = store("import", "--debug", file)
    assert result.status == 0, result
    image = result.out.strip()
    lines = result.err.splitlines()
    assert lines[1] == f"rkt-store: {image} is example.com/test: 3 entries, from {file}"
    assert lines[2] == f"rkt-store: blob: {blob_path(data_dir, image)}, {file.stat().st_size} bytes"
    assert lines[3].startswith(f"rkt-store: EROFS index: {data_dir}/cas/erofs/")
    assert store("import", file).err == ""
    fetched = store("fetch", "--debug", "--insecure-options=image", file).err
    assert f"rkt-store: {file}: " in fetched and f"{image} is example.com/test" in fetched
    assert f"rkt-store: store {data_dir};" in store("gc", "--debug").err
    assert "bytes of blobs are to be read" in store("verify", "--debug").err


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_debug_says_how_a_file_was_known(data_dir, tmp_path, jobs):
    tar = write(tmp_path / "a.tar", image_tar())
    copy, packed = write(tmp_path / "copy.tar", image_tar()), write(tmp_path / "a.aci", gzip.compress(image_tar()))

    def first_lines(*files):
        result = store("import", "--debug", f"--jobs={jobs}", *files, stdin=packed.read_bytes())
        return [line for line in result.err.splitlines() if " read" in line]

    assert first_lines(tar) == [f"rkt-store: {tar}: read and unpacked"]
    assert first_lines(copy, packed, "-") == [
        f"rkt-store: {copy}: read: the bytes are those of a file that was imported before",
        f"rkt-store: {packed}: read and unpacked: the image was there",
        "rkt-store: -: read and unpacked: the image was there",
    ]


def test_prints_the_digest_of_the_uncompressed_tar(data_dir, tmp_path):
    tar = image_tar()
    result = store("import", write(tmp_path / "a.aci", gzip.compress(tar)))
    assert result.status == 0
    assert result.out == f"sha256-{hashlib.sha256(tar).hexdigest()}\n"
    assert result.err == ""


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz", "zstd"])
def test_compression_is_found_by_content(data_dir, tmp_path, compression):
    tar = image_tar()
    file = write(tmp_path / "image", compress(tar, compression))
    assert add(file) == f"sha256-{hashlib.sha256(tar).hexdigest()}"


def test_blob_is_the_tar_at_the_path_of_the_original_readme(data_dir, tmp_path):
    tar = image_tar()
    image = add(write(tmp_path / "a.aci", gzip.compress(tar)))
    digits = image.removeprefix("sha256-")
    blob = data_dir / "cas/blob/sha256" / digits[:2] / f"sha256-{digits}"
    assert blob.read_bytes() == tar
    assert stat.S_IMODE(blob.stat().st_mode) == 0o444


def test_folders_are_for_the_owner_only(data_dir, tmp_path):
    add(write(tmp_path / "a.aci", image_tar()))
    for path in [data_dir, *(path for path in data_dir.rglob("*") if path.is_dir())]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_umask_changes_nothing(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    for mask in (0o000, 0o177):
        where = tmp_path / f"store-{mask:o}"
        result = store("import", "-d", where, file, preexec_fn=lambda mask=mask: os.umask(mask))
        assert result.status == 0, result
        assert stat.S_IMODE(where.stat().st_mode) == 0o700
        assert store("list", "-d", where).status == 0


def test_several_files_print_their_ids_in_order(data_dir, tmp_path):
    files = [write(tmp_path / f"{n}.aci", image_tar(content=str(n))) for n in range(3)]
    expected = [f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    assert add(*files) == expected


def test_first_bad_file_ends_the_work_and_those_before_it_stay(data_dir, tmp_path):
    good = write(tmp_path / "good.aci", image_tar())
    later = write(tmp_path / "later.aci", image_tar(content="later"))
    result = store("import", "-j1", good, write(tmp_path / "bad.aci", b"no archive"), later)
    assert_one_line(result, 4, "bad.aci")
    assert result.out.split() == ids()
    assert len(ids()) == 1


def test_dash_is_standard_input(data_dir):
    tar = image_tar()
    result = store("import", "-", stdin=gzip.compress(tar))
    assert result.out.strip() == f"sha256-{hashlib.sha256(tar).hexdigest()}"


def test_again_is_success_without_writing(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    image = add(file)
    before = blob_path(data_dir, image).stat()
    assert add(file) == image
    assert blob_path(data_dir, image).stat().st_ino == before.st_ino
    assert ids() == [image]


def test_verify_with_refuses_any_other_image(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    other = "sha256-" + "0" * 64
    assert_one_line(store("import", "--verify-with", other, file), 4, other)
    assert ids() == [] and files_in(data_dir) == []
    image = f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert store("import", "--verify-with", image, file).out == f"{image}\n"


def test_index_is_made_for_ordinary_and_root_imports_alike(data_dir, tmp_path):
    image = add(write(tmp_path / "a.aci", image_tar()))
    assert os.path.getsize(info(image)["index"]) == info(image)["indexSize"] > 0


# ---- fetch


def test_fetch_takes_files(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    result = store("fetch", file)
    assert result.status == 0 and result.out.split() == ids()


# ---- bad input: one line, the right status, an unchanged store


def corrupt_crc(data):
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


BAD = {
    "truncated-gzip": lambda: gzip.compress(image_tar())[:-20],
    "wrong-checksum": lambda: corrupt_crc(gzip.compress(image_tar())),
    "garbage-behind": lambda: gzip.compress(image_tar()) + b"more",
    "no-archive": lambda: b"this is no archive, but long enough to be one" * 50,
    "empty": lambda: b"",
    "truncated-tar": lambda: image_tar()[:2048],
    "no-manifest": lambda: image_tar_without("manifest"),
    "no-rootfs": lambda: image_tar_without("rootfs"),
    "wrong-json": lambda: image_with_manifest("{"),
    "no-name": lambda: image_with_manifest('{"acKind": "ImageManifest", "acVersion": "0.8.11"}'),
    "dotdot": lambda: image_tar(more=[entry("rootfs/../../etc/evil", "x")]),
    "duplicate": lambda: image_tar(more=[entry("rootfs/content", "again")]),
    "beside-rootfs": lambda: image_tar(more=[entry("elsewhere", "x")]),
}


def image_with_manifest(text):
    from conftest import tar_bytes

    return tar_bytes([entry("manifest", text), entry("rootfs")])


def image_tar_without(which):
    import json

    from conftest import tar_bytes

    pairs = {"manifest": entry("manifest", json.dumps(manifest())), "rootfs": entry("rootfs")}
    del pairs[which]
    return tar_bytes(list(pairs.values()))


@pytest.mark.parametrize("what", BAD)
def test_bad_image_is_refused_in_one_line_and_leaves_nothing(data_dir, tmp_path, what):
    there = add(write(tmp_path / "good.aci", image_tar(content="good")))
    before = files_in(data_dir)
    result = store("import", write(tmp_path / "bad.aci", BAD[what]()))
    assert_one_line(result, 4, "importing", "bad.aci")
    assert result.out == ""
    assert ids() == [there] and files_in(data_dir) == before


def test_missing_file_is_missing(data_dir, tmp_path):
    assert_one_line(store("import", tmp_path / "none.aci"), 3, "none.aci", "no such file")


def test_directory_is_no_image(data_dir, tmp_path):
    assert_one_line(store("import", tmp_path), 1, "Is a directory")


def test_names_from_an_image_cannot_drive_the_terminal(data_dir, tmp_path):
    evil = entry("rootfs/\x1b[2Jx/../y", "x")
    result = store("import", write(tmp_path / "bad.aci", image_tar(more=[evil])))
    assert result.status == 4
    assert "\x1b" not in result.err


# ---- the data directory


def test_rkt_dir_is_overridden_by_the_option(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    assert store("import", "--dir", tmp_path / "other", file).status == 0
    assert store("-d", tmp_path / "other", "list", "--no-legend").out != ""
    assert not data_dir.exists()


@needs_root
def test_root_refuses_a_directory_of_another_user(data_dir, tmp_path):
    """S-046"""
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, NOBODY, NOBODY)
    result = store("import", write(tmp_path / "a.aci", image_tar()))
    assert_one_line(result, 1, str(data_dir), f"belongs to user {NOBODY}")
    assert list(data_dir.iterdir()) == []


@needs_root
def test_root_refuses_a_folder_of_another_user_inside(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    add(file)
    os.chown(data_dir / "cas/blob", NOBODY, NOBODY)
    assert_one_line(store("import", file), 1, "blob belongs to user")


def test_directory_writable_by_everybody_is_refused(data_dir, tmp_path):
    data_dir.mkdir()
    data_dir.chmod(0o777)
    result = store("import", write(tmp_path / "a.aci", image_tar()))
    assert_one_line(result, 1, "writable by everybody")
    assert list(data_dir.iterdir()) == []


def test_symlink_inside_is_not_followed(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    add(file)
    (data_dir / "cas/tmp").rename(tmp_path / "tmp")
    (data_dir / "cas/tmp").symlink_to(tmp_path / "tmp")
    for command in (["import", file], ["list"]):
        assert_one_line(store(*command), 1, "tmp is a symbolic link", "move the whole data directory")


@needs_root
def test_without_proc_that_is_what_is_said(data_dir, tmp_path):
    write(tmp_path / "a.aci", image_tar())
    script = 'mount -t tmpfs none /proc; "$0" import a.aci; "$1" --patch --name=example.com/b a.aci b.aci'
    result = run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, tool("rkt-store"), tool("aci-build")],
                 cwd=tmp_path)
    # AddressSanitizer has words of its own without it
    assert [line for line in result.err.splitlines() if line.startswith(("rkt-", "aci-"))] == [
        "rkt-store: /proc is not mounted, and the store needs it",
        "aci-build: building b.aci: link b.aci: /proc is not mounted",
    ], result


def test_data_directory_of_old_rkt_is_refused_with_the_way_over(data_dir, tmp_path):
    (data_dir / "cas/db").mkdir(parents=True)
    (data_dir / "cas/db/ql.db").write_bytes(b"")
    result = store("import", write(tmp_path / "a.aci", image_tar()))
    assert_one_line(result, 4, "old rkt", f"rkt-store import --from-rkt {data_dir}")
    assert not (data_dir / "cas/index").exists()


@pytest.mark.parametrize("size", [100, 4096, 8192, 65536])
def test_truncated_index_is_refused_and_not_overwritten(data_dir, tmp_path, size):
    """S-047"""
    files = [write(tmp_path / f"{n}", image_tar(content=f"{n}" * 9999)) for n in range(20)]
    add(*files)
    index = data_dir / "cas/index/data.mdb"
    with open(index, "r+b") as file:
        file.truncate(size)
    before = index.read_bytes()
    for command in (["list"], ["import", files[0]], ["gc", "--grace-period=0s"]):
        assert_one_line(store(*command), 4, "the index is damaged", "truncated")
    assert index.read_bytes() == before
    assert len(files_in(data_dir)) == 40


def test_lost_index_is_not_begun_anew_over_images(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    add(file)
    (data_dir / "cas/index/data.mdb").unlink()
    assert_one_line(store("import", file), 4, "index", "images are there")
    assert_one_line(store("gc", "--grace-period=0s"), 4, "images are there")
    assert len(files_in(data_dir)) == 2


@needs_root
def test_ordinary_user_may_not_use_roots_store(open_dir):
    file = write(open_dir / "a.aci", image_tar())
    where = open_dir / "store"
    assert store("import", "-d", where, file).status == 0
    result = as_nobody(open_dir, "import", "-d", where, file)
    assert_one_line(result, 1, str(where), "Permission denied")


@needs_root
def test_ordinary_user_is_told_whose_directory_it_is(open_dir):
    file = write(open_dir / "a.aci", image_tar())
    where = open_dir / "store"
    where.mkdir(mode=0o755)
    result = as_nobody(open_dir, "import", "-d", where, file)
    assert_one_line(result, 1, "belongs to user 0", "RKT_DIR")


@needs_root
def test_ordinary_user_has_a_store_of_his_own(open_dir):
    file = write(open_dir / "a.aci", image_tar())
    env = {"RKT_DIR": "", "XDG_DATA_HOME": ""}
    result = as_nobody(open_dir, "import", file, env=env)
    assert result.status == 0, result
    own = open_dir / "home/.local/share/rkt"
    assert blob_path(own, result.out.strip()).stat().st_uid == NOBODY
    env["XDG_DATA_HOME"] = open_dir / "home/data"
    assert as_nobody(open_dir, "import", file, env=env).status == 0
    assert (open_dir / "home/data/rkt/cas").is_dir()


# ---- full disks, kills, other importers


@needs_root
@pytest.mark.parametrize("size", ["256k", "1m", "1200k", "2m"])
def test_full_disk_is_one_line_and_an_unchanged_store(tmp_path, size):
    big = make_aci(tmp_path / "big.aci", [entry("rootfs/big", os.urandom(4 << 20))])
    folder = tmp_path / "disk"
    folder.mkdir()
    script = """
        $STORE import -d $FOLDER/rkt $BIG >/dev/null; echo "status $?"
        find $FOLDER -type f ! -path '*/index/*'
        rm -rf $FOLDER/rkt
        $STORE import -d $FOLDER/rkt $SMALL >/dev/null 2>&1; echo "then $?"
    """
    small = write(tmp_path / "small.aci", image_tar())
    result = on_small_disk(folder, size, script, BIG=big, SMALL=small)
    assert result.out.splitlines()[0] == "status 1", result
    assert len(result.err.splitlines()) == 1 and "No space left on device" in result.err
    assert result.out.splitlines()[1:] == ["then 0"], result


@needs_root
def test_store_works_on_after_the_disk_was_full(tmp_path):
    big = make_aci(tmp_path / "big.aci", [entry("rootfs/big", os.urandom(4 << 20))])
    small = write(tmp_path / "small.aci", image_tar())
    other = write(tmp_path / "other.aci", image_tar(content="other"))
    folder = tmp_path / "disk"
    folder.mkdir()
    script = """
        export RKT_DIR=$FOLDER/rkt
        $STORE import $SMALL && $STORE import $BIG; $STORE import $OTHER && $STORE list --no-legend
    """
    result = on_small_disk(folder, "3m", script, BIG=big, SMALL=small, OTHER=other)
    assert result.status == 0 and len(result.out.splitlines()) == 4, result


def test_interrupted_import_leaves_nothing(data_dir, tmp_path):
    packed = gzip.compress(image_tar(content=os.urandom(3 << 20).hex()))
    child = subprocess.Popen(
        [tool("rkt-store"), "import", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdin.write(packed[: len(packed) // 2])
    child.stdin.flush()
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdin.close()
    assert child.stdout.read() == b""
    assert ids() == [] and files_in(data_dir) == []
    result = store("gc", "--grace-period=0s")
    assert result.status == 0 and result.out == ""


def test_several_importers_of_one_image_all_succeed(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", gzip.compress(image_tar(content=os.urandom(1 << 20).hex())))
    children = [
        subprocess.Popen([tool("rkt-store"), "import", file], stdout=subprocess.PIPE)
        for _ in range(6)
    ]
    outputs = {child.communicate(timeout=60)[0].decode().strip() for child in children}
    assert [child.returncode for child in children] == [0] * 6
    assert outputs == set(ids()) and len(outputs) == 1
    assert len(files_in(data_dir)) == 2


# ---- order on the disk (S-040)


def traced(tmp_path, calls, *args, inject=()):
    """Runs rkt-store under strace; returns the result and the lines of the trace."""
    log = tmp_path / "trace"
    strace = ["strace", "-f", "-o", log, "-y", "-e", f"trace={calls}", *inject]
    # the leak check of a sanitized build does not work under ptrace
    result = run([*strace, tool("rkt-store"), *args], env=UNDER_STRACE)
    lines = [re.sub(r"^\d+ +", "", line) for line in log.read_text().splitlines()]
    return result, [line for line in lines if re.match(r"\w+\(", line)]


@needs_root
def test_data_are_synced_before_their_name_and_names_before_the_record(data_dir, tmp_path):
    store("import", write(tmp_path / "first.aci", image_tar(content="first")))
    file = write(tmp_path / "a.aci", image_tar())
    calls = "fdatasync,fsync,linkat,pwrite64,pwritev"
    result, lines = traced(tmp_path, calls, "import", file)
    assert result.status == 0, result

    def where(pattern):
        found = [number for number, line in enumerate(lines) if re.search(pattern, line)]
        assert found, (pattern, lines)
        return found

    links = where(r"^linkat\(")
    assert len(links) == 2
    assert len(where(r"^fdatasync\(\d+<[^>]*/cas/tmp/")) == 2
    assert where(r"^fdatasync\(\d+<[^>]*/cas/tmp/")[-1] < links[0]
    assert where(r"^fsync\(\d+<[^>]*/cas/blob/sha256/..>")[-1] > links[0]
    assert where(r"^fsync\(\d+<[^>]*/cas/erofs/sha256/..>")[-1] > links[1]
    names_done = max(where(r"^fsync\("))
    assert min(where(r"^fdatasync\(\d+<[^>]*data\.mdb>")) > names_done
    # what a whole-file-system sync would do to everybody else
    assert not any(line.startswith("sync") for line in lines)


def test_file_system_without_unnamed_files_serves_too(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    other = write(tmp_path / "b.aci", image_tar(content="other"))
    add(other)
    result, lines = traced(tmp_path, "openat", "import", file)
    assert result.status == 0, result
    assert store("rm", result.out.strip()).status == 0
    unnamed = [n for n, line in enumerate(lines, 1) if "O_TMPFILE" in line]
    assert len(unnamed) == 2
    # taking the second away shifts no number before it; the first one moves the second by what the
    # named file costs, so one run a call
    for number in unnamed:
        inject = ["-e", f"inject=openat:error=EOPNOTSUPP:when={number}"]
        result, _ = traced(tmp_path, "openat", "import", file, inject=inject)
        assert result.status == 0, result
        assert len(files_in(data_dir)) == 4
        assert stat.S_IMODE(blob_path(data_dir, result.out.strip()).stat().st_mode) == 0o444
        assert list((data_dir / "cas/tmp").iterdir()) == []
        assert store("rm", result.out.strip()).status == 0


def test_busybox_image_is_imported(data_dir, tmp_path):
    image = add(make_aci(tmp_path / "busybox.aci", busybox_entries()))
    assert info(image)["entries"] == len(busybox_entries()) + 2


def test_why_there_is_no_index_is_told_as_it_is(data_dir, tmp_path):
    """S-013: escaped where it is shown to people, and once."""
    device = entry("rootfs/a\x01b", type=tarfile.CHRTYPE)
    image = add(write(tmp_path / "a.aci", image_tar(more=[device])))
    assert "a\x01b" in info(image)["noIndexBecause"]
    (line,) = [line for line in store("info", image).out.splitlines() if line.startswith("no-index-because: ")]
    assert "a\\x01b" in line and "\\\\" not in line


def test_a_url_is_none_of_its_business(data_dir):
    result = store("import", "https://me:geheim@example.com/app.aci")
    assert_one_line(result, 2, "https://example.com/app.aci is a URL", "rkt-store fetch")
    assert "geheim" not in result.err and not data_dir.exists()
