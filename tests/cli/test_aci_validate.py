"""aci-validate: all findings, each with rule and place; verdicts and exit statuses."""

import json
import os
import re
import resource
import socket
import stat
import subprocess
import tarfile
import xml.etree.ElementTree

import pytest
from acilib import as_nobody, one_line, public_dir  # noqa: F401 (a fixture)
from conftest import compress, entry, hardlink, make_aci, manifest, run, symlink, tar_bytes
from walkerlib import make_corpus

POD = {
    "acKind": "PodManifest",
    "acVersion": "0.8.11",
    "apps": [{"name": "a", "image": {"id": "sha512-" + "0" * 128}}],
}


def rules_of(result):
    """The rule names at the ends of the lines of findings."""
    return [line.rsplit("[", 1)[1][:-1] for line in result.out.splitlines() if line.endswith("]")]


def write_image(path, pairs, compression="gzip"):
    path.write_bytes(compress(tar_bytes(pairs), compression))
    return path


def test_a_good_image_is_valid(tmp_path):
    aci = make_aci(tmp_path / "a.aci")
    result = run(["aci-validate", aci])
    assert (result.status, result.out, result.err) == (0, f"{aci}: valid image\n", "")


def test_all_findings_are_printed_with_rule_and_place(tmp_path):
    pairs = [
        entry("other", "x"),
        entry("rootfs"),
        entry("rootfs/a", "x"),
        entry("./rootfs//a", "x"),
        hardlink("rootfs/h", "rootfs/none"),
        entry("rootfs/a/b", "x"),
    ]
    aci = write_image(tmp_path / "a.aci", pairs)
    result = run(["aci-validate", aci])
    assert result.status == 1
    assert rules_of(result) == [
        "layout-top",
        "layout-duplicate",
        "layout-hardlink-target",
        "layout-below-file",
        "layout-manifest-missing",
    ]
    assert f"{aci}: error: rootfs/a, offset 2560: is in the archive twice" in result.out
    assert result.out.endswith(f"{aci}: invalid image (5 errors, 0 warnings)\n")


def test_findings_in_the_manifest_do_not_hide_those_in_the_archive(tmp_path):
    bad = manifest("Bad_Name")
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", ""), entry("rootfs/a", "")], bad)
    result = run(["aci-validate", aci])
    assert result.status == 1
    assert {"name-syntax", "layout-duplicate"} <= set(rules_of(result))


def test_a_manifest_at_the_end_is_read(tmp_path):
    pairs = [entry("rootfs"), entry("manifest", json.dumps(manifest()))]
    assert run(["aci-validate", write_image(tmp_path / "a.aci", pairs)]).status == 0


def test_wrong_json_is_told_with_its_line(tmp_path):
    aci = make_aci(tmp_path / "a.aci", manifest_='{\n "acKind": "ImageManifest",\n "acKind": 1\n}')
    result = run(["aci-validate", aci])
    assert result.status == 1
    assert rules_of(result) == ["json-syntax"]
    assert "line 3" in result.out


def test_a_manifest_behind_a_byte_order_mark_is_no_archive(tmp_path):
    (tmp_path / "m").write_text("\ufeff" + json.dumps(manifest()), encoding="utf-8")
    result = run(["aci-validate", tmp_path / "m"])
    assert result.status == 1
    assert rules_of(result) == ["json-syntax"]
    assert "byte order mark" in result.out and "image-manifest" in result.out


def test_what_is_wrong_is_escaped_once(tmp_path):
    (tmp_path / "m").write_text(r'{"acKind": "ImageManifest", "a\\\u0001": 1, "a\\\u0001": 2}')
    shown = r"at /a\\\x01: duplicate key"
    assert shown in run(["aci-validate", tmp_path / "m"]).out
    (finding,) = json.loads(run(["aci-validate", "--json", tmp_path / "m"]).out)["findings"]
    assert shown in finding["text"]
    name = "rootfs/..\\\x01/../x"
    image = write_image(tmp_path / "a.aci", [entry("manifest", json.dumps(manifest())), entry("rootfs", mode=0o755),
                                             entry(name, "x")])
    result = run(["aci-validate", image])
    assert r"rootfs/..\\\x01/../x" in result.out and r"\\\\" not in result.out, result


def test_warnings_leave_an_image_valid_unless_strict(tmp_path):
    aci = write_image(
        tmp_path / "a.aci", [entry("manifest", json.dumps(manifest())), entry("rootfs/a", "")]
    )
    result = run(["aci-validate", aci])
    assert (result.status, rules_of(result)) == (0, ["layout-rootfs-entry"])
    assert "valid image (0 errors, 1 warning)" in result.out
    assert run(["aci-validate", "--strict", aci]).status == 1


def test_an_entry_below_a_symlink_is_a_warning(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [symlink("rootfs/l", "/"), entry("rootfs/l/x", "")])
    result = run(["aci-validate", aci])
    assert (result.status, rules_of(result)) == (0, ["layout-below-symlink"])


def test_quiet_prints_errors_only(tmp_path):
    aci = write_image(tmp_path / "a.aci", [entry("rootfs/a", "")])
    result = run(["aci-validate", "--quiet", aci])
    assert rules_of(result) == ["layout-manifest-missing"]
    assert len(result.out.splitlines()) == 1


def test_each_finding_says_what_would_be_right(tmp_path):
    result = run(["aci-validate", write_image(tmp_path / "a.aci", [entry("rootfs")])])
    assert result.out.splitlines()[1] == "    There is a manifest. (appc aci.md, Image Layout)"


def test_a_bad_archive_is_invalid(tmp_path):
    (tmp_path / "a.aci").write_bytes(b"hello, world\n" * 100)
    result = run(["aci-validate", tmp_path / "a.aci"])
    assert (result.status, rules_of(result), result.err) == (1, ["tar-format"], "")


def test_an_empty_file_is_invalid(tmp_path):
    (tmp_path / "a.aci").write_bytes(b"")
    result = run(["aci-validate", tmp_path / "a.aci"])
    assert (result.status, rules_of(result)) == (1, ["tar-format"])


def test_a_truncated_archive_is_invalid_with_what_came_before(tmp_path):
    good = tar_bytes([entry("manifest", json.dumps(manifest())), entry("rootfs"), entry("other", "")])
    (tmp_path / "a.aci").write_bytes(good[: 512 * 5 - 100])
    result = run(["aci-validate", tmp_path / "a.aci"])
    assert (result.status, rules_of(result)) == (1, ["layout-top", "tar-format"])


def test_an_unsafe_name_is_invalid(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/../../etc/passwd", "x")])
    result = run(["aci-validate", aci])
    assert (result.status, rules_of(result)) == (1, ["tar-format"])


# ---- types


def test_manifests_are_told_by_content(tmp_path):
    (tmp_path / "image.json").write_text(json.dumps(manifest()))
    (tmp_path / "pod.json").write_text(json.dumps(POD))
    result = run(["aci-validate", tmp_path / "image.json", tmp_path / "pod.json"])
    assert result.status == 0
    assert "image.json: valid image-manifest\n" in result.out
    assert "pod.json: valid pod-manifest\n" in result.out


def test_the_type_may_be_said(tmp_path):
    (tmp_path / "pod.json").write_text(json.dumps(POD))
    result = run(["aci-validate", "--type=image-manifest", tmp_path / "pod.json"])
    assert result.status == 1
    assert "manifest-kind" in rules_of(result)


def test_an_oversized_manifest_is_invalid(tmp_path):
    (tmp_path / "m.json").write_text("{" + " " * (1 << 20))
    result = run(["aci-validate", tmp_path / "m.json"])
    assert (result.status, rules_of(result)) == (1, ["layout-manifest-size"])


@pytest.mark.parametrize("compression", ["gzip", "xz", "none"])
def test_standard_input_may_be_an_image(tmp_path, compression):
    entries = [entry("rootfs/big", b"x" * 3000000)]
    aci = make_aci(tmp_path / "a.aci", entries, compression=compression)
    result = run(["aci-validate", "-"], stdin=aci.read_bytes())
    assert (result.status, result.out) == (0, "-: valid image\n")


def test_standard_input_may_be_a_manifest():
    result = run(["aci-validate", "-"], stdin=json.dumps(POD).encode())
    assert (result.status, result.out) == (0, "-: valid pod-manifest\n")


# ---- formats


def test_the_offset_of_a_broken_tar_is_that_of_its_text(tmp_path):
    make_corpus(tmp_path)
    result = run(["aci-validate", "--json", *sorted(tmp_path.iterdir())])
    found = [one for line in result.out.splitlines() for one in json.loads(line)["findings"]]
    broken = [one for one in found if one["text"].startswith("tar offset ")]
    assert len(broken) > 100
    for one in broken:
        assert one["rule"] == "tar-format" and "entry" not in one
        assert one["text"].startswith(f"tar offset {one['offset']}: "), one


def test_json_has_one_object_for_each_file(tmp_path):
    good = make_aci(tmp_path / "a.aci")
    bad = write_image(tmp_path / "b.aci", [entry("rootfs"), entry("rootfs", None)])
    result = run(["aci-validate", "--json", good, bad, tmp_path / "none"])
    assert result.status == 2
    first, second, third = [json.loads(line) for line in result.out.splitlines()]
    assert (first["verdict"], first["type"], first["findings"]) == ("valid", "image", [])
    assert (second["verdict"], second["errors"]) == ("invalid", 2)
    finding = second["findings"][0]
    assert (finding["rule"], finding["severity"]) == ("layout-duplicate", "error")
    assert (finding["entry"], finding["offset"]) == ("rootfs", 512)
    assert finding["means"] and finding["origin"] and finding["text"]
    assert (third["verdict"], third["findings"]) == ("unknown", [])
    assert "no such file" in third["error"]


def test_json_counts_errors_and_warnings_apart(tmp_path):
    result = run(["aci-validate", "--json", *three_files(tmp_path)], cwd=tmp_path)
    counts = [(one["errors"], one["warnings"]) for one in map(json.loads, result.out.splitlines())]
    assert counts == [(0, 0), (2, 1), (0, 0)]


def test_json_cannot_be_forged_by_names(tmp_path):
    name = 'rootfs/x","forged":"y\n'
    aci = make_aci(tmp_path / "a.aci", [entry(name, ""), entry(name, "")])
    result = run(["aci-validate", "--json", aci])
    assert len(result.out.splitlines()) == 1
    assert "forged" not in json.loads(result.out)["findings"][0]


def test_github_annotations(tmp_path):
    name = "rootfs/50%\nx"
    write_image(tmp_path / "a,b.aci", [entry("manifest", json.dumps(manifest())), entry("rootfs"),
                                       entry(name, ""), entry(name, "")])
    result = run(["aci-validate", "--format=github", "a,b.aci"], cwd=tmp_path)
    assert result.status == 1
    assert result.out.splitlines()[0].startswith(
        "::error file=a%2Cb.aci,title=layout-duplicate::rootfs/50%25\\nx, offset"
    )


def test_github_annotations_tell_warnings_from_errors_and_of_what_cannot_be_read(tmp_path):
    result = run(["aci-validate", "--format=github", *three_files(tmp_path)], cwd=tmp_path)
    assert result.status == 2
    starts = [line.split("::")[1] for line in result.out.splitlines()]
    assert [start.split()[0] for start in starts] == ["error", "error", "warning", "error"]
    assert starts[2].endswith(",title=layout-rootfs-entry")
    assert starts[3].endswith(",title=unreadable")
    assert "no such file" in result.out.splitlines()[3]


def test_names_cannot_drive_the_terminal(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/\x1b[2J", ""), entry("rootfs/\x1b[2J", "")])
    result = run(["aci-validate", aci])
    assert "\x1b" not in result.out
    assert "rootfs/\\x1b[2J" in result.out


def test_list_rules_takes_no_file(tmp_path):
    result = run(["aci-validate", "--list-rules", make_aci(tmp_path / "a.aci")])
    assert (result.status, result.out) == (2, "")
    assert "--list-rules looks at no file: leave out '" in result.err


def test_rules_are_listed_with_their_origin():
    result = run(["aci-validate", "--list-rules"])
    assert result.status == 0
    assert any(line.startswith("layout-duplicate ") and "appc aci.md" in line
               for line in result.out.splitlines())


def test_rules_are_listed_as_json():
    rules = json.loads(run(["aci-validate", "--list-rules", "--json"]).out)
    assert all(set(rule) == {"rule", "severity", "means", "origin"} for rule in rules)
    assert len({rule["rule"] for rule in rules}) == len(rules)


def test_findings_in_a_manifest_name_entry_offset_and_pointer(tmp_path):
    bad = json.dumps(manifest(labels=[{"name": "name", "value": "x"}]), indent=1)
    aci = make_aci(tmp_path / "a.aci", manifest_=bad)
    finding = json.loads(run(["aci-validate", "--json", aci]).out)["findings"][0]
    assert (finding["rule"], finding["entry"], finding["offset"]) == ("label-name", "manifest", 0)
    assert finding["pointer"] == "/labels/0"
    assert bad.splitlines()[finding["line"] - 1][finding["column"] - 1:] == "{"
    result = run(["aci-validate", aci])
    assert f"manifest, /labels/0, line {finding['line']}, column" in result.out


# ---- JUnit and SARIF


NAME = 'rootfs/<a&b>"\'\x1b\u202e\ufffe'


def three_files(where):
    """A valid one, one with errors and a warning and a name to trip over, and one that is not there."""
    make_aci(where / "a.aci")
    write_image(where / "b c.aci", [entry("manifest", json.dumps(manifest("Bad_Name"), indent=1)),
                                    entry(NAME, ""), entry(NAME, "")])
    return ["a.aci", "b c.aci", "none"]


def junit(result):
    return xml.etree.ElementTree.fromstring(result.out.encode(errors="surrogateescape"))


def test_junit_has_a_suite_for_each_file(tmp_path):
    result = run(["aci-validate", "--format=junit", *three_files(tmp_path)], cwd=tmp_path)
    assert result.status == 2
    good, bad, none = junit(result)
    counts = ("tests", "failures", "errors", "skipped")
    assert [good.get(key) for key in ("name", *counts)] == ["a.aci", "1", "0", "0", "0"]
    assert [bad.get(key) for key in ("name", *counts)] == ["b c.aci", "3", "2", "0", "1"]
    assert [none.get(key) for key in ("name", *counts)] == ["none", "1", "0", "1", "0"]
    assert [len(case) for case in good] == [0]
    for suite in (good, bad, none):
        assert len(suite) == int(suite.get("tests"))
        for kind, tag in zip(counts[1:], ("failure", "error", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.get(kind))
    failure = bad.findall("testcase/failure")[1]
    assert (failure.get("type"), failure.get("message")) == (
        "layout-duplicate", "is in the archive twice")
    assert failure.text == "Every path is in the archive once. (appc aci.md, Image Archives)"
    assert bad[1].get("name").startswith('layout-duplicate: rootfs/<a&b>"\'\\x1b\\xe2\\x80\\xae\ufffd')


def test_junit_counts_warnings_as_failures_when_strict(tmp_path):
    three_files(tmp_path)
    result = run(["aci-validate", "--strict", "--format=junit", tmp_path / "b c.aci"])
    assert [junit(result)[0].get(key) for key in ("failures", "skipped")] == ["3", "0"]


def sarif(result):
    """The one run of a SARIF document, held against what the standard requires."""
    document = json.loads(result.out)
    assert set(document) == {"$schema", "version", "runs"} and document["version"] == "2.1.0"
    (found,) = document["runs"]
    assert set(found) <= {"tool", "invocations", "columnKind", "results"}
    assert found["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = found["tool"]["driver"]
    assert driver["name"] == "aci-validate" and driver["version"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for invocation in found["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
    for one in [*found["results"], *found["invocations"][0]["toolExecutionNotifications"]]:
        assert one["message"]["text"] and one["level"] in ("warning", "error")
        for location in one["locations"]:
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri) and not uri.startswith("//")
            region = location["physicalLocation"].get("region", {"startLine": 1, "startColumn": 1})
            assert region["startLine"] >= 1 and region["startColumn"] >= 1
    for one in found["results"]:
        assert ids[one["ruleIndex"]] == one["ruleId"]
    return found


def test_sarif_is_one_document_for_all_files(tmp_path):
    result = run(["aci-validate", "--format=sarif", *three_files(tmp_path)], cwd=tmp_path)
    assert result.status == 2
    found = sarif(result)
    assert [(one["ruleId"], one["level"]) for one in found["results"]] == [
        ("name-syntax", "error"), ("layout-duplicate", "error"), ("layout-rootfs-entry", "warning")]
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            for one in found["results"]} == {"b%20c.aci"}
    first, second, _ = found["results"]
    assert first["properties"]["pointer"] == "/name" and first["properties"]["line"] == 4
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].startswith("rootfs/<a&b>")
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert "no such file" in note["message"]["text"]


def test_sarif_makes_warnings_errors_when_strict(tmp_path):
    three_files(tmp_path)
    found = sarif(run(["aci-validate", "--strict", "--format=sarif", "b c.aci"], cwd=tmp_path))
    assert [one["level"] for one in found["results"]] == ["error"] * 3


def test_sarif_names_no_host_where_a_path_begins_with_two_slashes(tmp_path):
    three_files(tmp_path)
    found = sarif(run(["aci-validate", "--format=sarif", f"//{tmp_path}/b c.aci"]))
    (uri,) = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found["results"]}
    assert uri == f"{tmp_path}/b%20c.aci"


def test_sarif_points_into_manifests(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(manifest("Bad_Name"), indent=1))
    found = sarif(run(["aci-validate", "--format=sarif", "m.json"], cwd=tmp_path))
    location = found["results"][0]["locations"][0]["physicalLocation"]
    assert location["region"] == {"startLine": 4, "startColumn": 10}


def test_sarif_of_good_files_is_a_success_without_results(tmp_path):
    found = sarif(run(["aci-validate", "--format=sarif", make_aci(tmp_path / "a.aci")]))
    assert (found["results"], found["invocations"][0]["executionSuccessful"]) == ([], True)


# ---- trees


def char_device(name, major, minor):
    return entry(name, type=tarfile.CHRTYPE, devmajor=major, devminor=minor)


RENDER = {
    "render-device": [char_device("rootfs/gone", 0, 0)],
    "render-acl": [entry("rootfs/a", "", pax_headers={"SCHILY.acl.access": "user::rwx"})],
    "render-xattr": [entry("rootfs/a", "", pax_headers={
        f"SCHILY.xattr.user.{i:0245}": "x" for i in range(261)})],
    "render-attribute-lost": [
        entry("rootfs/a", "", pax_headers={"SCHILY.xattr.security.selinux": "x"})],
}


@pytest.mark.parametrize("rule", RENDER)
def test_what_a_tree_cannot_show_is_told_when_asked(tmp_path, rule):
    aci = make_aci(tmp_path / "a.aci", RENDER[rule])
    assert run(["aci-validate", aci]).out == f"{aci}: valid image\n"
    result = run(["aci-validate", "--render-check", aci])
    assert rules_of(result) == [rule]
    assert result.status == (0 if rule == "render-attribute-lost" else 1)


def test_what_a_tree_can_show_is_valid(tmp_path):
    acl = "user::rwx,user:1000:r--:1000,group::r-x,mask::r-x,other::---"
    pairs = [char_device("rootfs/null", 1, 3), entry("rootfs/a", "x" * 1000, pax_headers={
        "SCHILY.acl.access": acl, "SCHILY.xattr.user.x": "1", "SCHILY.xattr.security.capability": "x"})]
    aci = make_aci(tmp_path / "a.aci", pairs)
    assert run(["aci-validate", "--strict", "--render-check", aci]).status == 0


# ---- layouts


def make_layout(where, text=None):
    (where / "rootfs/bin").mkdir(parents=True)
    (where / "rootfs/bin/hello").write_text("hello")
    (where / "rootfs/bin/link").symlink_to("/etc/passwd")
    (where / "manifest").write_text(text or json.dumps(manifest()))
    return where


def test_a_layout_is_valid(tmp_path):
    layout = make_layout(tmp_path / "l")
    for options in ([], ["--type=layout"], ["--render-check", "--strict"]):
        result = run(["aci-validate", *options, layout])
        assert (result.status, result.out) == (0, f"{layout}: valid layout\n")


def test_an_empty_layout_lacks_both_parts(tmp_path):
    result = run(["aci-validate", tmp_path])
    assert (result.status, rules_of(result)) == (
        1, ["layout-manifest-missing", "layout-rootfs-missing"])


def test_all_findings_in_a_layout_are_printed(tmp_path):
    layout = make_layout(tmp_path / "l", json.dumps(manifest("Bad_Name"), indent=1))
    (layout / "other").mkdir()
    (layout / "README\x1b").write_text("")
    os.link(layout / "manifest", layout / "rootfs/m")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(layout / "rootfs/bin")
        listener.bind("socket")
    result = run(["aci-validate", layout])
    assert (result.status, rules_of(result)) == (1, [
        "layout-top", "layout-top", "name-syntax", "layout-hardlink-manifest", "layout-file-type"])
    assert f"{layout}: error: README\\x1b: stands neither below" in result.out
    assert f"{layout}: error: manifest, /name, line 4, column 10: " in result.out
    assert f"{layout}: error: rootfs/bin/socket: is a socket" in result.out


@pytest.mark.parametrize("make, rule", [
    (lambda path: path.mkdir(), "layout-manifest-type"),
    (lambda path: path.symlink_to("rootfs/bin/hello"), "layout-manifest-type"),
    (os.mkfifo, "layout-manifest-type"),
    (lambda path: path.write_text(" " * (1024 * 1024 + 1)), "layout-manifest-size"),
])
def test_the_manifest_of_a_layout_is_a_small_regular_file(tmp_path, make, rule):
    layout = make_layout(tmp_path / "l")
    (layout / "manifest").unlink()
    make(layout / "manifest")
    result = run(["aci-validate", layout])
    assert (result.status, rules_of(result)) == (1, [rule])


def test_a_symlink_as_rootfs_is_not_followed(tmp_path):
    layout = make_layout(tmp_path / "l")
    (layout / "rootfs").rename(tmp_path / "elsewhere")
    (layout / "rootfs").symlink_to(tmp_path / "elsewhere")
    result = run(["aci-validate", layout])
    assert (result.status, rules_of(result)) == (1, ["layout-rootfs-type"])


def test_deep_layouts_need_no_more_descriptors(tmp_path):
    """S-012: 1024 parts are the limit in a layout as in an archive."""
    layout = make_layout(tmp_path / "l")
    os.chdir(layout / "rootfs")
    for _ in range(1030):
        os.mkdir("d")
        os.chdir("d")
    os.chdir("/")
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))  # noqa: E731
    result = run(["aci-validate", layout], preexec_fn=few)
    subprocess.run(["rm", "-rf", layout], check=True)  # too deep for pytest
    assert (result.status, rules_of(result)) == (1, ["layout-limits"])


def test_an_image_made_of_a_layout_gets_the_same_verdict(tmp_path):
    for name, count in (("example.com/a", 0), ("Bad_Name", 1)):
        layout = make_layout(tmp_path / name.replace("/", "-"), json.dumps(manifest(name)))
        subprocess.run(["tar", "-C", layout, "-cf", tmp_path / "a.tar", "manifest", "rootfs"], check=True)
        verdicts = [json.loads(run(["aci-validate", "--json", "--render-check", one]).out)
                    for one in (layout, tmp_path / "a.tar")]
        assert [len(verdict["findings"]) for verdict in verdicts] == [count, count]
        for verdict in verdicts:
            for finding in verdict["findings"]:
                finding.pop("offset", None)
        assert verdicts[0]["findings"] == verdicts[1]["findings"]


def test_a_layout_that_cannot_be_read_is_2(public_dir):
    layout = make_layout(public_dir / "l")
    (layout / "rootfs/bin").chmod(0)
    one_line(as_nobody(public_dir, ["aci-validate", "l"]), 2, "Permission denied")


def test_devices_in_a_layout_are_looked_at_for_trees(tmp_path):
    layout = make_layout(tmp_path / "l")
    try:
        os.mknod(layout / "rootfs/gone", 0o644 | stat.S_IFCHR, os.makedev(0, 0))
    except PermissionError:
        pytest.skip("needs root to make a device")
    assert run(["aci-validate", layout]).status == 0
    result = run(["aci-validate", "--render-check", layout])
    assert rules_of(result) == ["render-device"]
    assert f"{layout}: error: rootfs/gone: is the character" in result.out


def test_a_file_is_no_layout(tmp_path):
    one_line(run(["aci-validate", "--type=layout", make_aci(tmp_path / "a.aci")]), 2, "Not a directory")


# ---- could not tell


def test_a_missing_file_is_2_and_the_others_are_judged(tmp_path):
    aci = make_aci(tmp_path / "a.aci")
    result = one_line(run(["aci-validate", tmp_path / "none", aci]), 2, "no such file")
    assert result.out == f"{aci}: valid image\n"


def test_2_outweighs_1(tmp_path):
    (tmp_path / "bad").write_bytes(b"x")
    assert run(["aci-validate", tmp_path / "bad", tmp_path / "none"]).status == 2


def test_no_permission_is_2(public_dir):
    make_aci(public_dir / "a.aci").chmod(0)
    one_line(as_nobody(public_dir, ["aci-validate", "a.aci"]), 2, "Permission denied")


def test_a_directory_is_no_image(tmp_path):
    one_line(run(["aci-validate", "--type=image", tmp_path]), 2, "Is a directory")


def test_no_file_is_a_usage_error():
    result = run(["aci-validate"])
    assert result.status == 2
    assert "aci-validate --help" in result.err
