"""Configuration files: rkt-store config, and what data directory and stage1 follow from them."""

import json
import subprocess
import time

import pytest
from conftest import Held, run, tool
from storelib import assert_one_line, store


@pytest.fixture
def dirs(tmp_path, monkeypatch):
    """Three empty configuration directories and no RKT_DIR."""
    monkeypatch.delenv("RKT_DIR", raising=False)
    found = {}
    for level in "system", "local", "user":
        found[level] = tmp_path / level
        (found[level] / "paths.d").mkdir(parents=True)
        monkeypatch.setenv(f"RKT_{level.upper()}_CONFIG", str(found[level]))
    return found


def say(folder, name="a.json", kind="paths", version="v1", **fields):
    value = {"rktKind": kind, "rktVersion": version, **fields}
    (folder / "paths.d" / name).write_text(json.dumps(value))


def effective(*args, **env):
    result = store("config", *args, env=env)
    assert (result.status, result.err) == (0, ""), result
    (paths,) = json.loads(result.out)["stage0"]
    assert (paths.pop("rktKind"), paths.pop("rktVersion")) == ("paths", "v1")
    return paths


def test_without_files_the_usual_places_hold(dirs, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    data = effective()["data"]
    assert data in ("/var/lib/rkt", "/home/somebody/.local/share/rkt")


def test_what_a_later_directory_says_wins(dirs):
    say(dirs["system"], data="/1", **{"stage1-images": "/images"})
    assert effective() == {"data": "/1", "stage1-images": "/images"}
    say(dirs["local"], data="/2")
    assert effective() == {"data": "/2", "stage1-images": "/images"}
    say(dirs["user"], data="/3")
    assert effective()["data"] == "/3"
    assert effective(RKT_DIR="/4")["data"] == "/4"
    assert effective("--dir=/5", RKT_DIR="/4")["data"] == "/5"


def test_a_file_that_goes_meanwhile_says_nothing(dirs):
    say(dirs["local"], "a.json", data="/1")
    say(dirs["local"], "b.json", **{"stage1-images": "/images"})
    folder = dirs["local"] / "paths.d"
    with Held([tool("rkt-store"), "config"], "getdents64", folder, after=True, stdout=subprocess.PIPE) as reading:
        reading.wait_held()
        (folder / "b.json").unlink()
        reading.release()
        out, _ = reading.communicate(timeout=60)
    assert reading.returncode == 0 and json.loads(out)["stage0"][0]["data"] == "/1"


def test_a_link_to_nothing_is_an_error(dirs):
    (dirs["local"] / "paths.d/a.json").symlink_to("none")
    assert_one_line(store("config"), 1, "paths.d/a.json: open: No such file")


def test_the_store_is_where_the_configuration_says(dirs, tmp_path):
    say(dirs["local"], data=str(tmp_path / "elsewhere"))
    assert store("init").out == f"{tmp_path}/elsewhere\n"
    assert (tmp_path / "elsewhere/cas/index").is_dir()


def test_the_front_command_names_the_directories(dirs, tmp_path):
    other = tmp_path / "other"
    (other / "paths.d").mkdir(parents=True)
    say(other, data="/other")
    for level in "system", "local", "user":
        result = run(["rkt", f"--{level}-config", other, "config"])
        assert json.loads(result.out)["stage0"][0]["data"] == "/other", level


def test_other_files_and_folders_are_not_read(dirs):
    (dirs["local"] / "paths.d/README").write_text("not JSON")
    (dirs["local"] / "net.d").mkdir()
    (dirs["local"] / "net.d/a.json").write_text("not JSON")
    effective()


def test_directories_that_are_not_there_say_nothing(monkeypatch, tmp_path):
    for level in "SYSTEM", "LOCAL", "USER":
        monkeypatch.setenv(f"RKT_{level}_CONFIG", str(tmp_path / "none"))
    effective()


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "line 1"),
        ("[]", "is no JSON object"),
        ('{"rktVersion": "v1"}', "rktKind is missing"),
        ('{"rktKind": 1, "rktVersion": "v1"}', "rktKind is missing or no string"),
        ('{"rktKind": "paths"}', "rktVersion is missing"),
        ('{"rktKind": "paths", "rktVersion": "v2"}', "rktVersion v2"),
        ('{"rktKind": "auth", "rktVersion": "v1"}', "rktKind auth, not paths"),
        ('{"rktKind": "paths", "rktVersion": "v1", "data": "here"}', "data is no absolute path"),
        ('{"rktKind": "paths", "rktVersion": "v1", "data": 5}', "data is no absolute path"),
        ('{"rktKind": "paths", "rktVersion": "v1", "stage1-images": ""}', "stage1-images is no"),
        ('{"rktKind": "paths", "rktVersion": "v1", "data": "/a", "data": "/b"}', "data"),
    ],
)
@pytest.mark.parametrize("command", ["config", "list"])
def test_a_bad_file_is_named_and_not_left_out(dirs, text, words, command):
    (dirs["local"] / "paths.d/bad.json").write_text(text)
    assert_one_line(store(command), 4, f"configuration {dirs['local']}/paths.d/bad.json", words)


def test_a_bad_file_does_not_matter_to_who_says_where(dirs, tmp_path):
    (dirs["local"] / "paths.d/bad.json").write_text("{")
    assert store("init", "--dir", tmp_path / "here").status == 0
    assert store("list", env={"RKT_DIR": tmp_path / "here"}).status == 0


def test_two_files_of_one_directory_do_not_say_the_same(dirs):
    say(dirs["local"], "a.json", data="/a")
    say(dirs["local"], "b.json", **{"stage1-images": "/images"})
    assert effective() == {"data": "/a", "stage1-images": "/images"}
    say(dirs["local"], "c.json", data="/a")
    assert_one_line(store("config"), 4, "c.json", "a.json says already what data is")


def test_a_file_that_is_too_long_or_no_file_is_refused(dirs):
    (dirs["local"] / "paths.d/long.json").write_text("{" + " " * (1 << 20) + "}")
    assert_one_line(store("config"), 4, "long.json")
    (dirs["local"] / "paths.d/long.json").unlink()
    (dirs["local"] / "paths.d/folder.json").mkdir()
    assert_one_line(store("config"), 1, "folder.json")


SECRET = "hunter2-s3cr3t"
BASIC = {"user": "me", "password": SECRET}


def say_auth(folder, name="a.json", kind="auth", mode=0o600, **fields):
    """A file in auth.d; without fields: basic credentials for example.com."""
    (folder / "auth.d").mkdir(exist_ok=True)
    value = {"rktKind": kind, "rktVersion": "v1", "credentials": BASIC, **fields}
    if kind == "auth":
        value = {"type": "basic", "domains": ["example.com"], **value}
    path = folder / "auth.d" / name
    path.write_text(json.dumps(value))
    path.chmod(mode)
    return path


def credentials(kind="auth"):
    """What is in effect, a dictionary by host, and not a word on stderr."""
    result = store("config")
    assert (result.status, result.err) == (0, ""), result
    assert SECRET not in result.out
    found = [entry for entry in json.loads(result.out)["stage0"] if entry["rktKind"] == kind]
    hosts = "domains" if kind == "auth" else "registries"
    assert all(entry["rktVersion"] == "v1" and len(entry[hosts]) == 1 for entry in found)
    return {entry[hosts][0]: (entry.get("type"), entry["credentials"]) for entry in found}


def test_credentials_are_printed_without_secrets(dirs):
    """S-029"""
    say_auth(dirs["local"], "a.json", domains=["b.com:8443", "A.com"])
    say_auth(dirs["local"], "b.json", domains=["c.com"], type="oauth", credentials={"token": SECRET})
    aws = {"accessKeyID": "AKIA", "secretAccessKey": SECRET}
    say_auth(dirs["local"], "c.json", domains=["d.com"], type="aws", credentials=aws)
    aws["awsRegion"] = "eu-west-1"
    say_auth(dirs["local"], "d.json", domains=["e.com"], type="aws", credentials=aws)
    say_auth(dirs["local"], "e.json", kind="dockerAuth", registries=["quay.io", "a.com"])
    hidden = {"accessKeyID": "AKIA", "secretAccessKey": "***"}
    assert credentials() == {
        "a.com": ("basic", {"user": "me", "password": "***"}),
        "b.com:8443": ("basic", {"user": "me", "password": "***"}),
        "c.com": ("oauth", {"token": "***"}),
        "d.com": ("aws", hidden),
        "e.com": ("aws", {**hidden, "awsRegion": "eu-west-1"}),
    }
    assert list(credentials()) == sorted(credentials())
    assert credentials("dockerAuth") == {
        "a.com": (None, {"user": "me", "password": "***"}),
        "quay.io": (None, {"user": "me", "password": "***"}),
    }
    kinds = [entry["rktKind"] for entry in json.loads(store("config").out)["stage0"]]
    assert kinds == ["auth"] * 5 + ["dockerAuth"] * 2 + ["paths"]


def test_credentials_of_a_later_directory_win_host_by_host(dirs):
    common = {"type": "oauth", "credentials": {"token": SECRET}}
    say_auth(dirs["system"], domains=["a.com", "b.com", "c.com"], **common)
    say_auth(dirs["local"], domains=["b.com"])
    say_auth(dirs["user"], domains=["c.com:443"], credentials={"user": "you", "password": SECRET})
    assert credentials() == {
        "a.com": ("oauth", {"token": "***"}),
        "b.com": ("basic", {"user": "me", "password": "***"}),
        "c.com": ("basic", {"user": "you", "password": "***"}),
    }


@pytest.mark.parametrize("again", ["example.com", "EXAMPLE.com", "example.com:443"])
def test_one_directory_does_not_say_twice_what_a_host_gets(dirs, again):
    first = say_auth(dirs["local"], "a.json")
    say_auth(dirs["local"], "b.json", domains=["other.com", again])
    assert_one_line(store("config"), 4, "b.json", f"{first} says already what goes to example.com")


def test_a_host_twice_in_one_file_is_an_error(dirs):
    say_auth(dirs["local"], domains=["a.com", "a.com"])
    assert_one_line(store("config"), 4, "a.json", "a.com")


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"kind": "paths"}, "has rktKind paths, neither auth nor dockerAuth"),
        ({"domains": []}, "domains is missing, empty or no array"),
        ({"domains": [f"https://me:{SECRET}@example.com"]}, "domains/0 is no host"),
        ({"type": SECRET}, "type is none of basic, oauth and aws"),
        ({"credentials": SECRET}, "credentials is missing or no object"),
        ({"credentials": {"user": "me", "secret": SECRET}}, "credentials/password is missing"),
        ({"credentials": {"user": SECRET}}, "credentials/password is missing"),
        ({"credentials": {"user": "me", "password": SECRET + "\n"}}, "cannot be sent"),
        ({"type": "oauth", "credentials": {"token": SECRET + " x"}}, "credentials/token"),
        ({"kind": "dockerAuth", "registries": "quay.io"}, "registries is missing, empty"),
    ],
)
def test_a_bad_file_of_credentials_is_named_without_its_values(dirs, fields, words):
    """S-029"""
    path = say_auth(dirs["local"], **fields)
    result = store("config")
    assert_one_line(result, 4, f"configuration {path}", words)
    assert SECRET not in result.err


@pytest.mark.parametrize("text", ["%s", "{%s}", '{"a": "%s", "a": 1}', '{"a": "%s\\x"}', '{"a": "%s" "b"}'])
def test_a_broken_file_of_credentials_is_not_quoted(dirs, text):
    """S-029: faults of JSON have a place and no text."""
    say_auth(dirs["local"]).write_text(text % SECRET)
    result = store("config")
    assert_one_line(result, 4, "a.json", "line 1")
    assert SECRET not in result.err


def test_who_may_read_the_secrets_is_looked_at_and_warned_of_once(dirs):
    for name in "b.json", "c.json":
        say_auth(dirs["local"], name, domains=[f"{name[0]}.com"], mode=0o644)
    say_auth(dirs["local"], "a.json", mode=0o640)
    result = store("config")
    assert result.status == 0
    path = dirs["local"] / "auth.d/b.json"
    assert result.err == f"rkt-store: warning: {path} has secrets, and every user may read it (chmod o-r)\n"
