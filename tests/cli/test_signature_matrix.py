"""Signature state times key state times algorithm times prefix: what rkt-store import says, and what
gpgv and sqop, which know nothing of us, say of the same bytes and the same key."""

import shutil

import pytest
from conftest import make_aci, manifest, run
from siglib import Gpg, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import ids, info, store

pytestmark = needs_gpg
NAME = "example.com/app"
ALGORITHMS = ["ed25519", "rsa3072", "nistp256"]
GOOD, BAD, UNTRUSTED = 0, 4, 5

# What we say, and then, where they can judge, whether gpgv and sqop accept it: gpgv takes every key it
# is given for one that may speak at any time, and holds small keys and SHA-1 for strong enough.
STATES = {
    "good": (GOOD, True, True),
    "armored": (GOOD, True, True),
    "by-a-subkey": (GOOD, True, True),
    "key-expired-later": (GOOD, True, True),
    "two-signatures": (GOOD, None, True),
    "other-bytes": (BAD, False, False),
    "cut": (BAD, False, False),
    "inline": (BAD, False, False),
    "clear-text": (BAD, False, False),
    "another-key": (UNTRUSTED, False, False),
    "key-expired-before": (UNTRUSTED, None, False),
    "older-than-the-key": (BAD, None, False),
    "future": (UNTRUSTED, None, False),
    "signature-expired": (UNTRUSTED, None, False),
    "key-revoked": (UNTRUSTED, None, False),
    "subkey-expired": (UNTRUSTED, None, False),
    "subkey-revoked": (UNTRUSTED, None, False),
    "sha1": (UNTRUSTED, None, False),
}
THEN, SOON, LATER = (("--faked-system-time", f"{day}T000000!") for day in ("20200601", "20200701", "20220601"))


class Maker:
    """Makes, for one algorithm, of every state a key file and a signature over the image."""

    def __init__(self, where, algorithm):
        self.gpg = Gpg(where / "home")
        self.where, self.algorithm = where, algorithm
        self.aci = make_aci(where / "a.aci", manifest_=manifest(NAME))
        self.other = make_aci(where / "other.aci", manifest_=manifest(NAME, labels=[]))
        self.made = {}
        self.plain()
        self.subkeys()
        self.times()
        self.revoked()
        self.gpg.stop()

    def sign(self, user, *more, file=None):
        return self.gpg.sign(user, file or self.aci, "sig", *more, "--detach-sign").read_bytes()

    def keep(self, state, user, signature, key=None):
        key = key or self.gpg.write_key(user).read_bytes()
        self.made[state] = (self.gpg.fingerprint(user), key, signature)

    def plain(self):
        self.gpg.make_key("usual", self.algorithm)
        self.gpg.make_key("stranger", self.algorithm)
        good = self.sign("usual")
        self.keep("good", "usual", good)
        self.keep("armored", "usual", self.sign("usual", "--armor"))
        self.keep("two-signatures", "usual", self.sign("stranger") + good)
        self.keep("other-bytes", "usual", self.sign("usual", file=self.other))
        self.keep("cut", "usual", good[:-3])
        self.keep("inline", "usual", self.gpg.sign("usual", self.aci, "sig", "--sign").read_bytes())
        self.keep("clear-text", "usual", self.gpg.sign("usual", self.aci, "sig", "--clear-sign").read_bytes())
        self.keep("another-key", "usual", self.sign("stranger"))
        if self.algorithm != "nistp256":
            self.keep("sha1", "usual", self.sign("usual", "--digest-algo", "SHA1"))

    def subkeys(self):
        """The subkey is of the algorithm, the primary key is not, and may not sign."""
        for state, when, life in (("by-a-subkey", (), "1y"), ("subkey-expired", THEN, "1y"),
                                  ("subkey-revoked", (), "1y")):
            self.gpg.make_key(state, "ed25519", *when, usage="cert", expires="never")
            primary = self.gpg.fingerprint(state)
            algorithm = self.algorithm + ("/ecdsa" if self.algorithm == "nistp256" else "")
            self.gpg.run(*when, "--quick-add-key", primary, algorithm, "sign", life)
            key = self.gpg.write_key(state).read_bytes()
            if state == "subkey-expired":
                self.gpg.run(*SOON, "--quick-set-expire", primary, "10y", "*")
            signature = self.sign(state, *(LATER if when else ()))
            if state == "subkey-revoked":
                self.gpg.run("--no-batch", "--no-tty", "--yes", "--pinentry-mode=loopback", "--command-fd=0",
                             "--edit-key", primary, stdin=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
                key = self.gpg.write_key(state).read_bytes()
            self.keep(state, state, signature, key)

    def times(self):
        key = self.gpg.make_key("old", self.algorithm, *THEN, expires="1y").read_bytes()
        self.keep("key-expired-later", "old", self.sign("old", *THEN), key)
        # its owner holds it longer, and the key file we have does not say so
        self.gpg.run(*SOON, "--quick-set-expire", self.gpg.fingerprint("old"), "10y")
        self.keep("key-expired-before", "old", self.sign("old", *LATER), key)
        self.keep("older-than-the-key", "usual", self.sign("usual", "--ignore-time-conflict", *THEN))
        self.keep("signature-expired", "old", self.sign("old", *THEN, "--default-sig-expire", "1d"))
        self.gpg.make_key("timeless", self.algorithm, expires="never")
        self.keep("future", "timeless", self.sign("timeless", "--faked-system-time", "20400101T000000!"))

    def revoked(self):
        self.gpg.make_key("lost", self.algorithm)
        signature = self.sign("lost")
        self.gpg.revoke("lost")
        self.keep("key-revoked", "lost", signature)


@pytest.fixture(scope="module", params=ALGORITHMS)
def makers(request, tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("matrix"), request.param)


@pytest.fixture
def maker(makers, state):
    if state not in makers.made:
        pytest.skip(f"gpg makes no {state} signature with {makers.algorithm}")
    return makers


def bring(maker, trust, state, prefix):
    fingerprint, key, signature = maker.made[state]
    (maker.where / "sig").write_bytes(signature)
    trust.clear()
    trust.put("local", prefix, fingerprint, key)
    return store("import", f"--signature={maker.where / 'sig'}", maker.aci)


@pytest.mark.parametrize("state", STATES)
def test_what_counts(maker, trust, data_dir, state):
    """S-022, S-024: and a prefix can only take away."""
    status = STATES[state][0]
    for prefix in ("example.com/other", "example.com/ap"):
        assert bring(maker, trust, state, prefix).status == (status or UNTRUSTED)
        assert ids() == []
    for prefix in (None, "example.com", NAME):
        result = bring(maker, trust, state, prefix)
        assert result.status == status, result
        assert len(ids()) == (status == GOOD)
        assert len(result.err.splitlines()) == (status != GOOD)
    if status == GOOD:
        assert info(*ids())["signedBy"] == maker.made[state][0]


@pytest.mark.parametrize("state", STATES)
def test_aci_validate_says_the_same(maker, state):
    _, key, signature = maker.made[state]
    (maker.where / "sig").write_bytes(signature)
    (maker.where / "keys").write_bytes(key)
    result = run(["aci-validate", f"--signature={maker.where / 'sig'}", f"--keyring={maker.where / 'keys'}", maker.aci])
    rule = {GOOD: "", BAD: "signature-invalid", UNTRUSTED: "signature-untrusted"}[STATES[state][0]]
    assert result.status == bool(rule) and rule in result.out, result


@pytest.mark.skipif(not shutil.which("gpgv"), reason="gpgv is not installed")
@pytest.mark.parametrize("state", STATES)
def test_gpgv_agrees(maker, state, tmp_path):
    _, accepts, _ = STATES[state]
    if accepts is None:
        return
    _, key, signature = maker.made[state]
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "key.asc").write_bytes(key)
    run(["gpg", "--homedir", tmp_path, "--batch", "-o", tmp_path / "key.gpg", "--dearmor", tmp_path / "key.asc"])
    result = run(["gpgv", "--keyring", tmp_path / "key.gpg", tmp_path / "sig", maker.aci])
    assert (result.status == 0) == accepts, result


@pytest.mark.skipif(not shutil.which("sqop"), reason="sqop is not installed")
@pytest.mark.parametrize("state", STATES)
def test_sqop_agrees(maker, state, tmp_path):
    _, _, accepts = STATES[state]
    _, key, signature = maker.made[state]
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "key").write_bytes(key)
    result = run(["sqop", "verify", tmp_path / "sig", tmp_path / "key"], stdin=maker.aci.read_bytes())
    assert (result.status == 0) == accepts, result


def test_small_keys_are_too_weak(tmp_path, trust, data_dir):
    """sqop says so, too."""
    gpg = Gpg(tmp_path / "home")
    aci = make_aci(tmp_path / "a.aci", manifest_=manifest(NAME))
    key = gpg.make_key("small", "rsa1024")
    signature = gpg.sign("small", aci, "sig", "--detach-sign")
    trust.put("local", None, gpg.fingerprint("small"), key.read_bytes())
    gpg.stop()
    result = store("import", f"--signature={signature}", aci)
    assert result.status == UNTRUSTED and "too weak" in result.err
    if shutil.which("sqop"):
        assert run(["sqop", "verify", signature, key], stdin=aci.read_bytes()).status != 0
