"""doc/json.md is true: what the programs print has the keys and types of its examples."""

import json
import os
import re

import pytest
from conftest import BUILD, SOURCE, entry, make_aci, manifest, run
from podlib import house  # noqa: F401 (a fixture)
from siglib import Gpg, needs_gpg, trust  # noqa: F401 (a fixture)
from storelib import add, store

POD = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
TEXT = (SOURCE / "doc/json.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
EXAMPLES = {title: re.search(r"^```json\n(.*?)^```", text, re.M | re.S)[1] for title, text in SECTIONS.items()}

# keys that an object may lack, as the page says of each
LEFT_OUT = {
    "aci-validate --json": {"error", "entry", "pointer", "offset", "line", "column"},
    "rkt-store config": {"domains", "type", "credentials", "user", "password"},
    "rkt-pod status --json": {"created", "started", "ended", "pid", "image", "status"},
}
LEFT_OUT["rkt-pod list --json"] = LEFT_OUT["rkt-pod status --json"]


def shape(value):
    """Every key there is, with the types it has: {("findings", "rule"): {"string"}, ...}."""
    found = {}

    def look(at, path):
        if isinstance(at, dict):
            for key, below in at.items():
                look(below, (*path, key))
        elif isinstance(at, list):
            for below in at:
                look(below, path)
        if not isinstance(at, list):
            kind = {bool: "boolean", int: "number", str: "string", dict: "object"}.get(type(at), "null")
            found.setdefault(path, set()).add(kind)

    look(value, ())
    return found


def lacking(example, real, path=()):
    """Keys of the objects in EXAMPLE that an object in REAL at the same place lacks."""
    if isinstance(real, list):
        return {key for one in real for key in lacking(example, one, path)}
    if isinstance(example, list):
        example = example[0] if example else None
    if not isinstance(real, dict) or not isinstance(example, dict):
        return set()
    missing = set(example) - set(real)
    for key in real:
        missing |= lacking(example.get(key), real[key])
    return missing


def assert_true(title, values):
    """VALUES, printed by the program, show together all that the example has, and nothing else."""
    example = json.loads(EXAMPLES[title])
    promised, seen = shape(example), shape(values if isinstance(values, list) else [values])
    assert set(seen) == set(promised)
    for path, kinds in seen.items():
        assert kinds - {"null"} <= promised[path], path
        assert kinds != {"null"}, path
        if "null" in kinds:
            assert f"`{path[-1]}`" in SECTIONS[title] and "`null`" in SECTIONS[title], path
    for value in values:
        assert lacking(example, value) <= LEFT_OUT.get(title, set())
    for key in LEFT_OUT.get(title, set()):
        assert f"`{key}`" in SECTIONS["rkt-pod status --json" if "rkt-pod" in title else title], key


def outputs(*commands, status=0):
    """The JSON values that COMMANDS print, one a line."""
    values = []
    for command in commands:
        result = run(command)
        assert status is None or result.status == status, result
        values += [json.loads(line) for line in result.out.splitlines()]
    return values


def test_every_json_option_has_an_example():
    """And every program with the option a section."""
    titles = set(EXAMPLES)
    for program in ("aci-hash", "aci-validate", "aci-extract", "aci-build", "rkt-run"):
        has = "--json" in run([program, "--help"]).out
        assert has == any(title.startswith(f"{program} ") for title in titles), program
    for program in ("rkt-store", "rkt-pod"):
        for command in re.findall(r"^  ([\w-]+) ", run([program, "--help"]).out, re.M):
            has = "--json" in run([program, command, "--help"]).out
            assert has == (f"{program} {command} --json" in titles), command


def test_aci_validate(tmp_path):
    bad = manifest(labels=[{"name": "name", "value": "x"}])
    aci = make_aci(tmp_path / "a.aci", [entry("rootfs/a", ""), entry("rootfs/a", "")], bad)
    (tmp_path / "empty").write_bytes(b"\0" * 1024)
    values = outputs(["aci-validate", "--json", aci, tmp_path / "empty", tmp_path / "none"], status=None)
    assert_true("aci-validate --json", values)


def test_aci_validate_list_rules():
    assert_true("aci-validate --list-rules --json", outputs(["aci-validate", "--list-rules", "--json"]))


@pytest.fixture
def images(data_dir, tmp_path):
    """Three images: with labels, without, and one that has no index."""
    gone = [entry("rootfs/gone", type=b"3")]
    yield add(
        make_aci(tmp_path / "a.aci"),
        make_aci(tmp_path / "b.aci", manifest_=manifest("example.com/b", labels=[])),
        make_aci(tmp_path / "c.aci", gone, manifest("example.com/gone")),
    )
    run(["rkt-store", "gc", "--grace-period=0s"])  # trees that were mounted


@pytest.fixture
def signed(images, trust, tmp_path):
    """The first image came with a signature."""
    gpg = Gpg(tmp_path / "home")
    trust.put("local", None, *(gpg.make_key("alice").read_bytes(), gpg.fingerprint("alice"))[::-1])
    signature = gpg.sign("alice", tmp_path / "a.aci", "a.sig", "--detach-sign")
    gpg.stop()
    assert store("import", f"--signature={signature}", tmp_path / "a.aci").out.split() == images[:1]


@needs_gpg
def test_rkt_store_list(images, signed):
    assert run([BUILD / "tests/fault/pods", "lease", POD, images[0]]).status == 0
    assert_true("rkt-store list --json", outputs(["rkt-store", "list", "--json"]))


@pytest.fixture
def layered(images, tmp_path):
    """One image with a dependency and a whitelist, and one whose dependency is missing."""
    labels = [{"name": "version", "value": "1.0.0"}]
    good = [{"imageName": "example.com/test", "labels": labels}, {"imageName": "example.com/b"}]
    bad = [{"imageName": "example.com/nowhere"}]
    return add(
        make_aci(tmp_path / "d.aci", manifest_=manifest("example.com/d", dependencies=good, pathWhitelist=["/x"])),
        make_aci(tmp_path / "e.aci", manifest_=manifest("example.com/e", dependencies=bad)),
    )


@needs_gpg
def test_rkt_store_info(images, signed, layered, house):
    store("render", "--form=extracted", images[1])
    image = house.shell("true")
    assert run(["rkt-run", image]).status == 0
    (uuid,) = house.pods()
    values = outputs(*(["rkt-store", "info", "--json", one] for one in (*images, *layered, image)))
    assert values[-1]["pods"] == [uuid]
    assert_true("rkt-store info --json", values)


def test_rkt_store_render(images, data_dir):
    commands = [["rkt-store", "render", "--json", f"--form={form}", images[1]] for form in ("auto", "extracted")]
    values = outputs(*commands)
    assert_true("rkt-store render --json", [{**one, "noErofsBecause": one["noErofsBecause"] or "x"}
                                            for one in values])
    assert_true("rkt-store render --list --json", outputs(["rkt-store", "render", "--list", "--json"]))


def test_rkt_store_render_list_image(layered):
    values = outputs(["rkt-store", "render", "--list", "--json", layered[0]])
    assert_true("rkt-store render --list --json IMAGE", values)


def test_rkt_store_gc(images):
    assert_true("rkt-store gc --json", outputs(["rkt-store", "gc", "--json", "--grace-period=0s"]))


def test_rkt_store_fetch(data_dir, tmp_path):
    base = make_aci(tmp_path / "base.aci", manifest_=manifest("example.com/base"))
    top = make_aci(tmp_path / "top.aci", manifest_=manifest(
        "example.com/top", dependencies=[{"imageName": "example.com/base"}]))
    assert run(["rkt-store", "import", base]).status == 0
    command = ["rkt-store", "fetch", "--json", "--insecure-options=image", "--pull-policy=new", top]
    assert_true("rkt-store fetch --json", outputs(command))


def test_rkt_store_stat(images, layered):
    assert_true("rkt-store stat --json", outputs(["rkt-store", "stat", "--json"]))
    assert_true("rkt-store stat --images --json", outputs(["rkt-store", "stat", "--images", "--json"]))


def test_rkt_store_verify(images, layered):
    run(["rkt-store", "render", "--form=erofs", layered[0]])  # the index stays where it cannot be mounted
    assert_true("rkt-store verify --json", outputs(["rkt-store", "verify", "--json"]))


@needs_gpg
def test_rkt_store_trust(trust, tmp_path):
    gpg = Gpg(tmp_path / "home")
    key, fingerprint = gpg.make_key("alice").read_bytes(), gpg.fingerprint("alice")
    gpg.stop()
    trust.put("system", None, "00" * 20, "no key")
    trust.put("system", None, fingerprint, key)
    trust.put("local", "example.com/app", fingerprint, key)
    trust.put("user", "example.com/app", fingerprint, "")
    values = outputs(["rkt-store", "trust", "list", "--json"])
    assert {key["state"] for key in values[0]} == {"trusted", "unusable", "masked", "mask"}
    assert_true("rkt-store trust --json", values)


def test_rkt_pod(house):
    ended = house.shell("exit 3")
    assert run(["rkt-run", ended]).status == 3
    process, uuid = house.start(house.shell("sleep 100", name="example.com/long"))
    os.mkdir(house.data / "containers/11111111-2222-4333-8444-555555555555")
    values = outputs(*(["rkt-pod", "status", "--json", pod] for pod in house.pods()))
    assert {"running", "exited"} <= {value["state"] for value in values}
    assert_true("rkt-pod status --json", values)
    assert_true("rkt-pod list --json", outputs(["rkt-pod", "list", "--json"]))
    process.kill()


def test_store_config(tmp_path, monkeypatch):
    for level in "SYSTEM", "LOCAL", "USER":
        monkeypatch.setenv(f"RKT_{level}_CONFIG", str(tmp_path))
        monkeypatch.delenv("RKT_DIR", raising=False)
    for at, one in enumerate(json.loads(EXAMPLES["rkt-store config"])["stage0"]):
        folder = tmp_path / ("paths.d" if one["rktKind"] == "paths" else "auth.d")
        folder.mkdir(exist_ok=True)
        (folder / f"{at}.json").write_text(json.dumps(one))
        (folder / f"{at}.json").chmod(0o600)
    assert_true("rkt-store config", outputs(["rkt-store", "config"]))
