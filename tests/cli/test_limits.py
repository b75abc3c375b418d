"""S-012: each limit has an option, the same in all tools that read images.

A case is an image that asks for some amount of one thing. With a limit of that amount it is taken, with
one less it is refused in one line, and one of nothing else has a say.
"""

import gzip
import os
import subprocess

import pytest
from acilib import one_line
from conftest import entry, make_aci, manifest, run

XATTR = "SCHILY.xattr.user."
DEFAULTS = {
    "max-manifest": 1048576,
    "max-entries": 4000000,
    "max-path": 4096,
    "max-name": 255,
    "max-depth": 1024,
    "max-header": 1048576,
    "max-xattrs": 65536,
    "max-extents": 262144,
}


def padded_manifest(size):
    text = str(manifest()).replace("'", '"')
    return text[:-1] + " " * (size - len(text)) + "}"


def pax_record_of(size, key):
    """A record of SIZE bytes: the value that does it."""
    return "x" * (size - len(f"{size} {key}=\n"))


def sparse_runs(count):
    """A sparse file of COUNT runs of one byte, in the form GNU.sparse 1.0."""
    text = f"{count}\n" + "".join(f"{2 * i}\n1\n" for i in range(count))
    data = text.encode() + b"\0" * (-len(text) % 512) + b"x" * count
    headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "rootfs/sparse",
        "GNU.sparse.realsize": str(2 * count),
    }
    return entry("rootfs/GNUSparseFile.0/sparse", data, pax_headers=headers)


def of_size(size):
    """An image that is SIZE bytes unpacked; Python's tars are multiples of 10240."""
    return {"entries": [entry("rootfs/f", "x" * (size - 10240))]}


# option, words of the refusal, amount, what make_aci() needs for an image that asks for it
CASES = [
    ("max-manifest", "the manifest", 3000, {"manifest_": padded_manifest(3000)}),
    ("max-entries", "members", 5, {"entries": [entry(f"rootfs/{i}", "") for i in range(3)]}),
    ("max-entries", "members and directories", 6, {"entries": [entry("rootfs/a/b/c/f", "")]}),
    # those that get their entry later count once
    ("max-entries", "members and directories", 7,
     {"entries": [entry("rootfs/a/b/f", ""), entry("rootfs/a/b"), entry("rootfs/a"), entry("rootfs/b/g", "")]}),
    ("max-path", "the path is longer", 120, {"entries": [entry("rootfs/" + "/".join(["d" * 37] * 3), "")]}),
    ("max-name", "a part of the path is longer", 40, {"entries": [entry("rootfs/" + "n" * 40, "")]}),
    ("max-depth", "too many directories deep", 9, {"entries": [entry("rootfs" + "/d" * 8, "")]}),
    ("max-header", "an extended header of", 2000,
     {"entries": [entry("rootfs/f", "", pax_headers={"comment": pax_record_of(2000, "comment")})]}),
    ("max-xattrs", "extended attributes of more than", 500,
     {"entries": [entry("rootfs/f", "", pax_headers={XATTR + "a": "v" * 494})]}),
    ("max-extents", "runs of data", 7, {"entries": [sparse_runs(7)]}),
    ("max-size", "bytes after decompression", 30720, of_size(30720)),
]
TOOLS = {
    "hash": lambda options, aci, out: ["aci-hash", *options, aci],
    "validate": lambda options, aci, out: ["aci-validate", *options, aci],
    "list": lambda options, aci, out: ["aci-extract", *options, "--list", aci],
    "extract": lambda options, aci, out: ["aci-extract", "--quiet", *options, aci, out],
    "patch": lambda options, aci, out: ["aci-build", *options, "--patch", "--annotation", "a=b", aci, out],
    "manifest": lambda options, aci, out: ["aci-build", *options, "--extract-manifest", aci],
}


def refused(tool, result, words):
    if tool == "validate":
        assert result.status == 1, result
        assert words in result.out, result
    else:
        one_line(result, 4, words)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("option, words, amount, what", CASES, ids=[case[0] for case in CASES])
def test_what_reaches_a_limit_is_taken_and_what_exceeds_it_refused_s_012(
        tmp_path, tool, option, words, amount, what):
    aci = make_aci(tmp_path / "a.aci", **what)
    out = tmp_path / "out"
    # with one annotation more it is longer
    room = 200 if tool == "patch" and option == "max-manifest" else 0
    refused(tool, run(TOOLS[tool]([f"--{option}={amount - 1}"], aci, out)), words)
    assert not out.exists()
    taken = run(TOOLS[tool]([f"--{option}={amount + room}"], aci, out))
    assert taken.status == 0, taken


# what the default refuses, where an image that exceeds it is quickly made
BIG = [
    ("max-manifest", "the manifest", {"manifest_": padded_manifest(1048577)}),
    ("max-path", "the path is longer", {"entries": [entry("rootfs" + ("/" + "d" * 200) * 21, "")]}),
    ("max-name", "a part of the path is longer", {"entries": [entry("rootfs/" + "n" * 256, "")]}),
    ("max-depth", "too many directories deep", {"entries": [entry("rootfs" + "/d" * 1024, "")]}),
    ("max-header", "an extended header of",
     {"entries": [entry("rootfs/f", "", pax_headers={"comment": pax_record_of(1048577, "comment")})]}),
    ("max-xattrs", "extended attributes of more than",
     {"entries": [entry("rootfs/f", "", pax_headers={XATTR + "a": "v" * (65537 - 6)})]}),
    ("max-extents", "runs of data", {"entries": [sparse_runs(262145)]}),
]


@pytest.mark.parametrize("option, words, what", BIG, ids=[case[0] for case in BIG])
def test_options_raise_the_limits_s_012(tmp_path, option, words, what):
    aci = make_aci(tmp_path / "a.aci", **what)
    more = 2 * DEFAULTS[option]
    for tool in ("hash", "validate", "list"):
        refused(tool, run(TOOLS[tool]([], aci, None)), words)
        taken = run(TOOLS[tool]([f"--{option}={more}"], aci, None))
        assert taken.status == 0, taken


def test_what_is_deeper_than_the_default_is_extracted_when_allowed_s_012(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs" + "/d" * 1500)])
    refused("extract", run(TOOLS["extract"]([], aci, tmp_path / "out")), "too many directories deep")
    taken = run(TOOLS["extract"](["--max-depth=1501"], aci, tmp_path / "out"))
    assert taken.status == 0, taken
    subprocess.run(["rm", "-rf", tmp_path / "out"], check=True)  # Python's own goes too deep for itself


def test_expansion_is_refused_and_the_option_allows_it_s_012(tmp_path):
    """1000:1 past 64 MiB; gzip reaches 1029:1."""
    aci = tmp_path / "a.aci"
    make_aci(aci, [entry("rootfs/f", b"\0" * (65 << 20))], compression="none")
    aci.write_bytes(gzip.compress(aci.read_bytes(), 9))
    for tool in ("hash", "validate", "list", "manifest"):
        refused(tool, run(TOOLS[tool]([], aci, None)), "expands to more than 1000 times its size")
        for ratio in ("1100", "0"):
            taken = run(TOOLS[tool](["--max-ratio", ratio], aci, None))
            assert taken.status == 0, taken


def test_expansion_is_not_looked_at_in_small_images_s_012(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/f", b"\0" * (63 << 20))])
    assert run(["aci-hash", "--max-ratio=2", aci]).status == 0


def test_a_small_file_with_a_large_limit_costs_nothing(tmp_path, layout):
    """A limit is not an amount that somebody reserves."""
    aci = make_aci(tmp_path / "a.aci")
    options = [f"--{option}={(1 << 64) - 1}" for option in [*DEFAULTS, "max-size", "max-ratio"]]
    assert run(["aci-hash", *options, aci]).status == 0
    assert run(["aci-validate", *options, aci]).status == 0
    assert run(["aci-validate", *options, layout], timeout=60).status == 0
    assert run(["aci-build", *options, layout, tmp_path / "b.aci"], timeout=60).status == 0


# ---- layouts and what aci-build reads --------------------------------------------------------------


@pytest.fixture
def layout(tmp_path):
    root = tmp_path / "layout"
    (root / "rootfs/d/e").mkdir(parents=True)
    (root / "rootfs/d/e/nnnn").write_text("")
    (root / "manifest").write_text(padded_manifest(3000))
    return root


LAYOUT_LIMITS = [
    ("max-manifest", 3000, "layout-manifest-size"),
    ("max-entries", 3, "more than 2 files"),
    ("max-path", len("rootfs/d/e/nnnn"), "the path is longer"),
    ("max-name", len("rootfs"), "a part of the path is longer"),
    ("max-depth", 4, "too many directories deep"),
]


@pytest.mark.parametrize("option, amount, words", LAYOUT_LIMITS, ids=[case[0] for case in LAYOUT_LIMITS])
def test_limits_hold_for_layouts_s_012(layout, option, amount, words):
    refused("validate", run(["aci-validate", f"--{option}={amount - 1}", layout]), words)
    taken = run(["aci-validate", f"--{option}={amount}", layout])
    assert taken.status == 0, taken


def test_limits_hold_for_what_is_built_s_012(tmp_path, layout):
    out = tmp_path / "out.aci"
    one_line(run(["aci-build", "--max-manifest=2999", layout, out]), 4, "2999 bytes")
    one_line(run(["aci-build", "--max-depth=3", layout, out]), 4, "too many directories deep")
    one_line(run(["aci-build", "--max-size=1000", layout, out]), 4, "more than 1000 bytes")
    assert not out.exists()
    (layout / "manifest").write_text(padded_manifest(2 << 20))
    one_line(run(["aci-build", layout, out]), 4, "bytes")
    built = run(["aci-build", f"--max-manifest={2 << 20}", layout, out])
    assert built.status == 0, built
    assert os.path.exists(out)


def test_a_manifest_alone_has_the_same_limit_s_012(tmp_path):
    file = tmp_path / "manifest.json"
    file.write_text(padded_manifest(5000))
    refused("validate", run(["aci-validate", "--max-manifest=4999", file]), "layout-manifest-size")
    assert run(["aci-validate", "--max-manifest=5000", file]).status == 0
    refused("validate", run(["aci-validate", "--max-manifest=100", file]), "layout-manifest-size")


def test_all_tools_name_all_limits_s_012():
    for tool in ("aci-hash", "aci-validate", "aci-extract", "aci-build"):
        text = run([tool, "--help"]).out
        for option in [*DEFAULTS, "max-size", "max-ratio"]:
            assert f"--{option}" in text, (tool, option)
