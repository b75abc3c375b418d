"""rkt-store list, info and cat-manifest: what the store knows, for people and for programs."""

import json
import os
import pty
import re
import subprocess
import time

import pytest
from conftest import BUILD, manifest, needs_root, run, tool
from storelib import add, assert_one_line, ids, image_tar, info, same_prefix, store, write


def labels(**pairs):
    return [{"name": name, "value": value} for name, value in pairs.items()]


@pytest.fixture
def three(data_dir, tmp_path):
    """Two versions of one app, the newer imported last, and another app; their IDs."""
    files = [
        write(tmp_path / "b", image_tar("example.com/b")),
        write(tmp_path / "old", image_tar("example.com/a", labels=labels(version="2.0"))),
        write(tmp_path / "new", image_tar("example.com/a", labels=labels(version="1.0"))),
    ]
    return add(*files)


def test_table_is_by_name_then_newest_first(three):
    lines = store("list").out.splitlines()
    assert lines[0].split() == ["ID", "NAME", "VERSION", "SIZE", "IMPORTED"]
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["example.com/a", "1.0"],
        ["example.com/a", "2.0"],
        ["example.com/b", "1.0.0"],
    ]
    assert lines[1].startswith(three[2][:19] + " ")
    assert ids() == [three[2], three[1], three[0]]


def test_short_ids_of_the_table_are_accepted(three):
    for line in store("list").out.splitlines()[1:]:
        assert store("info", line.split()[0]).status == 0


def test_without_legend_columns_are_separated_by_tabs(three):
    lines = store("list", "--no-legend", "--full").out.splitlines()
    assert [len(line.split("\t")) for line in lines] == [5, 5, 5]
    image, name, version, size, when = lines[0].split("\t")
    assert (image, name, version) == (three[2], "example.com/a", "1.0")
    assert int(size) == info(image)["size"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)


def test_json_is_an_array_of_objects(three):
    images = json.loads(store("list", "--json").out)
    assert [image["id"] for image in images] == [three[2], three[1], three[0]]
    first = images[0]
    assert first["name"] == "example.com/a" and first["version"] == "1.0"
    assert first["os"] is None and first["arch"] is None
    assert images[2]["os"] == "linux" and images[2]["arch"] == "amd64"
    assert first["entries"] == 3 and first["size"] > 0


def test_of_an_empty_store_is_empty(data_dir, tmp_path):
    image = add(write(tmp_path / "a", image_tar()))
    assert store("rm", image).status == 0
    assert store("list").out.split() == ["ID", "NAME", "VERSION", "SIZE", "IMPORTED"]
    assert store("list", "--json").out == "[]\n"
    assert store("list", "--no-legend").out == ""


@pytest.mark.parametrize(
    "command", [["list"], ["info", "x"], ["rm", "x"], ["gc"], ["render", "x"], ["cat-manifest", "x"]]
)
def test_where_no_store_is_none_is_made(data_dir, command):
    assert_one_line(store(*command), 3, "there is no store at", str(data_dir))
    assert not data_dir.exists()


def test_labels_cannot_forge_a_line_or_drive_the_terminal(data_dir, tmp_path):
    evil = "1\nsha256-forged\t\x1b[2J\u202e"
    add(write(tmp_path / "a", image_tar(labels=labels(version=evil))))
    for command in (["list"], ["list", "--no-legend"], ["info", "example.com/test"]):
        out = store(*command).out
        assert "\x1b" not in out and "\u202e" not in out and "\nsha256-forged" not in out
    assert json.loads(store("list", "--json").out)[0]["version"] == evil


@needs_root
def test_read_only_file_system_can_be_read(three, data_dir):
    script = """
        mount --bind "$RKT_DIR" "$RKT_DIR" && mount -o remount,ro,bind "$RKT_DIR" || exit 99
        $STORE list --no-legend --full; echo "status $?"
        $STORE import - </dev/null; echo "status $?"
    """
    shell = ["unshare", "-m", "--propagation", "private", "sh", "-c", script]
    result = run(shell, env={"STORE": tool("rkt-store")})
    lines = result.out.splitlines()
    assert lines[0].startswith(three[2]) and lines[3] == "status 0", result
    assert lines[4] == "status 1" and "Read-only file system" in result.err


def test_many_images_are_listed(data_dir, tmp_path):
    files = [write(tmp_path / f"{n}", image_tar(content=str(n))) for n in range(60)]
    added = add(*files)
    assert ids() == added[::-1]


# ---- which, which columns, in which order


@pytest.fixture
def many(data_dir, tmp_path):
    """Images by a word each, oldest first."""
    specs = {
        "web": ("example.com/web", "w" * 50000, {"version": "1", "os": "linux", "arch": "amd64"}),
        "web-arm": ("example.com/web", "a", {"version": "1", "os": "linux", "arch": "aarch64"}),
        "db": ("example.com/db-server", "d" * 20000, {"colour": "red"}),
        "other": ("example.org/web", "o" * 90000, {}),
    }
    return {
        word: add(write(tmp_path / word, image_tar(name, content, labels=labels(**more))))
        for word, (name, content, more) in specs.items()
    }


def listed(many, *args):
    """The words of the images that are listed, in order."""
    result = store("list", "--no-legend", "--full", "--fields=id", *args)
    assert result.status == 0, result
    words = {image: word for word, image in many.items()}
    return [words[line] for line in result.out.splitlines()]


@pytest.mark.parametrize(
    "args, words",
    [
        (["example.com/"], ["db", "web-arm", "web"]),
        (["example.com/w"], ["web-arm", "web"]),
        (["*/web"], ["web-arm", "web", "other"]),
        (["*-server", "example.org/web"], ["db", "other"]),
        (["example.com/db*", "example.com/web"], ["db", "web-arm", "web"]),
        (["example.org/", "example.com/d?-*"], ["db", "other"]),
        (["[e]xample.com/d"], []),
        (["[e]xample.com/d*"], ["db"]),
        (["nothing"], []),
        (["--label=arch=amd64"], ["web"]),
        (["--label=version=1", "--label=os=linux"], ["web-arm", "web"]),
        (["--label=colour=red"], ["db"]),
        (["--label=colour=blue"], []),
        (["example.org/", "--label=os=linux"], []),
    ],
)
def test_names_and_labels_select(many, args, words):
    assert listed(many, *args) == words


def test_time_selects(many):
    time.sleep(1.1)  # all are a second old or more
    assert len(listed(many, "--since=1h")) == 4 and listed(many, "--since=0s") == []
    assert listed(many, "--before=1h") == [] and len(listed(many, "--before=0s")) == 4


@pytest.mark.parametrize(
    "field, words",
    [
        ("size", ["web-arm", "db", "web", "other"]),
        ("-size", ["other", "web", "db", "web-arm"]),
        ("imported", ["web", "web-arm", "db", "other"]),
        ("-imported", ["other", "db", "web-arm", "web"]),
        ("-name", ["other", "web-arm", "web", "db"]),
        ("version", ["db", "other", "web-arm", "web"]),
        ("entries", ["db", "web-arm", "web", "other"]),
    ],
)
def test_any_field_sorts_both_ways_and_equal_ones_keep_their_order(many, field, words):
    assert listed(many, f"--sort={field}") == words


def test_sort_and_selection_hold_for_json_too(many):
    images = json.loads(store("list", "--json", "--sort=-size", "example.com/").out)
    assert [image["id"] for image in images] == [many[word] for word in ("web", "db", "web-arm")]


def test_last_uses_are_shown_and_sorted_by(many):
    for number, word in enumerate(["db", "web"]):
        pod = f"6ba7b81{number}-9dad-11d1-80b4-00c04fd430c8"
        assert run([BUILD / "tests/fault/pods", "lease", pod, many[word]]).status == 0
        time.sleep(1.1)  # times are shown, and sorted by, in seconds
    assert listed(many, "--sort=-used") == ["web", "db", "web-arm", "other"]
    lines = store("list", "--sort=used", "--fields=used,name").out.splitlines()
    assert lines[0].split() == ["USED", "NAME"] and lines[1].split()[0] == "never"
    assert re.match(r"\d seconds? ago  +example.com/web$", lines[4])
    assert "used: never\n" in store("info", many["other"]).out
    assert re.search(r"^used: \d{4}-.*Z$", store("info", many["web"]).out, re.M)


def test_fields_are_the_columns_in_the_order_given(many):
    lines = store("list", "--fields=arch,name,index-size,entries").out.splitlines()
    assert re.split("  +", lines[0]) == ["ARCH", "NAME", "INDEX SIZE", "ENTRIES"]
    assert lines[1].split()[:2] == ["-", "example.com/db-server"]
    assert lines[2].split()[:2] == ["aarch64", "example.com/web"]


@pytest.mark.parametrize("option", ["--fields=id,size,nothing", "--sort=nothing", "--fields="])
def test_an_unknown_field_is_usage_and_the_known_ones_are_named(many, option):
    assert_one_line(store("list", option), 2, "no field", "index-size")


@pytest.mark.parametrize("label, words", [("arch", "LABEL=VALUE"), ("=x", "LABEL=VALUE")])
def test_a_label_without_name_or_value_is_usage(many, label, words):
    assert_one_line(store("list", "--label", label), 2, words)


# ---- references


def test_ambiguous_prefix_names_the_candidates(data_dir, tmp_path):
    one, other = same_prefix()
    images = add(write(tmp_path / "one", one), write(tmp_path / "other", other))
    prefix = images[0][: len("sha256-") + 8]
    assert images[1].startswith(prefix) and images[0] != images[1]
    for reference in (prefix, prefix.removeprefix("sha256-")):
        assert_one_line(store("info", reference), 2, "ambiguous", *images)
    assert info(images[0])["id"] == images[0]
    assert info(images[0][:20])["id"] == images[0]


@pytest.mark.parametrize(
    "reference", ["sha256-" + "0" * 64, "sha256-00000000", "example.com/none", "example.com/a:9", "a"]
)
@pytest.mark.parametrize("command", ["info", "cat-manifest", "rm", "render"])
def test_unknown_image_is_missing(three, command, reference):
    assert_one_line(store(command, reference), 3, reference)


def test_prefix_below_eight_digits_is_refused(three):
    assert_one_line(store("info", "sha256-1234567"), 2, "8 digits")


def test_name_means_the_newest_import_and_a_version_that_one(three):
    assert info("example.com/a")["id"] == three[2]
    assert info("example.com/a:2.0")["id"] == three[1]


# ---- info and cat-manifest


def test_info_tells_where_the_files_are(three, data_dir):
    lines = dict(line.split(": ", 1) for line in store("info", three[0]).out.splitlines())
    assert lines["id"] == three[0] and lines["name"] == "example.com/b"
    assert os.path.getsize(lines["blob"]) == int(lines["size"])
    assert os.path.getsize(lines["index"]) == int(lines["index-size"])
    assert lines["mounted"] == "no"
    facts = info(three[0])
    assert facts["blob"] == lines["blob"] and facts["pods"] == [] and facts["extracted"] is None


def test_manifest_is_printed_as_it_stands_in_the_image(data_dir, tmp_path):
    image = add(write(tmp_path / "a", image_tar()))
    assert store("cat-manifest", image).out == json.dumps(manifest("example.com/test")) + "\n"


def test_manifest_on_a_terminal_is_laid_out_and_harmless(data_dir, tmp_path):
    image = add(write(tmp_path / "a", image_tar(labels=labels(version="\u202e1"))))
    ours, theirs = pty.openpty()
    subprocess.run([tool("rkt-store"), "cat-manifest", image], stdout=theirs, check=True, timeout=60)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:
        pass
    os.close(ours)
    assert len(text.splitlines()) > 10
    assert "\u202e" not in text.decode()
