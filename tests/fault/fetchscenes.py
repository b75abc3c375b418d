"""Scenes of rkt-store fetch, from a server in this very process.

By plain http: TLS would be some hundred calls more, all of libcurl's. Two in three of all calls are made by the
dynamic loader, which loads libcurl and all it needs, and change nothing: without RKT_FAULT_FULL few of these.
"""

import os
import shutil

from faultlib import BOTH, ONE, SUBJECT, SUBJECT_TAR, Scene, add_kept
from siglib import Gpg
from storelib import files_in, ids, info, store
from weblib import Web

SIGNER = "alice"


def serve(yard):
    """Begins the server; it is called by number, so that nobody looks names up."""
    add_kept(yard)
    web = Web()
    yard.closing.append(web.close)
    yard.url = web.url.replace("localhost", "127.0.0.1") + "/subject.aci"
    web.file("/subject.aci", SUBJECT_TAR)
    yard.web = web


def serve_signed(yard):
    serve(yard)
    gpg = Gpg(yard.path / "gpg")
    yard.closing.append(gpg.stop)
    key = gpg.make_key(SIGNER)
    yard.signer = gpg.fingerprint(SIGNER)
    (yard.path / "tmp").mkdir()
    os.environ["TMPDIR"] = str(yard.path / "tmp")
    for level in ("SYSTEM", "LOCAL", "USER"):
        os.environ[f"RKT_{level}_CONFIG"] = str(yard.path / "config" / level)
    assert store("trust", "--yes", "--root", key).status == 0
    yard.web.file("/subject.aci.asc", gpg.run("-u", f"{SIGNER}@example.com", "--detach-sign", "-o", "-", yard.subject_file))


def is_nothing_after_a_day(yard):
    """What is left of the download goes when nobody goes on with it."""
    for folder, _, files in os.walk(yard.data_dir / "cas/partial"):
        for name in files:
            os.utime(os.path.join(folder, name), (1, 1))
    assert store("gc").status == 0
    assert os.listdir(yard.data_dir / "cas/partial") == []


def can_be_fetched(yard):
    """Also after a day."""
    before = yard.path / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(yard.data_dir, before, symlinks=True)
    is_nothing_after_a_day(yard)
    shutil.rmtree(yard.data_dir)
    before.rename(yard.data_dir)
    result = store(*yard.args)
    assert result.status == 0 and result.out.split() == [SUBJECT], result
    assert set(ids()) == BOTH
    assert not [name for name in files_in(yard.data_dir) if name.startswith("partial")]
    assert store("verify").status == 0


def is_signed_when_there(yard):
    if SUBJECT in ids():
        assert info(SUBJECT)["signedBy"] == yard.signer
    can_be_fetched(yard)
    assert info(SUBJECT)["signedBy"] == yard.signer
    assert store("gc").status == 0  # the fetch had nothing to ask gpg about when the image was there
    assert os.listdir(yard.path / "tmp") == []  # homes of gpg, also of those that were killed


ARGS = ["fetch", "--tries=1", "-j1"]
FETCHING = [
    Scene("fetch", [*ARGS, "--insecure-options=image,http", "{yard.url}"], serve, ONE, BOTH, can_be_fetched,
          loader_step=16, own_words=True),
    Scene("fetch-signed", [*ARGS, "--insecure-options=http", "{yard.url}"], serve_signed, ONE, BOTH,
          is_signed_when_there, step=9, loader_step=200, own_words=True),
]
