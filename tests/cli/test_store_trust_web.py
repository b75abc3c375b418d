"""rkt-store trust with keys from the web: by their URL, or where the discovery page says they are."""

import base64
import pathlib
import shutil

import pexpect
import pytest
from conftest import run, tool
from fetchlib import other, pki, proxy, web  # noqa: F401 (fixtures)
from siglib import Gpg, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import assert_one_line, store
from weblib import Web

pytestmark = needs_gpg


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    gpg = Gpg(tmp_path_factory.mktemp("keys") / "home")
    for user in ("alice", "bob"):
        gpg.make_key(user)
    yield gpg
    gpg.stop()


@pytest.fixture
def alice(keys, web):
    """Her key is at WEB, /alice.asc; the fingerprint."""
    for user in ("alice", "bob"):
        web.file(f"/{user}.asc", (keys.home.parent / f"{user}.asc").read_bytes())
    return keys.fingerprint("alice")


def add(web, *args, **more):
    return store("trust", "--yes", f"--cacert={web.ca}", *args, **more)


def page(*tags):
    lines = "".join(f'<meta name="ac-discovery-pubkeys" content="{tag}">' for tag in tags)
    return f"<html><head>{lines}</head><body>hello</body></html>".encode()


# ---- by URL


def test_a_key_is_fetched_and_trusted(trust, web, alice):
    result = add(web, "--prefix=example.com", f"{web.url}/alice.asc")
    assert (result.status, result.err) == (0, ""), result
    assert trust.file("user", "example.com", alice).exists()
    assert len(web.asked("/alice.asc")) == 1


def test_a_terminal_is_asked_for_keys_of_the_web_too(trust, web, alice):
    args = ["trust", "--root", f"--cacert={web.ca}", f"{web.url}/alice.asc"]
    for answer, count in (("n", 0), ("y", 1)):
        child = pexpect.spawn(tool("rkt-store"), args, timeout=60)
        child.expect_exact("[y/N] ")
        assert alice[-4:].upper().encode() in child.before
        child.sendline(answer)
        child.expect(pexpect.EOF)
        assert len(trust.files()) == count
    assert_one_line(store(*args), 2, "no terminal to ask at")


def test_a_server_nobody_vouches_for_is_refused(trust, web, alice):
    """S-026."""
    result = store("trust", "--root", "--yes", f"{web.url}/alice.asc")
    assert_one_line(result, 1, f"key {web.url}/alice.asc: ")
    assert trust.files() == [] and web.asked("/alice.asc") == []


def test_the_authorities_of_the_environment_count(trust, web, other, alice):
    """As they do for rkt-store fetch; the option says more."""
    args = ["trust", "--root", "--yes"]
    env = {"RKT_CACERT": str(web.ca)}
    assert store(*args, f"{web.url}/alice.asc", env=env).status == 0
    assert store(*args, "--cacert=/dev/null", f"{web.url}/bob.asc", env=env).status == 1
    assert len(trust.files()) == 1


def test_http_is_refused_unless_allowed(trust, web, alice):
    plain = Web()
    plain.routes = web.routes
    result = add(web, "--root", f"{plain.url}/alice.asc")
    assert result.status == 2 and "use https, or --insecure-allow-http" in result.err, result
    assert "--insecure-options" not in result.err
    assert (trust.files(), plain.asked("/alice.asc")) == ([], [])
    assert add(web, "--root", "--insecure-allow-http", f"{plain.url}/alice.asc").status == 0
    assert len(trust.files()) == 1
    web.redirect("/moved", f"{plain.url}/alice.asc")
    assert_one_line(add(web, "--root", f"{web.url}/moved"), 4, "http")
    plain.close()


@pytest.mark.parametrize("status, kind", [(404, 3), (410, 3), (403, 1), (501, 1), (204, 1)])
def test_an_answer_that_is_no_file(trust, web, status, kind):
    web.status("/key", status)
    assert_one_line(add(web, "--root", f"{web.url}/key"), kind, f"key {web.url}/key: ", str(status))
    assert trust.files() == []


def test_a_server_that_is_busy_is_asked_again(trust, web, alice):
    answers = iter([lambda h: h.reply(503), lambda h: h.reply(200, web.routes["/alice.asc"].body)])
    web.route("/key", lambda handler, asked: next(answers)(handler))
    result = add(web, "--root", f"{web.url}/key")
    assert result.status == 0 and "503: not available now; try 2 of 5 in" in result.err, result
    assert len(trust.files()) == 1


@pytest.mark.parametrize("body, words", [(b"", "no OpenPGP key"), (b"<html>", "no OpenPGP key"),
                                         (b"x" * (1 << 21), "1048576")], ids=["empty", "page", "long"])
def test_what_comes_must_be_one_key(trust, web, body, words):
    web.file("/key", body)
    assert_one_line(add(web, "--root", f"{web.url}/key"), 4, words)
    assert trust.files() == []


def test_secrets_of_a_url_are_told_to_the_server_alone(trust, web, alice):
    """S-029: not to who looks at the processes, nor to who reads what we print."""
    seen = []

    def answer(handler, asked):
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = process.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if b"/rkt-store\0trust\0" in line and f"localhost:{web.port}/".encode() in line:
                seen.append((asked.headers.get("authorization"), line))
        handler.reply(404)

    web.route("/key", answer)
    url = f"{web.url}/key".replace("https://", "https://me:geheim@")
    result = add(web, "--root", url)
    assert_one_line(result, 3, f"key {web.url}/key: ", "404")
    ((authorization, line),) = seen
    assert authorization == "Basic " + base64.b64encode(b"me:geheim").decode()
    assert b"geheim" not in line
    assert "geheim" not in result.out + result.err


@pytest.mark.parametrize("user", ["me:ge/heim", "me:ge#heim"])
def test_nor_are_those_of_a_url_that_is_none(trust, web, user):
    """A password that is not encoded as it must be."""
    result = add(web, "--root", f"https://{user}@localhost:{web.port}/key")
    assert result.status != 0 and len(result.err.splitlines()) <= 2, result
    assert "heim" not in result.out + result.err and "localhost" in result.err, result


@pytest.mark.parametrize("slip", ["HTTPS://{user}@localhost:1/key", "htps://{user}@localhost/key", "//{user}@localhost/key",
                                  "https//{user}@localhost/key", "{user}@localhost/key", "file://{user}@localhost/key"])
def test_nor_are_those_of_one_that_is_mistyped(trust, web, slip):
    result = add(web, "--root", slip.format(user="me:geheim"))
    assert result.status != 0 and len(result.err.splitlines()) <= 2, result
    assert "geheim" not in result.out + result.err and "localhost" in result.err, result


def test_nor_are_those_of_a_url_as_prefix(trust):
    result = store("trust", "--prefix=https://me:geheim@example.com/app")
    assert_one_line(result, 2, "--prefix: no image is called https://example.com/app: ")


def test_the_case_of_the_scheme_does_not_matter(trust, web, alice):
    assert add(web, "--root", f"{web.url}/alice.asc".replace("https", "HTTPS")).status == 0
    assert trust.files() == [f"user/trustedkeys/root.d/{alice}"]


def test_a_file_may_be_called_like_a_url(trust, keys, tmp_path):
    (tmp_path / "https:").mkdir()
    shutil.copy(keys.home.parent / "alice.asc", tmp_path / "https:/key")
    assert run(["rkt-store", "trust", "--root", "--yes", "./https://key"], cwd=tmp_path).status == 0


def test_nothing_of_the_web_is_asked_for_files(trust, web, keys):
    assert store("trust", "--root", "--yes", keys.home.parent / "alice.asc").status == 0
    assert web.requests == []


# ---- by discovery


def find(web, proxy, *args):
    return add(web, *args, env={"https_proxy": proxy.url})


def test_the_page_says_where_the_keys_are(trust, web, proxy, alice, keys):
    """All keys of the nearest page whose prefix covers the name, and no others."""
    web.status("/app/web", 404)
    web.file("/app", page("example.com/app https://example.com/alice.asc", "example.com/ap https://example.com/none",
                          "example.com/app/web https://example.com/bob.asc", "example.com/app/x https://example.com/x"))
    web.file("/", page("example.com https://example.com/none"))
    result = find(web, proxy, "--prefix=example.com/app/web")
    assert (result.status, result.err) == (0, ""), result
    lines = [line for line in result.out.splitlines() if line.startswith("key: ")]
    assert lines == ["key: https://example.com/alice.asc", "key: https://example.com/bob.asc"]
    assert trust.files() == sorted(
        f"user/trustedkeys/prefix.d/example.com/app/web/{keys.fingerprint(user)}" for user in ("alice", "bob"))
    assert [asked.path for asked in web.requests] == [
        "/app/web?ac-discovery=1", "/app?ac-discovery=1", "/alice.asc", "/bob.asc"]


@pytest.mark.parametrize("tags", [[], ["example.com/other https://example.com/alice.asc"],
                                  ["example.com/app ftp://example.com/alice.asc"], ["example.com/app /alice.asc"],
                                  ["example.com/app"]], ids=["none", "other", "ftp", "path", "short"])
def test_where_no_key_is_named_nothing_is_trusted(trust, web, proxy, alice, tags):
    web.file("/app", page(*tags))
    result = find(web, proxy, "--prefix=example.com/app")
    assert_one_line(result, 3, "names no key for example.com/app")
    assert trust.files() == [] and web.asked("/alice.asc") == []


def test_a_key_that_two_tags_name_is_asked_for_once(trust, web, proxy, alice):
    web.file("/app", page("example.com https://example.com/alice.asc", "example.com/app https://example.com/alice.asc"))
    result = find(web, proxy, "--prefix=example.com/app")
    assert result.status == 0 and result.out.count("fingerprint: ") == len(web.asked("/alice.asc")) == 1, result


def test_the_first_key_that_is_none_ends_the_work(trust, web, proxy, alice):
    web.file("/app", page("example.com/app https://example.com/none", "example.com/app https://example.com/alice.asc"))
    assert_one_line(find(web, proxy, "--prefix=example.com/app"), 3, "key https://example.com/none: ")
    assert trust.files() == []


def test_a_host_that_does_not_answer_is_told(trust, web):
    assert_one_line(add(web, "--prefix=nowhere.invalid/app", env={"https_proxy": ""}), 1, "nowhere.invalid")


def test_all_names_have_no_page(trust):
    assert_one_line(store("trust", "--root"), 2, "--prefix only")
