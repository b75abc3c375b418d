"""Libraries are loaded where they are needed: only that fails which needs one that is not there."""

import bz2
import gzip
import hashlib
import lzma
import re
import shutil
import subprocess

import pytest
from acilib import one_line
from conftest import BUILD, run
from siglib import Gpg, needs_gpg, trust
from storelib import add, assert_one_line, files_in, ids, image_tar, store, write

assert trust  # a fixture
SONAMES = dict(
    re.findall(r'^#define (\w+)_SONAME "(.*)"$', (BUILD / "config.h").read_text(), re.MULTILINE)
)


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Puts something that is no library before that which one of our names for them stands for."""
    folder = tmp_path / "broken"
    folder.mkdir()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))

    def put(*names):
        for name in names:
            (folder / SONAMES[name]).write_bytes(b"")
        return SONAMES[names[0]]

    return put


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


KINDS = {"ISAL": gzip.compress, "LZMA": lzma.compress, "BZ2": bz2.compress, "ZSTD": zstd}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_file_is_compressed_by_is_missing(name, data_dir, tmp_path, broken):
    if name not in SONAMES:
        pytest.skip("built without isa-l")
    if name == "ZSTD" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    plain = write(tmp_path / "plain.aci", image_tar())
    file = write(tmp_path / "packed.aci", KINDS[name](image_tar()))
    assert store("init").status == 0
    library = broken(name)
    one_line(run(["aci-hash", file]), 1, library)
    before = files_in(data_dir)
    assert_one_line(store("import", file), 1, library)
    assert ids() == [] and files_in(data_dir) == before
    # other images do without
    digest = hashlib.sha256(image_tar()).hexdigest()
    assert run(["aci-hash", plain]).out.startswith(digest)
    assert add(plain) == f"sha256-{digest}"


def test_openssl_is_missing(data_dir, tmp_path, broken):
    file = write(tmp_path / "a.aci", image_tar())
    image = add(file)
    library = broken("CRYPTO")
    one_line(run(["aci-hash", file]), 1, library)
    assert_one_line(store("import", file), 1, library)
    assert ids() == [image]
    result = store("verify", "--repair")
    assert (result.status, result.out) == (1, f"{image} unknown\n") and library in result.err, result
    assert store("cat-manifest", image).status == 0


@needs_gpg
def test_gpgme_is_missing(data_dir, tmp_path, broken, trust):
    gpg = Gpg(tmp_path / "gpg")
    key = gpg.make_key("alice").read_bytes()
    trust.put("local", "example.com/app", gpg.fingerprint("alice"), key)
    file = write(tmp_path / "a.aci", image_tar("example.com/app"))
    signature = write(tmp_path / "a.aci.asc", gpg.run("-u", "alice@example.com", "--detach-sign", "-o", "-", file))
    gpg.stop()
    assert store("init").status == 0
    library = broken("GPGME")
    assert_one_line(store("import", f"--signature={signature}", file), 1, library)
    assert ids() == []
    add(file)


@needs_gpg
def test_gpg_itself_is_missing(data_dir, tmp_path, trust):
    """It is found by PATH."""
    gpg = Gpg(tmp_path / "gpg")
    key = write(tmp_path / "alice.asc", gpg.make_key("alice").read_bytes())
    gpg.stop()
    assert_one_line(store("trust", "--root", "--yes", key, env={"PATH": tmp_path}), 1, "gpg cannot be run", "install GnuPG")
    assert trust.files() == []


def test_libcurl_is_missing(data_dir, tmp_path, broken):
    file = write(tmp_path / "a.aci", image_tar())
    library = broken("CURL")
    for what in "https://localhost/a.aci", "example.com/app":
        assert_one_line(store("fetch", "--insecure-options=image", what), 1, library, "install")
    assert_one_line(store("trust", "--root", "--yes", "https://localhost/a.asc"), 1, library)
    result = store("fetch", "--insecure-options=image", file)
    assert result.status == 0, result
    assert store("fetch", *ids()).out == result.out


def test_libarchive_is_missing(data_dir, tmp_path, broken):
    image = add(write(tmp_path / "a.aci", image_tar()))
    library = broken("ARCHIVE")
    assert_one_line(store("export", image, tmp_path / "out.aci"), 1, library)
    assert not (tmp_path / "out.aci").exists()
    assert store("extract", image, tmp_path / "out").status == 0
