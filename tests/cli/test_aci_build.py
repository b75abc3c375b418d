"""aci-build: valid and reproducible images, whole or not at all."""

import gzip
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile

import pytest
from acilib import (as_nobody, on_small_disk, one_line, only_x86_64, public_dir,  # noqa: F401
                    same_trees, without_tmpfile)
from conftest import (compress, entry, hardlink, manifest, needs_root, run, symlink, tar_bytes,
                      tool)


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
    for name in ("link", "pipe", "null"):
        for attribute in ("trusted.note", "security.note"):
            os.setxattr(root / name, attribute, b"of " + name.encode() + b"\0", follow_symlinks=False)
    os.setxattr(root / "pipe", "system.posix_acl_access", acl)
    os.utime(root / "link", ns=(-1500000000, -1500000000), follow_symlinks=False)
    (root / "locked").mkdir(mode=0)
    assert run(["aci-build", layout, tmp_path / "a.aci"]).status == 0
    assert run(["aci-extract", "--devices", tmp_path / "a.aci", tmp_path / "out"]).status == 0
    for name in ("link", "pipe", "null"):
        assert os.getxattr(tmp_path / "out/rootfs" / name, "trusted.note", follow_symlinks=False) == (
            b"of " + name.encode() + b"\0")
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
        "--isolator", 'resource/memory={"limit": "1G"}', "--base", "example.com/base",
        "--dependency", "example.com/lib:2,os=linux@sha512-" + "a" * 128,
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
            "isolators": [{"name": "resource/memory", "value": {"limit": "1G"}}],
        },
        "dependencies": [
            {"imageName": "example.com/base"},
            {
                "imageName": "example.com/lib",
                "imageID": "sha512-" + "a" * 128,
                "labels": [{"name": "version", "value": "2"}, {"name": "os", "value": "linux"}],
            },
        ],
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
    ["--mount=data"], ["--isolator=resource/memory"], ["--dependency=example.com/a,os"],
    # bytes that are not UTF-8, as Python has them
    ["--exec=/bin/caf\udce9"], ["--env=A=\udce9"], ["--label=version=\udcff"], ["--user=\udce9"],
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


@pytest.mark.parametrize("spelling", ["bin", "/bin", "./bin", "bin/", "./bin/"])
def test_exclude_takes_a_directory_as_it_is_spelt(tmp_path, layout, spelling):
    assert run(["aci-build", f"--exclude={spelling}", layout, tmp_path / "a.aci"]).status == 0
    listed = run(["aci-extract", "--list", tmp_path / "a.aci"]).out
    assert [line.split()[4] for line in listed.splitlines()] == [".", "hard", "link"]


@needs_root
def test_root_owned(tmp_path, layout):
    os.chown(layout / "rootfs/bin/app", 7, 8)
    run(["aci-build", "--root-owned", layout, tmp_path / "a.aci"])
    listed = run(["aci-extract", "--list", tmp_path / "a.aci"]).out
    assert {line.split()[1] for line in listed.splitlines()} == {"0/0"}


def test_an_isolator_that_is_no_json_is_refused_by_name(tmp_path, layout):
    fails(tmp_path, ["--name=example.com/a", "--isolator=resource/cpu={x}", "--from-dir",
                     layout / "rootfs"], 4, "the isolator resource/cpu: json: line 1")


# ---- of a tar of the root


def tar_of_root():
    return tar_bytes([
        entry("./", mtime=5), entry("./bin"), entry("./bin/app", "x" * 1000, mode=0o4755, uid=7),
        hardlink("./hard", "./bin/app"), symlink("./link", "bin/app"),
        entry("./cache"), entry("./cache/big", "y" * 600000),
    ])


@pytest.mark.parametrize("compression", ["none", "gzip", "xz"])
def test_a_tar_of_the_root_becomes_an_image(tmp_path, compression):
    result = run(["aci-build", "--name=example.com/a", "--from-tar=-", tmp_path / "a.aci"],
                 stdin=compress(tar_of_root(), compression))
    assert (result.status, result.err) == (0, "")
    assert run(["aci-validate", "--strict", tmp_path / "a.aci"]).status == 0
    assert [line.split()[:3] + line.split()[4:] for line in
            run(["aci-extract", "--list", tmp_path / "a.aci"]).out.splitlines()] == [
        ["drwxr-xr-x", "0/0", "0", "."],
        ["drwxr-xr-x", "0/0", "0", "bin"],
        ["-rwsr-xr-x", "7/0", "1000", "bin/app"],
        ["hrwxr-xr-x", "0/0", "0", "hard", "link", "to", "bin/app"],
        ["lrwxrwxrwx", "0/0", "0", "link", "->", "bin/app"],
        ["drwxr-xr-x", "0/0", "0", "cache"],
        ["-rw-r--r--", "0/0", "600000", "cache/big"],
    ]


def test_a_tar_and_its_directory_make_trees_that_are_the_same(tmp_path):
    (tmp_path / "root.tar").write_bytes(tar_of_root())
    assert run(["aci-build", "--name=example.com/a", "--from-tar", tmp_path / "root.tar",
                tmp_path / "a.aci"]).status == 0
    (tmp_path / "root").mkdir()
    subprocess.run(["tar", "-xpf", tmp_path / "root.tar", "-C", tmp_path / "root"], check=True)
    run(["aci-extract", "--rootfs-only", tmp_path / "a.aci", tmp_path / "out"])
    if os.geteuid() == 0:
        same_trees(tmp_path / "root", tmp_path / "out")


def test_a_sparse_file_in_a_tar_keeps_its_content(tmp_path):
    (tmp_path / "root").mkdir()
    with open(tmp_path / "root/sparse", "wb") as sparse:
        sparse.write(b"begin")
        sparse.seek(1 << 20)
        sparse.write(b"middle")
        sparse.truncate(3 << 20)
    for form in ("gnu", "posix"):
        tar = subprocess.run(["tar", "-S", f"--format={form}", "-cf", "-", "-C", tmp_path / "root",
                              "."], stdout=subprocess.PIPE, check=True).stdout
        assert len(tar) < 1 << 20
        assert run(["aci-build", "--name=example.com/a", "--from-tar=-", tmp_path / f"{form}.aci"],
                   stdin=tar).status == 0
        run(["aci-extract", tmp_path / f"{form}.aci", tmp_path / form])
        assert (tmp_path / form / "rootfs/sparse").read_bytes() == (
            tmp_path / "root/sparse").read_bytes()


def test_a_tar_without_an_entry_of_the_root_gets_one(tmp_path):
    result = run(["aci-build", "--name=example.com/a", "--from-tar=-", tmp_path / "a.aci"],
                 stdin=tar_bytes([entry("etc/motd", "x")]))
    assert result.status == 0
    assert run(["aci-validate", "--strict", tmp_path / "a.aci"]).status == 0


def test_exclude_and_owners_hold_for_tars_too(tmp_path):
    result = run(["aci-build", "--name=example.com/a", "--exclude=cache", "--root-owned",
                  "--from-tar=-", tmp_path / "a.aci"], stdin=tar_of_root(),
                 env={"SOURCE_DATE_EPOCH": "1"})
    assert result.status == 0
    listed = run(["aci-extract", "--list", tmp_path / "a.aci"]).out.splitlines()
    assert [line.split()[4] for line in listed] == [".", "bin", "bin/app", "hard", "link"]
    assert {line.split()[1] for line in listed} == {"0/0"}
    assert {line.split()[3] for line in listed} == {"1970-01-01T00:00:01Z"}


@pytest.mark.parametrize("pairs, words", [
    ([entry("a", "x"), entry("a", "y")], "twice"),
    ([entry("a", "x"), entry("./")], "the entry of the root comes after others"),
    ([entry("../a", "x")], ".."),
    ([hardlink("a", "b")], "not in the archive before it"),
], ids=lambda value: value.split()[0] if isinstance(value, str) else "")
def test_a_tar_that_makes_no_image_is_refused(tmp_path, pairs, words):
    (tmp_path / "root.tar").write_bytes(tar_bytes(pairs))
    fails(tmp_path, ["--name=example.com/a", "--from-tar", tmp_path / "root.tar"], 4, words)


def test_a_hard_link_to_what_is_left_out_is_refused(tmp_path):
    (tmp_path / "root.tar").write_bytes(tar_bytes([entry("etc/a", "x"), hardlink("b", "etc/a")]))
    for exclude in ("a", "etc"):
        fails(tmp_path, ["--name=example.com/a", "--from-tar", tmp_path / "root.tar", "--exclude", exclude], 1,
              "b is a hard link to etc/a, which is left out")
    result = run(["aci-build", "--name=example.com/a", "--from-tar", tmp_path / "root.tar", "--exclude=a",
                  "--exclude=b", tmp_path / "a.aci"])
    assert result.status == 0


def test_a_truncated_tar_is_refused(tmp_path):
    (tmp_path / "root.tar").write_bytes(tar_of_root()[:300000])
    fails(tmp_path, ["--name=example.com/a", "--from-tar", tmp_path / "root.tar"], 4, "truncated")


# ---- standard output, twice, signed


def test_standard_output_gets_the_image_and_standard_error_the_id(tmp_path, layout):
    run(["aci-build", layout, tmp_path / "a.aci"])
    id_ = run(["aci-hash", "--id", tmp_path / "a.aci"]).out.split()[0]
    with open(tmp_path / "piped.aci", "wb") as out:
        done = subprocess.run([tool("aci-build"), layout, "-"], stdout=out, stderr=subprocess.PIPE,
                              check=True)
    assert (tmp_path / "piped.aci").read_bytes() == (tmp_path / "a.aci").read_bytes()
    assert done.stderr.decode() == f"aci-build: {id_}\n"


def test_a_bad_image_does_not_reach_standard_output(tmp_path):
    result = run(["aci-build", "--name=example.com/a", "--from-tar=-", "-"],
                 stdin=tar_bytes([entry("a", "x"), entry("a", "y")]))
    assert (result.status, result.out) == (4, "")
    assert names_in(tmp_path) == []


def test_verify_reproducible_passes_what_does_not_change(tmp_path, layout):
    assert run(["aci-build", "--verify-reproducible", layout, tmp_path / "a.aci"]).status == 0
    assert names_in(tmp_path) == ["a.aci", "layout"]


def test_verify_reproducible_finds_what_changes(tmp_path, layout):
    """Somebody changes times while we build."""
    script = 'while :; do touch "$0"; done'
    for number in range(2000):  # so that a build takes a while
        (layout / f"rootfs/{number}").touch()
    busy = subprocess.Popen(["sh", "-c", script, layout / "rootfs/link"])
    try:
        fails(tmp_path, ["--verify-reproducible", layout], 1, "not reproducible: two builds differ")
    finally:
        busy.kill()
        busy.wait()


def test_verify_reproducible_cannot_read_a_pipe_twice(tmp_path):
    result = run(["aci-build", "--verify-reproducible", "--name=example.com/a", "--from-tar=-",
                  tmp_path / "a.aci"], stdin=tar_of_root())
    assert result.status == 2
    assert names_in(tmp_path) == []


@pytest.fixture
def gnupg_home(monkeypatch):
    """A keyring with one key, and nobody else's agent; short, as a socket lies in it."""
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    with tempfile.TemporaryDirectory(prefix="rkt-gpg.") as home:
        monkeypatch.setenv("GNUPGHOME", home)
        subprocess.run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key",
                        "builder@example.com", "rsa2048", "sign", "never"],
                       check=True, stderr=subprocess.DEVNULL)
        yield home
        subprocess.run(["gpgconf", "--kill", "all"], check=False)


def test_sign_makes_a_signature_that_gpg_accepts(tmp_path, layout, gnupg_home):
    assert gnupg_home
    result = run(["aci-build", "--sign=builder@example.com", layout, tmp_path / "a.aci"])
    assert (result.status, result.err) == (0, "")
    assert names_in(tmp_path) == ["a.aci", "a.aci.asc", "layout"]
    assert (tmp_path / "a.aci.asc").read_text().startswith("-----BEGIN PGP SIGNATURE-----\n")
    subprocess.run(["gpg", "--batch", "--verify", tmp_path / "a.aci.asc", tmp_path / "a.aci"],
                   check=True, stderr=subprocess.DEVNULL)


def test_an_unknown_key_leaves_neither_image_nor_signature(tmp_path, layout, gnupg_home):
    assert gnupg_home
    result = run(["aci-build", "--sign=nobody@example.com", layout, tmp_path / "a.aci"])
    assert result.status == 1
    assert "signing with nobody@example.com: gpg ended with status 2" in result.err
    assert names_in(tmp_path) == ["layout"]


def test_sign_without_gpg_says_what_is_missing(tmp_path, layout):
    result = run(["aci-build", "--sign=x", layout, tmp_path / "a.aci"], env={"PATH": tmp_path})
    one_line(result, 1, "gpg is not installed")
    assert names_in(tmp_path) == ["layout"]


def test_an_existing_signature_is_kept_and_no_image_appears(tmp_path, layout, gnupg_home):
    assert gnupg_home
    (tmp_path / "a.aci.asc").write_text("mine")
    result = run(["aci-build", "--sign=builder@example.com", layout, tmp_path / "a.aci"])
    one_line(result, 1, "a.aci.asc: it exists")
    assert names_in(tmp_path) == ["a.aci.asc", "layout"]


def test_no_signature_stays_when_the_image_cannot_appear(tmp_path, layout, gnupg_home):
    """Somebody else makes the image's file while gpg works: gpg here is what makes it."""
    assert gnupg_home
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "gpg").write_text(f'#!/bin/sh\necho mine >{tmp_path}/a.aci\nexec {shutil.which("gpg")} "$@"\n')
    (bin_ / "gpg").chmod(0o755)
    result = run(["aci-build", "--sign=builder@example.com", layout, tmp_path / "a.aci"],
                 env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"})
    one_line(result, 1, "it exists")
    assert names_in(tmp_path) == ["a.aci", "bin", "layout"]
    assert (tmp_path / "a.aci").read_text() == "mine\n"


def test_a_signature_needs_a_name_beside_which_it_can_stand(layout):
    result = run(["aci-build", "--sign=builder@example.com", layout, "-"])
    assert (result.status, result.out) == (2, "")
    assert "--sign needs a name" in result.err


def test_actool_accepts_the_image(tmp_path, layout):
    if not shutil.which("actool"):
        pytest.skip("actool is not installed")
    run(["aci-build", layout, tmp_path / "a.aci"])
    subprocess.run(["actool", "validate", tmp_path / "a.aci"], check=True)


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


def test_nor_does_it_replace_what_is_no_file(tmp_path, layout):
    os.mkfifo(tmp_path / "a.aci")
    fails(tmp_path, ["--overwrite", layout], 1, "it is a FIFO, not a file")
    (tmp_path / "a.aci").unlink()
    (tmp_path / "a.aci").symlink_to("/dev/full")
    fails(tmp_path, ["--overwrite", layout], 1, "it is a device, not a file")
    assert (tmp_path / "a.aci").is_symlink()


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


@only_x86_64
@pytest.mark.parametrize("options", [[], ["--overwrite"]], ids=["new", "overwrite"])
def test_a_file_system_without_nameless_files_will_do(tmp_path, layout, options):
    if options:
        (tmp_path / "a.aci").write_text("mine")
    result = run(["aci-build", *options, layout, tmp_path / "a.aci"], preexec_fn=without_tmpfile)
    assert result.status == 0, result
    assert run(["aci-validate", tmp_path / "a.aci"]).status == 0
    assert names_in(tmp_path) == ["a.aci", "layout"]


@only_x86_64
def test_a_failure_leaves_nothing_there_either(tmp_path, layout):
    (layout / "rootfs/bin/again").mkdir()
    result = run(["aci-build", "--name=example.com/a", "--from-tar=-", tmp_path / "a.aci"],
                 stdin=tar_bytes([entry("a", "x"), entry("a", "y")]), preexec_fn=without_tmpfile)
    assert result.status == 4
    assert names_in(tmp_path) == ["layout"]


@only_x86_64
def test_a_file_that_came_meanwhile_is_kept_there_too(tmp_path, layout):
    """Between the first look and the end somebody else makes the file."""
    os.mkfifo(tmp_path / "pipe")
    build = subprocess.Popen(
        [tool("aci-build"), "--name=example.com/a", "--from-tar", tmp_path / "pipe",
         tmp_path / "a.aci"], stderr=subprocess.PIPE, preexec_fn=without_tmpfile)
    with open(tmp_path / "pipe", "wb") as pipe:
        (tmp_path / "a.aci").write_text("mine")
        pipe.write(tar_of_root())
    assert "it exists" in build.communicate()[1].decode()
    assert build.returncode == 1
    assert (tmp_path / "a.aci").read_text() == "mine"
    assert names_in(tmp_path) == ["a.aci", "layout", "pipe"]
    assert layout.is_dir()


def test_the_usual_mode_is_given(tmp_path, layout):
    run(["sh", "-c", 'umask 027; exec "$0" "$1" "$2"', tool("aci-build"), layout, tmp_path / "a.aci"])
    assert (tmp_path / "a.aci").stat().st_mode & 0o7777 == 0o640


def test_closed_standard_input_does_not_matter(tmp_path, layout):
    result = run(["sh", "-c", 'exec "$0" "$1" "$2" <&-', tool("aci-build"), layout, tmp_path / "a.aci"])
    assert result.status == 0
