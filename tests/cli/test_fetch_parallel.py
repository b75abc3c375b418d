"""rkt-store fetch by several hands: parts of a large file that comes slowly (S-027), and jobs that make others."""

import fcntl
import os
import subprocess
import threading
import time

import pytest
from conftest import tool
from fetchlib import SOON, noise, partial, pki, proxy, unsigned, web  # noqa: F401
from storelib import add, blob_path, files_in, ids, image_tar, wait_until, write
from weblib import File

SIZE = 20 << 20
# 2 MB a second, until it should be clear that this takes long
SLOW = {"block": 1 << 18, "delay": 0.125, "slow_until": 9 << 20, "headers": {"Accept-Ranges": "bytes"}}


@pytest.fixture(scope="module")
def body():
    return image_tar(content=noise(SIZE))


def ranges(web):
    return [asked.headers.get("range") for asked in web.asked("/a.aci")]


def take(data_dir, web, body, result):
    assert result.status == 0, result
    assert blob_path(data_dir, result.out.strip()).read_bytes() == body
    assert partial(data_dir) == [] and not [name for name in files_in(data_dir) if "partial" in name]


def test_parts_are_fetched_side_by_side(data_dir, web, body):
    web.file("/a.aci", body, **SLOW)
    take(data_dir, web, body, unsigned(web, f"{web.url}/a.aci"))
    whole, *parts = ranges(web)
    assert whole is None and len(parts) == 3
    ends = [tuple(map(int, part.removeprefix("bytes=").split("-"))) for part in sorted(parts, key=len)]
    ends.sort()
    assert ends[-1][1] == len(body) - 1
    assert all(one[1] + 1 == other[0] for one, other in zip(ends, ends[1:]))
    assert all(asked.headers["if-range"] == web.routes["/a.aci"].etag for asked in web.asked("/a.aci")[1:])


@pytest.mark.parametrize("why", ["one connection", "no ranges", "weak tag"])
def test_not_where_it_cannot_be_or_shall_not(data_dir, web, body, why):
    more = {"no ranges": {"headers": {}}, "weak tag": {"etag": 'W/"1"'}}.get(why, {})
    web.file("/a.aci", body, **{**SLOW, **more})
    options = ["--connections=1"] if why == "one connection" else []
    take(data_dir, web, body, unsigned(web, *options, f"{web.url}/a.aci"))
    assert ranges(web) == [None]


class Liar(File):
    """Every part it is asked for is wrong in a way."""

    def __init__(self, body, how, **more):
        super().__init__(body, **more)
        self.how = how

    def __call__(self, handler, asked):
        if "-" not in asked.headers.get("range", "").removesuffix("-"):  # the whole, or its rest
            super().__call__(handler, asked)
        elif self.how == "another version":  # whatever If-Range says
            start, end = self.wants_rest(asked), self.end(asked)
            new = File(b"x" * len(self.body), block=self.block)
            part = {"Content-Range": f"bytes {start}-{end - 1}/{len(self.body)}"}
            new.send(handler, 206, start, {**new.fields(), **part}, end)
        elif self.how == "another part":
            asked.headers["range"] = "bytes=0-" + asked.headers["range"].rpartition("-")[2]
            super().__call__(handler, asked)
        elif self.how == "lost":
            handler.wfile.write(b"HTTP/1.1 206 Part")
            handler.reset()
        elif self.how == "half":
            middle = self.wants_rest(asked) + (1 << 20)
            File(self.body, block=self.block, headers=self.headers, end_at=[middle])(handler, asked)
        else:
            handler.reply(503)


@pytest.mark.parametrize("how", ["another version", "another part", "lost", "half", "busy"])
def test_what_is_no_part_is_fetched_by_who_began(data_dir, web, body, how):
    web.route("/a.aci", Liar(body, how, **SLOW))
    take(data_dir, web, body, unsigned(web, f"{web.url}/a.aci"))
    assert len(ranges(web)) >= 5 and ranges(web)[-1].endswith("-")


# ---- jobs ----------------------------------------------------------------------------------------


class Hand:
    """rkt-store fetch with two jobs, whose words go into a pipe that a page fills: it waits in the middle of what
    it says until somebody reads."""

    def __init__(self, web, proxy, *references):
        self.end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        self.child = subprocess.Popen(
            [tool("rkt-store"), "fetch", "--cacert", web.ca, *SOON, "-j2", "--insecure-options=image", *references],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=write_end,
            env={**os.environ, "https_proxy": proxy.url})
        os.close(write_end)
        self.words = os.fdopen(self.end, "rb", buffering=0)

    def line(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.words.read(1)
            assert byte, line
            line += byte
        return line.decode()

    def finish(self):
        rest = self.words.read().decode()
        out = self.child.stdout.read().decode()
        return self.child.wait(60), out, rest


@pytest.mark.parametrize("last", ["is done", "is under way"])
def test_what_is_needed_by_what_is_here_is_looked_for_here_too(data_dir, web, proxy, tmp_path, last):
    """While one thread takes from the store what could not be asked for, another does what that needs: it is not
    forgotten, whether it is done when the first one has taken all, or still under way."""
    def name(word):
        return f"example.com/{word * 1500}"  # what is said of it fills more than the pipe

    def needs(*words):
        return [{"imageName": name(word)} for word in words]

    asked, go_on = threading.Event(), threading.Event()

    def answer(handler, _):
        asked.set()
        go_on.wait(60)
        handler.reply(404)

    web.route(f"/{'d' * 1500}", answer)
    for word, below in ("b", "cd"), ("e", ""), ("c", ""), ("d", ""):
        add(write(tmp_path / word, image_tar(name(word), dependencies=needs(*below))))
    hand = Hand(web, proxy, write(tmp_path / "top.aci", image_tar("example.com/top", dependencies=needs(*"be"))))
    assert f" {name('b')} could not be asked for: " in hand.line()
    # now it says the same of "e", and is not listened to
    wait_until(asked.is_set)
    if last == "is done":
        go_on.set()
    else:
        threading.Timer(2, go_on.set).start()
    time.sleep(1)
    status, out, rest = hand.finish()
    assert status == 0, rest
    assert len(out.splitlines()) == 1 and out.strip() in ids()
    assert [line.split()[1] for line in rest.splitlines()] == [name("e"), name("c"), name("d")]
