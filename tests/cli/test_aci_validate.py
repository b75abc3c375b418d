"""aci-validate: all findings, each with rule and place; verdicts and exit statuses."""

import json

import pytest
from acilib import as_nobody, one_line, public_dir  # noqa: F401 (a fixture)
from conftest import compress, entry, hardlink, make_aci, manifest, run, symlink, tar_bytes

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
    assert (finding["place"], finding["offset"]) == ("rootfs", 512)
    assert finding["means"] and finding["origin"] and finding["text"]
    assert (third["verdict"], third["findings"]) == ("unknown", [])
    assert "no such file" in third["error"]


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


def test_names_cannot_drive_the_terminal(tmp_path):
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/\x1b[2J", ""), entry("rootfs/\x1b[2J", "")])
    result = run(["aci-validate", aci])
    assert "\x1b" not in result.out
    assert "rootfs/\\x1b[2J" in result.out


def test_rules_are_listed_with_their_origin():
    result = run(["aci-validate", "--list-rules"])
    assert result.status == 0
    assert any(line.startswith("layout-duplicate ") and "appc aci.md" in line
               for line in result.out.splitlines())


def test_rules_are_listed_as_json():
    rules = json.loads(run(["aci-validate", "--list-rules", "--json"]).out)
    assert all(set(rule) == {"rule", "severity", "means", "origin"} for rule in rules)
    assert len({rule["rule"] for rule in rules}) == len(rules)


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


def test_a_directory_is_2(tmp_path):
    one_line(run(["aci-validate", tmp_path]), 2, "Is a directory")


def test_no_file_is_a_usage_error():
    result = run(["aci-validate"])
    assert result.status == 2
    assert "aci-validate --help" in result.err
