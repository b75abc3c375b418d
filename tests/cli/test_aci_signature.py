"""aci-validate --signature: whose signature counts, and that nothing of the user's gpg is touched."""

import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest
from acilib import one_line
from conftest import BUILD, compress, entry, make_aci, manifest, run, tar_bytes
from siglib import Gpg, needs_gpg

pytestmark = needs_gpg


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Keys and signatures over one image, made once."""
    where = tmp_path_factory.mktemp("keys")
    gpg = Gpg(where / "home")
    aci = make_aci(where / "a.aci")
    gpg.make_key("alice")
    gpg.make_key("bob")
    gpg.sign("alice", aci, "a.asc", "--armor", "--detach-sign")
    yield where, gpg, aci
    gpg.stop()


def validate(keys, signature, *keyrings, file=None, **more):
    where, _, aci = keys
    rings = [f"--keyring={where / ring}" for ring in keyrings]
    return run(["aci-validate", "--json", f"--signature={where / signature}", *rings,
                file or aci], **more)


def rules(result):
    return [finding["rule"] for finding in json.loads(result.out)["findings"]]


def refused(result, rule, words):
    finding = json.loads(result.out)["findings"][0]
    assert (result.status, finding["rule"]) == (1, rule), result
    assert words in finding["text"], result


def test_a_good_signature_is_valid(keys):
    result = validate(keys, "a.asc", "alice.asc")
    assert (result.status, rules(result), result.err) == (0, [], "")


def test_one_of_several_keyrings_is_enough(keys):
    assert validate(keys, "a.asc", "bob.asc", "alice.asc").status == 0


def test_binary_signatures_and_keyrings_are_read(keys):
    where, gpg, aci = keys
    gpg.sign("alice", aci, "a.sig", "--detach-sign")
    (where / "alice.gpg").write_bytes(gpg.run("--export", "alice@example.com"))
    assert validate(keys, "a.sig", "alice.gpg").status == 0


def test_another_key_is_untrusted(keys):
    refused(validate(keys, "a.asc", "bob.asc"), "signature-untrusted", "not in the keyring")


def test_other_bytes_are_invalid(keys):
    """S-021: the signature is one of the file as delivered: the same tar in other clothes is another."""
    where, _, aci = keys
    other = where / "other.aci"
    other.write_bytes(aci.read_bytes() + compress(b"", "gzip"))
    assert run(["aci-hash", "--id", other]).out == run(["aci-hash", "--id", aci]).out
    refused(validate(keys, "a.asc", "alice.asc", file=other), "signature-invalid", "other bytes")


def test_findings_in_the_file_come_after_those_of_the_signature(keys):
    where, _, _ = keys
    bad = where / "bad.aci"
    bad.write_bytes(tar_bytes([entry("rootfs"), entry("manifest", json.dumps(manifest("Bad")))]))
    result = validate(keys, "a.asc", "alice.asc", file=bad)
    assert (result.status, rules(result)) == (1, ["signature-invalid", "name-syntax"])


@pytest.mark.parametrize("how", ["--sign", "--clearsign"])
def test_a_message_that_brings_its_own_content_is_no_signature(keys, how):
    """S-022: what it says of its own content must not count for the file."""
    where, gpg, aci = keys
    gpg.sign("alice", aci, "inline", how)
    refused(validate(keys, "inline", "alice.asc"), "signature-invalid", "no detached signature")


# of these two gpg says only that something went wrong: encrypted data, and a packet of no kind
JUNK = [b"", b"hello\n", random.Random(1).randbytes(2000), b"\xa6" + random.Random(2).randbytes(2000),
        b"\xff" + random.Random(3).randbytes(2000)]


@pytest.mark.parametrize("content", JUNK, ids=["empty", "text", "random", "encrypted", "unknown"])
def test_what_is_no_signature_is_invalid(keys, content):
    (keys[0] / "junk").write_bytes(content)
    refused(validate(keys, "junk", "alice.asc"), "signature-invalid", "no detached signature")


def test_sha1_is_too_weak(keys):
    where, gpg, aci = keys
    gpg.sign("alice", aci, "sha1.sig", "--digest-algo", "SHA1", "--detach-sign")
    refused(validate(keys, "sha1.sig", "alice.asc"), "signature-untrusted", "weak: SHA1")


def with_line_ends(path, ends):
    """An image in the file PATH with two kinds of line ends."""
    path.write_bytes(tar_bytes([entry("manifest", json.dumps(manifest())), entry("rootfs", mode=0o755), entry("rootfs/text", ends)]))
    return path


def test_a_signature_over_text_is_not_one_over_the_bytes(keys):
    """It holds for other line ends too: these can be exchanged by who has it."""
    where, gpg, _ = keys
    image = with_line_ends(where / "ends.aci", "one\r\ntwo\n" * 9)
    gpg.sign("alice", image, "text.sig", "--textmode", "--detach-sign")
    refused(validate(keys, "text.sig", "alice.asc", file=image), "signature-untrusted", "over text")
    with_line_ends(image, "one\ntwo\r\n" * 9)
    refused(validate(keys, "text.sig", "alice.asc", file=image), "signature-untrusted", "over text")


def test_small_rsa_keys_are_too_weak(keys):
    where, gpg, aci = keys
    gpg.make_key("small", "rsa1024")
    gpg.sign("small", aci, "small.sig", "--detach-sign")
    refused(validate(keys, "small.sig", "small.asc"), "signature-untrusted", "2048 bits")


def test_rsa_of_2048_bits_is_enough(keys):
    where, gpg, aci = keys
    gpg.make_key("large", "rsa2048")
    gpg.sign("large", aci, "large.sig", "--detach-sign")
    assert validate(keys, "large.sig", "large.asc").status == 0


def test_a_key_must_hold_when_it_signs_not_when_it_is_asked(keys):
    where, gpg, aci = keys
    gpg.make_key("old", "ed25519", "--faked-system-time", "20200101T000000!", expires="1y")
    gpg.sign("old", aci, "then.sig", "--faked-system-time", "20200601T000000!", "--detach-sign")
    assert validate(keys, "then.sig", "old.asc").status == 0
    # the same key, held longer by its owner, and shorter by the keyring
    gpg.run("--faked-system-time", "20200701T000000!", "--quick-set-expire", gpg.fingerprint("old").upper(), "10y")
    gpg.sign("old", aci, "late.sig", "--faked-system-time", "20220601T000000!", "--detach-sign")
    refused(validate(keys, "late.sig", "old.asc"), "signature-untrusted", "did not hold")


def test_a_revoked_key_is_untrusted(keys):
    where, gpg, aci = keys
    gpg.make_key("lost")
    gpg.sign("lost", aci, "lost.sig", "--detach-sign")
    assert validate(keys, "lost.sig", "lost.asc").status == 0
    gpg.revoke("lost")
    (where / "lost.asc").write_bytes(gpg.run("--export", "lost@example.com"))
    refused(validate(keys, "lost.sig", "lost.asc"), "signature-untrusted", "revoked")


def test_an_unknown_signature_beside_a_good_one_does_no_harm(keys):
    where, gpg, aci = keys
    good = gpg.sign("alice", aci, "good.sig", "--detach-sign").read_bytes()
    other = gpg.sign("bob", aci, "bob.sig", "--detach-sign").read_bytes()
    for pair in (good + other, other + good):
        (where / "two.sig").write_bytes(pair)
        assert validate(keys, "two.sig", "alice.asc").status == 0


def of_another_kind(signature):
    """The binary SIGNATURE as one of an algorithm nobody knows here yet (RFC 4880, 5.2.3)."""
    assert signature[0] == 0x88 and signature[2] == 4
    return signature[:4] + b"\x6e" + signature[5:]


def test_a_signature_of_a_kind_nobody_knows_is_judged_by_whose_it_is(keys):
    """Of a key that is not asked it does no harm; one that is asked must be understood."""
    where, gpg, aci = keys
    ours, theirs = (gpg.sign(user, aci, f"{user}.sig", "--detach-sign").read_bytes() for user in ("alice", "bob"))
    odd = where / "odd.sig"
    for both in (ours + of_another_kind(theirs), of_another_kind(theirs) + ours):
        odd.write_bytes(both)
        result = validate(keys, "odd.sig", "alice.asc")
        assert (result.status, rules(result)) == (0, []), result
    odd.write_bytes(of_another_kind(theirs))
    refused(validate(keys, "odd.sig", "alice.asc"), "signature-untrusted", "not in the keyring, and it cannot be")
    odd.write_bytes(ours + of_another_kind(ours))
    refused(validate(keys, "odd.sig", "alice.asc"), "signature-invalid", "it cannot be checked")


def test_a_bad_signature_of_an_allowed_key_outweighs_a_good_one(keys):
    where, gpg, aci = keys
    (where / "elsewhere").write_text("other bytes")
    good = gpg.sign("alice", aci, "good.sig", "--detach-sign").read_bytes()
    bad = gpg.sign("bob", where / "elsewhere", "bob.sig", "--detach-sign").read_bytes()
    for pair in (good + bad, bad + good):
        (where / "two.sig").write_bytes(pair)
        result = validate(keys, "two.sig", "alice.asc", "bob.asc")
        assert (result.status, rules(result)) == (1, ["signature-invalid"])


# ---- whose gpg


def test_the_user_s_gpg_is_not_touched(keys, tmp_path):
    """S-023: not his keyring, agent and configuration; and nothing is left."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    scratch.mkdir()
    (home / ".gnupg").mkdir(parents=True, mode=0o700)
    (home / ".gnupg/gpg.conf").write_text("this-is-no-option\n")
    before = sorted(home.rglob("*"))
    env = {"HOME": home, "TMPDIR": scratch}
    assert validate(keys, "a.asc", "alice.asc", env=env).status == 0
    env["GNUPGHOME"] = home / ".gnupg"
    assert validate(keys, "a.asc", "alice.asc", env=env).status == 0
    assert sorted(home.rglob("*")) == before
    assert list(scratch.iterdir()) == []


def test_no_agent_is_left_behind(keys, tmp_path):
    validate(keys, "a.asc", "alice.asc", env={"TMPDIR": tmp_path})
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert str(tmp_path).encode() not in process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            pass


def test_a_key_of_the_user_does_not_speak(keys):
    """S-023: exactly the keys of the keyring."""
    env = {"GNUPGHOME": keys[1].real}
    assert validate(keys, "a.asc", "bob.asc", env=env).status == 1


# ---- the bytes


def test_a_pipe_is_judged_as_a_file_is(keys):
    where, _, aci = keys
    result = validate(keys, "a.asc", "alice.asc", file="-", stdin=aci.read_bytes())
    assert result.status == 0
    assert json.loads(result.out)["type"] == "image"
    refused(validate(keys, "a.asc", "alice.asc", file="-", stdin=aci.read_bytes() + b"x"),
            "signature-invalid", "other bytes")


def test_manifests_may_be_signed(keys):
    where, gpg, _ = keys
    (where / "m.json").write_text(json.dumps(manifest()))
    gpg.sign("alice", where / "m.json", "m.asc", "--armor", "--detach-sign")
    assert validate(keys, "m.asc", "alice.asc", file=where / "m.json").status == 0


def test_a_file_that_changes_after_its_signature_was_checked_is_not_valid(keys, tmp_path):
    """S-020: the helper is slow here, and the file another when it is read."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("aci-validate", "aci-verify-signature"):
        shutil.copy(BUILD / name, tools / name)
    (tools / "aci-verify-signature").rename(tools / "real")
    aci, other = tmp_path / "a.aci", tmp_path / "other.aci"
    shutil.copy(keys[2], aci)
    other.write_bytes(keys[2].read_bytes() + compress(b"", "gzip"))
    (tools / "aci-verify-signature").write_text(
        f'#!/bin/sh\n{tools}/real "$@"\ncat {other} >{aci}\n')
    (tools / "aci-verify-signature").chmod(0o755)
    result = run([tools / "aci-validate", f"--signature={keys[0] / 'a.asc'}",
                  f"--keyring={keys[0] / 'alice.asc'}", aci])
    one_line(result, 2, "changed after its signature was checked")


# ---- could not tell


@pytest.mark.parametrize("signature, ring, words", [
    ("none", "alice.asc", "no such file"),
    ("a.asc", "none", "no such file"),
    ("a.asc", "a.asc", "no OpenPGP key"),
    ("a.asc", "secret", "secret keys"),
])
def test_what_is_missing_is_2(keys, signature, ring, words):
    where, gpg, aci = keys
    (where / "secret").write_bytes(gpg.run("--export-secret-keys", "bob@example.com"))
    result = run(["aci-validate", f"--signature={where / signature}", f"--keyring={where / ring}", aci])
    one_line(result, 2, words)


def test_a_directory_has_no_signature(keys, tmp_path):
    result = validate(keys, "a.asc", "alice.asc", file=tmp_path)
    assert result.status == 2
    assert "a directory has no signature" in json.loads(result.out)["error"]


def test_without_the_helper_nothing_can_be_told(keys, tmp_path):
    shutil.copy(BUILD / "aci-validate", tmp_path)
    result = run([tmp_path / "aci-validate", f"--signature={keys[0] / 'a.asc'}",
                  f"--keyring={keys[0] / 'alice.asc'}", keys[2]])
    if result.status == 0:
        pytest.skip("an installed helper answers")
    one_line(result, 2, "aci-verify-signature")


@pytest.mark.parametrize("options", [["--signature=x"], ["--keyring=x"]])
def test_signature_and_keyring_go_together(keys, options):
    result = run(["aci-validate", *options, keys[2]])
    assert result.status == 2
    assert "go together" in result.err


def test_a_signature_is_one_of_one_file(keys):
    where, _, aci = keys
    result = run(["aci-validate", "--signature=x", "--keyring=y", aci, aci])
    assert (result.status, result.out) == (2, "")


def test_the_tool_links_nothing_of_openpgp():
    linked = subprocess.run(["ldd", BUILD / "aci-validate"], stdout=subprocess.PIPE, check=True).stdout
    assert b"gpg" not in linked
