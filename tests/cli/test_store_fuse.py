"""rkt-store render --mount for ordinary users: erofsfuse shows the index."""

import json
import os
import shutil
import tarfile

import pytest
from conftest import entry, needs_root, run, symlink
from storelib import NOBODY, as_nobody, assert_one_line, image_tar, open_dir, write

assert open_dir  # a fixture
pytestmark = needs_root  # to be somebody else


def as_user(args):
    return run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *args])


def test_without_erofsfuse_ordinary_users_are_told_what_to_do(open_dir):
    if shutil.which("erofsfuse"):
        pytest.skip("erofsfuse is installed")
    where = open_dir / "home/where"
    where.mkdir()
    assert as_nobody(open_dir, "import", write(open_dir / "a.aci", image_tar())).status == 0
    for form in "auto", "erofs", "extracted":
        result = as_nobody(open_dir, "render", f"--form={form}", "--mount", where, "example.com/test")
        assert_one_line(result, 1, "--mount needs root", "'rkt-store render IMAGE DIR'")
        assert ("or erofsfuse in PATH" in result.err) == (form != "extracted")


@pytest.fixture
def fuse(open_dir):
    """A store of an ordinary user's who can mount by FUSE: its folder, and one to mount on."""
    for program in "erofsfuse", "fusermount3":
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if os.stat("/dev/fuse").st_mode & 0o666 != 0o666:
        pytest.skip("/dev/fuse is not for ordinary users here")
    where = open_dir / "home/where"
    where.mkdir()
    os.chown(where, NOBODY, NOBODY)
    yield open_dir, where
    run(["umount", "-l", where])


def test_ordinary_users_mount_by_erofsfuse(fuse):
    open_dir, where = fuse
    link = symlink("rootfs/link", "content")
    base = write(open_dir / "base.aci", image_tar("example.com/base", content="base", more=[link]))
    over = image_tar("example.com/over", content="over", dependencies=[{"imageName": "example.com/base"}])
    assert as_nobody(open_dir, "import", base, write(open_dir / "over.aci", over)).status == 0
    for image in "base", "over":
        result = as_nobody(open_dir, "render", "--json", "--mount", where, f"example.com/{image}")
        assert result.status == 0, result
        assert json.loads(result.out)["form"] == "erofs"
        assert as_user(["cat", where / "content", where / "link"]).out == image * 2
        # who mounted it has it still when the image goes
        assert as_nobody(open_dir, "rm", f"example.com/{image}").status == 0
        assert as_user(["cat", where / "link"]).out == image
        assert as_user(["fusermount3", "-u", where]).status == 0
        assert as_nobody(open_dir, "import", open_dir / f"{image}.aci").status == 0


def test_what_has_no_index_is_not_mounted_by_erofsfuse(fuse):
    open_dir, where = fuse
    gone = entry("rootfs/gone", type=tarfile.CHRTYPE)
    file = write(open_dir / "a.aci", image_tar(more=[gone]))
    assert as_nobody(open_dir, "import", file).status == 0
    result = as_nobody(open_dir, "render", "--mount", where, "example.com/test")
    assert_one_line(result, 1, "no EROFS index of this image: ", "gone")
