"""rkt-store fetch of a large file that comes slowly: its parts by several connections (S-027)."""

import pytest
from fetchlib import noise, partial, pki, unsigned, web  # noqa: F401
from storelib import blob_path, files_in, image_tar
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
