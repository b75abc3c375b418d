"""rkt-store render: the tree of an image, mounted where the kernel can, else extracted."""

import json
import os
import pathlib
import subprocess
import tarfile

import pytest
from acilib import only_x86_64, without_tmpfile
from conftest import busybox_entries, entry, hardlink, needs_erofs, needs_root, run, symlink, tool
from storelib import (
    add,
    as_nobody,
    assert_one_line,
    blob_path,
    content_offset,
    flip,
    image_tar,
    info,
    mounts_below,
    open_dir,
    own_mounts,
    store,
    write,
)

assert open_dir and own_mounts  # fixtures

MORE = [
    entry("rootfs/bin"),
    entry("rootfs/bin/program", "text" * 5000, mode=0o4755),
    hardlink("rootfs/bin/other", "rootfs/bin/program"),
    symlink("rootfs/link", "bin/program"),
    entry("rootfs/owned", "x", uid=1234, gid=5678, mode=0o640, mtime=1234567890.5),
    entry("rootfs/closed", mode=0o555),
    entry("rootfs/closed/inside", "x"),
    entry("rootfs/fifo", type=tarfile.FIFOTYPE),
    entry("rootfs/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
]


@pytest.fixture
def image(data_dir, tmp_path, own_mounts):
    return add(write(tmp_path / "a.aci", image_tar(more=MORE)))


def render(*args):
    result = store("render", "--json", *args)
    assert result.status == 0, result
    return json.loads(result.out)


def listing(root):
    """Path, type, mode, owner, time, links, size or target, and content of everything below ROOT."""
    found = {}
    for path in sorted(pathlib.Path(root).rglob("*")):
        st = path.lstat()
        facts = [st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, st.st_rdev]
        if path.is_symlink():
            facts.append(os.readlink(path))
        elif path.is_file():
            facts += [st.st_nlink, path.read_bytes()]
        found[str(path.relative_to(root))] = facts
    return found


@only_x86_64
@needs_erofs
def test_a_file_system_without_nameless_files_will_do(image, data_dir):
    result = store("render", image, preexec_fn=without_tmpfile)
    assert (result.status, result.err) == (0, "") and "\nform: erofs\n" in result.out, result
    assert os.listdir(data_dir / "cas/tmp") == []


@needs_erofs
def test_auto_mounts_erofs_and_says_so(image, data_dir):
    tree = render(image)
    assert tree["form"] == "erofs" and tree["noErofsBecause"] is None
    assert tree["path"] == f"{data_dir}/cas/mnt/{image}"
    assert mounts_below(data_dir) == [tree["path"]]
    assert info(image)["mounted"] is True
    text = store("render", image).out
    assert text == f"id: {image}\nform: erofs\npath: {tree['path']}\n"


@needs_erofs
def test_both_forms_show_the_same_tree(image):
    mounted, extracted = render("--form=erofs", image), render("--form=extracted", image)
    assert extracted["form"] == "extracted"
    assert listing(mounted["path"]) == listing(extracted["path"])
    assert "bin/program" in listing(mounted["path"])


@needs_erofs
def test_tree_is_mounted_once_however_often_it_is_wanted(image, data_dir):
    children = [
        subprocess.Popen([tool("rkt-store"), "render", image], stdout=subprocess.DEVNULL)
        for _ in range(6)
    ]
    assert [child.wait(timeout=60) for child in children] == [0] * 6
    assert len(mounts_below(data_dir)) == 1


@needs_erofs
def test_mount_is_read_only_without_devices_and_can_be_unmounted(image, tmp_path):
    where = tmp_path / "here"
    where.mkdir()
    assert render("--mount", where, image)["path"] == str(where)
    assert (where / "content").read_text() == "content"
    with pytest.raises(OSError):
        (where / "new").write_text("x")
    with pytest.raises(OSError):
        os.open(where / "null", os.O_RDONLY)
    run(["umount", where])
    assert list(where.iterdir()) == []


@needs_root
def test_extracted_tree_is_mounted_read_only_too(image, tmp_path):
    where = tmp_path / "here"
    where.mkdir()
    assert render("--form=extracted", "--mount", where, image)["form"] == "extracted"
    with pytest.raises(OSError):
        (where / "new").write_text("x")
    assert (where / "content").read_text() == "content"
    run(["umount", where])


@needs_root
def test_extracted_tree_is_made_once(image):
    first = pathlib.Path(render("--form=extracted", image)["path"]).stat()
    children = [
        subprocess.Popen([tool("rkt-store"), "render", "--form=extracted", image], stdout=-3)
        for _ in range(4)
    ]
    assert [child.wait(timeout=60) for child in children] == [0] * 4
    again = pathlib.Path(render("--form=extracted", image)["path"]).stat()
    assert first.st_ino == again.st_ino


@needs_root
def test_on_a_file_system_erofs_cannot_use_the_tree_is_extracted_and_why(tmp_path):
    from storelib import on_small_disk

    folder = tmp_path / "disk"
    folder.mkdir()
    file = write(tmp_path / "a.aci", image_tar(more=MORE))
    script = """
        export RKT_DIR=$FOLDER/rkt
        ID=$($STORE import $FILE) && $STORE render $ID && cat $FOLDER/rkt/cas/rootfs/*/*/*/content
        $STORE render --form=erofs $ID; echo " status $?"
    """
    result = on_small_disk(folder, "8m", script, FILE=file)
    assert "form: extracted\n" in result.out, result
    assert result.out.endswith("content status 1\n"), result
    assert "no EROFS mount here: " in result.err


@needs_root
def test_ordinary_user_gets_an_extracted_tree_and_gc_removes_it(open_dir):
    devices = [pair for pair in MORE if pair[0].type not in (tarfile.CHRTYPE, tarfile.FIFOTYPE)]
    file = write(open_dir / "a.aci", image_tar(more=devices, root_mode=0o555))
    env = {"RKT_DIR": ""}
    image = as_nobody(open_dir, "import", file, env=env).out.strip()
    result = as_nobody(open_dir, "render", "--json", image, env=env)
    tree = json.loads(result.out)
    assert tree["form"] == "extracted" and tree["noErofsBecause"], result
    assert pathlib.Path(tree["path"]).stat().st_mode & 0o7777 == 0o555
    inside = pathlib.Path(tree["path"]) / "closed/inside"
    assert inside.read_text() == "x" and inside.stat().st_uid == 65534
    result = as_nobody(open_dir, "gc", "--grace-period=0s", env=env)
    assert result.status == 0 and result.out == f"{image}\n", result
    own = open_dir / "home/.local/share/rkt/cas"
    assert list((own / "tmp").iterdir()) == []
    assert [path for path in own.rglob("sha256-*")] == []


@needs_root
def test_ordinary_users_get_what_the_last_layer_says_of_a_directory(open_dir):
    env = {"RKT_DIR": ""}
    acl = {"SCHILY.acl.default": "user::rwx,user:7:rwx:7,group::r-x,mask::rwx,other::---"}
    below = [
        entry("rootfs/shut", mode=0, pax_headers=acl),
        entry("rootfs/shut/inside", "x"),
        entry("rootfs/gone"),
        entry("rootfs/gone/deep", mode=0o700),
    ]
    above = [entry("rootfs/shut", mode=0o751, mtime=5), entry("rootfs/gone", "now a file")]
    wanted = {"dependencies": [{"imageName": "example.com/below"}]}
    files = [
        write(open_dir / "below.aci", image_tar("example.com/below", more=below)),
        write(open_dir / "above.aci", image_tar("example.com/above", more=above, **wanted)),
    ]
    assert as_nobody(open_dir, "import", *files, env=env).status == 0
    result = as_nobody(open_dir, "render", "--json", "example.com/above", env=env)
    tree = pathlib.Path(json.loads(result.out)["path"])
    shut = (tree / "shut").stat()
    assert shut.st_mode & 0o7777 == 0o751 and shut.st_mtime == 5
    assert os.listxattr(tree / "shut") == []
    assert (tree / "shut/inside").read_text() == "x"
    assert (tree / "gone").read_text() == "now a file"


def test_damaged_blob_is_not_extracted(image, data_dir):
    flip(blob_path(data_dir, image), content_offset(data_dir, image))
    assert_one_line(store("render", "--form=extracted", image), 4, "damaged")
    assert list((data_dir / "cas/tmp").iterdir()) == []
    assert info(image)["extracted"] is None


@needs_erofs
def test_cut_blob_or_index_is_not_mounted(image, data_dir):
    index = pathlib.Path(info(image)["index"])
    index.chmod(0o644)
    os.truncate(index, 4096)
    assert_one_line(store("render", "--form=erofs", image), 4, "index is damaged", "4096")
    assert mounts_below(data_dir) == []


@needs_erofs
def test_tree_of_an_earlier_boot_is_extracted_anew(image, data_dir, tmp_path):
    """Another boot, played by another text at /proc/sys/kernel/random/boot_id."""
    tree = pathlib.Path(render("--form=extracted", image)["path"])
    (tree / "content").write_text("what a power cut left")
    boot = tmp_path / "boot"
    boot.write_text("11111111-2222-3333-4444-555555555555\n")
    run(["mount", "--bind", boot, "/proc/sys/kernel/random/boot_id"])
    try:
        listed = json.loads(store("render", "--list", "--json").out)
        assert [tree["state"] for tree in listed if tree["form"] == "extracted"] == ["outdated"]
        render("--form=extracted", image)
        assert (tree / "content").read_text() == "content"
    finally:
        run(["umount", "/proc/sys/kernel/random/boot_id"])


@needs_root
def test_list_shows_the_trees(image):
    render("--form=extracted", image)
    listed = json.loads(store("render", "--list", "--json").out)
    assert {(tree["id"], tree["form"]) for tree in listed} == {(image, "erofs"), (image, "extracted")}
    lines = store("render", "--list").out.splitlines()
    assert lines[0].split() == ["ID", "FORM", "SIZE", "STATE"] and len(lines) == 3


def test_image_is_asked_for(data_dir, image):
    assert_one_line(store("render"), 2, "IMAGE")


@needs_root
def test_busybox_runs_from_its_tree(data_dir, tmp_path, own_mounts):
    from conftest import make_aci

    image = add(make_aci(tmp_path / "busybox.aci", busybox_entries()))
    result = run(["chroot", render(image)["path"], "/bin/echo", "hello"])
    assert result.out == "hello\n", result


@needs_root
def test_setuid_survives_where_no_other_user_gets_to_s_010(image, data_dir):
    tree = pathlib.Path(render(image)["path"])
    assert tree.joinpath("bin/program").stat().st_mode & 0o7777 == 0o4755
    above = [path for path in tree.parents if path.is_relative_to(data_dir)]
    assert any(path.stat().st_mode & 0o077 == 0 for path in above)


def test_why_there_is_no_mount_is_escaped_once_and_for_people(data_dir, tmp_path):
    image = add(write(tmp_path / "a.aci", image_tar(more=[entry("rootfs/\x1b[2J", type=tarfile.CHRTYPE)])))
    why = "the image has no EROFS index: indexing {}[2J: character device 0:0"
    assert f"no EROFS mount here: {why.format(chr(92) + 'x1b')}" in store("render", image).err
    assert json.loads(store("render", "--json", image).out)["noErofsBecause"].startswith(why.format("\x1b"))
