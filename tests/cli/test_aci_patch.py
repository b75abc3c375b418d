"""aci-build --patch and --extract-manifest: another manifest, and not a byte besides."""

import json
import os
import pathlib
import subprocess

import pytest
from acilib import one_line
from conftest import SOURCE, compress, entry, hardlink, is_sanitized, make_aci, manifest, run, tar_bytes, tool

MORE = [
    entry("rootfs/a", "x" * 700000, pax_headers={"mtime": "1.5", "comment": "kept"}),
    entry("rootfs/" + "long/" * 40 + "b", "y"),
    hardlink("rootfs/c", "rootfs/a"),
]


def blocks(data):
    """The bytes filled up to whole blocks."""
    return data + bytes(-len(data) % 512)


def as_member(text):
    """The manifest as make_aci() puts it into the tar, header and data."""
    return tar_bytes([entry("manifest", text)])[: 512 + len(blocks(text.encode()))]


def patch(tmp_path, *options, image="a.aci", **more):
    return run(["aci-build", "--patch", "--compress=none", tmp_path / image, tmp_path / "b.aci",
                *options], **more)


def test_everything_but_the_manifest_keeps_its_bytes(tmp_path):
    text = json.dumps(manifest(strange={"b": [1.50, 1e3], "a": None}), indent=5)
    aci = make_aci(tmp_path / "a.aci", MORE, text, compression="none")
    result = patch(tmp_path, "--label", "version=2.0.0")
    assert (result.status, result.err) == (0, "")
    new = text.replace('"1.0.0"', '"2.0.0"')
    assert new != text
    before, after = aci.read_bytes(), (tmp_path / "b.aci").read_bytes()
    assert len(as_member(new)) == len(as_member(text))
    rest = len(as_member(text))
    assert after[rest:] == before[rest:]
    assert after[512: 512 + len(new)] == new.encode()
    assert result.out == run(["aci-hash", "--id", tmp_path / "b.aci"]).out.split()[0] + "\n"


def test_a_longer_manifest_and_one_that_comes_last_move_nothing_else(tmp_path):
    text = json.dumps(manifest())
    tar = tar_bytes([entry("./rootfs/"), *MORE, entry("./manifest", text, mode=0o600, uid=7)])
    (tmp_path / "a.aci").write_bytes(compress(tar, "gzip"))
    notes = "n" * 3000
    assert patch(tmp_path, "--annotation", f"notes={notes}").status == 0
    after = (tmp_path / "b.aci").read_bytes()
    at = tar.index(b"./manifest")
    assert after[:at] == tar[:at]
    assert notes.encode() in after[at:]
    assert run(["aci-validate", "--strict", tmp_path / "b.aci"]).status == 0
    listed = subprocess.run(["tar", "--numeric-owner", "-tvf", tmp_path / "b.aci"],
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    assert "-rw------- 7/0" in listed.splitlines()[-1]


def test_no_change_makes_the_same_image(tmp_path):
    aci = make_aci(tmp_path / "a.aci", MORE, compression="none")
    assert patch(tmp_path, "--name", manifest()["name"]).status == 0
    assert (tmp_path / "b.aci").read_bytes() == aci.read_bytes()


GOOD = sorted((SOURCE / "tests/corpus/manifests").glob("ok-*.json"))


@pytest.mark.parametrize("path", [path for path in GOOD if "ImageManifest" in path.read_text()],
                         ids=lambda path: path.stem)
def test_kept_manifests_survive_byte_for_byte(tmp_path, path):
    text = path.read_bytes()
    make_aci(tmp_path / "a.aci", manifest_=text)
    assert patch(tmp_path, "--name", json.loads(text)["name"]).status == 0
    assert run(["aci-build", "--extract-manifest", tmp_path / "b.aci"]).out.encode(
        errors="surrogateescape") == text


def test_options_change_what_they_name(tmp_path):
    make_aci(tmp_path / "a.aci", manifest_=manifest(
        app={"exec": ["/a"], "user": "1", "group": "2", "mountPoints": [
            {"name": "m", "path": "/m", "readOnly": True}],
             "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        dependencies=[{"imageName": "example.com/base", "size": 7}]))
    result = patch(tmp_path, "--env", "A=x", "--env", "C=3", "--mount", "m:/n", "--working-dir=/w",
                   "--isolator=resource/cpu={\"limit\":\"1\"}",
                   "--base=example.com/base:2", "--", "/b", "c")
    assert result.status == 0, result
    found = json.loads(run(["aci-build", "--extract-manifest", tmp_path / "b.aci"]).out)
    assert found["app"] == {
        "exec": ["/b", "c"], "user": "1", "group": "2",
        "mountPoints": [{"name": "m", "path": "/n", "readOnly": False}],
        "environment": [{"name": "A", "value": "x"}, {"name": "B", "value": "2"},
                        {"name": "C", "value": "3"}],
        "workingDirectory": "/w",
        "isolators": [{"name": "resource/cpu", "value": {"limit": "1"}}],
    }
    assert found["dependencies"] == [{"imageName": "example.com/base", "size": 7,
                                      "labels": [{"name": "version", "value": "2"}]}]


def test_an_image_without_an_app_gets_a_whole_one(tmp_path):
    text = manifest()
    del text["app"]
    make_aci(tmp_path / "a.aci", manifest_=text)
    assert patch(tmp_path, "--exec", "/bin/true").status == 0
    found = json.loads(run(["aci-build", "--extract-manifest", tmp_path / "b.aci"]).out)
    assert found["app"] == {"exec": ["/bin/true"], "user": "0", "group": "0"}


def test_a_whole_manifest_takes_the_place_of_the_old_one(tmp_path):
    text = json.dumps(manifest("example.com/other"), indent=1)
    (tmp_path / "m").write_text(text)
    make_aci(tmp_path / "a.aci", MORE)
    assert patch(tmp_path, "--manifest", tmp_path / "m").status == 0
    assert run(["aci-build", "--extract-manifest", tmp_path / "b.aci"]).out == text


def test_an_image_may_be_patched_in_its_place_and_in_a_pipe(tmp_path):
    aci = make_aci(tmp_path / "a.aci", MORE)
    result = run(["aci-build", "--patch", "--overwrite", "--label=version=2", aci, aci])
    assert result.status == 0, result
    piped = subprocess.run([tool("aci-build"), "--patch", "--label=version=2",
                            "-", "-"], input=aci.read_bytes(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=True)
    assert piped.stdout == aci.read_bytes()


def refused(tmp_path, result, status, words):
    one_line(result, status, words)
    assert not (tmp_path / "b.aci").exists()
    assert sorted(path.name for path in pathlib.Path(tmp_path).iterdir()) == ["a.aci"]


def test_a_change_that_breaks_the_manifest_makes_nothing(tmp_path):
    make_aci(tmp_path / "a.aci", MORE)
    refused(tmp_path, patch(tmp_path, "--name", "Bad Name"), 4, "name")


@pytest.mark.parametrize("pairs, words", [
    ([entry("rootfs")], "no manifest"),
    ([entry("manifest", json.dumps(manifest())), entry("rootfs"), entry("other", "x")], "other"),
    ([entry("manifest", json.dumps(manifest())), entry("manifest", json.dumps(manifest())),
      entry("rootfs")], "twice"),
    ([entry("manifest", "{nonsense"), entry("rootfs")], "line 1"),
    ([entry("manifest", "[]"), entry("rootfs")], "not an object"),
], ids=lambda value: value.split()[-1] if isinstance(value, str) else "")
def test_what_is_no_image_is_not_made_one(tmp_path, pairs, words):
    (tmp_path / "a.aci").write_bytes(tar_bytes(pairs))
    refused(tmp_path, patch(tmp_path, "--label=version=2"), 4, words)


def test_a_truncated_image_is_refused(tmp_path):
    aci = make_aci(tmp_path / "a.aci", MORE, compression="none")
    aci.write_bytes(aci.read_bytes()[:300000])
    refused(tmp_path, patch(tmp_path, "--label=version=2"), 4, "truncated")


@pytest.mark.parametrize("options", [
    [], ["--label=version=2", "--from-dir=."], ["--label=version=2", "--exclude=x"],
    ["--label=version=2", "--root-owned"], ["--manifest=a.aci", "--label=version=2"],
], ids=" ".join)
def test_options_that_make_no_sense_are_usage_errors(tmp_path, options):
    make_aci(tmp_path / "a.aci")
    assert patch(tmp_path, *options, cwd=tmp_path).status == 2


def test_extract_manifest_prints_the_bytes_of_a_good_image_only(tmp_path):
    text = json.dumps(manifest(), indent=7) + "\n\n"
    aci = make_aci(tmp_path / "a.aci", manifest_=text)
    result = run(["aci-build", "--extract-manifest", "-"], stdin=aci.read_bytes())
    assert (result.status, result.out, result.err) == (0, text, "")
    aci = make_aci(tmp_path / "b.aci", [entry("rootfs/a", ""), entry("rootfs/a", "")])
    assert one_line(run(["aci-build", "--extract-manifest", aci]), 4, "twice").out == ""
    assert run(["aci-build", "--extract-manifest"]).status == 2


@pytest.mark.skipif(is_sanitized(), reason="AddressSanitizer needs memory of its own")
def test_padding_behind_the_end_costs_no_memory_s_012(tmp_path):
    """Zeros of any length may stand there, and nobody says when they are over."""
    aci = make_aci(tmp_path / "a.aci", MORE, compression="none")
    os.truncate(aci, 150 << 20)
    with subprocess.Popen([tool("aci-build"), "--patch", "--compress=gzip", "--max-ratio=0", "--label=version=2.0.0",
                           aci, tmp_path / "b.aci"], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss < 64 << 10
    # what is not the manifest, to the end
    compared = subprocess.run(["sh", "-c", 'gzip -dc "$1" | cmp -i 1048576 - "$2"', "sh", tmp_path / "b.aci", aci],
                              check=False)
    assert compared.returncode == 0
