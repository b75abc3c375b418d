"""rkt-store init: a store where there was none, and root's store shared with a group."""

import hashlib
import json
import os
import re
import stat
import threading

import pytest
from fetchlib import pki, web  # noqa: F401
from storelib import (
    NOBODY,
    as_nobody,
    assert_one_line,
    blob_path,
    image_tar,
    on_small_disk,
    open_dir,
    store,
    write,
)

assert open_dir  # a fixture

GROUP = 54321  # nobody's but of who is put into it
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def modes(top):
    """What group and others may do with each folder and file below TOP: name -> (mode, group)."""
    found = {".": top.stat()}
    for path in top.rglob("*"):
        found[str(path.relative_to(top))] = path.lstat()
    return {name: (stat.S_IMODE(st.st_mode), st.st_gid) for name, st in found.items()}


@pytest.fixture
def shared(open_dir):
    """A store of root's in OPEN_DIR, with one image, that GROUP may use."""
    where = open_dir / "store"
    assert store("import", "-d", where, write(open_dir / "old.aci", image_tar(content="old"))).status == 0
    result = store("init", "-d", where, f"--group={GROUP}")
    assert result.status == 0, result
    assert result.out == f"{where}\n"
    assert f"members of group {GROUP} may" in result.err
    return where


def member(open_dir, *args, **more):
    command, *rest = args
    return as_nobody(open_dir, command, "-d", open_dir / "store", *rest, group=GROUP, **more)


# ---- alone ---------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("home, said", [("", "not set"), ("here", "no absolute path")])
def test_who_has_no_home_is_told_what_to_give(open_dir, home, said):
    where = {"HOME": home, "XDG_DATA_HOME": "", "RKT_DIR": "", "RKT_USER_CONFIG": open_dir}
    result = as_nobody(open_dir, "init", env=where)
    assert_one_line(result, 2, f"no data directory: give one by --dir or RKT_DIR, as HOME is {said}")
    assert as_nobody(open_dir, "init", "--dir", open_dir / "home/x", env=where).status == 0
    assert as_nobody(open_dir, "init", env={**where, "RKT_DIR": open_dir / "home/y"}).status == 0


@needs_root
def test_a_directory_of_his_own_that_he_may_not_write_to_is_called_that(open_dir):
    where = open_dir / "home/store"
    assert as_nobody(open_dir, "init", "-d", where).status == 0
    where.chmod(0o500)
    said = f"{where} is yours (mode 0500), but you may not write there: Permission denied"
    for command in ("list", "init"):
        assert_one_line(as_nobody(open_dir, command, "-d", where), 1, said)


@pytest.mark.parametrize("end", ["", "/", "//", "/.", "/./"])
def test_it_is_private_however_its_path_is_written(tmp_path, end):
    where = tmp_path / "above/store"
    result = store("init", "-d", f"{where}{end}", preexec_fn=lambda: os.umask(0o022))
    assert (result.status, result.out) == (0, f"{where}\n"), result
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.parent.stat().st_mode) == 0o755


def test_makes_an_empty_store_and_says_where(data_dir):
    result = store("init")
    assert (result.status, result.out, result.err) == (0, f"{data_dir}\n", "")
    assert store("list").status == 0
    assert stat.S_IMODE(os.stat(data_dir).st_mode) == 0o700


def test_a_store_that_is_there_stays_as_it_is(data_dir, tmp_path):
    image = store("import", write(tmp_path / "a.aci", image_tar())).out.strip()
    before = modes(data_dir)
    assert store("init").status == 0
    assert modes(data_dir) == before
    assert image in store("list", "--full").out


@needs_root
def test_no_room_for_the_index_is_one_line(tmp_path):
    (folder := tmp_path / "disk").mkdir()
    result = on_small_disk(folder, "100k", 'dd if=/dev/zero of=$FOLDER/fill bs=1k 2>/dev/null; $STORE init -d $FOLDER/rkt')
    assert_one_line(result, 1, "No space left on device")


def test_wrong_words_are_usage(data_dir):
    assert_one_line(store("init", "--group=x", "--private"), 2, "--group and --private")
    assert_one_line(store("init", "operand"), 2, "operand")
    assert not os.path.exists(data_dir)


@needs_root
def test_a_group_that_is_not_there_is_missing(data_dir):
    assert_one_line(store("init", "--group=rkt-no-such"), 3, "no group rkt-no-such", "groupadd")
    assert not os.path.exists(data_dir)


# ---- shared --------------------------------------------------------------------------------------


@needs_root
def test_an_ordinary_user_shares_no_store(open_dir):
    result = as_nobody(open_dir, "init", f"--group={GROUP}")
    assert_one_line(result, 1, "only root shares a store")


@needs_root
def test_only_the_folders_of_images_are_open(shared):
    wanted = {"cas/blob", "cas/erofs", "cas/index", "cas/tmp", "cas/partial", "cas", "."}
    open_to_group = {name for name, (mode, _) in modes(shared).items() if mode & 0o070}
    files = {name for name in open_to_group if (shared / name).is_file()}
    shards = {f"cas/{s}/sha256/{i:02x}" for s in ("blob", "erofs") for i in range(256)}
    shelves = {"cas/blob/sha256", "cas/erofs/sha256"}
    assert open_to_group - files == wanted | shards | shelves
    for name, (mode, group) in modes(shared).items():
        assert not mode & stat.S_IWOTH, name
        assert not (mode & 0o007 and (shared / name).is_dir()), name
        if name in shards | {"cas/index", "cas/tmp", "cas/partial"}:
            assert (mode, group) == (0o2770, GROUP), name
        elif name in wanted | shelves:
            assert (mode, group) == (0o2750, GROUP), name


@needs_root
def test_a_member_lists_imports_and_reads(shared, open_dir):
    file = write(open_dir / "new.aci", image_tar("example.com/new", content="new"))
    result = member(open_dir, "import", file)
    assert result.status == 0, result
    image = result.out.strip()
    names = member(open_dir, "list", "--fields=name", "--no-legend").out.split()
    assert names == ["example.com/new", "example.com/test"]
    assert member(open_dir, "info", image).status == 0
    assert member(open_dir, "cat-manifest", image).status == 0
    assert member(open_dir, "export", image, open_dir / "home/out.aci").status == 0
    assert (open_dir / "home/out.aci").read_bytes() == file.read_bytes()
    assert member(open_dir, "extract", "example.com/test", open_dir / "home/tree").status == 0
    assert (open_dir / "home/tree/rootfs/content").read_text() == "old"
    assert member(open_dir, "verify").status == 0
    # and root has it as if it were its own import
    assert store("verify", "-d", shared).status == 0
    assert os.stat(blob_path(shared, image)).st_uid == NOBODY
    assert store("render", "-d", shared, image).status == 0
    assert store("gc", "-d", shared, "--grace-period=0s").status == 0
    assert member(open_dir, "list", "--no-legend").out == ""


@needs_root
def test_a_member_sees_what_the_store_takes_but_not_what_is_closed(shared, open_dir):
    assert store("render", "-d", shared, "--form=extracted", "example.com/test").status == 0
    whole = json.loads(store("stat", "-d", shared, "--json").out)
    result = member(open_dir, "stat", "--json")
    assert (result.status, result.err) == (0, ""), result
    seen = json.loads(result.out)
    assert seen["extractedTrees"] is None and seen["quarantine"] is None
    for key in ("images", "blobs", "indexes", "leftOvers", "pods", "leases"):
        assert seen[key] == whole[key], key
    assert re.search("^extracted trees +for root to see$", member(open_dir, "stat").out, re.MULTILINE)
    images = json.loads(member(open_dir, "stat", "--images", "--json").out)
    assert images[0]["extractedTrees"] is None and images[0]["blob"] > 0
    assert "?" in member(open_dir, "stat", "--images").out.splitlines()[1].split()


@needs_root
def test_a_member_imports_again_what_root_imported(shared, open_dir):
    file = open_dir / "old.aci"
    assert member(open_dir, "import", file).out == store("import", "-d", shared, file).out


@needs_root
@pytest.mark.parametrize(
    "command",
    [
        ["gc"],
        ["gc", "--dry-run"],
        ["rm", "example.com/test"],
        ["render", "example.com/test"],
        ["verify", "--repair"],
    ],
    ids=" ".join,
)
def test_a_member_removes_and_renders_nothing(shared, open_dir, command):
    before = modes(shared)
    result = member(open_dir, *command)
    assert_one_line(result, 1, f"{shared} belongs to root", "members of its group may list")
    assert modes(shared) == before
    assert store("list", "-d", shared, "--no-legend").out != ""


@needs_root
def test_a_member_fetches(shared, open_dir, web):
    ca = write(open_dir / "ca.pem", web.ca.read_bytes())
    body = image_tar("example.com/web")
    web.file("/a.aci", body, end_at=[100])
    options = ["--insecure-options=image", "--cacert", ca, "--retry-wait=0s"]
    result = member(open_dir, "fetch", *options, f"{web.url}/a.aci")
    assert result.status == 0, result
    assert blob_path(shared, result.out.strip()).read_bytes() == body
    # what one left behind is not gone on with by another: he could still write to it
    for one, other in (member, fetch_as_root), (fetch_as_root, member):
        body = image_tar("example.com/web", content=str(len(web.requests)) * 50_000)
        web.file("/b.aci", body, end_at=[20_000])
        assert one(open_dir, "fetch", *options, "--tries=1", f"{web.url}/b.aci").status == 1
        result = other(open_dir, "fetch", *options, f"{web.url}/b.aci")
        assert result.status == 0, result
        assert blob_path(shared, result.out.strip()).read_bytes() == body
        assert "range" not in web.asked("/b.aci")[-1].headers
    assert list((shared / "cas/partial").iterdir()) == []


@needs_root
@pytest.mark.parametrize("kind", ["symlink", "hard link", "FIFO", "file of all"])
def test_what_a_member_puts_in_the_way_of_a_download_is_not_used(shared, open_dir, web, kind):
    body = image_tar("example.com/web")
    web.file("/a.aci", body)
    url = f"{web.url}/a.aci"
    trap = shared / "cas/partial" / hashlib.sha256(url.encode()).hexdigest()
    target = write(open_dir / "store-of-secrets", b"precious")
    if kind == "symlink":
        trap.symlink_to(target)
    elif kind == "hard link":
        os.link(target, trap)
    elif kind == "FIFO":
        os.mkfifo(trap)
    else:
        trap.write_bytes(b"x" * 100)
        trap.chmod(0o666)
    result = fetch_as_root(open_dir, "fetch", "--insecure-options=image", "--cacert", web.ca, url)
    assert result.status == 0, result
    assert target.read_bytes() == b"precious" and not trap.exists()
    assert blob_path(shared, result.out.strip()).read_bytes() == body


def fetch_as_root(open_dir, command, *args):
    return store(command, "-d", open_dir / "store", *args)


@needs_root
def test_others_stay_outside(shared, open_dir):
    for command in ["list"], ["import", open_dir / "old.aci"]:
        result = as_nobody(open_dir, command[0], "-d", shared, *command[1:])
        assert result.status == 1, result
        assert str(shared) in result.err


@needs_root
def test_root_and_members_import_side_by_side(shared, open_dir):
    files = [
        write(open_dir / f"{i}.aci", image_tar(f"example.com/{i}", content=str(i) * 1000))
        for i in range(20)
    ]
    results = []

    def work(run_one):
        for file in files:
            results.append(run_one(file))

    threads = [
        threading.Thread(target=work, args=[lambda f: store("import", "-d", shared, f)]),
        threading.Thread(target=work, args=[lambda f: member(open_dir, "import", f)]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result for result in results if result.status] == []
    assert len({result.out for result in results}) == len(files)
    assert store("verify", "-d", shared).status == 0


@needs_root
def test_private_takes_it_back(shared, open_dir):
    assert store("init", "-d", shared, "--private").status == 0
    assert as_nobody(open_dir, "list", "-d", shared, group=GROUP).status == 1
    for name, (mode, _) in modes(shared).items():
        if name.startswith("cas/index") or (shared / name).is_dir():
            assert not mode & 0o077, name
    assert store("verify", "-d", shared).status == 0


@needs_root
def test_what_is_not_shared_by_init_is_not_used(shared, open_dir):
    shared.chmod(0o750)  # as a group's folders are elsewhere
    result = member(open_dir, "list")
    assert_one_line(result, 1, f"{shared} belongs to user 0 and is not writable")
    shared.chmod(0o2750)
    os.chown(shared, NOBODY - 1, -1)
    result = member(open_dir, "list")
    assert_one_line(result, 1, f"{shared} belongs to user {NOBODY - 1} and is not writable")


@needs_root
def test_files_with_other_names_are_not_given_to_the_group(shared):
    os.link(shared / "cas/index/import.lock", shared / "other-name")
    result = store("init", "-d", shared, f"--group={GROUP}")
    assert_one_line(result, 4, "cas/index/import.lock", "other names")
