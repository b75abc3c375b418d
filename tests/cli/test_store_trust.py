"""rkt-store trust: key files come and go, and what is shown before somebody says yes."""

import json
import os
import shutil
import stat
import subprocess
import time

import pexpect
import pytest
from conftest import Held, run, tool
from siglib import Gpg, gpg_starts, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import (  # noqa: F401 (a fixture)
    as_nobody, assert_one_line, image_tar, on_small_disk, open_dir, store, write)

pytestmark = needs_gpg


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    gpg = Gpg(tmp_path_factory.mktemp("keys") / "home")
    gpg.make_key("alice")
    gpg.make_key("bob", "rsa3072", expires="never")
    yield gpg
    gpg.stop()


@pytest.fixture
def alice(keys):
    return keys.home.parent / "alice.asc", keys.fingerprint("alice")


def listed(**env):
    result = store("trust", "list", "--json", env=env)
    assert result.status == 0, result
    return json.loads(result.out)


def states():
    return [(key["level"], key["prefix"], key["state"]) for key in listed()]


# ---- adding


def test_a_key_goes_where_rkt_keeps_it(trust, alice):
    file, fingerprint = alice
    result = store("trust", "--prefix=example.com/app", "--yes", file)
    assert (result.status, result.err) == (0, ""), result
    path = trust.file("user", "example.com/app", fingerprint)
    assert result.out.splitlines()[-1] == f"trusted: {path}"
    assert trust.files() == [str(path.relative_to(trust.path))]
    assert path.read_text().startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert states() == [("user", "example.com/app", "trusted")]


def test_root_keys_have_a_folder_of_their_own(trust, alice):
    file, fingerprint = alice
    assert store("trust", "--root", "--skip-fingerprint-review", file).status == 0
    assert trust.file("user", None, fingerprint).exists()
    assert states() == [("user", None, "trusted")]


def test_modes_do_not_depend_on_the_umask(trust, alice):
    file, fingerprint = alice
    assert run(["sh", "-c", f"umask 077; exec {tool('rkt-store')} trust --prefix=a/b --yes {file}"]).status == 0
    path = trust.file("user", "a/b", fingerprint)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    for folder in path.parents[:4]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755, folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for all by default")
def test_what_root_writes_for_all_is_open_to_all(trust, alice, monkeypatch):
    """The directory too: who cannot look into it can judge no signature."""
    monkeypatch.delenv("RKT_USER_CONFIG")
    shutil.rmtree(trust.dirs["local"])
    done = run(["sh", "-c", f"umask 077; exec {tool('rkt-store')} trust --root --yes {alice[0]}"])
    assert done.status == 0, done
    assert stat.S_IMODE(trust.dirs["local"].stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for all by default")
def test_root_writes_for_all(trust, alice, monkeypatch):
    monkeypatch.delenv("RKT_USER_CONFIG")
    shutil.rmtree(trust.dirs["local"])
    assert store("trust", "--root", "--yes", alice[0]).status == 0
    assert trust.file("local", None, alice[1]).exists()


def test_what_the_key_is_is_shown(trust, keys):
    result = store("trust", "--prefix=a", "--yes", keys.home.parent / "bob.asc")
    digits = keys.fingerprint("bob").upper()
    groups = [digits[at : at + 4] for at in range(0, 40, 4)]
    lines = result.out.splitlines()
    assert lines[0] == f"fingerprint: {' '.join(groups[:5])}  {' '.join(groups[5:])}"
    assert lines[1:3] == ["user: bob@example.com", "algorithm: rsa3072"]
    assert lines[3].startswith("created: 20") and lines[4] == "expires: never"


def test_user_ids_cannot_drive_the_terminal(trust, keys):
    keys.run("--quick-gen-key", "E\x1b[2Jve\u202e <eve@example.com>", "ed25519", "sign", "never")
    result = store("trust", "--root", "--yes", keys.write_key("eve"))
    assert result.status == 0, result
    assert "\x1b" not in result.out and "\u202e" not in result.out
    assert "\x1b" not in store("trust", "list").out + json.dumps(listed(), ensure_ascii=False)


def test_binary_keys_and_standard_input_are_read(trust, keys, alice):
    binary = keys.run("--export", "alice@example.com")
    assert store("trust", "--prefix=a", "--yes", "-", stdin=binary).status == 0
    path = trust.file("user", "a", alice[1])
    assert path.read_bytes() == alice[0].read_bytes()


def test_without_a_terminal_nothing_is_trusted(trust, alice):
    assert_one_line(store("trust", "--prefix=a", alice[0]), 2, "no terminal to ask at", "--yes")
    assert trust.files() == []


@pytest.mark.parametrize("answer, trusted", [("y", True), ("YES", True), ("n", False), ("", False),
                                             ("yo", False), ("yesssssssssssssssssssss", False), ("\x04", False)])
def test_a_terminal_is_asked(trust, alice, answer, trusted):
    child = pexpect.spawn(tool("rkt-store"), ["trust", "--prefix=example.com/app", str(alice[0])], timeout=60)
    child.expect_exact("Trust this key for images called example.com/app, or example.com/app/ and more? [y/N] ")
    assert trust.files() == []
    child.send(answer) if answer == "\x04" else child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, bool(trust.files())) == ((0, True) if trusted else (1, False))
    assert (b"not trusted" in child.before) == (not trusted)


def test_a_key_from_a_pipe_is_asked_for_at_the_terminal(trust, alice):
    child = pexpect.spawn("sh", ["-c", f"cat {alice[0]} | {tool('rkt-store')} trust --root -"], timeout=60)
    child.expect_exact("[y/N] ")
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, len(trust.files())) == (0, 1)


def test_who_is_asked_sees_the_fingerprint_wherever_the_rest_goes(trust, alice, tmp_path):
    child = pexpect.spawn("sh", ["-c", f"{tool('rkt-store')} trust --root {alice[0]} >{tmp_path}/told"], timeout=60)
    child.expect_exact("[y/N] ")
    assert child.before.decode().split(":")[1].replace(" ", "").lower().startswith(alice[1])
    child.sendline("n")
    child.expect(pexpect.EOF)
    child.close()
    assert "user: alice" in (tmp_path / "told").read_text()


def test_adding_again_is_success_and_takes_a_mask_back(trust, alice):
    file, fingerprint = alice
    for _ in range(2):
        assert store("trust", "--root", "--yes", file).status == 0
    assert store("trust", "mask", "--root", fingerprint).status == 0
    assert states() == [("user", None, "mask")]
    assert store("trust", "--root", "--yes", file).status == 0
    assert states() == [("user", None, "trusted")]


def test_several_files_are_several_keys(trust, keys, alice):
    result = store("trust", "--root", "--yes", alice[0], keys.home.parent / "bob.asc")
    assert result.status == 0
    assert len(trust.files()) == 2


@pytest.mark.parametrize("content, words", [
    (b"", "no OpenPGP key"),
    (b"hello\n", "no OpenPGP key"),
    (os.urandom(3000), "no OpenPGP key"),
    (b"x" * (1 << 21), "longer than"),
], ids=["empty", "text", "noise", "long"])
def test_what_is_no_key_is_refused(trust, tmp_path, content, words):
    (tmp_path / "key").write_bytes(content)
    assert_one_line(store("trust", "--root", "--yes", tmp_path / "key"), 4, words)
    assert trust.files() == []


def test_several_keys_and_secret_ones_are_refused(trust, keys, tmp_path):
    both = keys.run("--export", "alice@example.com", "bob@example.com")
    assert_one_line(store("trust", "--root", "--yes", "-", stdin=both), 4, "2 keys", "a file of its own")
    armored = b"".join((keys.home.parent / f"{user}.asc").read_bytes() for user in ("alice", "bob"))
    assert_one_line(store("trust", "--root", "--yes", "-", stdin=armored), 4, "2 keys")
    secret = keys.run("--armor", "--export-secret-keys", "alice@example.com")
    assert_one_line(store("trust", "--root", "--yes", "-", stdin=secret), 4, "secret keys")
    assert trust.files() == []


def test_keys_that_could_never_count_are_refused(trust, keys):
    small = keys.make_key("small", "rsa1024")
    assert_one_line(store("trust", "--root", "--yes", small), 4, "too weak: rsa1024")
    keys.make_key("lost")
    keys.revoke("lost")
    assert_one_line(store("trust", "--root", "--yes", keys.write_key("lost")), 4, "revoked")
    quiet = keys.make_key("quiet", "rsa2048", usage="cert")
    assert_one_line(store("trust", "--root", "--yes", quiet), 4, "may not sign")
    assert trust.files() == []


def test_an_expired_key_is_taken_with_a_warning(trust, keys):
    old = keys.make_key("old", "ed25519", "--faked-system-time", "20200101T000000!", expires="1y")
    result = store("trust", "--root", "--yes", old)
    assert (result.status, len(trust.files())) == (0, 1)
    assert "warning: the key has expired" in result.err and "(expired)" in result.out


@pytest.mark.parametrize("args, words", [
    (["--yes", "x"], ["--prefix=NAME", "--root"]),
    (["--prefix=a", "--root", "x"], ["--prefix=NAME", "--root"]),
    (["--prefix=Example.com", "x"], ["no image is called"]),
    (["--prefix=../../etc", "x"], ["no image is called"]),
    (["--root", "--json", "x"], ["--json"]),
    (["list", "x"], ["lists all"]),
    (["rm", "--root"], ["FINGERPRINT"]),
    (["rm", "ab" * 20], ["--prefix=NAME"]),
    (["mask", "--root", "ab"], ["40 digits"]),
    (["mask", "--root", "ab" * 21], ["too long"]),
    (["mask", "--root", "../" + "a" * 37], ["40 digits"]),
])
def test_usage(trust, args, words):
    assert_one_line(store("trust", *args), 2, *words)
    assert trust.files() == []


def test_a_prefix_that_nobody_would_read_is_refused(trust, alice):
    file, fingerprint = alice
    for words in ([file], ["mask", fingerprint]):
        result = store("trust", "--yes", f"--prefix={'/'.join(['a'] * 65)}", *words)
        assert_one_line(result, 2, "the prefix has 65 parts between slashes; at most 64 are read")
    assert trust.files() == []
    assert store("trust", "--yes", f"--prefix={'/'.join(['a'] * 64)}", file).status == 0
    assert "trusted" in store("trust", "list").out


def test_a_missing_key_file_is_missing(trust, tmp_path):
    assert_one_line(store("trust", "--root", "--yes", tmp_path / "none"), 3, "no such file")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small disk")
def test_nothing_partial_stays_when_there_is_no_room(alice, tmp_path):
    script = """mkdir "$FOLDER/config" && { head -c 1M /dev/zero >"$FOLDER/fill"
        RKT_USER_CONFIG="$FOLDER/config" "$STORE" trust --root --yes "$KEY" >&2
        echo $?; find "$FOLDER/config" -type f; }"""
    result = on_small_disk(tmp_path, "64k", script, KEY=alice[0])
    assert result.out == "1\n", result
    assert "No space left on device" in result.err.splitlines()[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small disk")
def test_no_room_for_gpg_makes_no_key_a_bad_one(trust, keys, alice, tmp_path):
    """Neither one that is to be trusted nor those that are: that would be another word on the signature."""
    trust.put("local", None, alice[1], alice[0].read_bytes())
    trust.put("local", None, keys.fingerprint("bob"), (keys.home.parent / "bob.asc").read_bytes())
    write(tmp_path / "a.aci", image_tar())
    (tmp_path / "small").mkdir()
    script = """export TMPDIR=$FOLDER RKT_DIR=$STATE
        head -c 52k /dev/zero >"$FOLDER/fill"
        "$STORE" trust --root --yes "$KEY" >&2; echo $?
        "$STORE" trust list >&2; echo $?
        "$STORE" import --signature="$SIGNATURE" "$IMAGE" >&2; echo $?"""
    signature = keys.sign("alice", tmp_path / "a.aci", "small.sig", "--detach-sign")
    result = on_small_disk(tmp_path / "small", "64k", script, KEY=alice[0], SIGNATURE=signature,
                           IMAGE=tmp_path / "a.aci", STATE=tmp_path / "state")
    assert result.out == "1\n1\n1\n", result
    lines = result.err.splitlines()
    assert len(lines) == 3 and all(line.endswith("No space left on device") for line in lines), result


def test_adding_and_removing_at_once_lose_nothing(trust, keys, alice):
    """The folder that one empties and removes is the one in which the other is about to write."""
    bob = keys.fingerprint("bob")
    folder = trust.put("user", "a/b", bob, (keys.home.parent / "bob.asc").read_bytes()).parent
    command = [tool("rkt-store"), "trust", "--yes", "--prefix=a/b", alice[0]]
    with Held(command, "mkdirat", folder.parent, after=True, stdout=subprocess.DEVNULL) as adding:
        adding.wait_held()
        assert store("trust", "rm", "--prefix=a/b", bob).status == 0
        assert not folder.exists()
        adding.release()
        assert adding.wait(60) == 0
    assert states() == [("user", "a/b", "trusted")]


# ---- removing and masking


def test_rm_removes_the_file_and_empty_folders(trust, alice):
    file, fingerprint = alice
    for prefix in ("example.com/app", "example.com"):
        assert store("trust", f"--prefix={prefix}", "--yes", file).status == 0
    result = store("trust", "rm", "--prefix=example.com/app", fingerprint.upper())
    assert result.out == f"removed: {trust.file('user', 'example.com/app', fingerprint)}\n"
    assert f"still trusted for example.com: {trust.file('user', 'example.com', fingerprint)}" in result.err
    assert states() == [("user", "example.com", "trusted")]
    groups = " ".join(fingerprint[at : at + 4] for at in range(0, 40, 4))
    assert store("trust", "rm", "--prefix=example.com", groups).err == ""
    assert [path.name for path in (trust.dirs["user"] / "trustedkeys").iterdir()] == ["prefix.d"]
    assert list((trust.dirs["user"] / "trustedkeys/prefix.d").iterdir()) == []


def test_rm_of_what_is_not_there_is_missing(trust, alice):
    assert_one_line(store("trust", "rm", "--root", alice[1]), 3, "there is no")
    trust.put("system", None, alice[1], alice[0].read_bytes())
    assert_one_line(store("trust", "rm", "--root", alice[1]), 3, "mask it instead")
    assert states() == [("system", None, "trusted")]


def test_rm_of_what_others_mask_is_missing(trust, alice):
    """There is nothing to be masked."""
    trust.put("system", None, alice[1], "")
    result = store("trust", "rm", "--root", alice[1])
    assert_one_line(result, 3, "there is no")
    assert "mask it" not in result.err


def test_mask_takes_back_what_others_say(trust, alice):
    file, fingerprint = alice
    trust.put("system", "a", fingerprint, file.read_bytes())
    result = store("trust", "mask", "--prefix=a", fingerprint)
    assert (result.status, result.err) == (0, "")
    assert trust.file("user", "a", fingerprint).read_bytes() == b""
    assert states() == [("system", "a", "masked"), ("user", "a", "mask")]


def test_a_mask_says_where_the_key_is_trusted_still(trust, alice):
    file, fingerprint = alice
    trust.put("system", "a", fingerprint, file.read_bytes())
    result = store("trust", "mask", "--root", fingerprint)
    assert result.status == 0
    assert "still trusted for a: " in result.err


# ---- listing


def test_list_is_in_the_order_of_what_wins(trust, alice):
    file, fingerprint = alice
    key = file.read_bytes()
    for level in ("user", "system", "local"):
        for prefix in ("a/b", None, "a"):
            trust.put(level, prefix, fingerprint, key)
    assert [(level, prefix) for level, prefix, _ in states()] == [
        (level, prefix) for group in ([None], ["a", "a/b"]) for level in ("system", "local", "user") for prefix in group
    ]
    assert {state for _, _, state in states()} == {"trusted"}
    result = store("trust", "list")
    assert result.out.splitlines()[0].split() == ["FINGERPRINT", "PREFIX", "FROM", "STATE", "USER"]
    assert len(result.out.splitlines()) == 10


def test_gpg_lists_all_keys_at_once(trust, keys, alice, tmp_path):
    """It is not started for each."""
    trust.put("local", None, alice[1], alice[0].read_bytes())
    with_one = gpg_starts(tmp_path, "trust", "list")
    trust.put("local", "a", alice[1], alice[0].read_bytes())
    trust.put("local", None, keys.fingerprint("bob"), (keys.home.parent / "bob.asc").read_bytes())
    assert gpg_starts(tmp_path, "trust", "list") == with_one
    assert {tuple(key["users"]) for key in listed()} == {("alice@example.com",), ("bob@example.com",)}


def test_without_keys_the_list_is_empty(trust):
    assert listed() == []
    assert store("trust", "list").status == 0


def test_one_bad_file_is_told_and_left_out(trust, keys, alice):
    file, fingerprint = alice
    bob = (keys.home.parent / "bob.asc").read_bytes()
    trust.put("local", None, fingerprint, file.read_bytes())
    bad = {
        trust.put("local", None, "00" * 20, "no key"): "there is no OpenPGP key",
        trust.put("local", "a", "11" * 20, bob): f"it is key {keys.fingerprint('bob')}",
        trust.put("local", "b", keys.fingerprint("bob"), bob + file.read_bytes()): "there are 2 keys",
        trust.put("local", None, "README", "x"): "left out",
        trust.put("local", "Upper", fingerprint, bob): "left out",
        trust.put("local", None, fingerprint.upper(), bob): "left out",
        trust.put("local", None, "22" * 20, b"x" * (1 << 21)): "longer than",
    }
    bad[trust.dirs["local"] / "trustedkeys/prefix.d/Upper"] = bad.pop(trust.file("local", "Upper", fingerprint))
    (trust.dirs["local"] / "trustedkeys/prefix.d/loop").symlink_to(".")
    bad[trust.dirs["local"] / "trustedkeys/prefix.d/loop"] = "links are not read"
    os.mkfifo(trust.dirs["local"] / "trustedkeys/root.d/fifo")
    bad[trust.dirs["local"] / "trustedkeys/root.d/fifo"] = "no file"
    result = store("trust", "list", "--json")
    assert result.status == 0
    states = {key["path"]: key["state"] for key in json.loads(result.out)}
    assert states.pop(str(trust.file("local", None, fingerprint))) == "trusted"
    assert set(states.values()) == {"unusable"}
    for path, words in bad.items():
        (line,) = [line for line in result.err.splitlines() if f"{path}: " in line]
        assert line.startswith("rkt-store: warning: ") and words in line
    assert len(result.err.splitlines()) == len(bad)


def test_names_of_files_left_out_are_escaped_once(trust, alice, tmp_path, data_dir):
    """Wherever they are told (S-013)."""
    trust.put("local", None, alice[1], alice[0].read_bytes())
    path = trust.put("local", None, "a\n\\b", "")
    told = f"rkt-store: warning: {path.parent}/" + r"a\n\\b: left out: "
    (tmp_path / "sig").write_text("x")
    for args in ["trust", "list"], ["import", f"--signature={tmp_path / 'sig'}", alice[0]], ["fetch", "--pull-policy=never", "a/b"]:
        lines = [line for line in store(*args).err.splitlines() if "left out" in line]
        assert [line.startswith(told) for line in lines] == [True], (args, lines)


def test_a_path_in_an_error_about_another_is_escaped_once(trust, alice, tmp_path, monkeypatch):
    trust.put("system", None, alice[1], alice[0].read_bytes())
    (tmp_path / "a\\b").mkdir()
    monkeypatch.setenv("RKT_USER_CONFIG", str(tmp_path / "a\\b"))
    result = store("trust", "rm", "--root", alice[1])
    assert_one_line(result, 3, r"there is no ", r"/a\\b/trustedkeys", "mask it instead")


def test_a_folder_that_cannot_be_read_is_an_error(trust, alice, open_dir):
    """A mask may be in there."""
    folder = open_dir / "trustedkeys/prefix.d/a"
    folder.mkdir(parents=True)
    (folder / alice[1]).touch()
    folder.chmod(0)
    env = {"RKT_LOCAL_CONFIG": open_dir, "RKT_SYSTEM_CONFIG": "/none", "RKT_USER_CONFIG": "/none",
           "TMPDIR": open_dir / "home"}
    result = store("trust", "list", env=env) if os.geteuid() else as_nobody(open_dir, "trust", "list", env=env)
    folder.chmod(0o755)
    assert_one_line(result, 1, str(folder), "Permission denied")


def test_a_mask_need_not_be_readable(trust, alice, open_dir):
    """And a key that is not is left out."""
    file, fingerprint = alice
    for name, content in ((fingerprint, b""), ("ab" * 20, file.read_bytes())):
        path = open_dir / f"trustedkeys/root.d/{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0)
    env = {"RKT_LOCAL_CONFIG": open_dir, "RKT_SYSTEM_CONFIG": "/none", "RKT_USER_CONFIG": "/none",
           "TMPDIR": open_dir / "home"}
    args = "trust", "list", "--json"
    result = store(*args, env=env) if os.geteuid() else as_nobody(open_dir, *args, env=env)
    (mask,) = json.loads(result.out)
    assert (mask["fingerprint"], mask["state"]) == (fingerprint, "mask")
    assert f"{'ab' * 20}: open: Permission denied" in result.err


def test_a_link_to_nothing_is_told(trust, alice):
    """It may have been a mask. It is no reason to trust nobody."""
    good = trust.put("local", None, alice[1], alice[0].read_bytes())
    for name, target in (("11" * 20, "gone"), ("22" * 20, "22" * 20), ("33" * 20, f"{good}/x")):
        good.with_name(name).symlink_to(target)
    result = store("trust", "list")
    assert result.status == 0, result
    assert [line for line in result.err.splitlines() if "left out: it is a link to nothing" not in line] == []
    assert len(result.err.splitlines()) == 3 and states() == [("local", None, "trusted")]


def test_links_to_files_are_followed(trust, alice, tmp_path):
    path = trust.put("local", None, alice[1], "")
    path.unlink()
    path.symlink_to(alice[0])
    assert states() == [("local", None, "trusted")]


def test_the_front_command_knows_it(trust, alice):
    assert run(["rkt", "--user-config", trust.dirs["user"], "trust", "--root", "--yes", alice[0]]).status == 0
    assert states() == [("user", None, "trusted")]


def test_the_user_s_gpg_is_not_touched(trust, alice, tmp_path):
    """S-023."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    scratch.mkdir()
    (home / ".gnupg").mkdir(parents=True, mode=0o700)
    (home / ".gnupg/gpg.conf").write_text("this-is-no-option\n")
    before = sorted(home.rglob("*"))
    env = {"HOME": home, "TMPDIR": scratch, "GNUPGHOME": home / ".gnupg"}
    assert store("trust", "--root", "--yes", alice[0], env=env).status == 0
    assert listed(**env)[0]["state"] == "trusted"
    assert sorted(home.rglob("*")) == before
    assert list(scratch.iterdir()) == []
    assert subprocess.run(["pgrep", "-f", str(scratch)], check=False).returncode == 1
