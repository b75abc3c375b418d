"""rkt-store export: the image as a file, verified, or no file."""

import gzip
import hashlib
import os
import pty
import stat
import subprocess

import pytest
from acilib import only_x86_64, without_tmpfile
from conftest import needs_root, tool
from storelib import (
    add,
    assert_one_line,
    blob_path,
    content_offset,
    flip,
    image_tar,
    on_small_disk,
    store,
    write,
)


@pytest.fixture
def image(data_dir, tmp_path):
    return add(write(tmp_path / "a.aci", image_tar()))


def test_exported_file_is_the_tar_and_its_digest_the_id(image, tmp_path):
    result = store("export", image, tmp_path / "out.aci")
    assert result.status == 0 and result.out == "" and result.err == ""
    assert (tmp_path / "out.aci").read_bytes() == image_tar()
    assert image == f"sha256-{hashlib.sha256((tmp_path / 'out.aci').read_bytes()).hexdigest()}"


def test_the_format_may_be_named_and_others_are_refused_with_the_list(image, tmp_path):
    assert store("export", "--format=aci", image, tmp_path / "out.aci").status == 0
    assert (tmp_path / "out.aci").read_bytes() == image_tar()
    assert_one_line(store("export", "--format=oci", image, tmp_path / "other"), 2, "oci", "aci")
    assert not (tmp_path / "other").exists()


def test_no_terminal_gets_an_image(image):
    screen, terminal = pty.openpty()
    result = subprocess.run(
        [tool("rkt-store"), "export", image, "-"], stdout=terminal, stderr=subprocess.PIPE, check=False
    )
    os.close(terminal)
    os.close(screen)
    assert result.returncode == 2 and b"standard output is a terminal" in result.stderr


def test_export_can_be_imported_again(image, tmp_path):
    store("export", image, tmp_path / "out.aci")
    assert store("import", "-d", tmp_path / "other", tmp_path / "out.aci").out == f"{image}\n"


@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zstd"])
def test_a_compressed_export_has_the_same_id_and_the_same_bytes_each_time(image, tmp_path, compression):
    files = [tmp_path / "one", tmp_path / "other"]
    for file in files:
        assert store("export", f"--compress={compression}", image, file).status == 0
    magic = {"none": b"manifest", "gzip": b"\x1f\x8b", "xz": b"\xfd7zXZ", "zstd": b"\x28\xb5\x2f\xfd"}
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(magic[compression])
    assert (files[0].stat().st_size < len(image_tar())) == (compression != "none")
    assert store("import", "-d", tmp_path / "other-store", files[0]).out == f"{image}\n"


def test_a_compressed_export_goes_to_standard_output_too(image, tmp_path):
    result = store("export", "--compress=gzip", image, "-")
    assert gzip.decompress(result.out.encode(errors="surrogateescape")) == image_tar()


@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zstd"])
def test_a_damaged_image_is_exported_in_no_compression(image, data_dir, tmp_path, compression):
    flip(blob_path(data_dir, image), content_offset(data_dir, image))
    result = store("export", f"--compress={compression}", image, tmp_path / "out")
    assert_one_line(result, 4, "damaged")
    assert not (tmp_path / "out").exists()


def test_an_unknown_compression_is_usage(image, tmp_path):
    assert store("export", "--compress=lha", image, tmp_path / "out").status == 2


def test_dash_is_standard_output(image):
    assert store("export", image, "-").out.encode(errors="surrogateescape") == image_tar()


def test_names_and_prefixes_are_accepted(image, tmp_path):
    for number, reference in enumerate(["example.com/test", "example.com/test:1.0.0", image[:15]]):
        assert store("export", reference, tmp_path / str(number)).status == 0


def test_existing_file_is_kept_unless_overwritten(image, tmp_path):
    (tmp_path / "out").write_text("precious")
    assert_one_line(store("export", image, tmp_path / "out"), 1, "out: it exists", "--overwrite")
    assert (tmp_path / "out").read_text() == "precious"
    assert store("export", "--overwrite", image, tmp_path / "out").status == 0
    assert (tmp_path / "out").read_bytes() == image_tar()
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o644


@only_x86_64
@pytest.mark.parametrize("option", [[], ["--overwrite"]])
def test_a_file_system_without_nameless_files_will_do(image, data_dir, tmp_path, option):
    folder = tmp_path / "folder"
    folder.mkdir()
    if option:
        (folder / "out").write_text("precious")
    assert store("export", *option, image, folder / "out", preexec_fn=without_tmpfile).status == 0
    assert os.listdir(folder) == ["out"] and (folder / "out").read_bytes() == image_tar()
    assert store("export", image, folder / "out", preexec_fn=without_tmpfile).status == 1
    flip(blob_path(data_dir, image), content_offset(data_dir, image))
    assert store("export", image, folder / "other", preexec_fn=without_tmpfile).status == 4
    assert os.listdir(folder) == ["out"]


def test_symlink_in_the_way_is_replaced_not_followed(image, tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "out").symlink_to("target")
    assert store("export", image, tmp_path / "out").status == 1
    assert store("export", "--overwrite", image, tmp_path / "out").status == 0
    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "out").is_symlink()


@pytest.mark.parametrize("option", [[], ["--overwrite"]])
@pytest.mark.parametrize("what", ["a device", "a directory", "a FIFO", "a socket"])
def test_what_is_no_file_is_not_replaced(image, tmp_path, what, option):
    """As it might be /dev/null."""
    out = tmp_path / "out"
    if what == "a device":
        out.symlink_to("/dev/full")
    elif what == "a directory":
        out.mkdir()
    elif what == "a FIFO":
        os.mkfifo(out)
    else:
        os.mknod(out, stat.S_IFSOCK | 0o600)
    before = out.lstat()
    assert_one_line(store("export", *option, image, out), 1, f"out: it is {what}, not a file")
    assert out.lstat() == before


@pytest.mark.parametrize("option", [[], ["--overwrite"]])
def test_flipped_bit_is_found_and_no_file_appears(image, data_dir, tmp_path, option):
    flip(blob_path(data_dir, image), content_offset(data_dir, image))
    before = sorted(tmp_path.iterdir())
    assert_one_line(store("export", *option, image, tmp_path / "out"), 4, "damaged", image)
    assert sorted(tmp_path.iterdir()) == before
    assert store("export", image, "-").status == 4


def test_truncated_blob_is_refused(image, data_dir, tmp_path):
    blob = blob_path(data_dir, image)
    blob.chmod(0o644)
    os.truncate(blob, 1024)
    assert_one_line(store("export", image, tmp_path / "out"), 4, "damaged", "1024 bytes")
    assert not (tmp_path / "out").exists()


def test_lost_blob_is_missing(image, data_dir, tmp_path):
    blob_path(data_dir, image).unlink()
    assert_one_line(store("export", image, tmp_path / "out"), 3, image, "gone")


def test_missing_folder_is_missing(image, tmp_path):
    assert_one_line(store("export", image, tmp_path / "none/out"), 3, "none")


@needs_root
def test_full_disk_leaves_no_file(image, data_dir, tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    script = "$STORE export $IMAGE $FOLDER/out; echo status $?; ls -A $FOLDER"
    result = on_small_disk(folder, "4k", script, IMAGE=image)
    assert result.out == "status 1\n" and "No space left on device" in result.err, result


def test_full_standard_output_is_a_failure(image):
    from conftest import run, tool

    result = run(["sh", "-c", f"{tool('rkt-store')} export {image} - >/dev/full"])
    assert result.status == 1 and "No space left on device" in result.err
