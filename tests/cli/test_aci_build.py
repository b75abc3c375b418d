"""aci-build: valid and reproducible images, whole or not at all."""

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess

import pytest
from acilib import as_nobody, on_small_disk, one_line, public_dir, same_trees  # noqa: F401
from conftest import manifest, needs_root, run, tool


@pytest.fixture
def layout(tmp_path):
    """A directory with manifest and rootfs."""
    root = tmp_path / "layout/rootfs"
    (root / "bin").mkdir(parents=True)
    (root / "bin/app").write_text("#!/bin/sh\n")
    (root / "bin/app").chmod(0o755)
    (root / "link").symlink_to("bin/app")
    os.link(root / "bin/app", root / "hard")
    (tmp_path / "layout/manifest").write_text(json.dumps(manifest()))
    return tmp_path / "layout"


def manifest_of(aci):
    return json.loads(run(["aci-extract", "--manifest", aci]).out)


def names_in(path):
    return sorted(os.listdir(path))


def test_a_layout_becomes_a_valid_image_and_its_id_is_printed(tmp_path, layout):
    result = run(["aci-build", layout, tmp_path / "a.aci"])
    assert (result.status, result.err) == (0, "")
    digest = hashlib.sha256(gzip.decompress((tmp_path / "a.aci").read_bytes())).hexdigest()
    assert result.out == f"sha256-{digest}\n"
    assert run(["aci-validate", "--strict", tmp_path / "a.aci"]).status == 0


def test_the_manifest_stands_in_the_image_as_it_was(tmp_path, layout):
    text = json.dumps(manifest(unknownField=[1]), indent=3) + "\n"
    (layout / "manifest").write_text(text)
    run(["aci-build", layout, tmp_path / "a.aci"])
    assert run(["aci-extract", "--manifest", tmp_path / "a.aci"]).out == text


def test_other_tools_read_the_image(tmp_path, layout):
    run(["aci-build", layout, tmp_path / "a.aci"])
    for program in (["tar", "-tzf"], ["bsdtar", "-tf"]):
        if not shutil.which(program[0]):
            continue
        done = subprocess.run([*program, tmp_path / "a.aci"], stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode().split() == [
            "manifest", "rootfs/", "rootfs/bin/", "rootfs/bin/app", "rootfs/hard", "rootfs/link",
        ]


@needs_root
def test_a_tree_survives_building_and_extracting(tmp_path, layout):
    root = layout / "rootfs"
    (root / "setuid").write_text("x")
    os.chown(root / "setuid", 4294967294, 3000000)
    (root / "setuid").chmod(0o6711)
    os.setxattr(root / "setuid", "security.capability", b"\x01\0\0\x02\0\x20" + 14 * b"\0")
    os.setxattr(root / "bin", "user.note", b"\0\n=")
    acl = bytes.fromhex(
        "02000000" "01000600ffffffff" "0200070007000000" "04000400ffffffff" "10000700ffffffff"
        "20000000ffffffff")
    os.setxattr(root / "bin/app", "system.posix_acl_access", acl)
    os.setxattr(root / "bin", "system.posix_acl_default", acl)
    os.mkfifo(root / "pipe")
    os.mknod(root / "null", 0o20666, os.makedev(1, 3))
    (root / ("x" * 255)).write_text("x")
    with open(root / "sparse", "wb") as sparse:
        sparse.seek(1 << 20)
        sparse.write(b"end")
    os.utime(root / "link", ns=(-1500000000, -1500000000), follow_symlinks=False)
    (root / "locked").mkdir(mode=0)
    assert run(["aci-build", layout, tmp_path / "a.aci"]).status == 0
    assert run(["aci-extract", "--devices", tmp_path / "a.aci", tmp_path / "out"]).status == 0
    same_trees(root, tmp_path / "out/rootfs")


# ---- reproducible


def test_copies_of_a_tree_give_the_same_bytes(tmp_path, layout):
    subprocess.run(["cp", "-a", layout, tmp_path / "copy"], check=True)
    first = run(["aci-build", layout, tmp_path / "a.aci"])
    second = run(["aci-build", tmp_path / "copy", tmp_path / "b.aci"])
    assert first.out == second.out
    assert (tmp_path / "a.aci").read_bytes() == (tmp_path / "b.aci").read_bytes()


def test_source_date_epoch_makes_times_equal(tmp_path, layout):
    env = {"SOURCE_DATE_EPOCH": "1418290200"}
    first = run(["aci-build", layout, tmp_path / "a.aci"], env=env)
    for path in [layout / "rootfs", *layout.rglob("*")]:
        os.utime(path, (2000000000, 2000000000), follow_symlinks=False)
    second = run(["aci-build", layout, tmp_path / "b.aci"], env=env)
    assert first.out == second.out
    assert " 2014-12-11T09:30:00Z " in run(["aci-extract", "--list", tmp_path / "a.aci"]).out


def test_a_bad_source_date_epoch_is_a_usage_error(tmp_path, layout):
    result = run(["aci-build", layout, tmp_path / "a.aci"], env={"SOURCE_DATE_EPOCH": "now"})
    assert result.status == 2
    assert "SOURCE_DATE_EPOCH" in result.err


def test_a_golden_image_keeps_its_id(tmp_path):
    """The ID must not change with libraries or releases: who signed it named these bytes."""
    root = tmp_path / "root"
    (root / ("d" * 120)).mkdir(parents=True)
    (root / ("d" * 120) / ("f" * 120)).write_text("golden")
    (root / "link").symlink_to("t" * 120)
    (tmp_path / "m").write_text(json.dumps(manifest(), sort_keys=True))
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    for path in [*root.rglob("*"), root]:
        os.utime(path, ns=(1418290200500000000,) * 2, follow_symlinks=False)
    root.chmod(0o755)
    result = run(["aci-build", "--root-owned", "--manifest", tmp_path / "m", "--from-dir", root,
                  tmp_path / "a.aci"])
    assert result.out == (
        "sha256-e01f086327e4b16b7a722f8aecfb9c0c21fe501d174143d8c04d63de6efc48cd\n"
    )


@pytest.mark.parametrize("compression", ["gzip", "xz", "zstd", "none"])
def test_the_id_does_not_depend_on_the_compression(tmp_path, layout, compression):
    plain = run(["aci-build", "--compress=none", layout, tmp_path / "plain.aci"])
    packed = run(["aci-build", f"--compress={compression}", layout, tmp_path / "packed.aci"])
    assert (packed.status, packed.out) == (0, plain.out)


# ---- manifests from options


def test_options_make_a_manifest(tmp_path, layout):
    result = run([
        "aci-build", "--name", "example.com/web", "--label", "version=1.0", "--label", "os=linux",
        "--annotation", "authors=Me", "--user", "33", "--group", "34", "--env", "A=b=c",
        "--working-dir", "/srv", "--port", "http:80", "--port", "dns:53/udp",
        "--mount", "data:/var/data", "--mount", "conf:/etc/conf:ro",
        "--from-dir", layout / "rootfs", tmp_path / "a.aci", "--", "/bin/app", "-x", "--y",
    ])
    assert result.status == 0, result
    assert manifest_of(tmp_path / "a.aci") == {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/web",
        "labels": [{"name": "version", "value": "1.0"}, {"name": "os", "value": "linux"}],
        "app": {
            "exec": ["/bin/app", "-x", "--y"],
            "user": "33",
            "group": "34",
            "workingDirectory": "/srv",
            "environment": [{"name": "A", "value": "b=c"}],
            "ports": [
                {"name": "http", "port": 80, "protocol": "tcp"},
                {"name": "dns", "port": 53, "protocol": "udp"},
            ],
            "mountPoints": [
                {"name": "data", "path": "/var/data"},
                {"name": "conf", "path": "/etc/conf", "readOnly": True},
            ],
        },
        "annotations": [{"name": "authors", "value": "Me"}],
    }


def test_a_name_alone_makes_an_image_with_nothing_to_run(tmp_path, layout):
    assert run(["aci-build", "--name=example.com/files", "--from-dir", layout / "rootfs",
                tmp_path / "a.aci"]).status == 0
    assert "app" not in manifest_of(tmp_path / "a.aci")


def test_a_manifest_may_come_from_standard_input(tmp_path, layout):
    result = run(["aci-build", "--manifest=-", "--from-dir", layout / "rootfs", tmp_path / "a.aci"],
                 stdin=json.dumps(manifest("example.com/stdin")).encode())
    assert result.status == 0
    assert manifest_of(tmp_path / "a.aci")["name"] == "example.com/stdin"


@pytest.mark.parametrize("options", [
    ["--label=version"], ["--env==x"], ["--port=http"], ["--port=http:many"], ["--port=http:65536"],
    ["--mount=data"],
])
def test_a_malformed_value_is_a_usage_error(tmp_path, layout, options):
    result = run(["aci-build", "--name=example.com/a", "--from-dir", layout / "rootfs", *options,
                  tmp_path / "a.aci"])
    assert result.status == 2
    assert names_in(tmp_path) == ["layout"]


@pytest.mark.parametrize("args", [
    [], ["layout"], ["layout", "a.aci", "b.aci"], ["--name=example.com/a", "a.aci"],
    ["--from-dir=layout/rootfs", "a.aci"],
    ["--manifest=layout/manifest", "--name=example.com/a", "--from-dir=layout/rootfs", "a.aci"],
    ["--name=example.com/a", "--from-dir=layout/rootfs", "x", "a.aci"],
])
def test_operands_that_make_no_sense_are_usage_errors(tmp_path, layout, args):
    assert layout.is_dir()
    assert run(["aci-build", *args], cwd=tmp_path).status == 2
    assert names_in(tmp_path) == ["layout"]


def test_exclude_leaves_out_names_and_paths(tmp_path, layout):
    result = run(["aci-build", "--exclude=hard", "--exclude=bin/*", layout, tmp_path / "a.aci"])
    assert result.status == 0
    listed = run(["aci-extract", "--list", tmp_path / "a.aci"]).out
    assert [line.split()[4] for line in listed.splitlines()] == [".", "bin", "link"]


@needs_root
def test_root_owned(tmp_path, layout):
    os.chown(layout / "rootfs/bin/app", 7, 8)
    run(["aci-build", "--root-owned", layout, tmp_path / "a.aci"])
    listed = run(["aci-extract", "--list", tmp_path / "a.aci"]).out
    assert {line.split()[1] for line in listed.splitlines()} == {"0/0"}


# ---- whole or not at all


def fails(tmp_path, args, status, words):
    before = names_in(tmp_path)
    result = one_line(run(["aci-build", *args, tmp_path / "a.aci"]), status, words)
    assert names_in(tmp_path) == before
    assert result.out == ""


def test_an_existing_file_is_kept(tmp_path, layout):
    (tmp_path / "a.aci").write_text("mine")
    fails(tmp_path, [layout], 1, "it exists; --overwrite replaces it")
    assert (tmp_path / "a.aci").read_text() == "mine"


def test_overwrite_replaces_a_file(tmp_path, layout):
    (tmp_path / "a.aci").write_text("mine")
    assert run(["aci-build", "--overwrite", layout, tmp_path / "a.aci"]).status == 0
    assert run(["aci-validate", tmp_path / "a.aci"]).status == 0
    assert names_in(tmp_path) == ["a.aci", "layout"]


def test_a_failed_overwrite_keeps_the_old_file(tmp_path, layout):
    (tmp_path / "a.aci").write_text("mine")
    (layout / "manifest").write_text("{}")
    fails(tmp_path, ["--overwrite", layout], 4, "acVersion")
    assert (tmp_path / "a.aci").read_text() == "mine"


def test_a_directory_is_not_replaced(tmp_path, layout):
    (tmp_path / "a.aci").mkdir()
    fails(tmp_path, ["--overwrite", layout], 1, "it is a directory")


def test_wrong_json_is_refused(tmp_path, layout):
    (layout / "manifest").write_text("{nonsense")
    fails(tmp_path, [layout], 4, "line 1")


def test_a_wrong_name_is_refused(tmp_path, layout):
    fails(tmp_path, ["--name=Bad Name", "--from-dir", layout / "rootfs"], 4, "name")


def test_a_missing_manifest_is_3(tmp_path, layout):
    (layout / "manifest").unlink()
    fails(tmp_path, [layout], 3, "no such file")


def test_a_missing_rootfs_is_3(tmp_path, layout):
    shutil.rmtree(layout / "rootfs")
    fails(tmp_path, [layout], 3, "rootfs: no such directory")


def test_a_missing_directory_is_3(tmp_path):
    fails(tmp_path, [tmp_path / "none"], 3, "no such directory")


def test_a_missing_place_is_3(tmp_path, layout):
    result = run(["aci-build", layout, tmp_path / "none/a.aci"])
    one_line(result, 3, "no such directory")


def test_a_manifest_that_is_a_symlink_is_not_followed(tmp_path, layout):
    (layout / "manifest").rename(tmp_path / "elsewhere")
    (layout / "manifest").symlink_to(tmp_path / "elsewhere")
    fails(tmp_path, [layout], 1, "manifest")


def test_a_socket_is_refused_by_name(tmp_path, layout):
    with socket.socket(socket.AF_UNIX) as listener:
        old = os.getcwd()
        os.chdir(layout / "rootfs")
        listener.bind("socket")
        os.chdir(old)
        fails(tmp_path, [layout], 4, "rootfs/socket: is a socket")


def test_an_unreadable_file_is_1(public_dir, layout):
    shutil.copytree(layout, public_dir / "layout", symlinks=True)
    for path in [public_dir / "layout", *(public_dir / "layout").rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    (public_dir / "layout/rootfs/bin/app").chmod(0)
    (public_dir / "home").mkdir()
    (public_dir / "home").chmod(0o777)
    result = as_nobody(public_dir, ["aci-build", "layout", "home/a.aci"])
    one_line(result, 1, "adding rootfs/bin/app: open: Permission denied")
    assert names_in(public_dir / "home") == []


@needs_root
def test_a_full_disk_leaves_nothing(tmp_path, layout):
    (layout / "rootfs/random").write_bytes(os.urandom(4000000))
    script = '"$1" "$2" a.aci; echo status $?; ls -A'
    result = on_small_disk("1m", script, tool("aci-build"), layout)
    assert result.out == "status 1\n"
    assert "No space left on device" in result.err
    assert len(result.err.splitlines()) == 1


def test_the_usual_mode_is_given(tmp_path, layout):
    run(["sh", "-c", 'umask 027; exec "$0" "$1" "$2"', tool("aci-build"), layout, tmp_path / "a.aci"])
    assert (tmp_path / "a.aci").stat().st_mode & 0o7777 == 0o640


def test_closed_standard_input_does_not_matter(tmp_path, layout):
    result = run(["sh", "-c", 'exec "$0" "$1" "$2" <&-', tool("aci-build"), layout, tmp_path / "a.aci"])
    assert result.status == 0
