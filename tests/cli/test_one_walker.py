"""S-004: hash, validate, list, extract and the store see one thing in an archive, whatever it holds.

All of them go over the whole corpus and over mutants of its good archives: they take or refuse the
same ones, and of what they take they show the same names, types, sizes, owners, times and data.
"""

import json
import os
import stat
import subprocess

import pytest
from conftest import needs_root, run
from storelib import own_mounts
from walkerlib import listed, make_corpus, make_mutants, side_by_side, tree, verdicts_of_all

assert own_mounts  # fixture

MUTANTS = 200
TYPES = {"-": stat.S_IFREG, "l": stat.S_IFLNK, "c": stat.S_IFCHR, "b": stat.S_IFBLK}
TYPES |= {"d": stat.S_IFDIR, "p": stat.S_IFIFO}
# what file systems on disk can hold (ext4)
TIMES = range(-(1 << 31) * 10**9, (1 << 33) * 10**9)


class Seen:
    """What each tool says of one file: .taken by name of the tool, .listing, .extracted, .rendered."""

    def __init__(self, file, where):
        self.file = file
        self.where = where
        self.taken = {}
        self.id = None
        self.rendered = None

    def look(self):
        out = self.where / "out"
        self.where.mkdir()
        listing = self.judge("list", "aci-extract", "--list", self.file)
        extraction = self.judge("extract", "aci-extract", "--quiet", "--devices", self.file, out)
        imported = self.judge("import", "rkt-store", "import", self.file)
        assert out.exists() == (extraction.status == 0), "whole or nothing"
        self.listing = listed(listing.out) if listing.status == 0 else {}
        self.extracted = tree(out / "rootfs") if out.exists() else {}
        if imported.status == 0:
            self.id = imported.out.strip()
            render = run(["rkt-store", "render", "--json", self.id])
            assert render.status == 0, render
            self.rendered = tree(json.loads(render.out)["path"])
        subprocess.run(["rm", "-rf", self.where], check=True)  # some are deeper than Python can remove
        return self

    def judge(self, name, *command):
        result = run(command)
        assert result.status in (0, 4), (self.file, name, result)
        assert result.status == 0 or result.err.count("\n") == 1, (self.file, name, result)
        self.taken[name] = result.status == 0
        return result


@pytest.fixture(scope="module")
def seen(tmp_path_factory, own_mounts):
    """Everything the tools say of everything there is."""
    corpus = tmp_path_factory.mktemp("corpus")
    who = make_corpus(corpus)
    make_mutants(corpus, corpus, MUTANTS)
    files = sorted(corpus.glob("*.aci"))
    os.environ["RKT_DIR"] = str(tmp_path_factory.mktemp("store") / "rkt")
    try:
        digests, validated = verdicts_of_all(files)
        work = tmp_path_factory.mktemp("work")
        all_ = side_by_side(lambda file: Seen(file, work / file.name).look(), files)
    finally:
        del os.environ["RKT_DIR"]
    valid = {line["file"]: line for line in map(json.loads, validated.splitlines())}
    for one in all_:
        one.digest = digests.get(str(one.file))
        one.taken["hash"] = one.digest is not None
        one.valid = valid[str(one.file)]
        one.taken["validate"] = one.valid["verdict"] == "valid"
        one.who = who.get(one.file.name)
    return all_


@needs_root
def test_all_take_or_refuse_the_same_archives_s_004(seen):
    apart = [(one.file.name, one.taken) for one in seen if len(set(one.taken.values())) != 1]
    assert not apart


@needs_root
def test_the_corpus_is_taken_or_refused_as_its_names_say(seen):
    wrong = [
        one.file.name
        for one in seen
        if one.who and one.taken["list"] != one.file.name.startswith("ok-")
    ]
    assert not wrong


@needs_root
def test_mutants_are_not_all_of_one_kind(seen):
    taken = sum(one.taken["list"] for one in seen if not one.who)
    assert MUTANTS / 10 < taken < MUTANTS * 9 / 10


@needs_root
def test_the_id_is_the_digest_that_was_printed_s_004(seen):
    for one in seen:
        if one.id:
            assert one.id == f"sha256-{one.digest}", one.file


@needs_root
def test_what_is_listed_is_what_is_extracted_s_004(seen):
    for one in seen:
        if one.taken["extract"]:
            compare_listing(one)


def compare_listing(one):
    parents = set()
    for path, facts in one.listing.items():
        parts = path.split("/")
        parents |= {"/".join(parts[:n]) for n in range(1, len(parts))}
        there = one.extracted.get(path)
        assert there, (one.file.name, path)
        if facts["type"] == "h":
            assert there["inode"] == one.extracted[facts["link"]]["inode"], (one.file.name, path)
            continue
        if facts["type"] == "l" and stat.S_ISDIR(there["mode"]):
            continue  # replaced by a directory for what came later (S-002)
        assert stat.S_IFMT(there["mode"]) == TYPES[facts["type"]], (one.file.name, path)
        assert there["owner"] == (int(facts["uid"]), int(facts["gid"])), (one.file.name, path)
        if facts["type"] == "-":
            assert there["size"] == int(facts["size"]), (one.file.name, path)
        if facts["type"] in "cb":
            numbers = f"{os.major(there['device'])},{os.minor(there['device'])}"
            assert numbers == facts["size"], (one.file.name, path)
    more = set(one.extracted) - set(one.listing) - parents - {"."}
    assert not more, (one.file.name, more)


@needs_root
def test_what_is_extracted_is_what_is_rendered_s_004(seen):
    for one in seen:
        if one.rendered is not None and one.taken["extract"]:
            compare_trees(one)


def compare_trees(one):
    assert set(one.extracted) == set(one.rendered), one.file.name
    for path, left in one.extracted.items():
        right = one.rendered[path]
        for key in left:
            if key == "inode" or (key == "mtime" and right[key] not in TIMES):
                continue
            # a directory nobody described has the time it was made
            if key == "mtime" and path not in one.listing:
                continue
            assert left[key] == right[key], (one.file.name, path, key)
