"""rkt, the front command: finds the program that owns a command and becomes it."""

import re
import shutil
import signal

import pytest
from conftest import make_aci, run, tool

SCRIPT = '#!/bin/sh\nprintf "%s\\n" "RKT_DIR=$RKT_DIR" "$0" "$@"\n'


def commands():
    """What `rkt help` lists: commands of one or two words."""
    text = run(["rkt", "help"]).out
    found = []
    for title in ["Pods", "Images", "Other"]:
        body = re.search(rf"^{title}:\n((?:  .+\n)+)", text, re.MULTILINE).group(1)
        found += [re.split(r"  +", line.strip())[0].split() for line in body.splitlines()]
    return found


@pytest.fixture
def house(tmp_path):
    """A directory with rkt in it, and a function that puts a script beside it (or elsewhere)."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(tool("rkt"), folder / "rkt")

    def put(name, text=SCRIPT, where=folder):
        where.mkdir(exist_ok=True)
        (where / name).write_text(text)
        (where / name).chmod(0o755)

    return folder, put


def test_without_a_command_it_shows_help():
    result = run(["rkt"])
    assert result.status == 0
    assert result.out == run(["rkt", "--help"]).out == run(["rkt", "help"]).out


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_listed_has_help(words):
    if words in (["help"], ["version"]):
        return
    result = run(["rkt", *words, "--help"])
    assert result.status == 0, result.err
    assert result.out.startswith("Usage: rkt-")
    assert run(["rkt", "help", *words]).out == result.out


def test_the_commands_of_the_original_are_there():
    assert {"fetch", "run", "status", "version", "help"} <= {words[0] for words in commands()}


def test_help_of_image_lists_its_commands():
    text = run(["rkt", "image"]).out
    assert "image list" in text and "image rm" in text
    assert "run images" not in text
    assert text == run(["rkt", "help", "image"]).out == run(["rkt", "image", "--help"]).out


@pytest.mark.parametrize(
    "words, said",
    [
        (["imprt"], 'unknown command "imprt"; did you mean "import"?'),
        (["rnu", "x.aci"], 'unknown command "rnu"; did you mean "run"?'),
        (["image", "lst"], 'unknown command "image lst"; did you mean "image list"?'),
        (["version", "x"], "unexpected operand 'x'"),
        (["images"], 'unknown command "images"; did you mean "image"?'),
        (["stat"], 'unknown command "stat"; did you mean "image stat"?'),
        (["export", "x"], 'unknown command "export"; did you mean "image export"?'),
        (["help", "render"], 'unknown command "render"; did you mean "image render"?'),
        (["image", "import"], 'unknown command "image import"; did you mean "import"?'),
        (["x\n\x1b[2J"], 'unknown command "x\\n\\x1b[2J"'),
        (["help", "xyzzy"], 'unknown command "xyzzy"'),
        (["-dri", "/x", "list"], "unknown option '-dri'; did you mean '--dir'?"),
        (["--dir"], "option '--dir' needs a value: DIR"),
        (["-dir=", "list"], "option '--dir' needs the name of a directory"),
    ],
)
def test_what_it_does_not_know_is_usage(words, said):
    result = run(["rkt", *words])
    assert result.status == 2
    assert result.out == ""
    assert result.err == f"rkt: {said}\nTry 'rkt --help'.\n"


def test_version_is_that_of_the_original():
    lines = run(["rkt", "version"]).out.splitlines()
    assert re.fullmatch(r"rkt version \d+\.\d+\.\d+", lines[0])
    assert lines[1] == "appc version 0.8.11"


def test_the_program_beside_it_comes_first(house, tmp_path):
    folder, put = house
    put("rkt-run")
    put("rkt-run", '#!/bin/sh\necho wrong one\n', tmp_path / "path")
    result = run([folder / "rkt", "run", "a.aci"], env={"PATH": tmp_path / "path"})
    assert result.out.splitlines()[1:] == [str(folder / "rkt-run"), "a.aci"]


def test_a_link_to_it_is_followed_home(house, tmp_path):
    folder, put = house
    put("rkt-run")
    (tmp_path / "rkt").symlink_to(folder / "rkt")
    assert run([tmp_path / "rkt", "run"]).out.splitlines()[1] == str(folder / "rkt-run")


def test_path_is_searched_last(house, tmp_path):
    folder, put = house
    if run([folder / "rkt", "run", "--version"], env={"PATH": "/nowhere"}).status == 0:
        pytest.skip("Rocket is installed here")
    put("rkt-run", where=tmp_path / "path")
    result = run([folder / "rkt", "run"], env={"PATH": f"{tmp_path / 'path'}:/bin"})
    assert result.out.splitlines()[1] == str(tmp_path / "path" / "rkt-run")


def test_a_missing_program_is_named(house):
    folder, _ = house
    result = run([folder / "rkt", "run"], env={"PATH": "/nowhere"})
    if result.status == 2:
        pytest.skip("Rocket is installed here")
    assert result.status == 1
    assert re.fullmatch(r"rkt: run rkt-run \(.*\): No such file or directory\n", result.err)


def test_arguments_pass_unchanged(house):
    folder, put = house
    put("rkt-run")
    words = ["-volume", "a:/b", "x y", "", "--", "--debug", "---", "*"]
    assert run([folder / "rkt", "run", *words]).out.split("\n")[2:-1] == words


def test_global_options_stand_before_the_command(house):
    folder, put = house
    put("rkt-store")
    result = run([folder / "rkt", "-dir", "/x", "--debug", "-q", "image", "rm", "id"])
    lines = result.out.splitlines()
    assert lines[0] == "RKT_DIR=/x"
    assert lines[2:] == ["rm", "--debug", "--quiet", "id"]


def test_the_exit_status_is_the_commands(house):
    folder, put = house
    put("rkt-run", "#!/bin/sh\nexit 42\n")
    assert run([folder / "rkt", "run"]).status == 42
    put("rkt-run", "#!/bin/sh\nkill -TERM $$\n")
    assert run([folder / "rkt", "run"]).status == -signal.SIGTERM


def test_fetch_brings_a_file_into_the_store_named(tmp_path):
    image = make_aci(tmp_path / "a.aci")
    store = tmp_path / "store"
    result = run(["rkt", "-dir", store, "fetch", image])
    assert result.status == 0, result.err
    image_id = result.out.strip()
    assert re.fullmatch(r"sha256-[0-9a-f]{64}", image_id)
    assert (store / "cas" / "blob" / "sha256" / image_id[7:9] / image_id).exists()
    listed = run(["rkt", "-dir", store, "image", "list"])
    assert image_id[:15] in listed.out
