"""The manners that every program and every command has: help, version, man page, wrong options."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import BUILD, SOURCE, run, tool

PROGRAMS = "rkt rkt-run rkt-pod rkt-store aci-hash aci-validate aci-extract aci-build".split()
WITH_COMMANDS = ["rkt-pod", "rkt-store"]
COLUMNS = 80
# of a failure of the program's own; 1 for all others
FAILURE = {"rkt-run": 254, "aci-validate": 2}


def section(text, title):
    """The lines below "TITLE:" in a help, up to the next empty line."""
    found = re.search(rf"^{title}:\n((?:.+\n)+)", text, re.MULTILINE)
    return found.group(1).splitlines() if found else []


def commands_of(program):
    """The commands PROGRAM lists in its help. None while it is not built: its own case says so."""
    if not os.path.exists(tool(program)):
        return []
    return [line.split()[0] for line in section(run([program, "--help"]).out, "Commands")]


ALL = [[name] for name in PROGRAMS]
ALL += [[name, command] for name in WITH_COMMANDS for command in commands_of(name)]
every_command = pytest.mark.parametrize("command", ALL, ids=" ".join)


def options_in_help(text):
    """Long options, each with its letter or "", from the option list of a help."""
    found = []
    for line in section(text, "Options"):
        option = re.match(r"  (?:-(\w), |    )--([\w-]+)", line)
        if option:
            found.append((option.group(2), option.group(1) or ""))
    return found


def options_in_man(text):
    """The same from a man page: the tags of its OPTIONS section."""
    body = text.split(".SH OPTIONS\n", 1)[1].split(".SH ", 1)[0].replace(r"\-", "-")
    tags = re.findall(r"^\.TP\n(?:\\fB-(\w)\\fR, )?\\fB--([\w-]+)", body, re.MULTILINE)
    return {(name, letter) for letter, name in tags}


def test_programs_with_commands_list_them():
    assert {"import", "list", "gc"} <= set(commands_of("rkt-store"))
    assert {"list", "status", "rm", "gc"} <= set(commands_of("rkt-pod"))


@every_command
def test_help_is_on_stdout_in_80_columns(command):
    result = run([*command, "--help"])
    assert result.status == 0
    assert result.err == ""
    assert result.out.startswith(f"Usage: {' '.join(command)} ")
    assert [line for line in result.out.splitlines() if len(line) > COLUMNS] == []
    assert [line for line in result.out.splitlines() if line != line.rstrip()] == []


@every_command
def test_help_says_something_of_every_option(command):
    text = run([*command, "--help"]).out
    options = options_in_help(text)
    assert {name for name, _ in options} >= {"help", "version", "debug", "quiet", "no-color"}
    assert set(options) == options_in_man(run([*command, "--print-man"]).out)
    for name, _ in options:
        says = re.search(rf"--{name}(?:[= ]\S+)?\s+\S", text)
        assert says, f"--{name} is not explained"


@every_command
def test_no_option_is_there_twice(command):
    options = options_in_help(run([*command, "--help"]).out)
    names = [name for name, _ in options]
    letters = [letter for _, letter in options if letter]
    assert len(names) == len(set(names))
    assert len(letters) == len(set(letters))


@every_command
@pytest.mark.parametrize("spelling", ["-h", "-help"])
def test_short_spellings_of_help(command, spelling):
    assert run([*command, spelling]).out == run([*command, "--help"]).out


@every_command
def test_help_does_not_need_operands_or_a_store(command, tmp_path):
    env = {"RKT_DIR": tmp_path / "none", "HOME": tmp_path}
    assert run([*command, "--help"], env=env, cwd=tmp_path).status == 0
    assert os.listdir(tmp_path) == []


@every_command
def test_version_begins_with_name_and_version(command):
    for option in ["--version", "-version"]:
        result = run([*command, option])
        assert result.status == 0
        assert re.fullmatch(rf"{command[0]} \d+\.\d+\.\d+\S*", result.out.splitlines()[0])


@every_command
def test_unknown_option_is_refused_with_a_hint(command):
    result = run([*command, "--hlep"])
    assert result.status == 2
    assert result.out == ""
    assert result.err.splitlines() == [
        f"{command[0]}: unknown option '--hlep'; did you mean '--help'?",
        f"Try '{' '.join(command)} --help'.",
    ]


@every_command
def test_full_disk_is_a_failure(command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [tool(command[0]), *command[1:], "--help"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == FAILURE.get(command[0], 1)
    assert done.stderr.decode() == (
        f"{command[0]}: write to standard output: No space left on device\n"
    )


@every_command
def test_closed_stdout_is_a_failure(command):
    result = run([*command, "--help"], preexec_fn=lambda: os.close(1))
    assert result.status == FAILURE.get(command[0], 1)
    assert len(result.err.splitlines()) == 1


@every_command
def test_all_descriptors_may_be_closed(command):
    result = run([*command, "--hlep"], preexec_fn=lambda: os.closerange(0, 3))
    assert result.status == 2


@every_command
def test_man_page_renders_without_warnings(command, tmp_path):
    if not shutil.which("man"):
        pytest.skip("man-db is not installed")
    page = tmp_path / "page.1"
    page.write_text(run([*command, "--print-man"]).out)
    env = {"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat", "TERM": "dumb"}
    result = run(["man", "-l", "--warnings", "-E", "UTF-8", page], env=env)
    assert result.status == 0
    assert result.err == ""
    assert "OPTIONS" in result.out
    # NAME as whatis(1) reads it: page name, dash, summary
    assert re.search(rf"^ +{'-'.join(command)} - \S.+", result.out, re.MULTILINE)


@every_command
def test_man_page_is_built_from_the_program(command):
    page = BUILD / "doc" / "man" / f"{'-'.join(command)}.1"
    assert page.exists(), f"doc/local.mk lacks {page.name}"
    assert page.read_text() == run([*command, "--print-man"]).out


def test_every_man_page_belongs_to_a_command():
    pages = {page.stem for page in (BUILD / "doc" / "man").glob("*.1")}
    assert pages == {"-".join(command) for command in ALL}


def test_pages_seen_also_exist():
    pages = {"-".join(command) for command in ALL}
    for command in ALL:
        text = run([*command, "--help"]).out.split("See also:")
        seen = re.findall(r"([\w-]+)\(1\)", text[1]) if len(text) > 1 else []
        ours = {page for page in seen if re.match("rkt|aci-", page)}
        assert ours <= pages, f"see also of {' '.join(command)}"


@pytest.mark.parametrize("script", ["quickstart", "run-tests"])
def test_scripts_say_what_they_do_wherever_they_are_called_from(script):
    """And do nothing when they do not know what is asked of them."""
    result = run([SOURCE / script, "--help"], cwd="/")
    assert (result.status, result.err) == (0, "")
    assert f"usage: sudo ./{script}" in result.out and "()" not in result.out
    assert not re.search(r"^[a-z_]+ [A-Z-]+.*:", result.out, re.MULTILINE)  # what is said of functions
    result = run([SOURCE / script, "frob"], cwd="/")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"{script}: ") and "try --help" in result.err
