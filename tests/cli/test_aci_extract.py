"""aci-extract: everything is kept, nothing outside is touched, and it is whole or nothing."""

import errno
import gzip
import hashlib
import json
import os
import resource
import subprocess
import tarfile

import pytest
from acilib import (Canary, as_nobody, on_small_disk, one_line, only_x86_64,  # noqa: F401
                    public_dir, same_trees, without_openat2)
from conftest import (busybox_entries, entry, hardlink, make_aci, manifest, needs_root, run, run_failing,
                      symlink, tool)


@pytest.fixture
def aci(tmp_path):
    return make_aci(tmp_path / "a.aci", [entry("rootfs/etc"), entry("rootfs/etc/motd", "hello\n")])


def id_of(aci):
    return "sha256-" + hashlib.sha256(gzip.decompress(aci.read_bytes())).hexdigest()


def names_in(path):
    return sorted(os.listdir(path))


def test_manifest_and_rootfs_appear(tmp_path, aci):
    result = run(["aci-extract", aci, tmp_path / "out"])
    said = "" if os.geteuid() == 0 else "aci-extract: 3 of 3 entries belong to you, not to the owner in the image\n"
    assert (result.status, result.out, result.err) == (0, "", said)
    assert json.loads((tmp_path / "out/manifest").read_text()) == manifest()
    assert (tmp_path / "out/rootfs/etc/motd").read_text() == "hello\n"
    assert names_in(tmp_path) == ["a.aci", "out"]


def test_rootfs_only(tmp_path, aci):
    assert run(["aci-extract", "--rootfs-only", aci, tmp_path / "out"]).status == 0
    assert names_in(tmp_path / "out") == ["etc"]


def test_from_standard_input(tmp_path, aci):
    result = run(["aci-extract", "-", tmp_path / "out"], stdin=aci.read_bytes())
    assert result.status == 0
    assert (tmp_path / "out/rootfs/etc/motd").read_text() == "hello\n"


def test_a_trailing_slash_names_the_same_place(tmp_path, aci):
    assert run(["aci-extract", aci, f"{tmp_path}/out/"]).status == 0
    assert names_in(tmp_path / "out") == ["manifest", "rootfs"]


@needs_root
def test_the_tree_is_the_one_gnu_tar_makes(tmp_path):
    """S-010: setuid and setgid bits and file capabilities survive, as everything else."""
    entries = busybox_entries() + [
        entry("rootfs/bin/su", "x", mode=0o4755, uid=7, gid=8),
        entry("rootfs/big-ids", "x", uid=4294967294, gid=3000000),
        entry("rootfs/nano", "x", pax_headers={"mtime": "1418290200.123456789"}),
        entry("rootfs/before", "x", pax_headers={"mtime": "-1.5"}),
        entry("rootfs/locked", mode=0),
        entry("rootfs/locked/file", "x", mode=0),
        entry("rootfs/cap", "x", mode=0o755, pax_headers={
            "SCHILY.xattr.security.capability": "\x01\0\0\x02\0\x20" + 14 * "\0",
            "SCHILY.xattr.user.note": "hi"}),
        entry("rootfs/" + "long/" * 60 + "name", "x"),
        hardlink("rootfs/link", "rootfs/cap"),
        symlink("rootfs/absolute", "/etc/passwd"),
        entry("rootfs/sgid", mode=0o2775, gid=8),
        entry("rootfs/acl", mode=0o755, pax_headers={
            "SCHILY.acl.default": "user::rwx,user:7:rwx:7,group::r-x,mask::rwx,other::---"}),
        entry("rootfs/acl/file", "x", mode=0o664, pax_headers={
            "SCHILY.acl.access": "user::rw-,user:7:rw-:7,group::r--,mask::rw-,other::r--"}),
        entry("rootfs/\udcff\n", "x"),
        entry("rootfs/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("rootfs/pipe", type=tarfile.FIFOTYPE, mode=0o600),
    ]
    aci = make_aci(tmp_path / "a.aci", entries, compression="none")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir(mode=0o700)
    subprocess.run(
        ["tar", "--acls", "--xattrs", "--xattrs-include=*", "--numeric-owner",
         "--delay-directory-restore", "-xpf", aci,
         "-C", tmp_path / "theirs"], check=True, stderr=subprocess.DEVNULL)
    assert run(["aci-extract", "--devices", aci, tmp_path / "ours/out"]).status == 0
    implied = "rootfs/" + "long/" * 60  # whose times nobody says
    for name in ("theirs", "ours/out"):
        path = implied
        while path:
            os.utime(tmp_path / name / path, (5, 5))
            path = path.rstrip("/").rpartition("/")[0].rstrip("/")
    same_trees(tmp_path / "theirs/rootfs", tmp_path / "ours/out/rootfs")


# ---- only looking


def test_manifest_is_printed_as_it_stands(tmp_path):
    text = json.dumps(manifest(), indent=7) + "\n\n"
    aci = make_aci(tmp_path / "a.aci", manifest_=text)
    result = run(["aci-extract", "--manifest", aci])
    assert (result.status, result.out) == (0, text)
    assert names_in(tmp_path) == ["a.aci"]


def test_list_shows_escaped_names_and_links(tmp_path):
    """S-013"""
    aci = make_aci(tmp_path / "a.aci", [
        entry("rootfs/s", "abc", mode=0o4755, uid=1, gid=2),
        hardlink("rootfs/h", "rootfs/s"),
        symlink("rootfs/l\x1b", "a\nb"),
    ])
    result = run(["aci-extract", "--list", aci])
    assert result.status == 0
    assert result.out == (
        "drwxr-xr-x 0/0          0 2014-12-11T09:30:00Z .\n"
        "-rwsr-xr-x 1/2          3 2014-12-11T09:30:00Z s\n"
        "hrwxr-xr-x 0/0          0 2014-12-11T09:30:00Z h link to s\n"
        "lrwxrwxrwx 0/0          0 2014-12-11T09:30:00Z l\\x1b -> a\\nb\n"
    )


DRIVING = "a\n\x1b[2J\u202eb\udcff"


def test_names_that_drive_terminals_are_stored_as_they_are_and_shown_escaped(tmp_path):
    """S-013"""
    aci = make_aci(tmp_path / "a.aci", [entry(f"rootfs/{DRIVING}", "x")])
    assert run(["aci-extract", "--rootfs-only", aci, tmp_path / "out"]).status == 0
    assert names_in(tmp_path / "out") == [DRIVING]
    aci = make_aci(tmp_path / "b.aci", 2 * [entry(f"rootfs/{DRIVING}", "x")])
    result = one_line(run(["aci-extract", aci, tmp_path / "bad"]), 4, "twice")
    shown = r"a\n\x1b[2J\xe2\x80\xaeb\xff"
    assert shown in result.err
    assert shown in run(["aci-extract", "--list", tmp_path / "a.aci"]).out


def test_manifest_of_a_bad_image_is_not_printed(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", ""), entry("rootfs/a", "")])
    assert one_line(run(["aci-extract", "--manifest", aci]), 4, "twice").out == ""


# ---- --verify


@pytest.mark.parametrize("prefix", ["sha256", "sha512"])
def test_verify_accepts_the_right_id(tmp_path, aci, prefix):
    digest = hashlib.new(prefix, gzip.decompress(aci.read_bytes())).hexdigest()
    assert run(["aci-extract", "--verify", f"{prefix}-{digest}", aci, tmp_path / "out"]).status == 0
    assert (tmp_path / "out/manifest").exists()


def test_verify_refuses_another_image_before_anything_appears(tmp_path, aci):
    args = ["aci-extract", "--verify", "sha256-" + "0" * 64, aci, tmp_path / "out"]
    one_line(run(args), 4, f"its digest is {id_of(aci)[7:]}, not that of --verify")
    assert names_in(tmp_path) == ["a.aci"]


@pytest.mark.parametrize("id_", ["sha256-12345678", "12345678", "sha512-" + "0" * 64, "x"])
def test_verify_needs_a_whole_id(tmp_path, aci, id_):
    result = run(["aci-extract", "--verify", id_, aci, tmp_path / "out"])
    assert result.status == 2
    assert "whole image ID" in result.err


def test_verify_works_without_extracting(aci):
    assert run(["aci-extract", "--manifest", "--verify", id_of(aci), aci]).status == 0
    one_line(run(["aci-extract", "--list", "--verify", "sha256-" + "0" * 64, aci]), 4, "digest")


# ---- whole or nothing (S-003)


def fails(tmp_path, aci, status, words, *options):
    """Extraction to out fails in one line and leaves nothing."""
    before = names_in(tmp_path)
    result = one_line(run(["aci-extract", *options, aci, tmp_path / "out"]), status, words)
    assert names_in(tmp_path) == before
    return result


def test_truncated_gzip_leaves_nothing(tmp_path, aci):
    aci.write_bytes(aci.read_bytes()[:-20])
    fails(tmp_path, aci, 4, "gzip")


def test_what_is_no_archive_leaves_nothing(tmp_path, aci):
    aci.write_bytes(b"hello, world\n" * 1000)
    fails(tmp_path, aci, 4, "tar")


def test_a_missing_manifest_leaves_nothing(tmp_path, aci):
    subprocess.run(["tar", "-cf", aci, "-C", tmp_path, "--transform=s,.*,rootfs,", "a.aci"],
                   check=False, stderr=subprocess.DEVNULL)
    with tarfile.open(aci, "w") as archive:
        archive.addfile(entry("rootfs")[0])
    fails(tmp_path, aci, 4, "the image has no manifest")


def test_wrong_json_leaves_nothing(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", "x")], manifest_="{nonsense")
    fails(tmp_path, aci, 4, "line 1")


def test_a_missing_file_is_3(tmp_path):
    fails(tmp_path, tmp_path / "none", 3, "no such file")


def test_a_missing_parent_is_3(tmp_path, aci):
    one_line(run(["aci-extract", aci, tmp_path / "none/out"]), 3, "no such directory")


def test_an_existing_directory_is_kept(tmp_path, aci):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    fails(tmp_path, aci, 1, "exists and is not empty")
    assert (tmp_path / "out/mine").read_text() == "mine"


def test_an_existing_file_is_kept(tmp_path, aci):
    (tmp_path / "out").write_text("mine")
    fails(tmp_path, aci, 1, "exists and is not a directory")
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_directory_is_filled(tmp_path, aci):
    (tmp_path / "out").mkdir()
    assert run(["aci-extract", aci, tmp_path / "out"]).status == 0
    assert names_in(tmp_path / "out") == ["manifest", "rootfs"]


@pytest.mark.parametrize("to", [".", "..", "/", "x/.."])
def test_a_place_without_a_name_is_a_usage_error(tmp_path, aci, to):
    result = run(["aci-extract", aci, to], cwd=tmp_path)
    assert result.status == 2
    assert names_in(tmp_path) == ["a.aci"]


@needs_root
def test_a_full_disk_leaves_nothing(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/big", b"x" * 4000000)])
    script = '"$1" "$2" out; echo status $?; ls -A'
    result = on_small_disk("1m", script, tool("aci-extract"), aci)
    assert result.out == "status 1\n"
    assert "extracting big: write: No space left on device" in result.err


@needs_root
@pytest.mark.parametrize("mount", ["-t tmpfs small", "--bind other"])
def test_a_mount_point_cannot_be_replaced(tmp_path, aci, mount):
    (tmp_path / "out").mkdir()
    (tmp_path / "other").mkdir()
    script = f'mount {mount} out && "$0" a.aci out; echo $?; ls -A . out; "$0" a.aci out/in && ls out'
    result = run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, tool("aci-extract")], cwd=tmp_path)
    assert result.out.split() == ["1", ".:", "a.aci", "other", "out", "out:", "in"], result
    one_line(result, 0, "extracting to out: it is a mount point: name a directory in it")


@pytest.mark.parametrize("limit", range(5, 20))
def test_too_few_descriptors_leave_nothing(tmp_path, limit):
    """S-042: what was there when they ran out is removed all the same."""
    deep = ["rootfs/" + "/".join(["d"] * depth) for depth in range(1, 5)]
    make_aci(tmp_path / "a.aci", [pair for path in deep for pair in (entry(path), entry(path + "/f", "x"))])
    result = run(["aci-extract", "a.aci", "out"], cwd=tmp_path,
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
    if result.status == 0:
        assert names_in(tmp_path) == ["a.aci", "out"]
        return
    one_line(result, 1, "Too many open files")
    assert names_in(tmp_path) == ["a.aci"]


def test_a_file_system_that_can_only_replace_is_left_clean(tmp_path):
    """Without RENAME_NOREPLACE, as NFS. Some names are those that removing gives."""
    entries = [entry("rootfs/" + "/".join(["d"] * depth)) for depth in range(1, 6)]
    entries += [entry("rootfs/d/d/d/d/d/f", "x"), entry("rootfs/.removing-1", "x"), entry("rootfs/d/.removing-0"),
                entry("rootfs/d/.removing-2"), entry("rootfs/d/.removing-2/f", "x")]
    make_aci(tmp_path / "a.aci", [*entries, entry("rootfs/bad", type=tarfile.FIFOTYPE)])
    result = run_failing([tool("aci-extract"), tmp_path / "a.aci", tmp_path / "out"], "renameat2:error=EINVAL")
    one_line(result, 4, "bad: is a FIFO")
    assert names_in(tmp_path) == ["a.aci"]


def test_no_permission_leaves_nothing(public_dir):
    make_aci(public_dir / "a.aci")
    result = as_nobody(public_dir, ["aci-extract", "a.aci", "out"])
    if os.geteuid() != 0:
        pytest.skip("the directory is our own")
    one_line(result, 1, "Permission denied")


def test_closed_standard_input_leaves_nothing(tmp_path):
    result = run(["sh", "-c", 'exec "$0" - out <&-', tool("aci-extract")], cwd=tmp_path)
    one_line(result, 4, "empty")
    assert names_in(tmp_path) == []


# ---- a part of the files

PARTS = [
    entry("rootfs/etc", mode=0o711, mtime=7), entry("rootfs/etc/motd", "m"),
    entry("rootfs/etc/a.bak", "m"),
    entry("rootfs/usr", mode=0o750, mtime=8), entry("rootfs/usr/share"),
    entry("rootfs/usr/share/doc"), entry("rootfs/usr/share/doc/x", "x"),
    entry("rootfs/var/motd", "v"), entry("rootfs/empty"),
    entry("rootfs/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
]


def paths_below(path):
    return sorted(str(below.relative_to(path)) for below in path.rglob("*"))


@pytest.mark.parametrize("options, expected", [
    (["--include=etc"], ["etc", "etc/a.bak", "etc/motd"]),
    (["--include=etc", "--exclude=*.bak"], ["etc", "etc/motd"]),
    (["--include=/etc/mo*"], ["etc", "etc/motd"]),
    (["--include=motd"], ["etc", "etc/motd", "var", "var/motd"]),
    (["--include=/motd"], []),
    (["--include=etc/", "--exclude=./etc/motd"], ["etc", "etc/a.bak"]),
    (["--include=usr/share/doc", "--include=empty"],
     ["empty", "usr", "usr/share", "usr/share/doc", "usr/share/doc/x"]),
    (["--exclude=null", "--exclude=usr", "--exclude=/var"],
     ["empty", "etc", "etc/a.bak", "etc/motd"]),
    (["--exclude=usr/*", "--exclude=null", "--exclude=motd"],
     ["empty", "etc", "etc/a.bak", "usr"]),
], ids=" ".join)
def test_include_and_exclude_choose(tmp_path, options, expected):
    aci = make_aci(tmp_path / "a.aci", PARTS)
    result = run(["aci-extract", "--rootfs-only", *options, aci, tmp_path / "out"])
    assert result.status == 0, result
    assert paths_below(tmp_path / "out") == expected
    listed = run(["aci-extract", "--list", *options, aci]).out.splitlines()
    chosen = {line.split()[4] for line in listed} - {"."}
    assert chosen <= set(expected)
    assert {path for path in expected if (tmp_path / "out" / path).is_file()} <= chosen


def test_directories_on_the_way_are_those_of_the_image(tmp_path):
    aci = make_aci(tmp_path / "a.aci", PARTS)
    run(["aci-extract", "--rootfs-only", "--include=usr/share/doc/x", aci, tmp_path / "out"])
    st = (tmp_path / "out/usr").stat()
    assert (st.st_mode & 0o7777, st.st_mtime) == (0o750, 8)


@pytest.mark.parametrize("later", [[], [entry("rootfs/a/b")], [entry("rootfs/a/b"), entry("rootfs/a")]],
                         ids=["none", "one", "both"])
def test_directories_that_led_nowhere_are_gone_whenever_they_got_an_entry(tmp_path, later):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a/b/c"), *later, entry("rootfs/x", "")])
    result = run(["aci-extract", "--rootfs-only", "--include=x", aci, tmp_path / "out"])
    assert result.status == 0, result
    assert paths_below(tmp_path / "out") == ["x"]


def test_what_is_left_out_is_checked_all_the_same(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", "x"), entry("rootfs/b", ""),
                                        entry("rootfs/b", "")])
    fails(tmp_path, aci, 4, "twice", "--include=a")


def test_verify_counts_what_is_left_out(tmp_path):
    aci = make_aci(tmp_path / "a.aci", PARTS)
    assert run(["aci-extract", "--include=etc", "--verify", id_of(aci), aci,
                tmp_path / "out"]).status == 0


def test_a_hard_link_to_what_is_left_out_says_so(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", "x"), hardlink("rootfs/b", "rootfs/a")])
    fails(tmp_path, aci, 1, "b: is a hard link to a, which is left out", "--include=b")
    assert run(["aci-extract", "--include=a", aci, tmp_path / "out"]).status == 0


def test_a_symlink_on_the_way_to_what_is_chosen_is_replaced(tmp_path):
    """S-002, where the link itself is left out"""
    canary = Canary(tmp_path / "canary")
    aci = make_aci(tmp_path / "a.aci", [symlink("rootfs/l", str(canary.path)),
                                        entry("rootfs/l/file", "x")])
    assert run(["aci-extract", "--include=l/file", aci, tmp_path / "out"]).status == 0
    assert (tmp_path / "out/rootfs/l/file").read_text() == "x"
    canary.assert_untouched()


# ---- ordinary users


def test_ordinary_users_get_a_useful_tree_and_a_word(public_dir):
    make_aci(public_dir / "a.aci", [
        entry("rootfs/su", "x", mode=0o6755, uid=7),
        entry("rootfs/locked", mode=0o500),
        entry("rootfs/locked/file", "x", mode=0o400),
        symlink("rootfs/l", "x"),
    ])
    (public_dir / "home").mkdir()
    if os.geteuid() == 0:
        os.chown(public_dir / "home", 65534, 65534)
    result = as_nobody(public_dir, ["aci-extract", "a.aci", "home/out"])
    assert result.status == 0
    assert "belong to you" in result.err
    assert (public_dir / "home/out/rootfs/su").stat().st_mode & 0o7777 == 0o755
    assert (public_dir / "home/out/rootfs/locked").stat().st_mode & 0o7777 == 0o500


def test_times_that_the_file_system_has_not_are_told(tmp_path):
    far = 2 ** 34 + 5  # beyond 2446, where ext4 ends
    (tmp_path / "probe").write_text("")
    os.utime(tmp_path / "probe", (far, far))
    if os.stat(tmp_path / "probe").st_mtime == far:
        pytest.skip("this file system has them")
    make_aci(tmp_path / "a.aci", [
        entry("rootfs/d", mtime=far), entry("rootfs/f", "x", mtime=far),
        entry("rootfs/l", type=tarfile.SYMTYPE, linkname="f", mtime=far),
        entry("rootfs/1901", "", mtime=-2 ** 31), entry("rootfs/2106", "", mtime=2 ** 32)])
    result = run(["aci-extract", tmp_path / "a.aci", tmp_path / "out"])
    assert result.status == 0
    assert "no number for the times of 3 files, which got others" in result.err


def takes_large_attributes(path):
    path.write_text("")
    try:
        os.setxattr(path, "user.large", b"v" * 5000)
    except OSError as error:
        return error.errno not in (errno.ENOSPC, errno.E2BIG)
    return True


def test_an_attribute_too_large_for_the_file_system_is_told_from_a_full_disk(tmp_path):
    """ext4 has one block for all of a file, and says ENOSPC of more."""
    if takes_large_attributes(tmp_path / "probe"):
        pytest.skip("this file system takes them")
    make_aci(tmp_path / "a.aci", [entry("rootfs/f", "x", pax_headers={
        "SCHILY.xattr.user.large": "v" * 5000})])
    one_line(run(["aci-extract", tmp_path / "a.aci", tmp_path / "out"]), 1,
             "attribute user.large of 5000 bytes, more than this file system keeps with a file")
    assert not (tmp_path / "out").exists()


def test_ordinary_users_keep_acls_and_hear_of_what_they_lose(public_dir):
    make_aci(public_dir / "a.aci", [
        entry("rootfs/f", "x", mode=0o664, pax_headers={
            "SCHILY.acl.access":
                "user::rw-,user:7:rw-:7,user:alice:rwx,group::r--,mask::rw-,other::r--",
            "SCHILY.xattr.security.capability": "\x01\0\0\x02\0\x20" + 14 * "\0"}),
    ])
    (public_dir / "home").mkdir()
    if os.geteuid() == 0:
        os.chown(public_dir / "home", 65534, 65534)
    result = as_nobody(public_dir, ["aci-extract", "a.aci", "home/out"])
    assert result.status == 0
    assert "1 entries of ACLs name a user or group without a number" in result.err
    assert "1 extended attribute or ACL could not be kept" in result.err
    acl = os.getxattr(public_dir / "home/out/rootfs/f", "system.posix_acl_access")
    assert acl.hex() == ("02000000" "01000600ffffffff" "0200060007000000" "04000400ffffffff"
                         "10000600ffffffff" "20000400ffffffff")


def test_ordinary_users_leave_no_locked_directory_behind(public_dir):
    make_aci(public_dir / "a.aci", [
        entry("rootfs/locked", mode=0),
        entry("rootfs/locked/file", "x"),
        entry("rootfs/locked/file", "x"),
    ])
    (public_dir / "home").mkdir()
    if os.geteuid() == 0:
        os.chown(public_dir / "home", 65534, 65534)
    one_line(as_nobody(public_dir, ["aci-extract", "a.aci", "home/out"]), 4, "twice")
    assert names_in(public_dir / "home") == []


@needs_root
def test_no_same_owner_is_for_root_too(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/f", "x", mode=0o4755, uid=7, gid=7)])
    assert run(["aci-extract", "--no-same-owner", aci, tmp_path / "out"]).status == 0
    st = (tmp_path / "out/rootfs/f").stat()
    assert (st.st_uid, st.st_gid, st.st_mode & 0o7777) == (0, 0, 0o755)


# ---- hostile archives (S-001, S-002, S-008, S-009): canaries outside stay as they are

ABSOLUTE = "CANARY"  # becomes the absolute path of the canary

HOSTILE = {
    "dotdot": [entry("rootfs/../../canary/file", "x")],
    "dotdot-only": [entry("../canary/file", "x")],
    "absolute-name": [entry("CANARY/file", "x")],
    "hardlink-outside": [hardlink("rootfs/h", "../canary/file")],
    "hardlink-absolute": [hardlink("rootfs/h", "CANARY/file")],
    "hardlink-through-symlink": [
        symlink("rootfs/l", "CANARY"), hardlink("rootfs/h", "rootfs/l/file"),
    ],
    "hardlink-to-symlink": [
        symlink("rootfs/l", "CANARY/file"), hardlink("rootfs/h", "rootfs/l"),
    ],
    "file-over-symlink": [symlink("rootfs/l", "CANARY/file"), entry("rootfs/l", "x")],
    "dir-over-symlink": [
        symlink("rootfs/l", "CANARY/dir"), entry("rootfs/l", mode=0o700), entry("rootfs/l/file", "x"),
    ],
    "rootfs-is-symlink": [symlink("./rootfs", "CANARY"), entry("rootfs/file", "x")],
    "device": [entry("rootfs/d", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "fifo": [entry("rootfs/p", type=tarfile.FIFOTYPE)],
}

TAMED = {
    "file-through-symlink": [symlink("rootfs/l", "CANARY"), entry("rootfs/l/file", "x")],
    "file-through-relative-symlink": [
        symlink("rootfs/l", "../../canary"), entry("rootfs/l/file", "x"),
    ],
    "dir-through-symlink": [
        symlink("rootfs/l", "CANARY"), entry("rootfs/l/dir", mode=0o777), entry("rootfs/l/dir/file", "x"),
    ],
    "symlink-chain": [
        symlink("rootfs/a", "b"), symlink("rootfs/b", "CANARY"), entry("rootfs/a/file", "x"),
    ],
    "dangling-symlinks": [symlink("rootfs/a", "CANARY/new"), symlink("rootfs/b", "/")],
}


def place_canary(pairs, canary):
    """The entries with the path of the canary in place."""
    for info, data in pairs:
        copy = tarfile.TarInfo.frombuf(info.tobuf(), "utf-8", "surrogateescape")
        copy.name = copy.name.replace("CANARY", str(canary.path))
        copy.linkname = copy.linkname.replace("CANARY", str(canary.path))
        yield copy, data


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_and_touch_nothing(tmp_path, name):
    canary = Canary(tmp_path / "canary")
    aci = make_aci(tmp_path / "a.aci", place_canary(HOSTILE[name], canary))
    result = run(["aci-extract", aci, tmp_path / "out"])
    one_line(result, 4, "aci-extract: ")
    canary.assert_untouched()
    assert names_in(tmp_path) == ["a.aci", "canary"]


@pytest.mark.parametrize("name", TAMED)
def test_symlinks_are_replaced_and_what_they_point_at_is_untouched(tmp_path, name):
    canary = Canary(tmp_path / "canary")
    aci = make_aci(tmp_path / "a.aci", place_canary(TAMED[name], canary))
    assert run(["aci-extract", aci, tmp_path / "out"]).status == 0
    canary.assert_untouched()


# ---- a kernel without openat2(2) (S-001)


def outcome(tmp_path, name, pairs, **more):
    """What became of an extraction, in words without paths, and where the tree is."""
    canary = Canary(tmp_path / f"{name}/canary")
    aci = make_aci(tmp_path / f"{name}/a.aci", place_canary(pairs, canary))
    out = tmp_path / f"{name}/out"
    result = run(["aci-extract", aci, out], **more)
    canary.assert_untouched()
    assert names_in(tmp_path / name) == (
        ["a.aci", "canary", "out"] if result.status == 0 else ["a.aci", "canary"])
    return (result.status, result.out, result.err.replace(str(tmp_path / name), "")), out


@only_x86_64
def test_the_filter_takes_openat2_away():
    code = "import ctypes; print(ctypes.CDLL(None, use_errno=True).syscall(437), ctypes.get_errno())"
    assert run(["/usr/bin/python3", "-c", code], preexec_fn=without_openat2).out == "-1 38\n"


@only_x86_64
@pytest.mark.parametrize("name", [*HOSTILE, *TAMED])
def test_without_openat2_everything_is_the_same(tmp_path, name):
    pairs = {**HOSTILE, **TAMED}[name]
    with_it, left = outcome(tmp_path, "with", pairs)
    without, right = outcome(tmp_path, "without", pairs, preexec_fn=without_openat2)
    assert with_it == without
    if with_it[0] == 0:
        assert paths_below(left) == paths_below(right)


@only_x86_64
def test_without_openat2_a_tree_is_the_same(tmp_path):
    aci = make_aci(tmp_path / "a.aci", busybox_entries() + [
        entry("rootfs/" + "long/" * 60 + "name", "x"), hardlink("rootfs/h", "rootfs/bin/busybox"),
        entry("rootfs/locked", mode=0o500), entry("rootfs/locked/file", "x"),
    ])
    assert run(["aci-extract", aci, tmp_path / "with"]).status == 0
    assert run(["aci-extract", aci, tmp_path / "without"], preexec_fn=without_openat2).status == 0
    for name in ("with", "without"):
        path = "rootfs/" + "long/" * 60  # whose times nobody says
        while path:
            os.utime(tmp_path / name / path, (5, 5))
            path = path.rstrip("/").rpartition("/")[0].rstrip("/")
    same_trees(tmp_path / "with/rootfs", tmp_path / "without/rootfs")


def test_both_operands_are_needed(aci):
    assert run(["aci-extract", aci]).status == 2
    assert run(["aci-extract", "--list", aci, "out"]).status == 2
    assert run(["aci-extract", "--list", "--manifest", aci]).status == 2
