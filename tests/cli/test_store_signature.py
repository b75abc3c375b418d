"""rkt-store import --signature: which images come in, and what is remembered of who signed them."""

import json
import os
import pathlib
import subprocess
import time

import pytest
from acilib import only_x86_64, without_tmpfile
from conftest import compress, make_aci, manifest, tool
from siglib import Gpg, gpg_starts, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import assert_one_line, files_in, ids, image_tar, info, store, write

pytestmark = needs_gpg
NAME = "example.com/app/web"


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """Keys, an image and signatures over it, made once."""
    where = tmp_path_factory.mktemp("signed")
    gpg = Gpg(where / "home")
    aci = make_aci(where / "a.aci", manifest_=manifest(NAME))
    for user in ("alice", "bob"):
        gpg.make_key(user)
        gpg.sign(user, aci, f"{user}.sig", "--armor", "--detach-sign")
    yield where, gpg, aci
    gpg.stop()


@pytest.fixture(autouse=True)
def own_store(data_dir):
    """Every test has a store of its own."""


@pytest.fixture
def alice(signed, trust):
    """Alice may speak for the image; her fingerprint."""
    where, gpg, _ = signed
    fingerprint = gpg.fingerprint("alice")
    trust.put("local", "example.com/app", fingerprint, (where / "alice.asc").read_bytes())
    return fingerprint


def bring(signed, signature, file=None, *args, **more):
    where, _, aci = signed
    return store("import", f"--signature={where / signature}", *args, file or aci, **more)


def refused(data_dir, result, status, *words):
    """And nothing is left: no image, no file."""
    assert_one_line(result, status, *words)
    assert (ids(), files_in(data_dir)) == ([], [])


# ---- what comes in


def test_a_signed_image_comes_in_and_its_key_is_remembered(signed, alice):
    result = bring(signed, "alice.sig")
    assert (result.status, result.err) == (0, ""), result
    (image,) = ids()
    assert result.out == f"{image}\n"
    found = info(image)
    assert (found["signedBy"], found["source"]) == (alice, str(signed[2]))
    lines = store("info", image).out.splitlines()
    assert f"signed-by: {alice}" in lines and f"source: {signed[2]}" in lines
    assert store("list", "--no-legend", "--fields=signed-by,source").out == f"{alice}\t{signed[2]}\n"
    assert json.loads(store("list", "--json").out)[0]["signedBy"] == alice
    assert store("list", "--sort=signed-by").status == 0


@only_x86_64
def test_a_temporary_directory_without_nameless_files_will_do(signed, alice):
    result = bring(signed, "alice.sig", preexec_fn=without_tmpfile)
    assert (result.status, result.err) == (0, ""), result
    assert info(result.out.strip())["signedBy"] == alice


def test_an_unsigned_import_has_a_source_and_no_key(signed, data_dir):
    _, _, aci = signed
    assert store("import", os.path.relpath(aci)).status == 0
    found = info(*ids())
    assert (found["signedBy"], found["source"]) == (None, str(aci))
    assert not [line for line in store("info", *ids()).out.splitlines() if line.startswith("signed-by")]
    assert store("list", "--no-legend", "--fields=signed-by").out == "-\n"


def test_what_comes_through_a_pipe_has_no_source(signed, alice):
    _, _, aci = signed
    assert store("import", "-", stdin=aci.read_bytes()).status == 0
    assert (info(*ids())["source"], info(*ids())["signedBy"]) == (None, None)
    assert bring(signed, "alice.sig", "-", stdin=aci.read_bytes()).status == 0
    assert (info(*ids())["source"], info(*ids())["signedBy"]) == (None, alice)


def test_a_pipe_is_judged_and_imported_from_one_copy(signed, alice, data_dir):
    _, _, aci = signed
    assert bring(signed, "alice.sig", "-", stdin=aci.read_bytes()).status == 0
    assert len(ids()) == 1
    assert all(not name.startswith("tmp/") for name in files_in(data_dir))


def test_the_position_of_standard_input_counts(signed, alice, tmp_path):
    """S-020: from where it stands to its end, for gpg and for the import."""
    where, _, aci = signed
    file = write(tmp_path / "more", b"x" * 1000 + aci.read_bytes())
    script = f"dd bs=1000 count=1 of=/dev/null status=none; exec {tool('rkt-store')} import --signature={where}/alice.sig -"
    with open(file, "rb") as stdin:
        done = subprocess.run(["sh", "-c", script], stdin=stdin, stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split() == ids()


def test_a_signature_makes_an_unsigned_image_a_signed_one(signed, alice, trust):
    """And an unsigned import takes nothing away; another key comes in its place."""
    where, gpg, aci = signed
    assert store("import", aci).status == 0
    imported = info(*ids())["imported"]
    assert bring(signed, "alice.sig").status == 0
    assert info(*ids())["signedBy"] == alice
    assert store("import", aci).status == 0
    assert info(*ids())["signedBy"] == alice
    trust.put("user", None, gpg.fingerprint("bob"), (where / "bob.asc").read_bytes())
    assert bring(signed, "bob.sig").status == 0
    assert info(*ids())["signedBy"] == gpg.fingerprint("bob")
    assert info(*ids())["imported"] == imported


def test_the_same_image_in_another_file_is_signed_by_that_file_s_key(signed, alice, tmp_path):
    where, gpg, aci = signed
    assert store("import", aci).status == 0
    tar = subprocess.run(["gzip", "-dc", aci], stdout=subprocess.PIPE, check=True).stdout
    for number, compression in enumerate(("none", "xz")):
        other = write(tmp_path / f"other.{compression}", compress(tar, compression))
        gpg.sign("alice", other, f"other{number}.sig", "--detach-sign")
        assert bring(signed, f"other{number}.sig", other).status == 0
        found = info(*ids())
        assert (found["signedBy"], found["source"]) == (alice, str(other))


def test_the_record_goes_with_the_image(signed, alice):
    _, _, aci = signed
    assert bring(signed, "alice.sig").status == 0
    assert store("rm", *ids()).status == 0
    assert store("import", "-", stdin=aci.read_bytes()).status == 0
    assert (info(*ids())["signedBy"], info(*ids())["source"]) == (None, None)


def test_several_signatures_and_a_subkey(signed, alice, trust):
    """What is remembered and asked is the primary key."""
    where, gpg, aci = signed
    gpg.make_key("sub", "ed25519", usage="cert")
    gpg.run("--quick-add-key", gpg.fingerprint("sub"), "ed25519", "sign", "1y")
    trust.put("local", "example.com", gpg.fingerprint("sub"), gpg.write_key("sub").read_bytes())
    signature = gpg.sign("sub", aci, "sub.sig", "--detach-sign").read_bytes()
    assert bring(signed, "sub.sig").status == 0
    assert info(*ids())["signedBy"] == gpg.fingerprint("sub")
    assert gpg.fingerprint("sub", 1) != gpg.fingerprint("sub")
    both = write(where / "both.sig", gpg.sign("bob", aci, "b.sig", "--detach-sign").read_bytes() + signature)
    assert bring(signed, both).status == 0


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_one_of_two_that_signed_may_speak(signed, alice, trust, data_dir, first):
    """S-022: the other is trusted too, for other images. Who spoke is remembered."""
    where, gpg, aci = signed
    trust.put("local", "example.com/other", gpg.fingerprint("bob"), (where / "bob.asc").read_bytes())
    second = "bob" if first == "alice" else "alice"
    pair = b"".join(gpg.sign(user, aci, "one.sig", "--detach-sign").read_bytes() for user in (first, second))
    assert bring(signed, write(where / "pair.sig", pair)).status == 0
    assert info(*ids())["signedBy"] == alice
    store("rm", *ids())
    trust.put("user", None, alice, "")
    trust.put("user", "example.com/app", alice, "")
    refused(data_dir, bring(signed, where / "pair.sig"), 5, f"key {gpg.fingerprint('bob')} is not trusted for images")


def test_other_checks_hold_as_well(signed, alice, data_dir):
    """S-025."""
    refused(data_dir, bring(signed, "alice.sig", None, "--name-check=example.com/other"), 4, "example.com/other")
    refused(data_dir, bring(signed, "alice.sig", None, f"--verify-with=sha256-{'0' * 64}"), 4, "not sha256-000")
    assert bring(signed, "alice.sig", None, f"--name-check={NAME}:1.0.0").status == 0


# ---- what does not


def test_without_trusted_keys_nothing_comes_in(signed, trust, data_dir):
    refused(data_dir, bring(signed, "alice.sig"), 5, "does not count", "rkt-store trust list")


def test_the_key_of_another_is_untrusted(signed, alice, data_dir):
    refused(data_dir, bring(signed, "bob.sig"), 5, "not in the keyring")


@pytest.mark.parametrize("prefix, trusted", [
    ("example.com/app/web", True), ("example.com/app", True), ("example.com", True), (None, True),
    ("example.com/app/we", False), ("example.com/ap", False), ("example", False), ("example.com/app/web/x", False),
    ("example.com/other", False), ("evil.org", False), ("example.com.evil.org", False),
])
def test_a_prefix_covers_whole_parts(signed, trust, data_dir, prefix, trusted):
    """S-024."""
    where, gpg, _ = signed
    trust.put("local", prefix, gpg.fingerprint("alice"), (where / "alice.asc").read_bytes())
    result = bring(signed, "alice.sig")
    if trusted:
        assert result.status == 0, result
    else:
        refused(data_dir, result, 5, f"key {gpg.fingerprint('alice')} is not trusted for images called {NAME}")


ORDER = [(level, prefix) for prefixes in ([None], ["example.com", "example.com/app"])
         for level in ("system", "local", "user") for prefix in prefixes]


@pytest.mark.parametrize("first", range(len(ORDER)))
@pytest.mark.parametrize("later_is_mask", [True, False])
def test_the_last_word_counts(signed, trust, data_dir, first, later_is_mask):
    """For each two places: a mask in the later one silences the key, one in the earlier does not."""
    where, gpg, _ = signed
    key, fingerprint = (where / "alice.asc").read_bytes(), gpg.fingerprint("alice")
    for later in ORDER[first + 1 :]:
        trust.clear()
        trust.put(*ORDER[first], fingerprint, key if later_is_mask else "")
        trust.put(*later, fingerprint, "" if later_is_mask else key)
        assert bring(signed, "alice.sig").status == (5 if later_is_mask else 0), (ORDER[first], later)
        if not later_is_mask:
            store("rm", *ids())


def test_a_mask_for_another_name_says_nothing(signed, alice, trust):
    trust.put("user", "example.com/app/we", alice, "")
    trust.put("user", "example.com/app/web/x", alice, "")
    assert bring(signed, "alice.sig").status == 0


def test_an_image_that_is_there_is_still_asked_for(signed, alice, trust):
    """A key that may not speak for it changes nothing."""
    where, gpg, aci = signed
    assert bring(signed, "alice.sig").status == 0
    trust.put("local", "example.com/other", gpg.fingerprint("bob"), (where / "bob.asc").read_bytes())
    assert_one_line(bring(signed, "bob.sig"), 5, "not trusted for images called")
    assert info(*ids())["signedBy"] == alice


def test_one_bad_key_file_does_not_stop_the_others(signed, alice, trust):
    path = trust.put("local", None, "00" * 20, "no key")
    result = bring(signed, "alice.sig")
    assert result.status == 0
    assert result.err == f"rkt-store: warning: {path}: there is no OpenPGP key in it\n"


def test_gpg_is_not_started_for_each_key(signed, alice, trust, many, tmp_path):
    """However they are written; the same key twice too."""
    args = "import", f"--signature={signed[0] / 'alice.sig'}", signed[2]
    with_one = gpg_starts(tmp_path, *args)
    for number, (fingerprint, binary, armored) in enumerate(many):
        trust.put("local", None, fingerprint, binary if number % 2 else armored)
        trust.put("local", "example.com", fingerprint, armored)
    assert gpg_starts(tmp_path, *args) == with_one


@pytest.fixture(scope="module")
def many(signed):
    """(fingerprint, binary, armored) of some keys, in the order in which their files are read."""
    gpg = signed[1]
    found = []
    for user, algorithm in (("carol", "ed25519"), ("dave", "rsa2048"), ("erin", "nistp256")):
        gpg.make_key(user, algorithm)
        if user == "dave":
            gpg.run("--quick-add-key", gpg.fingerprint(user).upper(), "rsa2048", "sign", "1y")
        binary = gpg.run("--export", f"{user}@example.com")
        found.append((gpg.fingerprint(user), binary, gpg.write_key(user).read_bytes()))
    return sorted(found)


@pytest.mark.parametrize("damage", ["not its own", "no valid user", "cut", "two and none"])
def test_a_key_file_that_looks_right_and_is_not_stops_nobody(signed, alice, trust, many, damage):
    """S-023: what gpg says of many keys at once never stands for what it would say of each."""
    (first, first_key, _), (second, second_key, second_armored), (third, third_key, _) = many
    files = {first: first_key, second: second_armored, third: third_key}
    words = {second: "no usable OpenPGP key"}
    if damage == "not its own":
        files[second], files[third] = third_key, second_key
        words = {second: f"it is key {third}", third: f"it is key {second}"}
    elif damage == "no valid user":
        files[second] = second_key.replace(b"@example", b"@Example")
    elif damage == "cut":
        files[second] = second_key[:40]
        words = {second: "no OpenPGP key"}
    else:  # which together are the right ones in the right order
        files[second], files[third] = second_key + third_key, b"\xb4\x01x"
        words = {second: "there are 2 keys", third: "no OpenPGP key"}
    paths = {key: trust.put("local", None, key, content) for key, content in files.items()}
    result = bring(signed, "alice.sig")
    assert result.status == 0
    told = result.err.splitlines()
    assert len(told) == len(words), result
    for key, why in words.items():
        (line,) = [line for line in told if f"{paths[key]}: " in line]
        assert why in line


def test_a_key_file_under_another_name_gives_nobody_trust(signed, trust, data_dir):
    """Neither to the key that is in it, nor to the one it is called by."""
    where, gpg, _ = signed
    trust.put("local", None, gpg.fingerprint("alice"), (where / "bob.asc").read_bytes())
    for user in ("alice", "bob"):
        result = bring(signed, f"{user}.sig")
        assert result.status == 5 and "warning: " in result.err
    assert ids() == []


def test_nothing_is_unpacked_before_the_signature_is_good(signed, alice, data_dir, tmp_path):
    """S-021: what would break the import is not even looked at."""
    broken = write(tmp_path / "broken.aci", b"\x1f\x8b\x08 no gzip")
    refused(data_dir, bring(signed, "alice.sig", broken), 4, "signed other bytes")
    signed[1].sign("alice", broken, "broken.sig", "--detach-sign")
    refused(data_dir, bring(signed, "broken.sig", broken), 4, "gzip")


LARGE = 96 << 20
FLIP = 1 << 20


def flip_when_read(child, file):
    """Changes a byte of FILE as soon as CHILD has read past it."""
    while child.poll() is None:
        for link in pathlib.Path(f"/proc/{child.pid}/fd").glob("*"):
            try:
                if os.readlink(link) != str(file):
                    continue
                text = pathlib.Path(f"/proc/{child.pid}/fdinfo/{link.name}").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(text.split()[1]) > 2 * FLIP:
                with open(file, "r+b") as out:
                    out.seek(FLIP)
                    out.write(b"!")
                return True
    return False


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_the_file_that_was_verified_is_the_one_imported(signed, alice, tmp_path, known):
    """S-020: a file that changes behind gpg's back is refused, also when what it is then is known."""
    where, gpg, _ = signed
    file = write(tmp_path / "a.aci", image_tar(NAME, content=bytes(LARGE)))
    gpg.sign("alice", file, "large.sig", "--detach-sign")
    if known:
        other = bytearray(file.read_bytes())
        other[FLIP] = ord("!")
        assert store("import", write(tmp_path / "other.aci", other)).status == 0
    command = [tool("rkt-store"), "import", f"--signature={where}/large.sig", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert flip_when_read(child, file)
        out, err = child.communicate()
    assert (child.returncode, out) == (4, b""), err
    assert b"changed after its signature was checked" in err
    assert len(ids()) == known


@pytest.mark.parametrize("args, status, words", [
    (["--signature=none", "a"], 3, "signature none: no such file"),
    (["--signature=/", "a"], 1, "signature /: "),
    (["--signature=a", "a", "b"], 2, "for one FILE"),
    (["--signature=a", "--from-rkt=x"], 2, "--signature"),
    (["--signature=long", "a"], 4, "longer than"),
    (["--signature=a", "none"], 3, "importing none: no such file"),
])
def test_usage(signed, alice, tmp_path, monkeypatch, args, status, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", b"x")
    write(tmp_path / "long", b"x" * (1 << 20))
    assert_one_line(store("import", *args), status, words)


def test_nothing_is_left_in_the_temporary_directory(signed, alice, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert bring(signed, "alice.sig", env={"TMPDIR": scratch}).status == 0
    assert bring(signed, "bob.sig", env={"TMPDIR": scratch}).status == 5
    assert list(scratch.iterdir()) == []


# ---- tampered with


def small_aci():
    return compress(image_tar(NAME, content="x"), "gzip")


def test_a_byte_changed_anywhere_is_never_accepted(signed, alice, data_dir, tmp_path):
    """In the image and in its signature, with a changed bit low and high; binary, so that each byte
    counts. What does not change a signature's meaning (unhashed parts) must leave it good."""
    _, gpg, _ = signed
    content = small_aci()
    file = write(tmp_path / "small.aci", content)
    signature = gpg.sign("alice", file, "small.sig", "--detach-sign").read_bytes()
    assert bring(signed, "small.sig", file).status == 0
    (good,) = ids()
    store("rm", good)
    harmless = []
    began = time.monotonic()
    for what, data in (("image", content), ("signature", signature)):
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 0x80 if at % 2 else 0x01
            paths = {"image": file, "signature": signed[0] / "small.sig"}
            write(paths[what], changed)
            result = bring(signed, "small.sig", file)
            if result.status == 0:
                assert what == "signature" and ids() == [good], f"{what}, byte {at}"
                harmless.append(at)
                store("rm", good)
            else:
                assert result.status in (4, 5), (what, at, result)
                assert len(result.err.splitlines()) == 1
            write(paths[what], data)
    assert (ids(), files_in(data_dir)) == ([], [])
    assert len(harmless) <= 16, harmless
    print(f"harmless {harmless} of {len(signature)}, {time.monotonic() - began:.0f} s")
