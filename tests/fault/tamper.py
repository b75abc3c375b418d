"""Each byte of an image and of its signature changed on its way: never accepted (S-020, S-021).

By rkt-store fetch. Without RKT_FAULT_FULL every so many bytes, others each day. Signatures are binary: armor has
bytes that mean nothing. OpenPGP has some too, and only with one of these changed may the very bytes that were
signed be taken, as signed by the very key.
"""

import datetime
import gzip
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import data_dir, run  # noqa: E402
from faultlib import FULL  # noqa: E402
from fetchlib import SOON, partial  # noqa: E402
from siglib import Gpg, needs_gpg, trust  # noqa: E402
from storelib import ids, image_tar, info, store  # noqa: E402
from weblib import Web  # noqa: E402

assert data_dir and trust  # fixtures
pytestmark = needs_gpg
AT_ONCE = 24  # URLs a run
EVERY = 1 if FULL else 7
NAME = "example.com/app"


@pytest.fixture
def site(tmp_path, data_dir, trust):
    """A server, and what a signed image on it is: (web, body, signature, fingerprint)."""
    web, gpg = Web(), Gpg(tmp_path / "gpg")
    key = gpg.make_key("alice")
    trust.put("local", NAME, gpg.fingerprint("alice"), key.read_bytes())
    body = gzip.compress(image_tar(NAME, content="content " * 40), mtime=0)
    file = tmp_path / "signed"
    file.write_bytes(body)
    signature = gpg.run("-u", "alice@example.com", "--detach-sign", "-o", "-", file)
    yield web, body, signature, gpg.fingerprint("alice")
    gpg.stop()
    web.close()


def fetch(web, names):
    urls = [f"{web.url}/{name}" for name in names]
    return run(["rkt-store", "fetch", "--insecure-options=http", "--tries=1", *SOON, *urls])


def flip(data, at):
    """One bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def places(data):
    first = datetime.date.today().toordinal() % EVERY
    return range(first, len(data), EVERY)


def in_runs(all_of_them):
    return [all_of_them[at : at + AT_ONCE] for at in range(0, len(all_of_them), AT_ONCE)]


def forget():
    """The next one finds nothing there."""
    for image in ids():
        assert store("rm", image).status == 0
    assert ids() == []


def test_an_image_with_one_byte_changed(site, data_dir, capsys):
    web, body, signature, _ = site
    for number in places(body):
        web.file(f"/{number}", flip(body, number))
        web.file(f"/{number}.asc", signature)
    for names in in_runs(places(body)):
        result = fetch(web, names)
        assert (result.status, result.out, ids()) == (4, "", []), (names, result)
        assert result.err.count("the signature is not valid") == len(names), result
        assert partial(data_dir) == []
    # none, one too few, one too many
    for name, other in ("none", b""), ("few", body[:-1]), ("many", body + b"\0"):
        web.file(f"/{name}", other)
        web.file(f"/{name}.asc", signature)
        result = fetch(web, [name])
        assert (result.status, result.out, ids()) == (4, "", []), (name, result)
    with capsys.disabled():
        print(f"# {len(places(body))} of {len(body)} bytes of the image changed")


def test_a_signature_with_one_byte_changed(site, data_dir, capsys):
    web, body, signature, fingerprint = site
    taken = []
    every = range(len(signature)) if FULL else range(datetime.date.today().toordinal() % 3, len(signature), 3)
    for number in every:
        web.file(f"/{number}", body)
        web.file(f"/{number}.asc", flip(signature, number))
    for number in every:
        result = fetch(web, [number])
        if result.status:
            assert result.status in (4, 5) and result.out == "" and ids() == [], (number, result)
            continue
        # nothing that counts was changed: the same bytes, the same key
        (image,) = result.out.split()
        assert info(image)["signedBy"] == fingerprint
        taken.append(number)
        forget()
    beyond = set(taken) - without_consequence(signature)
    assert not beyond, f"{sorted(beyond)} of {signature.hex()}"
    for length in range(0, len(signature), 1 if FULL else 9):
        web.file("/short", body)
        web.file("/short.asc", signature[:length])
        result = fetch(web, ["short"])
        assert result.status in (4, 5) and ids() == [], (length, result)
    with capsys.disabled():
        print(f"# {len(every)} of {len(signature)} bytes of the signature changed; without consequence: {taken}")


def without_consequence(signature):
    """Where a version 4 signature has what it does not cover (RFC 4880, 5.2.3): a hint at who signed, which is
    only looked at to find the key; the start of the digest, which is made anew; the length of its packet, which
    gpg lets reach beyond the end; and how many bits the numbers have (3.2), of which gpg only takes how many
    bytes that makes: where flip() leaves these as many, the numbers are the same."""
    assert signature[0] in (0x88, 0xC2) and signature[2] == 4, signature[:4].hex()
    unhashed = 8 + int.from_bytes(signature[6:8], "big")
    numbers = unhashed + 4 + int.from_bytes(signature[unhashed : unhashed + 2], "big")
    found = {1} | set(range(unhashed, numbers))
    at = numbers
    while at < len(signature):
        octets = octets_of_number(signature, at)
        found |= {i for i in (at, at + 1) if octets_of_number(flip(signature, i), at) == octets}
        at += 2 + octets
    assert at == len(signature), signature.hex()
    return found


def octets_of_number(data, at):
    return (int.from_bytes(data[at : at + 2], "big") + 7) // 8


def test_the_whole_one_is_taken(site, data_dir):
    web, body, signature, fingerprint = site
    web.file("/good", body)
    web.file("/good.asc", signature)
    result = fetch(web, ["good"])
    assert result.status == 0, result
    assert json.loads(store("info", "--json", result.out.strip()).out)["signedBy"] == fingerprint
