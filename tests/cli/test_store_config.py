"""Configuration files: rkt-store config, and what data directory and stage1 follow from them."""

import json

import pytest
from conftest import run
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
