"""rkt-store fetch: URLs, what servers say, and the cache. Signatures have their own tests."""

import contextlib
import hashlib
import hmac
import json
import os
import pty
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time

import pytest
from acilib import only_x86_64, without_tmpfile
from conftest import is_sanitized, run, tool
from fetchlib import SOON, big_image, fetch, noise, other, partial, pki, proxy, unsigned, web  # noqa: F401
from storelib import (
    add, assert_one_line, blob_path, files_in, ids, image_tar, somebody_waits, store, wait_until, write)
from weblib import File, Proxy, Web


def the_id(result):
    """The one line that a fetch printed."""
    assert result.status == 0, result
    (line,) = result.out.splitlines()
    return line


# ---- files and IDs -------------------------------------------------------------------------------


def test_a_file_is_imported(data_dir, tmp_path):
    file = write(tmp_path / "a.aci", image_tar())
    result = store("fetch", file)
    assert the_id(result) == add(file)
    assert store("fetch", f"file://{file}").out == result.out
    assert store("fetch", "-", stdin=file.read_bytes()).out == result.out
    assert_one_line(store("fetch", tmp_path / "none.aci"), 3, "none.aci: no such file")


def test_an_id_is_looked_for_in_the_store(data_dir, tmp_path):
    image = add(write(tmp_path / "a.aci", image_tar()))
    assert the_id(store("fetch", image[:20])) == image
    assert_one_line(store("fetch", "sha256-" + "0" * 64), 3, "in the store only")


def test_a_sha512_is_one_too_that_nobody_made_yet(data_dir, tmp_path):
    body = image_tar()
    image = add(write(tmp_path / "a.aci", body))
    assert the_id(store("fetch", "sha512-" + hashlib.sha512(body).hexdigest()[:64])) == image
    assert_one_line(store("fetch", "sha512-" + "0" * 128), 3, "in the store only")


# ---- one URL -------------------------------------------------------------------------------------


def test_a_url_is_fetched_and_the_id_printed(data_dir, web):
    body = image_tar()
    web.file("/a.aci", body)
    result = unsigned(web, f"{web.url}/a.aci")
    image = the_id(result)
    assert result.err == ""
    assert blob_path(data_dir, image).read_bytes() == body
    assert partial(data_dir) == []
    assert store("verify").status == 0


@only_x86_64
def test_a_file_system_without_nameless_files_will_do(data_dir, web):
    """The note beside what came has a name there as long as it is written."""
    body = big_image()
    web.file("/a.aci", body, end_at=[200_000])
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci", preexec_fn=without_tmpfile).status == 1
    assert len([name for name in files_in(data_dir) if name.startswith("partial/")]) == 2
    image = the_id(unsigned(web, f"{web.url}/a.aci", preexec_fn=without_tmpfile))
    assert "range" in web.asked("/a.aci")[1].headers
    assert blob_path(data_dir, image).read_bytes() == body
    assert [name for name in files_in(data_dir) if name.startswith(("partial/", "tmp/"))] == []


def test_what_did_not_change_is_not_sent_again(data_dir, web):
    web.file("/a.aci", image_tar(), modified=None)
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert the_id(unsigned(web, f"{web.url}/a.aci")) == image
    first, second = web.asked("/a.aci")
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"] == web.routes["/a.aci"].etag
    web.file("/a.aci", image_tar(content="newer"))
    assert the_id(unsigned(web, f"{web.url}/a.aci")) != image


def test_a_date_alone_serves_as_well(data_dir, web):
    web.file("/a.aci", image_tar(), etag=None)
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert the_id(unsigned(web, f"{web.url}/a.aci")) == image
    assert "if-modified-since" in web.asked("/a.aci")[1].headers


@pytest.mark.parametrize("control, asks", [("max-age=60", 1), ("max-age=0", 2), ("no-cache, max-age=60", 2),
                                           ("no-store, max-age=60", 2), ("public", 2)])
def test_fresh_is_what_cache_control_says(data_dir, web, control, asks):
    web.file("/a.aci", image_tar(), headers={"Cache-Control": control})
    for _ in range(2):
        the_id(unsigned(web, f"{web.url}/a.aci"))
    assert len(web.asked("/a.aci")) == asks
    the_id(unsigned(web, "--no-cache", f"{web.url}/a.aci"))
    last = web.asked("/a.aci")[-1]
    assert len(web.asked("/a.aci")) == asks + 1
    assert "if-none-match" not in last.headers and "if-modified-since" not in last.headers


def test_every_line_of_cache_control_counts(data_dir, web):
    body = image_tar()
    def answer(handler, _):
        handler.send_response(200)
        for value in "no-cache", "max-age=600":
            handler.send_header("Cache-Control", value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    web.route("/a.aci", answer)
    for _ in range(2):
        the_id(unsigned(web, f"{web.url}/a.aci"))
    assert len(web.asked("/a.aci")) == 2


def test_age_counts_against_max_age(data_dir, web):
    web.file("/a.aci", image_tar(), headers={"Cache-Control": "max-age=60", "Age": "70"})
    for _ in range(2):
        the_id(unsigned(web, f"{web.url}/a.aci"))
    assert len(web.asked("/a.aci")) == 2


CLOCK_OF_NEXT_YEAR = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += 365 * 86400;
	return result;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="cc is not installed")
def test_nothing_stays_fresh_because_the_clock_was_wrong(data_dir, web, tmp_path):
    if is_sanitized():
        pytest.skip("AddressSanitizer wants to be the first library")
    library, source = tmp_path / "clock.so", write(tmp_path / "clock.c", CLOCK_OF_NEXT_YEAR.encode())
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    web.file("/a.aci", image_tar(), headers={"Cache-Control": "max-age=60"})
    for env, asked in ({"LD_PRELOAD": library}, 1), ({"LD_PRELOAD": library}, 1), ({}, 2), ({}, 2):
        the_id(fetch(web, "--insecure-options=image,tls", f"{web.url}/a.aci", env=env))
        assert len(web.requests) == asked


def test_what_an_answer_of_304_says_of_freshness_counts(data_dir, web):
    for control, asks in (("public", 1), ("max-age=60", 2), ("max-age=60", 2)):
        web.file("/a.aci", image_tar(), headers={"Cache-Control": control})
        the_id(unsigned(web, f"{web.url}/a.aci"))
        assert len(web.asked("/a.aci")) == asks


@pytest.mark.parametrize("lost", ["record", "blob"])
def test_an_image_that_vanished_is_fetched_again(data_dir, web, lost):
    web.file("/a.aci", image_tar(), headers={"Cache-Control": "max-age=60"})
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    if lost == "record":
        assert store("rm", image).status == 0
    else:
        blob_path(data_dir, image).unlink()
    assert the_id(unsigned(web, f"{web.url}/a.aci")) == image
    assert "if-none-match" not in web.asked("/a.aci")[1].headers
    assert blob_path(data_dir, image).exists()
    assert store("verify").status == 0


def test_pull_policies(data_dir, web):
    url = f"{web.url}/a.aci"
    web.file("/a.aci", image_tar())
    assert_one_line(unsigned(web, "--pull-policy=never", url), 3, "is not in the store")
    assert web.requests == []
    image = the_id(unsigned(web, "--pull-policy=new", url))
    web.file("/a.aci", image_tar(content="newer"))
    for policy in "new", "never":
        assert the_id(unsigned(web, f"--pull-policy={policy}", url)) == image
    assert len(web.requests) == 1
    assert the_id(unsigned(web, "--pull-policy=update", url)) != image


# ---- what goes wrong (S-027, S-028) --------------------------------------------------------------


@pytest.mark.parametrize("status, exits, words", [
    (400, 1, "400: bad request"), (401, 1, "401: who are you?"), (403, 1, "403: forbidden"),
    (404, 3, "404: not found"), (410, 3, "410: gone for good"), (418, 1, "answered 418"),
    (202, 1, "will have it later (202)"), (304, 1, "304"), (204, 1, "204")])
def test_what_will_not_pass_is_asked_for_once(data_dir, web, status, exits, words):
    web.status("/a.aci", status, body=b"" if status in (204, 304) else b"a page")
    result = unsigned(web, f"{web.url}/a.aci")
    assert_one_line(result, exits, f"{web.url}/a.aci", words)
    assert len(web.requests) == 1
    assert ids() == [] and partial(data_dir) == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(data_dir, web, status):
    web.status("/a.aci", status)
    result = unsigned(web, "--tries=3", f"{web.url}/a.aci")
    assert result.status == 1, result
    assert f"the server answered {status}" in result.err.splitlines()[-1]
    assert len(web.requests) == 3
    assert result.err.count(f"{web.url}/a.aci: the server answered {status}") == 3
    assert result.err.count("; try ") == 2
    body = image_tar()
    answers = iter([lambda h, _: h.reply(status), lambda h, _: h.reply(status), File(body)])
    web.route("/a.aci", lambda handler, asked: next(answers)(handler, asked))
    the_id(unsigned(web, "--tries=3", f"{web.url}/a.aci"))


def test_what_a_server_says_is_escaped_once(data_dir, web, proxy, tmp_path):
    """Alone, as the reason for something else, and in what is told while images come (S-013)."""
    shown = r"'\x01\\abc', which is no http"
    for path in "/a.aci", "/s.aci.asc", "/dep":
        web.redirect(path, "\x01\\abc")
    assert shown in unsigned(web, f"{web.url}/a.aci").err
    assert shown in run(["rkt-store", "fetch", "--cacert", web.ca, f"{web.url}/s.aci"]).err
    env = {"https_proxy": proxy.url}
    result = unsigned(web, "example.com/dep", env=env)
    assert "was not found: " in result.err and shown in result.err, result
    add(write(tmp_path / "dep.aci", image_tar("example.com/dep")))
    web.file("/app.aci", image_tar("example.com/app", dependencies=[{"imageName": "example.com/dep"}]))
    result = unsigned(web, "https://example.com/app.aci", env=env)
    assert result.status == 0 and "could not be asked for: " in result.err and shown in result.err, result
    result = unsigned(web, "--json", "https://example.com/app.aci", env=env)
    notes = [event["message"] for event in map(json.loads, result.out.splitlines()) if event["event"] == "note"]
    assert [shown in note for note in notes] == [True], result


def test_a_url_that_is_told_is_escaped_once(data_dir, web):
    web.status("/a\\b.aci", 503)
    result = unsigned(web, "--tries=2", f"{web.url}/a\\b.aci")
    assert [line.count(r"/a\\b.aci: the server answered 503") for line in result.err.splitlines()] == [1, 1], result


def test_who_does_not_listen_is_asked_again(data_dir, web):
    port = web.port
    web.close()
    result = unsigned(web, "--tries=3", f"https://localhost:{port}/a.aci")
    assert result.status == 1, result
    lines = result.err.splitlines()
    assert len(lines) == 3 and all("Failed to connect" in line for line in lines), result


def test_a_host_that_is_not_there_is_told_once(data_dir, web):
    result = unsigned(web, "https://nowhere.invalid/a.aci")
    assert_one_line(result, 1, "https://nowhere.invalid/a.aci: Could not resolve host")
    result = unsigned(web, "nowhere.invalid/app/x")
    assert result.status == 1 and len(result.err.splitlines()) == 1, result
    assert result.err.count("Could not resolve host: nowhere.invalid") == 4


def test_retry_after_is_waited_for_and_not_for_long(data_dir, web):
    answers = iter([lambda h, _: h.reply(503, b"", {"Retry-After": "1"}), File(image_tar())])
    web.route("/a.aci", lambda handler, asked: next(answers)(handler, asked))
    before = time.monotonic()
    the_id(unsigned(web, f"{web.url}/a.aci"))
    assert time.monotonic() - before >= 1
    web.status("/b.aci", 429, {"Retry-After": "9999"})
    assert_one_line(unsigned(web, f"{web.url}/b.aci"), 1, "too many requests; it wants to be left alone for 9999 s")
    assert len(web.asked("/b.aci")) == 1


@pytest.mark.parametrize("offset", range(0, 300_000, 15_000))
def test_a_lost_connection_is_gone_on_with(data_dir, web, offset):
    body = big_image()
    web.file("/a.aci", body, drop_at=[offset])
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    first, second = web.asked("/a.aci")
    if "range" in second.headers:  # what was on its way when the connection was reset may be lost
        assert second.headers["if-range"] == web.routes["/a.aci"].etag
        assert 0 < int(second.headers["range"].removeprefix("bytes=").removesuffix("-")) <= offset


def test_the_next_command_goes_on_with_what_came(data_dir, web):
    body = big_image()
    web.file("/a.aci", body, end_at=[200_000])
    result = unsigned(web, "--tries=1", f"{web.url}/a.aci")
    assert result.status == 1, result
    assert len(partial(data_dir)) == 1
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert int(web.asked("/a.aci")[1].headers["range"].removeprefix("bytes=").removesuffix("-")) > 100_000
    assert blob_path(data_dir, image).read_bytes() == body
    assert partial(data_dir) == []


def test_a_note_whose_download_is_gone_goes_after_a_day(data_dir, web):
    web.file("/a.aci", big_image(), end_at=[200_000])
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci").status == 1
    folder = data_dir / "cas/partial"
    (name,) = partial(data_dir)
    (data_dir / "cas" / name).unlink()
    (note,) = folder.iterdir()
    assert store("gc").status == 0
    assert note.exists()
    os.utime(note, (1, 1))
    result = store("gc", "--dry-run")
    assert note.name in result.out and note.exists(), result
    assert store("gc").status == 0
    assert not note.exists()


def test_what_came_before_the_machine_was_started_anew_is_not_gone_on_with(data_dir, web):
    """After a power cut its bytes may be anything."""
    body = big_image()
    web.file("/a.aci", body, end_at=[200_000])
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci").status == 1
    (name,) = partial(data_dir)
    note = data_dir / "cas" / f"{name}.json"
    note.write_text(re.sub(r'"boot":"[0-9a-f]', '"boot":"x', note.read_text()))
    (data_dir / "cas" / name).write_bytes(bytes(200_000))
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert "range" not in web.asked("/a.aci")[1].headers
    assert blob_path(data_dir, image).read_bytes() == body


@pytest.mark.parametrize("proof", ["no validator", "weak tag", "no ranges"])
def test_without_proof_it_begins_again(data_dir, web, proof):
    more = {"no validator": {"etag": None, "modified": None},
            "weak tag": {"etag": 'W/"1"', "modified": None}, "no ranges": {"ranges": False}}[proof]
    body = big_image()
    web.file("/a.aci", body, end_at=[200_000], **more)
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    if proof != "no ranges":
        assert "range" not in web.asked("/a.aci")[1].headers


class IgnoresIfRange(File):
    """Sends the rest of whatever it has now."""

    def wants_rest(self, asked):
        wanted = asked.headers.get("range")
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else None


@pytest.mark.parametrize("kind", [File, IgnoresIfRange])
@pytest.mark.parametrize("size", [250_000, 300_000, 350_000])
def test_two_versions_are_never_mixed(data_dir, web, kind, size):
    old, new = big_image(), image_tar(content=noise(size, b"other"))
    web.route("/a.aci", kind(old, end_at=[200_000]))
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci").status == 1
    web.route("/a.aci", kind(new))
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == new


@pytest.mark.parametrize("status", [304, 400, 412, 501])
def test_who_does_not_know_of_parts_is_asked_for_the_whole(data_dir, web, status):
    """Else the next commands would be answered so too, for what came before them."""
    body = big_image()
    file = File(body, end_at=[200_000])

    def answer(handler, asked):
        if "range" in asked.headers:
            handler.reply(status)
        else:
            file(handler, asked)

    web.route("/a.aci", answer)
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci").status == 1
    result = unsigned(web, f"{web.url}/a.aci")
    assert result.status == 0 and f"the server answered {status}" in result.err and "begun again" in result.err, result
    assert blob_path(data_dir, ids()[0]).read_bytes() == body


@pytest.mark.parametrize("status", [206, 304, 416])
def test_an_answer_to_what_nobody_asked_is_named(data_dir, web, status):
    web.status("/a.aci", status, {"Content-Range": "bytes 0-4/5"}, b"" if status == 304 else b"hello")
    result = unsigned(web, f"{web.url}/a.aci")
    assert_one_line(result, 1, f"the server answered {status}")
    assert len(web.requests) == 1


def test_a_tag_that_is_longer_than_any_is_not_sent_back(data_dir, web):
    web.file("/a.aci", image_tar(), etag='"' + "x" * 2000 + '"')
    for _ in range(2):
        the_id(unsigned(web, f"{web.url}/a.aci"))
    _, again = web.asked("/a.aci")
    assert "if-none-match" not in again.headers and again.headers["if-modified-since"]


def test_a_lying_tag_ends_in_a_word_and_the_next_fetch_is_whole(data_dir, web):
    old, new = big_image(), image_tar(content=noise(300_000, b"other"))
    web.route("/a.aci", File(old, etag='"same"', end_at=[150_000]))
    assert unsigned(web, "--tries=1", f"{web.url}/a.aci").status == 1
    # the header of the tar is that of the old one: what it says of sizes and sums is of no use any more
    web.route("/a.aci", File(new[:512] + b"\0" * (len(new) - 512), etag='"same"'))
    result = unsigned(web, f"{web.url}/a.aci")
    if result.status:
        assert result.status == 4, result
    web.route("/a.aci", File(new, etag='"new"'))
    image = the_id(unsigned(web, "--no-cache", f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == new


def test_a_body_too_short_is_no_image(data_dir, web):
    body = image_tar()
    web.route("/a.aci", lambda handler, _: handler.reply(200, body[:-1], length=len(body)))
    def short(handler, _):
        handler.reply(200, body[:-1], length=len(body))
        handler.reset()
    web.route("/a.aci", short)
    result = unsigned(web, "--tries=2", f"{web.url}/a.aci")
    assert result.status == 1, result
    assert ids() == [] and len(web.requests) == 2


def test_a_body_without_length_may_be_whole_or_not(data_dir, web):
    body = image_tar()
    web.route("/a.aci", lambda handler, _: handler.reply(200, body, length=False))
    the_id(unsigned(web, f"{web.url}/a.aci"))
    web.route("/b.aci", lambda handler, _: handler.reply(200, body[:700], length=False))
    assert_one_line(unsigned(web, f"{web.url}/b.aci"), 4, "tar")


def test_a_body_too_long_is_cut_where_it_should_end(data_dir, web):
    body = image_tar()
    web.route("/a.aci", lambda handler, _: handler.reply(200, body + b"x", length=len(body)))
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body


def endless(handler, status=200):
    handler.send_response(status)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    block = b"%x\r\n" % 65536 + b"x" * 65536 + b"\r\n"
    while True:
        handler.wfile.write(block)


def test_an_endless_body_ends(data_dir, web):
    web.route("/a.aci", lambda handler, _: endless(handler))
    assert_one_line(unsigned(web, "--max-size=1M", f"{web.url}/a.aci"), 4, "more than 1048576 bytes")
    web.route("/b.aci", lambda handler, _: endless(handler, 404))
    assert_one_line(unsigned(web, f"{web.url}/b.aci"), 3, "404")
    web.route("/c.aci", lambda handler, _: endless(handler, 202))
    assert_one_line(unsigned(web, f"{web.url}/c.aci", timeout=60), 1, "202")
    assert partial(data_dir) == []


def test_what_does_not_fit_is_not_begun(data_dir, web):
    web.route("/a.aci", lambda handler, _: handler.reply(200, b"x", length=1 << 60))
    assert_one_line(unsigned(web, f"{web.url}/a.aci"), 4, "at most", str(1 << 60))
    result = unsigned(web, "--max-size=2000000T", f"{web.url}/a.aci")
    assert_one_line(result, 1, "do not fit on the disk: ", " are free, and 67108864 are kept so")


def test_a_slow_trickle_ends(data_dir, web):
    def trickle(handler, _):
        handler.reply(200, b"", length=100_000)
        for _ in range(60):
            handler.wfile.write(b"x")
            time.sleep(0.5)
    web.route("/a.aci", trickle)
    assert_one_line(unsigned(web, "--idle-timeout=2s", "--tries=1", f"{web.url}/a.aci"), 1, "too slow")


@pytest.mark.parametrize("options", [[], ["--json"]], ids=" ".join)
def test_what_nobody_will_read_is_not_waited_for(data_dir, web, options):
    """As in rkt-store fetch --json URL | head -1; and rkt-run may have been killed that wanted the ID."""
    asked, done = threading.Event(), threading.Event()
    def hang(handler, _):
        asked.set()
        done.wait(60)
    web.route("/a.aci", hang)
    command = [tool("rkt-store"), "fetch", "--cacert", web.ca, *SOON, *options, "--insecure-options=image", f"{web.url}/a.aci"]
    try:
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE) as process:
            assert asked.wait(60)
            assert process.poll() is None
            process.stdout.close()
            assert process.wait(60) == -signal.SIGPIPE
    finally:
        done.set()


def test_nor_does_the_line_of_progress_stay_then(data_dir, web):
    done = threading.Event()
    def hang(handler, _):
        handler.reply(200, b"x" * 100_000, length=1 << 30)
        handler.wfile.flush()
        done.wait(60)
    web.route("/a.aci", hang)
    screen, terminal = pty.openpty()
    command = [tool("rkt-store"), "fetch", "--cacert", web.ca, *SOON, "--insecure-options=image", f"{web.url}/a.aci"]
    try:
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=terminal) as process:
            os.close(terminal)
            seen = os.read(screen, 4096)
            process.stdout.close()
            assert process.wait(60) == -signal.SIGPIPE
        with contextlib.suppress(OSError):  # nobody else has the terminal open
            while True:
                seen += os.read(screen, 4096)
        assert "/a.aci  " in seen.decode() and seen.endswith(b"\r\x1b[K"), seen
    finally:
        done.set()
        os.close(screen)


@pytest.mark.parametrize("after", ["nothing", "status", "headers"])
def test_who_says_nothing_is_given_up(data_dir, web, after):
    done = threading.Event()
    def hang(handler, _):
        if after == "status":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.wfile.flush()
        elif after == "headers":
            handler.reply(200, b"", length=1000)
        done.wait(60)
    web.route("/a.aci", hang)
    result = unsigned(web, "--idle-timeout=1s", "--tries=1", f"{web.url}/a.aci")
    done.set()
    assert_one_line(result, 1, "too slow" if after == "headers" else "no answer in time")


@pytest.mark.parametrize("encoding", ["gzip", "br", "nonsense"])
def test_the_bytes_that_come_are_the_file_whatever_they_are_called(data_dir, web, encoding):
    body = image_tar()
    web.file("/a.aci", body, headers={"Content-Encoding": encoding, "Content-Type": "text/html"})
    image = the_id(unsigned(web, f"{web.url}/a.aci"))
    assert blob_path(data_dir, image).read_bytes() == body
    assert web.requests[0].headers["accept-encoding"] == "identity"


def test_what_follows_the_body_is_not_looked_at(data_dir, web):
    body = image_tar()
    def trailers(handler, _):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n0\r\n \r\nETag: \"late\"\r\n\r\n" % (len(body), body))
    web.route("/a.aci", trailers)
    the_id(unsigned(web, f"{web.url}/a.aci"))
    the_id(unsigned(web, f"{web.url}/a.aci"))
    assert "if-none-match" not in web.requests[-1].headers


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
def test_a_field_with_a_control_character_is_not_sent_back(data_dir, web, name):
    """A carriage return would end the line for some, and the rest be a field that nobody set."""
    web.file("/a.aci", image_tar(), etag=False, modified=False, headers={name: '"x\rX-Other: y"'})
    for _ in range(2):
        the_id(unsigned(web, f"{web.url}/a.aci"))
    assert {"x-other", f"if-{name}".lower(), "if-none-match", "if-modified-since"}.isdisjoint(web.requests[-1].headers)


def test_a_header_without_end_ends(data_dir, web):
    def header(handler, _):
        handler.send_response(200)
        handler.end_headers = lambda: None
        handler.flush_headers()
        for number in range(100_000):
            handler.wfile.write(b"X-%d: %s\r\n" % (number, b"y" * 100))
    web.route("/a.aci", header)
    result = unsigned(web, "--tries=1", f"{web.url}/a.aci")
    assert result.status in (1, 4), result
    assert len(result.err.splitlines()) == 1


# ---- where it comes from (S-026) -----------------------------------------------------------------


def test_redirects_are_followed_ten_times(data_dir, web):
    web.file("/10", image_tar())
    for number in range(10):
        web.redirect(f"/{number}", f"{number + 1}", status=[301, 302, 303, 307, 308][number % 5])
    the_id(unsigned(web, f"{web.url}/0"))
    web.redirect("/loop", "/loop")
    assert_one_line(unsigned(web, f"{web.url}/loop"), 4, "more than 10 redirects")


@pytest.mark.parametrize("size", [0, 100, 1_000_000])
@pytest.mark.parametrize("where", [
    "/b/it is.aci?x=y z", "it is.aci?x=y z", "//{host}/b/it is.aci?x=y z", "?x=y z", "../b/./it is.aci?x=y z",
    "https://{host}/b/it is.aci?x=y z#part", "/b/it is.aci?x=https:///y"])
def test_where_a_redirect_leads(data_dir, web, where, size):
    """However long the page is that people would read meanwhile."""
    web.status("/b/it%20is.aci", 302, {"Location": where.format(host=web.host)}, b"x" * size)
    for query in ("y%20z", "y+z", "https:///y"):
        web.file(f"/b/it%20is.aci?x={query}", image_tar())
    the_id(unsigned(web, f"{web.url}/b/it%20is.aci"))


@pytest.mark.parametrize("target, shown", [
    ("docker://x", "'docker://x', which"), ("", "'', which"), ("#part", "'#part', which"), ("///x", "'///x', which"),
    ("https:///x", "'https:///x', which"), ("https://exa mple.com/", "'https://exa mple.com/', which"),
    ("\x01abc", r"\x01abc', which"), ("https://me:s3cret@x y/", "what")])
def test_a_redirect_that_leads_nowhere_is_named(data_dir, web, target, shown):
    web.redirect("/a.aci", target)
    result = unsigned(web, f"{web.url}/a.aci")
    assert_one_line(result, 4, f"{web.url}/a.aci: a redirect to ", f"{shown} is no http or https URL")
    assert "s3cret" not in result.err
    web.status("/a.aci", 302)
    assert_one_line(unsigned(web, f"{web.url}/a.aci"), 1, "302: a redirect that does not say where to")


@pytest.mark.parametrize("url, shown", [("https://", "https://"), ("https:///x.aci", "https:///x.aci"),
                                        ("docker://busybox", "docker://busybox"),
                                        ("ftp://x/y", "ftp://x/y"), ("https://me:s3cret@x y/", "what was asked for")])
def test_what_is_no_url_is_named(data_dir, url, shown):
    result = store("fetch", url)
    assert result.status == 2, result
    assert f"rkt-store: {shown} is no http or https URL" in result.err and "example.com/app:1.0.0" in result.err
    assert "s3cret" not in result.err


@pytest.mark.parametrize("path", ["./a@1.aci", "a:1@2/b@3.aci", "./me:you@example.com.aci"])
def test_a_path_with_an_at_sign_is_shown(data_dir, tmp_path, path):
    file = tmp_path / path
    assert_one_line(run(["rkt-store", "fetch", path], cwd=tmp_path), 3, "no such file")
    file.parent.mkdir(exist_ok=True)
    write(file, image_tar())
    event = json.loads(run(["rkt-store", "fetch", "--json", path], cwd=tmp_path).out)
    shown = "what was asked for" if path.startswith("a:") else path
    assert event["reference"] == shown and event["source"] == str(file)
    result = run(["rkt-store", "fetch", "--debug", path], cwd=tmp_path)
    assert f"rkt-store: {shown}: fetched, from {file}\n" in result.err


def test_what_is_shown_is_escaped(data_dir, tmp_path):
    write(tmp_path / "a@\x1b.aci", image_tar())
    result = run(["rkt-store", "fetch", "--debug", "./a@\x1b.aci"], cwd=tmp_path)
    assert r"./a@\x1b.aci: fetched" in result.err and "\x1b" not in result.err


@pytest.mark.parametrize("name", ["name@x", "example.com/app@x", "example.com/app:1@2", "example.com/app,version=1:2@3"])
def test_a_name_with_an_at_sign_is_shown(data_dir, name):
    assert_one_line(store("fetch", "--pull-policy=never", name), 3, f"fetching {name}: {name} is not in the store")


SLIPS = ["me:s3cret@example.com/app", "me:s3cret@example.com/app.aci", "https:me:s3cret@example.com/app",
         "https:/me:s3cret@example.com/a.aci", "https//me:s3cret@example.com/app", "HTTP//me:s3cret@example.com/a.aci",
         "//me:s3cret@example.com/a", "me:s3cret,s3cret@example.com/app", "me:s3cret/s3cret@example.com/app",
         "file://me:s3cret@example.com/a", "./x://me:s3cret@example.com", "docker://me:s3cret@example.com/app"]


@pytest.mark.parametrize("options", [[], ["--pull-policy=never"]], ids=" ".join)
@pytest.mark.parametrize("slip", SLIPS)
def test_a_password_is_not_shown_where_no_url_has_one(data_dir, web, proxy, slip, options):
    """And nobody is asked for it."""
    result = unsigned(web, "--tries=1", *options, slip, env={"https_proxy": proxy.url})
    assert result.status in (2, 3) and "what was asked for" in result.err, result
    assert "s3cret" not in result.err + result.out
    assert proxy.asked == []


@pytest.mark.parametrize("slip", ["me:s3cret@localhost/a.asc", "//me:s3cret@localhost/a", "https//me:s3cret@localhost/a"])
def test_nor_that_of_a_signature(data_dir, web, slip):
    result = fetch(web, f"--signature={slip}", f"{web.url}/a.aci")
    assert_one_line(result, 5, "no signature: what was asked for: no such file")
    assert "s3cret" not in result.err


@pytest.mark.parametrize("target", ["http://localhost:1/", "ftp://localhost/", "file:///etc/passwd", "gopher://x/"])
def test_redirects_do_not_leave_https(data_dir, web, target):
    web.redirect("/a.aci", target)
    result = unsigned(web, "--insecure-options=http,image", f"{web.url}/a.aci")
    assert_one_line(result, 4, "a redirect")
    assert ids() == []


def test_http_only_when_told(data_dir, web):
    plain = Web()
    plain.file("/a.aci", image_tar())
    try:
        assert_one_line(unsigned(web, f"{plain.url}/a.aci"), 2, "http is not safe")
        assert plain.requests == []
        the_id(unsigned(web, "--insecure-options=image,http", f"{plain.url}/a.aci"))
    finally:
        plain.close()


def test_configured_credentials_never_go_without_tls(data_dir, web, tmp_path):
    plain = Web()
    try:
        (tmp_path / "auth.d").mkdir()
        file = tmp_path / "auth.d/a.json"
        file.write_text(json.dumps({
            "rktKind": "auth", "rktVersion": "v1", "domains": [plain.host], "type": "basic",
            "credentials": {"user": "me", "password": SECRET}}))
        file.chmod(0o600)
        plain.file("/a.aci", image_tar())
        the_id(unsigned(web, "--insecure-options=image,http", f"{plain.url}/a.aci",
                        env={"RKT_LOCAL_CONFIG": tmp_path}))
        assert "authorization" not in plain.requests[0].headers
    finally:
        plain.close()


def test_certificates_are_looked_at(data_dir, web, proxy):
    web.file("/a.aci", image_tar())
    args = ["rkt-store", "fetch", "--insecure-options=image", "--tries=1"]
    result = run([*args, f"{web.url}/a.aci"])
    assert result.status == 1 and "certificate" in result.err and "--cacert" in result.err, result
    wrong = "https://example.org/a.aci"
    env = {"https_proxy": proxy.url}
    result = run([*args, "--cacert", web.ca, wrong], env=env)
    assert result.status == 1 and "example.org" in result.err and "--cacert" not in result.err, result
    assert web.requests == []
    assert run(["rkt-store", "fetch", "--insecure-options=image,tls", wrong], env=env).status == 0


def test_the_authorities_count_for_a_proxy_too(data_dir, web, pki):
    web.file("/a.aci", image_tar())
    proxy = Proxy(web, pki[1])
    args = ["rkt-store", "fetch", "--tries=1", "https://example.com/a.aci"]
    env = {"https_proxy": proxy.url}
    try:
        result = run([*args, "--insecure-options=image"], env=env)
        assert_one_line(result, 1, "certificate", "--cacert")
        assert proxy.asked == []
        for options in ["--insecure-options=image", "--cacert", web.ca], ["--insecure-options=image,tls"]:
            assert run([*args, "--no-cache", *options], env=env).status == 0
        assert proxy.asked == ["example.com:443"] * 2
    finally:
        proxy.close()


@pytest.mark.parametrize("option", ["--cacert", "--cert", "--key"])
def test_a_file_that_is_none_is_told_before_anybody_is_asked(data_dir, web, tmp_path, option):
    web.file("/a.aci", image_tar())
    missing, empty = tmp_path / "missing.pem", write(tmp_path / "empty.pem", b"")
    assert_one_line(unsigned(web, option, missing, f"{web.url}/a.aci"), 1, option, f"{missing}: No such file")
    assert_one_line(unsigned(web, option, empty, f"{web.url}/a.aci"), 1, option, f"{empty} is empty")
    assert web.requests == []


SECRET = "s3cret-word"


def test_credentials_of_the_url_go_to_its_host_only(data_dir, web, other):
    body = image_tar()
    other.file("/a.aci", body)
    web.redirect("/far", f"{other.url}/a.aci")
    web.redirect("/near", f"{web.url}/a.aci")
    web.file("/a.aci", body)
    url = web.url.replace("https://", f"https://me:{SECRET}@")
    for path in "far", "near":
        result = unsigned(web, "--no-cache", "--header=X-Token: mine", f"{url}/{path}")
        the_id(result)
        assert SECRET not in result.err
    assert all("authorization" in asked.headers for asked in web.requests)
    assert all(asked.headers["x-token"] == "mine" for asked in web.requests)
    for asked in other.requests:
        assert "authorization" not in asked.headers and "x-token" not in asked.headers
    for name in files_in(data_dir):
        assert SECRET.encode() not in (data_dir / "cas" / name).read_bytes(), name
    assert SECRET.encode() not in (data_dir / "cas/index/data.mdb").read_bytes()
    result = unsigned(web, f"{url}/none")
    assert result.status == 3 and SECRET not in result.err and "me:" not in result.err


def test_credentials_of_the_configuration(data_dir, web, other, tmp_path):
    (tmp_path / "auth.d").mkdir()
    for name, host, secret in ("a", web.host, "one"), ("b", other.host.replace("localhost", "127.0.0.1"), "two"):
        file = tmp_path / f"auth.d/{name}.json"
        file.write_text(json.dumps({
            "rktKind": "auth", "rktVersion": "v1", "domains": [host], "type": "oauth",
            "credentials": {"token": f"token-{secret}"}}))
        file.chmod(0o600)
    web.redirect("/a.aci", f"{other.url}/a.aci")
    other.file("/a.aci", image_tar())
    the_id(unsigned(web, f"{web.url}/a.aci", env={"RKT_LOCAL_CONFIG": tmp_path}))
    assert web.requests[0].headers["authorization"] == "Bearer token-one"
    assert other.requests[0].headers["authorization"] == "Bearer token-two"


def test_the_certificate_of_the_client_is_shown_to_whom_he_asks_only(data_dir, web, other, pki):
    seen = {}
    for name, server in ("web", web), ("other", other):
        server.context.verify_mode = ssl.CERT_OPTIONAL
        server.context.load_verify_locations(pki[0])
    def answer(name, then):
        def it(handler, asked):
            seen[name] = bool(handler.connection.getpeercert())
            then(handler, asked)
        return it
    other.route("/a.aci", answer("other", File(image_tar())))
    web.route("/far", answer("web", lambda handler, _: handler.reply(302, b"", {"Location": f"{other.url}/a.aci"})))
    the_id(unsigned(web, "--cert", pki[1], f"{web.url}/far"))
    assert seen == {"web": True, "other": False}


def test_nobody_is_asked_for_a_passphrase(data_dir, web, pki, tmp_path):
    """Not even where there is no terminal, from standard input."""
    key = tmp_path / "locked.pem"
    subprocess.run(["openssl", "pkey", "-in", pki[1], "-aes256", "-passout", "pass:secret", "-out", key], check=True)
    command = [tool("rkt-store"), "fetch", "--cacert", web.ca, "--cert", pki[1], "--key", key, f"{web.url}/a.aci"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.wait(timeout=60) == 1
        finally:
            process.kill()
        (line,) = process.stderr.read().decode().splitlines()
    assert str(key) in line and "a key with a passphrase cannot be used" in line


def test_proxies_come_from_the_environment(data_dir, web, proxy):
    web.file("/a.aci", image_tar())
    env = {"https_proxy": proxy.url}
    the_id(unsigned(web, "https://example.com/a.aci", env=env))
    assert proxy.asked == ["example.com:443"]
    the_id(unsigned(web, "--no-cache", f"{web.url}/a.aci", env={**env, "no_proxy": "localhost"}))
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("status, times", [(407, 1), (403, 1), (404, 1), (502, 3)])
def test_a_proxy_that_refuses_is_asked_again_only_if_that_may_pass(data_dir, web, proxy, status, times):
    """Some lock out who shows a wrong password three times."""
    proxy.refuses = status
    result = unsigned(web, "--tries=3", "https://example.com/a.aci", env={"https_proxy": proxy.url})
    assert result.status == 1 and len(proxy.asked) == times, result
    lines = result.err.splitlines()
    assert len(lines) == times and f"https://example.com/a.aci: the proxy answered {status}" in lines[-1], result


@pytest.mark.parametrize("url", ["ftp://me:s3cret@127.0.0.1:1", "http://me:s3cret@127.0.0.1:x1"])
def test_a_proxy_that_is_none_is_told_once_and_without_its_password(data_dir, web, url):
    for more in [], ["--json"]:
        result = unsigned(web, *more, f"{web.url}/a.aci", env={"https_proxy": url})
        assert "s3cret" not in result.out + result.err
        assert_one_line(result, 1, f"{web.url}/a.aci", "https_proxy")


# ---- several -------------------------------------------------------------------------------------


def test_several_are_fetched_at_once_and_told_in_order(data_dir, web):
    together = threading.Barrier(4, timeout=60)
    files = [File(image_tar(content=str(number))) for number in range(4)]
    def answer(file):
        def wait(handler, asked):
            together.wait()
            file(handler, asked)
        return wait
    for number, file in enumerate(files):
        web.route(f"/{number}", answer(file))
    result = unsigned(web, *[f"{web.url}/{number}" for number in range(4)])
    assert result.status == 0, result
    expected = []
    for file in files:
        expected.append(store("import", "-", stdin=file.body).out)
    assert result.out == "".join(expected)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("policy", ["update", "new"])
def test_who_asks_for_what_is_under_way_waits_and_has_it_too(data_dir, web, processes, policy):
    file, url = File(image_tar()), f"{web.url}/a.aci"
    def answer(handler, asked):
        if len(web.requests) == 1:
            wait_until(lambda: somebody_waits(data_dir / "cas/partial"))
        file(handler, asked)
    web.route("/a.aci", answer)
    results = []
    def work():
        results.append(unsigned(web, f"--pull-policy={policy}", *[url] * (2 // processes)))
    threads = [threading.Thread(target=work) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.status for result in results} == {0}, results
    assert len("".join(result.out for result in results).splitlines()) == 2
    (waited,) = [result for result in results if result.err]
    assert_one_line(waited, 0, url, "waiting")
    rest = [asked.headers.get("if-none-match") for asked in web.requests]
    assert rest == [None, file.fields()["ETag"]][:1 if policy == "new" else 2]


def test_one_that_fails_does_not_stop_the_others(data_dir, web):
    web.file("/a", image_tar(content="a"))
    web.file("/b", image_tar(content="b"))
    result = unsigned(web, f"{web.url}/a", f"{web.url}/none", f"{web.url}/b")
    assert result.status == 3, result
    assert len(result.out.splitlines()) == 2
    assert "/none" in result.err


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"], ["--json", "--quiet"]], ids=" ".join)
def test_every_failure_is_a_line_on_standard_error(data_dir, tmp_path, options):
    """Whatever is printed otherwise; control characters are shown once."""
    good = write(tmp_path / "good.aci", image_tar())
    bad = [tmp_path / name for name in ("one.aci", "t\x01wo.aci", "three.aci")]
    result = store("fetch", *options, bad[0], bad[1], good, bad[2])
    assert result.status == 3, result
    assert sorted(result.err.splitlines()) == sorted(
        f"rkt-store: importing {tmp_path}/{name}: no such file" for name in ("one.aci", r"t\x01wo.aci", "three.aci"))
    (line,) = result.out.splitlines()
    if "--json" in options:
        assert json.loads(line)["event"] == "done"


def test_events_are_one_json_object_a_line(data_dir, web):
    web.file("/a", image_tar(), drop_at=[5])
    result = unsigned(web, "--json", f"{web.url}/a")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == ["note", "done"]
    done = events[-1]
    assert done["id"] == ids()[0] and done["how"] == "fetched" and done["source"] == f"{web.url}/a"
    again = json.loads(unsigned(web, "--json", f"{web.url}/a").out.splitlines()[-1])
    assert again["how"] == "unchanged"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=" ".join)
def test_a_full_disk_under_standard_output_is_named(data_dir, tmp_path, options):
    file = write(tmp_path / "a.aci", image_tar())
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tool("rkt-store"), "fetch", *options, file], stdout=full, stderr=subprocess.PIPE,
                              timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == b"rkt-store: write to standard output: No space left on device\n"


def test_words_of_rkt_are_known(data_dir, web):
    web.file("/a.aci", image_tar())
    for words in "image,pubkey,ondisk", "all-fetch", "all", "none,image,seccomp,paths,capabilities,all-run":
        the_id(fetch(web, f"--insecure-options={words}", f"{web.url}/a.aci"))
    assert fetch(web, "--insecure-options=none", "--no-cache", f"{web.url}/a.aci").status == 5


def test_a_terminal_shows_how_far_all_are(data_dir, web):
    pexpect = pytest.importorskip("pexpect")
    slow = {"block": 1 << 16, "delay": 0.1}
    web.file("/a.aci", image_tar(content=noise(1 << 20, b"a")), **slow)
    web.file("/b.aci", image_tar(content=noise(1 << 20, b"b")), **slow)
    args = ["fetch", "--insecure-options=image", "--cacert", str(web.ca), f"{web.url}/a.aci", f"{web.url}/b.aci"]
    child = pexpect.spawn(tool("rkt-store"), args, timeout=60, dimensions=(24, 100))
    child.expect(rb"2 images  \S+ \S+ of 2\.0 MiB +\d+%  \S+ \S+/s  \d+:\d\d left")
    child.expect(rb"sha256-[0-9a-f]{64}")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("columns", [1, 2, 30])
def test_a_narrow_terminal_gets_no_line_that_would_wrap(data_dir, web, columns):
    pexpect = pytest.importorskip("pexpect")
    web.file("/a.aci", image_tar(content=noise(1 << 20)), block=1 << 16, delay=0.1)
    args = ["fetch", "--insecure-options=image", "--cacert", str(web.ca), f"{web.url}/a.aci"]
    child = pexpect.spawn(tool("rkt-store"), args, timeout=60, dimensions=(24, columns))
    child.expect(pexpect.EOF)
    *lines, _ = child.before.decode().split("\r\x1b[K")
    assert len(lines) > 1 and all(len(line) < columns for line in lines), lines


def test_wrong_words_are_usage(data_dir, web):
    for args in (["--insecure-options=nonsense", "x"], ["--jobs=0", "x"], ["--signature=a", "x", "y"], [],
                 ["--header=nonsense", "x"], ["--header=: x", "x"], ["--header=X T: 1", "x"], ["--header=A: b\rC: d", "x"],
                 ["--pull-policy=x", "x"], ["--tries=0", "x"],
                 ["--connect-timeout=0s", "x"], ["--idle-timeout=0s", "x"], ["--max-size=0", "x"],
                 ["--insecure-options=image", "ftp://example.com/a.aci"], ["https://"]):
        result = store("fetch", *args)
        assert result.status == 2, (args, result)


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def test_aws_signatures_are_what_amazon_would_compute(data_dir, web, tmp_path):
    (tmp_path / "auth.d").mkdir()
    file = tmp_path / "auth.d/a.json"
    file.write_text(json.dumps({
        "rktKind": "auth", "rktVersion": "v1", "domains": [web.host], "type": "aws",
        "credentials": {"accessKeyID": "AKIDEXAMPLE", "secretAccessKey": "secret/key", "awsRegion": "eu-west-1"}}))
    file.chmod(0o600)
    web.file("/bucket/a.aci", image_tar())
    the_id(unsigned(web, f"{web.url}/bucket/a.aci", env={"RKT_LOCAL_CONFIG": tmp_path}))
    headers = web.requests[0].headers
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/eu-west-1/s3/aws4_request, "
        r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})", headers["authorization"])
    assert match, headers
    day, names, signature = match.groups()
    payload = headers.get("x-amz-content-sha256", hashlib.sha256(b"").hexdigest())
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in names.split(";")]
    canonical = "\n".join(["GET", "/bucket/a.aci", "", *lines, "", names, payload])
    scope = f"{day}/eu-west-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4secret/key"
    for part in (day, "eu-west-1", "s3", "aws4_request"):
        key = hmac_sha256(key, part)
    assert hmac_sha256(key, text).hex() == signature


# ---- authorities

OTHER_TLS = r"""
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <string.h>

static curl_version_info_data *version_info(CURLversion age)
{
	static curl_version_info_data data = { .age = CURLVERSION_FIRST, .version = "8", .ssl_version = "GnuTLS/3.8" };

	return &data;
}

void *dlsym(void *handle, const char *name)
{
	void *(*real)(void *, const char *) = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");

	return strcmp(name, "curl_version_info") == 0 ? version_info : real(handle, name);
}
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.skipif(not shutil.which("cc"), reason="cc is not installed")
def test_authorities_are_looked_up_in_the_folder_by_openssl_only(web, data_dir, tmp_path):
    """Our CA is not in it: who looks there asks the host a second time, with the file of all of them."""
    if is_sanitized():
        pytest.skip("AddressSanitizer wants to be the first library")
    library, trace = tmp_path / "tls.so", tmp_path / "trace"
    source = write(tmp_path / "tls.c", OTHER_TLS.encode())
    subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", library, source], check=True)

    def count_of_connections(**env):
        words = [f"{key}={value}" for key, value in env.items()]
        result = run(["strace", "-f", "-e", "trace=connect", "-o", trace, "env", *words, tool("rkt-store"), "fetch", *SOON,
                      "--tries=1", "--insecure-options=image", f"{web.url}/a.aci"])
        assert "certificate" in result.err, result
        port = web.url.rsplit(":", 1)[1]
        return trace.read_text().count(f'sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")')

    assert count_of_connections(LD_PRELOAD=library) == 1
    if "OpenSSL" in run(["curl", "--version"]).out and os.path.isdir("/etc/ssl/certs"):
        assert count_of_connections() == 2


def test_quiet_events_have_no_progress(web, data_dir):
    def events(path, *options):
        web.file(path, big_image(), delay=0.05)
        result = unsigned(web, "--json", *options, f"{web.url}{path}")
        return {json.loads(line)["event"] for line in result.out.splitlines()}

    assert events("/a.aci") == {"progress", "done"}
    assert events("/b.aci", "--quiet") == {"done"}


def test_progress_is_told_a_few_times_a_second(web, data_dir):
    """And not each time that one of many images is there."""
    paths = [f"/n{number}.aci" for number in range(40)]
    for number, path in enumerate(paths):
        web.file(path, image_tar(f"example.com/n{number}"))
    began = time.monotonic()
    result = unsigned(web, "--json", *[f"{web.url}{path}" for path in paths])
    took = time.monotonic() - began
    assert result.status == 0, result
    assert result.out.count('"event":"progress"') <= took / 0.2 + 1, result
