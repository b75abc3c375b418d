"""The programs in doc/examples, as somebody else builds them: installed headers, pkg-config."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import BUILD, SOURCE, run
from storelib import add, image_tar, write

EXAMPLES = sorted(path.stem for path in (SOURCE / "doc/examples").glob("*.c"))


def must(args, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with the example programs, built against what make install installs."""
    library = BUILD / ".libs/librkt-store.so"
    if "__asan" in must(["nm", "-D", library]):
        pytest.skip("a sanitized library is another one")
    for program in "cc", "pkg-config":
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    top = tmp_path_factory.mktemp("examples")
    must(["make", "-s", "-C", BUILD, "install", f"DESTDIR={top}/root"])
    (pc,) = (top / "root").rglob("librkt-store.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent), "PKG_CONFIG_SYSROOT_DIR": f"{top}/root"}
    flags = must(["pkg-config", "--cflags", "--libs", "librkt-store"], env=env).split()
    for name in EXAMPLES:
        source = SOURCE / f"doc/examples/{name}.c"
        must(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o", top / name, *flags])
    yield top
    shutil.rmtree(top)


def example(built, name, *args):
    (library,) = (built / "root").rglob("librkt-store.so")
    # what root mounts goes with the process
    own = ["unshare", "-m", "--propagation", "private"] if os.geteuid() == 0 else []
    return run([*own, built / name, *args], env={"LD_LIBRARY_PATH": library.parent})


def test_there_are_examples_and_all_build(built):
    assert EXAMPLES == ["image-cat", "image-list"]
    for name in EXAMPLES:
        assert (built / name).exists()


def test_image_list(built, data_dir, tmp_path):
    result = example(built, "image-list")
    assert (result.status, result.out) == (3, "")
    assert result.err == f"image-list: there is no store at {data_dir}\n"
    a = add(write(tmp_path / "a.aci", image_tar("example.com/a")))
    b = add(write(tmp_path / "b.aci", image_tar("example.com/b")))
    size = (tmp_path / "a.aci").stat().st_size
    lines = [f"{a} example.com/a {size}", f"{b} example.com/b {size}"]
    assert example(built, "image-list").out.splitlines() == lines
    assert example(built, "image-list", "example.com/b").out.splitlines() == lines[1:]


def test_image_cat(built, data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar(content="what is in it"))
    result = example(built, "image-cat", file, "content")
    assert (result.status, result.out) == (0, "what is in it"), result
    assert f"\r{file.stat().st_size} bytes\n" in result.err
    assert example(built, "image-cat", file, "nothing").status == 1
    result = example(built, "image-cat", write(tmp_path / "b.aci", b"no image"), "content")
    assert result.status == 4 and "image-cat: " in result.err
    assert pathlib.Path(data_dir).exists()
