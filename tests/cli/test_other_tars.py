"""S-004, seen from outside: what others write, we read as they do.

One tree is packed by GNU tar, bsdtar and Python's tarfile in every dialect each of them knows; what
aci-extract makes of the archive must be what each of the three makes of it.
"""

import json
import os
import shutil
import subprocess
import tarfile

import pytest
from conftest import SOURCE, manifest, needs_root, run
from walkerlib import make_corpus, tree

needs_tools = pytest.mark.skipif(
    not (shutil.which("tar") and shutil.which("bsdtar")), reason="needs tar and bsdtar"
)
LONG = "long-" * 18  # 90 bytes: ustar can split a path of two of them, v7 cannot hold it

# what packs: name -> (command before the file name, whether it knows long names and devices)
WRITERS = {
    f"gnu-{name}": (["tar", f"--format={name}", "--numeric-owner", "-cf"], name != "v7")
    for name in ("v7", "oldgnu", "gnu", "ustar", "posix")
}
WRITERS |= {
    f"gnu-sparse-{version}": (
        ["tar", "--format=posix", "-S", f"--sparse-version={version}", "--numeric-owner", "-cf"], True,
    )
    for version in ("0.0", "0.1", "1.0")
}
WRITERS["gnu-sparse-old"] = (["tar", "--format=gnu", "-S", "--numeric-owner", "-cf"], True)
WRITERS |= {
    f"bsdtar-{name}": (["bsdtar", f"--format={name}", "--numeric-owner", "-cf"], name != "v7")
    for name in ("v7", "ustar", "gnutar", "pax")
}
FORMATS = {
    "python-ustar": tarfile.USTAR_FORMAT,
    "python-gnu": tarfile.GNU_FORMAT,
    "python-pax": tarfile.PAX_FORMAT,
}


def make_tree(where, is_modern):
    """An image's tree of everything that all dialects can hold; devices and long names where they can."""
    root = where / "rootfs"
    (root / "dir/empty").mkdir(parents=True)
    (where / "manifest").write_text(json.dumps(manifest()))
    (root / "file").write_bytes(b"hello\n")
    (root / "none").write_bytes(b"")
    (root / "block").write_bytes(b"b" * 512)
    (root / "name with spaces \u00fc").write_bytes(b"x" * 1000)
    with open(root / "holes", "wb") as file:
        for at in (0, 65536, 1 << 20):
            file.seek(at)
            file.write(b"d" * 4096)
        file.truncate((1 << 20) + 100000)
    (root / "dir/link").symlink_to("../file")
    os.link(root / "file", root / "hard")
    os.chown(root / "block", 1234, 5678)
    os.chmod(root / "block", 0o4751)
    os.chmod(root / "dir", 0o1775)
    if is_modern:
        os.mkfifo(root / "fifo")
        os.mknod(root / "null", 0o20666, os.makedev(1, 3))
        (root / LONG / "deep").mkdir(parents=True)
        (root / LONG / "deep" / LONG[:60]).write_bytes(b"long")
    for path in [*where.rglob("*"), where]:
        os.utime(path, (1418290200, 1418290200), follow_symlinks=False)


def pack(writer, where, file):
    if writer in FORMATS:
        with tarfile.open(file, "w", format=FORMATS[writer]) as archive:
            for name in ("manifest", "rootfs"):
                archive.add(where / name, name)
        return
    command = [*WRITERS[writer][0], str(file), "-C", str(where), "manifest", "rootfs"]
    subprocess.run(command, check=True)


def unpack_by(reader, file, where):
    where.mkdir()
    if reader == "python":
        with tarfile.open(file) as archive:
            archive.extractall(where, numeric_owner=True)
        return
    # bsdtar comes back to directories, which GNU tar otherwise thinks are done
    more = ["--delay-directory-restore"] if reader == "tar" else []
    command = [reader, "-x", "-p", *more, "--numeric-owner", "-f", file, "-C", where]
    subprocess.run(command, check=True)


def facts(root):
    """What archives of all dialects hold: no inode numbers, no parts of seconds, no attributes."""
    found = tree(root)
    inodes = {}
    for path in sorted(found):
        one = found[path]
        one["same as"] = inodes.setdefault(one.pop("inode"), path)
        one["mtime"] //= 10**9
        one.pop("xattrs", None)
    return found


@pytest.fixture(params=[*WRITERS, *FORMATS])
def packed(request, tmp_path):
    """The archive of one writer, as an image of its own."""
    (tmp_path / "tree").mkdir()
    make_tree(tmp_path / "tree", request.param in FORMATS or WRITERS[request.param][1])
    pack(request.param, tmp_path / "tree", tmp_path / "a.aci")
    return tmp_path


@needs_root
@needs_tools
def test_what_others_write_is_read_as_they_read_it_s_004(packed):
    result = run(["aci-extract", "--devices", packed / "a.aci", packed / "ours"])
    assert result.status == 0, result
    ours = facts(packed / "ours/rootfs")
    assert len(ours) >= 10
    for reader in ("tar", "bsdtar", "python"):
        unpack_by(reader, packed / "a.aci", packed / reader)
        theirs = facts(packed / reader / "rootfs")
        assert set(ours) == set(theirs), reader
        for path, seen in ours.items():
            if reader == "python" and "target" in seen:
                seen = {**seen, "mtime": theirs[path]["mtime"]}  # it sets no times of symlinks
            assert seen == theirs[path], (reader, path)


# ---- malformed archives: doc/other-tars.md --------------------------------------------------------


PAGE = (SOURCE / "doc/other-tars.md").read_text()


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The rows of the table as they come out here: {archive: cells}."""
    where = tmp_path_factory.mktemp("corpus")
    make_corpus(where)
    command = ["/usr/bin/python3", "-B", SOURCE / "tests/corpus/other-tars.py", where]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return rows(done.stdout)


def rows(text):
    lines = [line.split(" | ", 1) for line in text.splitlines() if line.startswith("| ")]
    return {name.removeprefix("| "): cells for name, cells in lines[1:]}


def version(package):
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout if shutil.which(
        "dpkg-query") else ""


@needs_tools
def test_the_page_on_other_tars_has_every_archive_that_we_refuse_s_004(table):
    who = {name: cells.split(" | ")[0] for name, cells in table.items()}
    assert who == {name: cells.split(" | ")[0] for name, cells in rows(PAGE).items()}


@needs_tools
@pytest.mark.skipif(
    not all(f"{one} {version(one)}" in " ".join(PAGE.split()) for one in ("tar", "libarchive-tools", "python3.11")),
    reason="other versions of tar, libarchive-tools or python3.11 than doc/other-tars.md was written for",
)
def test_the_page_on_other_tars_says_what_the_others_do(table):
    assert table == rows(PAGE)
