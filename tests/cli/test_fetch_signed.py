"""rkt-store fetch with signatures, of names that the web is asked about, and of dependencies."""

import gzip
import hashlib
import json

import pytest
from fetchlib import big_image, fetch, partial, pki, proxy, unsigned, web  # noqa: F401
from siglib import Gpg, needs_gpg, trust  # noqa: F401
from storelib import assert_one_line, blob_path, ids, image_tar, info, store, write
from weblib import File, Web

pytestmark = needs_gpg
NAME = "example.com/app"


@pytest.fixture(scope="module")
def gpg(tmp_path_factory):
    it = Gpg(tmp_path_factory.mktemp("gpg") / "home")
    for user in "alice", "bob":
        it.make_key(user)
    yield it
    it.stop()


class Site:
    """WEB with signed images on it, each at PATH and PATH.asc."""

    def __init__(self, web, gpg, folder):
        self.web, self.gpg, self.folder = web, gpg, folder

    def signature(self, body, user="alice"):
        file = write(self.folder / "signed", body)
        return self.gpg.run("-u", f"{user}@example.com", "--armor", "--detach-sign", "-o", "-", file)

    def put(self, path, body, user="alice", **more):
        self.web.file(path, body, **more)
        if user:
            self.web.file(f"{path}.asc", self.signature(body, user))
        return body


@pytest.fixture
def site(web, gpg, tmp_path, data_dir, trust):
    """Alice speaks for example.com/app and what is below it."""
    trust.put("local", NAME, gpg.fingerprint("alice"), (gpg.home.parent / "alice.asc").read_bytes())
    return Site(web, gpg, tmp_path)


def the_id(result):
    assert result.status == 0, result
    (line,) = result.out.splitlines()
    return line


# ---- signatures ----------------------------------------------------------------------------------


def test_a_signed_image_is_taken_and_its_key_remembered(site, web):
    site.put("/a.aci", image_tar(NAME))
    image = the_id(fetch(web, f"{web.url}/a.aci"))
    assert info(image)["signedBy"] == site.gpg.fingerprint("alice")
    assert info(image)["source"] == f"{web.url}/a.aci"
    assert web.requests[0].path == "/a.aci.asc"


def test_the_signature_is_beside_the_path(site, web):
    """A query is not a part of it, and a host has none."""
    body = site.put("/a.aci", image_tar(NAME))
    the_id(fetch(web, f"{web.url}/a.aci?x=1/2&y=a.aci#part"))
    assert [asked.path for asked in web.requests] == ["/a.aci.asc?x=1/2&y=a.aci", "/a.aci?x=1/2&y=a.aci"]
    web.file("/", body)
    web.file("/.asc", site.signature(body))
    for query in "", "?x":
        the_id(fetch(web, f"{web.url}{query}"))
        assert web.requests[-2].path == f"/.asc{query}"


def test_binary_signatures_are_taken_too(site, web):
    body = image_tar(NAME)
    web.file("/a.aci", body)
    file = write(site.folder / "signed", body)
    web.file("/a.aci.asc", site.gpg.run("-u", "alice@example.com", "--detach-sign", "-o", "-", file))
    the_id(fetch(web, f"{web.url}/a.aci"))


def test_what_nobody_signed_is_not_even_fetched(site, web, data_dir):
    site.put("/a.aci", image_tar(NAME), user=None)
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 5, "no signature", "a.aci.asc", "--insecure-options=image")
    assert [asked.headers["range"] for asked in web.asked("/a.aci")] == ["bytes=0-0"]
    assert (ids(), partial(data_dir)) == ([], [])


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_not_said_to_be_unsigned(site, web, status):
    web.status("/a.aci", status)
    result = fetch(web, f"{web.url}/a.aci")
    assert_one_line(result, 3, f"{web.url}/a.aci: the server answered {status}", "no image")
    assert "insecure" not in result.err
    web.status("/a.aci", 503)
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 5, "no signature", "a.aci.asc")


def test_an_image_without_signature_may_come_whole(site, web):
    """From a server that knows no ranges; it is not waited for."""
    site.put("/a.aci", big_image(3_000_000, name=NAME), user=None, ranges=False)
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 5, "no signature", "a.aci.asc")


def test_a_signature_that_is_no_signature(site, web, data_dir):
    site.put("/a.aci", image_tar(NAME))
    web.file("/a.aci.asc", b"<html>not found</html>")
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 4, "signature")
    assert (ids(), partial(data_dir)) == ([], [])


def test_a_signature_by_another_key(site, web, data_dir):
    site.put("/a.aci", image_tar(NAME), user="bob")
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 5, "signature does not count")
    assert ids() == []


def test_a_key_speaks_for_its_prefix_only(site, web, data_dir):
    site.put("/a.aci", image_tar("example.com/other"))
    assert_one_line(fetch(web, f"{web.url}/a.aci"), 5, "is not trusted for images called example.com/other")
    site.put("/b.aci", image_tar(f"{NAME}/below"))
    the_id(fetch(web, f"{web.url}/b.aci"))


def test_other_bytes_than_those_signed(site, web, data_dir):
    body = image_tar(NAME)
    site.put("/a.aci", body)
    for at in range(0, len(body), 97):
        web.file("/a.aci", body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        assert fetch(web, f"{web.url}/a.aci").status == 4, at
    assert (ids(), partial(data_dir)) == ([], [])
    web.file("/a.aci", body)
    the_id(fetch(web, f"{web.url}/a.aci"))


@pytest.mark.parametrize("encoding, told", [("gzip", True), ("Identity", False), (None, False)])
def test_a_server_that_encoded_other_bytes_is_told_of(site, web, encoding, told):
    body = site.put("/a.aci", image_tar(NAME))
    headers = {"Content-Encoding": encoding} if encoding else {}
    web.file("/a.aci", gzip.compress(body), headers=headers)
    result = fetch(web, f"{web.url}/a.aci")
    assert_one_line(result, 4, f"{web.url}/a.aci", "the signature is not valid")
    assert ("Content-Encoding: gzip" in result.err) == told


def test_bytes_are_judged_before_anything_reads_them(site, web, data_dir):
    web.file("/a.aci", b"\x1f\x8b garbage that is no archive")
    web.file("/a.aci.asc", site.signature(b"other bytes"))
    result = fetch(web, f"{web.url}/a.aci")
    assert_one_line(result, 4, "the signature is not valid")


def test_a_broken_download_is_judged_wholly(site, web, data_dir):
    body = big_image(name=NAME)
    site.put("/a.aci", body, end_at=[100_000, 200_000])
    image = the_id(fetch(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    assert store("rm", image).status == 0
    site.put("/a.aci", body, end_at=[100_000])
    assert fetch(web, "--tries=1", f"{web.url}/a.aci").status == 1
    the_id(fetch(web, f"{web.url}/a.aci"))
    assert "range" in web.asked("/a.aci")[-1].headers


def test_another_version_is_judged_anew(site, web, data_dir):
    old, new = big_image(name=NAME), big_image(310_000, name=NAME)
    answers = iter([File(old, end_at=[200_000]), File(new)])
    web.route("/a.aci", lambda handler, asked: next(answers)(handler, asked))
    web.file("/a.aci.asc", site.signature(new))
    image = the_id(fetch(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == new
    assert "range" in web.asked("/a.aci")[1].headers


def test_a_large_file_with_a_signature_that_gpg_does_not_read_on_for(site, web, data_dir):
    site.put("/a.aci", big_image(3_000_000, name=NAME))
    for nonsense in b"nonsense", b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n":
        web.file("/a.aci.asc", nonsense)
        assert_one_line(fetch(web, f"{web.url}/a.aci"), 4, "signature")
    web.file("/a.aci.asc", site.signature(b"x", "bob"))
    assert fetch(web, f"{web.url}/a.aci").status == 5


def test_a_key_that_comes_later_finds_the_bytes_there(site, web, data_dir, trust):
    trust.clear()
    body = site.put("/a.aci", image_tar(NAME, content="x" * 100_000))
    assert fetch(web, f"{web.url}/a.aci").status == 5
    assert len(partial(data_dir)) == 1
    key = (site.gpg.home.parent / "alice.asc").read_bytes()
    trust.put("local", NAME, site.gpg.fingerprint("alice"), key)
    image = the_id(fetch(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    assert web.asked("/a.aci")[1].headers["range"] == f"bytes={len(body) - 1}-"
    assert partial(data_dir) == []


def test_a_signature_that_comes_later_is_asked_for_again(site, web):
    body = site.put("/a.aci", image_tar(NAME))
    good = web.routes["/a.aci.asc"]
    answers = iter([lambda handler, _: handler.reply(202), good])
    web.route("/a.aci.asc", lambda handler, asked: next(answers)(handler, asked))
    the_id(fetch(web, f"{web.url}/a.aci"))
    assert [asked.path for asked in web.requests] == ["/a.aci.asc", "/a.aci", "/a.aci.asc"]
    site.put("/b.aci", body + b"\0" * 512)
    web.status("/b.aci.asc", 202)
    assert_one_line(fetch(web, f"{web.url}/b.aci"), 1, "signature later (202)")


def test_what_came_unsigned_is_not_taken_for_signed(site, web):
    site.put("/a.aci", image_tar(NAME), headers={"Cache-Control": "max-age=600"})
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert info(image)["signedBy"] is None
    assert_one_line(fetch(web, "--pull-policy=never", f"{web.url}/a.aci"), 5, f"{web.url}/a.aci is in the store, but no key")
    assert_one_line(fetch(web, "--pull-policy=never", f"{web.url}/b.aci"), 3, f"{web.url}/b.aci is not in the store")
    for policy in "update", "new":
        assert the_id(fetch(web, f"--pull-policy={policy}", f"{web.url}/a.aci")) == image
    assert info(image)["signedBy"] == site.gpg.fingerprint("alice")
    before = len(web.requests)
    the_id(fetch(web, f"{web.url}/a.aci"))
    assert len(web.requests) == before


def test_a_key_that_is_taken_back_speaks_for_nothing_in_the_cache(site, web, trust):
    site.put("/a.aci", image_tar(NAME), headers={"Cache-Control": "max-age=600"})
    the_id(fetch(web, f"{web.url}/a.aci"))
    trust.put("user", NAME, site.gpg.fingerprint("alice"), "")
    assert fetch(web, f"{web.url}/a.aci").status == 5
    assert fetch(web, "--pull-policy=new", f"{web.url}/a.aci").status == 5


def test_the_signature_may_be_elsewhere(site, web, tmp_path):
    body = site.put("/a.aci", image_tar(NAME), user=None)
    file = write(tmp_path / "sig", site.signature(body))
    the_id(fetch(web, f"--signature={file}", f"{web.url}/a.aci"))
    web.file("/sig", site.signature(body))
    the_id(fetch(web, "--no-cache", f"--signature={web.url}/sig", f"{web.url}/a.aci"))
    assert_one_line(fetch(web, "--signature=/none", f"{web.url}/a.aci"), 5, "no signature: /none: no such file")


@pytest.mark.parametrize("headers", [{}, {"Cache-Control": "max-age=600"}], ids=["known", "fresh"])
def test_a_signature_that_is_named_is_checked_whatever_is_known(site, web, tmp_path, headers):
    body = site.put("/a.aci", image_tar(NAME), headers=headers)
    image = the_id(fetch(web, f"{web.url}/a.aci"))
    bad = write(tmp_path / "bad", site.signature(b"other bytes"))
    good = write(tmp_path / "good", site.signature(body))
    for policy in "update", "new":
        args = [f"--pull-policy={policy}", f"{web.url}/a.aci"]
        assert_one_line(fetch(web, f"--signature={bad}", *args), 4, "the signature is not valid")
        assert the_id(fetch(web, f"--signature={good}", *args)) == image
    result = fetch(web, f"--signature={good}", "--pull-policy=never", f"{web.url}/a.aci")
    assert_one_line(result, 2, f"{web.url}/a.aci", "nobody is to be asked")
    assert {asked.headers.get("if-none-match") for asked in web.asked("/a.aci")} == {None}


def test_a_signature_is_not_named_for_what_has_no_place(site, web):
    for reference in NAME, "sha256-" + "0" * 64:
        assert_one_line(fetch(web, "--signature=/none", reference), 2, "for a URL or a file")


def test_an_image_is_not_its_own_signature(site, web):
    site.put("/a.aci", image_tar(NAME))
    the_id(fetch(web, f"{web.url}/a.aci"))
    site.put("/a.aci", image_tar(NAME, content="new"))
    for more in [], ["--no-cache"]:
        result = fetch(web, f"--signature={web.url}/a.aci#x", *more, f"{web.url}/a.aci", timeout=60)
        assert_one_line(result, 2, "a.aci is the image itself")


def test_a_file_needs_no_signature_but_one_that_is_there_must_be_good(site, web, tmp_path):
    body = image_tar(NAME)
    file = write(tmp_path / "a.aci", body)
    the_id(fetch(web, file))
    write(tmp_path / "a.aci.asc", site.signature(body, "bob"))
    assert fetch(web, file).status == 5
    the_id(unsigned(web, file))
    write(tmp_path / "a.aci.asc", site.signature(body))
    image = the_id(fetch(web, file))
    assert info(image)["signedBy"] == site.gpg.fingerprint("alice")


# ---- names ---------------------------------------------------------------------------------------


@pytest.fixture
def find(site, web, proxy):
    """rkt-store fetch NAME, with WEB as every host."""

    def it(*args, **more):
        return fetch(web, *args, env={"https_proxy": proxy.url}, **more)

    return it


def page(*tags):
    return "".join(f'<meta name="{name}" content="{content}">' for name, content in tags).join(
        ["<html><head><title>x</title>", "</head><body>hello</body></html>"]).encode()


def test_simple_discovery(site, web, find, proxy):
    site.put("/app-1.0.0-linux-amd64.aci", image_tar(NAME))
    the_id(find(f"{NAME}:1.0.0,os=linux,arch=amd64"))
    assert set(proxy.asked) == {"example.com:443"}
    assert [asked.path for asked in web.requests] == [
        "/app-1.0.0-linux-amd64.aci.asc", "/app-1.0.0-linux-amd64.aci"]


def test_without_a_version_it_is_the_latest(site, web, find):
    site.put("/app-latest-linux-amd64.aci", image_tar(NAME))
    the_id(find(f"{NAME},os=linux,arch=amd64"))


def test_meta_discovery(site, web, find):
    web.file("/app?ac-discovery=1", page(
        ("ac-discovery", "example.com/other https://example.com/no/{name}.{ext}"),
        ("ac-discovery", f"{NAME} https://example.com/images/{{name}}/{{version}}.{{ext}}")))
    body = image_tar(NAME)
    web.file("/images/example.com/app/1.0.0.aci", body)
    web.file("/images/example.com/app/1.0.0.aci.asc", site.signature(body))
    the_id(find(f"{NAME}:1.0.0"))
    assert not any("/no/" in asked.path for asked in web.requests)


def test_the_page_of_what_the_name_lies_below(site, web, find):
    web.file("/?ac-discovery=1", page(("ac-discovery", "example.com https://example.com/i/{name}.{ext}")))
    web.routes["?ac-discovery=1"] = web.routes["/?ac-discovery=1"]
    body = image_tar(f"{NAME}/deep/er")
    web.file("/i/example.com/app/deep/er.aci", body)
    web.file("/i/example.com/app/deep/er.aci.asc", site.signature(body))
    the_id(find(f"{NAME}/deep/er"))


def test_all_endpoints_are_tried_and_told(site, web, find):
    web.file("/app?ac-discovery=1", page(
        *[("ac-discovery", f"{NAME} https://m{number}.example.com/{number}/{{name}}.{{ext}}") for number in range(3)]))
    body = image_tar(NAME)
    web.file("/1/example.com/app.aci", body[:-512])
    web.file("/1/example.com/app.aci.asc", site.signature(body))
    result = find(NAME)
    assert result.status == 4, result
    for words in "app-latest", "m0.example.com", "m1.example.com", "m2.example.com", "not valid", "404":
        assert words in result.err
    assert len(result.err.splitlines()) == 1
    web.file("/2/example.com/app.aci", body)
    web.file("/2/example.com/app.aci.asc", site.signature(body))
    the_id(find(NAME))


def test_a_place_that_two_templates_give_is_asked_once(site, web, find):
    simple = "https://{name}-{version}-{os}-{arch}.{ext}"
    web.file("/app?ac-discovery=1", page(
        *[("ac-discovery", f"{NAME} {place}") for place in (simple, "https://example.com/{name}.{ext}") * 2]))
    result = find(NAME)
    assert_one_line(result, 3, "was not found")
    paths = [asked.path for asked in web.requests]
    assert len(paths) == len(set(paths)) == 3, paths
    assert result.err.count("-amd64.aci.asc") == 1


def test_what_is_found_nowhere_is_missing(site, web, find):
    result = find(f"{NAME}/none:1")
    assert_one_line(result, 3, "was not found", "example.com/app/none?ac-discovery=1", "example.com?ac-discovery=1")


def test_a_page_that_cannot_be_had_does_not_say_that_there_is_nothing(web, find):
    web.status("/", 503)
    result = find(f"{NAME}/none:1", "--tries=2")
    told, failed = result.err.splitlines()
    assert told.endswith("/example.com/?ac-discovery=1: the server answered 503: not available now; try 2 of 2 in 0.0 s"), told
    assert result.status == 1 and "was not found" in failed and "https://example.com?ac-discovery=1: the server answered 503" in failed
    assert len(web.asked("/")) == 2


def test_pages_of_one_name_are_asked_for_again_so_often_together(web, find):
    """An image may need another of any name, whose host has time."""
    for path in "/app/a/b", "/app/a", "/app", "/":
        web.status(path, 503)
    result = find(f"{NAME}/a/b:1", "--tries=3")
    assert result.status == 1 and "?ac-discovery=1: the server answered 503" in result.err.splitlines()[-1], result
    assert [len(web.asked(path)) for path in ("/app/a/b", "/app/a", "/app", "/")] == [3, 1, 1, 1]


def test_a_page_that_can_be_had_at_the_second_try_is_one(site, web, find):
    here = page(("ac-discovery", f"{NAME} https://example.com/i.{{ext}}"))
    answers = iter([lambda h: h.reply(503), lambda h: h.reply(429), lambda h: h.reply(200, here)])
    web.route("/app", lambda handler, asked: next(answers)(handler))
    site.put("/i.aci", image_tar(NAME))
    result = find(NAME)
    assert result.status == 0 and [line.split("; ")[1] for line in result.err.splitlines()] == [
        "try 2 of 5 in 0.0 s", "try 3 of 5 in 0.0 s"], result


@pytest.mark.parametrize("asked, words", [
    ("example.com/app/x", "example.com/app"), (f"{NAME}:2.0.0", "version"), (f"{NAME},colour=red", "colour")])
def test_what_comes_is_what_was_asked_for(site, web, find, asked, words):
    body = image_tar(NAME)
    for path in ("/app/x-latest-linux-amd64.aci", "/app-2.0.0-linux-amd64.aci", "/app-latest-linux-amd64.aci"):
        site.put(path, body)
    result = find(f"{asked},os=linux,arch=amd64")
    assert result.status == 4 and words in result.err, result
    assert ids() == []


@pytest.mark.parametrize("headers", [{"Cache-Control": "max-age=600"}, {"ETag": '"one"'}])
def test_what_the_cache_has_is_what_was_asked_for(site, web, find, headers):
    web.file("/app?ac-discovery=1", page(("ac-discovery", f"{NAME} https://example.com/i.{{ext}}")))
    site.put("/i.aci", image_tar(NAME, labels=[{"name": "version", "value": "1.0.0"}]), headers=headers)
    image = the_id(find(f"{NAME}:1.0.0"))
    assert the_id(find(f"{NAME}:1.0.0")) == image
    for policy in "update", "new":
        result = find(f"--pull-policy={policy}", f"{NAME}:2.0.0")
        assert result.status == 4 and "version" in result.err, result
    site.put("/i.aci", image_tar(NAME, labels=[{"name": "version", "value": "2.0.0"}]))
    assert the_id(find(f"{NAME}:2.0.0")) != image


def test_a_name_in_the_store_is_not_asked_for_when_new_is_wanted(site, web, find):
    site.put("/app-1.0.0-linux-amd64.aci", image_tar(NAME))
    image = the_id(find(f"{NAME}:1.0.0,os=linux,arch=amd64"))
    before = len(web.requests)
    for policy in "new", "never":
        assert the_id(find(f"--pull-policy={policy}", f"{NAME}:1.0.0")) == image
    assert len(web.requests) == before
    assert find("--pull-policy=never", f"{NAME}:2.0.0").status == 3


def test_a_name_in_the_store_whose_key_is_no_longer_trusted_is_told(site, web, find, gpg):
    site.put("/app-1.0.0-linux-amd64.aci", image_tar(NAME))
    the_id(find(f"{NAME}:1.0.0,os=linux,arch=amd64"))
    before = len(web.requests)
    assert store("trust", "mask", f"--prefix={NAME}", gpg.fingerprint("alice")).status == 0
    assert_one_line(find("--pull-policy=never", f"{NAME}:1.0.0"), 5, "is in the store, but no key")
    assert len(web.requests) == before


# ---- dependencies --------------------------------------------------------------------------------


def needs(name, **more):
    return {"imageName": f"{NAME}/{name}", **more}


def test_dependencies_come_along(site, web, find):
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    site.put("/app/base-latest-linux-amd64.aci", image_tar(f"{NAME}/base", content="base"))
    site.put("/app/mid-latest-linux-amd64.aci",
             image_tar(f"{NAME}/mid", content="mid", dependencies=[needs("base", labels=linux)]))
    site.put("/top.aci", image_tar(f"{NAME}/top", content="top",
                                   dependencies=[needs("mid", labels=linux), needs("base", labels=linux)]))
    image = the_id(find(f"{web.url}/top.aci"))
    names = store("list", "--fields=name", "--no-legend").out.split()
    assert names == [f"{NAME}/base", f"{NAME}/mid", f"{NAME}/top"]
    assert [bool(dependency["id"]) for dependency in info(image)["dependencies"]] == [True, True]
    assert len(web.asked("/app/base-latest-linux-amd64.aci")) == 1
    for name in names:
        assert info(name)["signedBy"] == site.gpg.fingerprint("alice")


def test_a_signature_that_is_named_is_not_for_dependencies(site, web, find, tmp_path):
    """What is known of them counts."""
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    site.put("/app/base-latest-linux-amd64.aci", image_tar(f"{NAME}/base"), headers={"Cache-Control": "max-age=600"})
    body = site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base", labels=linux)]))
    image = the_id(find(f"{web.url}/top.aci"))
    good = write(tmp_path / "good", site.signature(body))
    assert the_id(find(f"--signature={good}", f"{web.url}/top.aci")) == image
    assert len(web.asked("/app/base-latest-linux-amd64.aci")) == 1


def test_headers_go_only_where_the_user_sends_them(site, web, find):
    """Neither to the hosts of dependencies nor to those a page names."""
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    web.file("/app?ac-discovery=1", page(("ac-discovery", f"{NAME} https://m.example.com/m/{{name}}.{{ext}}")))
    site.put(f"/m/{NAME}.aci", image_tar(NAME))
    site.put("/app/base-latest-linux-amd64.aci", image_tar(f"{NAME}/base"))
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base", labels=linux)]))

    def hosts(*args):
        web.requests.clear()
        result = find("--header=X-Token: s3cret", "--no-cache", *args)
        assert result.status == 0, result
        return [{asked.headers["host"] for asked in web.requests if ("x-token" in asked.headers) == has}
                for has in (True, False)]
    assert hosts(f"{web.url}/top.aci") == [{web.host}, {"example.com"}]
    assert hosts(NAME) == [{"example.com"}, {"m.example.com"}]
    assert hosts(NAME, f"{web.url}/top.aci") == [{web.host, "example.com"}, {"m.example.com"}]


def test_headers_for_a_name_go_over_tls_only(data_dir, web, proxy):
    """Even where the page of the host itself sends us to the same host without."""
    plain = Web()
    image = image_tar(NAME)
    web.file("/app?ac-discovery=1", page(("ac-discovery", f"{NAME} http://example.com/app.{{ext}}")))
    plain.file("http://example.com/app.aci", image)
    env = {"https_proxy": proxy.url, "http_proxy": plain.url}
    try:
        for typed, has in (NAME, [False]), ("http://example.com/app.aci", [True]):
            plain.requests.clear()
            the_id(fetch(web, "--insecure-options=image,http", "--no-cache", "--header=X-Token: s3cret", typed, env=env))
            assert ["x-token" in asked.headers for asked in plain.requests] == has
    finally:
        plain.close()
    assert all("x-token" in asked.headers for asked in web.requests)


def test_a_dependency_is_no_file(site, web, find, tmp_path):
    """Files need no signature when the user names them; an image may name none."""
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    (tmp_path / NAME).mkdir(parents=True)
    for name in "base", "base.aci":
        write(tmp_path / NAME / name, image_tar(f"{NAME}/{name}", content="nobody signed this"))
        site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs(name)]))
        result = find(f"{web.url}/top.aci", cwd=tmp_path)
        assert result.status == 3 and "ac-discovery=1" in result.err, result
        assert set(store("list", "--fields=name", "--no-legend").out.split()) == {f"{NAME}/top"}
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base.aci", labels=linux)]))
    site.put("/app/base.aci-latest-linux-amd64.aci", image_tar(f"{NAME}/base.aci"))
    the_id(find(f"{web.url}/top.aci", cwd=tmp_path))
    assert info(f"{NAME}/base.aci")["signedBy"] == site.gpg.fingerprint("alice")


def test_a_dependency_that_is_nowhere_is_told(site, web, find):
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("none")]))
    result = find(f"{web.url}/top.aci")
    assert result.status == 3, result
    image, why = result.err.splitlines()
    assert f"{NAME}/none, which {NAME}/top needs: it was not found: " in why
    assert f"/top.aci is in the store, but not all that it is made of: {NAME}/top needs {NAME}/none: " in image
    assert f"fetch or import that by its URL or file, and {ids()[0]} is whole" in image
    assert result.out == ""
    the_id(find("--no-deps", f"{web.url}/top.aci"))


def test_a_dependency_that_cannot_be_asked_for_is_taken_from_the_store(site, web):
    """Nobody is example.com here. Whichever of the two comes first."""
    base = site.put("/base.aci", image_tar(f"{NAME}/base"))
    image_id = "sha256-" + hashlib.sha256(base).hexdigest()
    for number, more in enumerate(({}, {"imageID": image_id, "size": len(base)})):
        site.put("/top.aci", image_tar(f"{NAME}/top", content=str(number), dependencies=[needs("base", **more)]))
        result = fetch(web, f"{web.url}/top.aci", f"{web.url}/base.aci")
        assert result.status == 0 and result.out.splitlines()[1] == image_id, result
        assert store("rm", f"{NAME}/top").status == 0
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base")]))
    result = fetch(web, f"{web.url}/top.aci")
    assert_one_line(result, 0, f"{NAME}/base could not be asked for: it was not found: ",
                    "; the image in the store is taken")
    events = [json.loads(line) for line in fetch(web, "--json", f"{web.url}/top.aci").out.splitlines()]
    assert [event["how"] for event in events if event["event"] == "done"] == ["present", "unchanged"]
    assert fetch(web, f"{NAME}/base").status == 1


def test_what_the_dependency_in_the_store_needs_is_fetched(site, web, find):
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    site.put("/base.aci", image_tar(f"{NAME}/base", dependencies=[needs("below", labels=linux)]))
    the_id(find("--no-deps", f"{web.url}/base.aci"))
    site.put("/app/below-latest-linux-amd64.aci", image_tar(f"{NAME}/below"))
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base")]))
    result = find(f"{web.url}/top.aci")
    assert result.status == 0, result
    assert info(f"{NAME}/below")["signedBy"] == site.gpg.fingerprint("alice")


@pytest.mark.parametrize("more, status, words", [
    ({"labels": [{"name": "version", "value": "2"}]}, 1, "other labels"),
    ({"imageID": "sha256-" + "0" * 64}, 1, "0000"), ({"size": 5}, 1, "size")])
def test_the_image_in_the_store_must_satisfy(site, web, more, status, words):
    site.put("/base.aci", image_tar(f"{NAME}/base", labels=[{"name": "version", "value": "1"}]))
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base", **more)]))
    result = fetch(web, f"{web.url}/base.aci", f"{web.url}/top.aci")
    assert result.status == status and words in result.err, result
    assert len(result.out.splitlines()) == 1 and "is taken" not in result.err


def test_a_dependency_nobody_signed_is_not_taken_from_the_store(site, web):
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base")]))
    assert store("import", "-", stdin=image_tar(f"{NAME}/base")).status == 0
    result = fetch(web, f"{web.url}/top.aci")
    assert result.status == 1 and "no trusted key signed that" in result.err, result
    the_id(fetch(web, "--no-deps", f"{web.url}/top.aci"))
    assert unsigned(web, f"{web.url}/top.aci").status == 0


def test_a_dependency_that_is_there_but_bad_is_not_replaced(site, web, find):
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    site.put("/base.aci", image_tar(f"{NAME}/base"))
    site.put("/app/base-latest-linux-amd64.aci", image_tar(f"{NAME}/base", content="x"), user="bob")
    the_id(find(f"{web.url}/base.aci"))
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base", labels=linux)]))
    assert find(f"{web.url}/top.aci").status == 5


def test_a_dependency_of_another_size_is_refused(site, web, find):
    site.put("/app/base-latest-linux-amd64.aci", image_tar(f"{NAME}/base"))
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    site.put("/top.aci", image_tar(f"{NAME}/top", dependencies=[needs("base", labels=linux, size=5)]))
    assert_one_line(find(f"{web.url}/top.aci"), 4, "size")


def test_a_dependency_with_another_id_is_refused(site, web, find):
    base = image_tar(f"{NAME}/base")
    site.put("/app/base-latest-linux-amd64.aci", base)
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    ids_of = {"good": "sha256-" + hashlib.sha256(base).hexdigest(), "bad": "sha256-" + "0" * 64,
              "later": "sha512-" + hashlib.sha512(base).hexdigest()}
    for word, image in ids_of.items():
        site.put(f"/{word}.aci", image_tar(
            f"{NAME}/{word}", dependencies=[needs("base", labels=linux, imageID=image)]))
        result = find(f"{web.url}/{word}.aci")
        if word == "bad":
            assert result.status == 3 and "0000" in result.err and result.out == "", result
        else:
            the_id(result)


def test_circles_end(site, web, find):
    linux = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}]
    for one, other in ("a", "b"), ("b", "a"):
        site.put(f"/app/{one}-latest-linux-amd64.aci",
                 image_tar(f"{NAME}/{one}", dependencies=[needs(other, labels=linux)]))
    assert_one_line(find(f"{NAME}/a,os=linux,arch=amd64"), 4, "circle")
