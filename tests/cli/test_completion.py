"""Completion of command lines: real shells offer what the option tables say."""

import os
import pathlib
import re
import shutil
import subprocess

import pexpect
import pytest
from conftest import BUILD, run
from podlib import house
from storelib import add, image_tar, write

assert house  # a fixture

DIR = BUILD / "doc/completion"
PROGRAMS = ["rkt", "rkt-run", "rkt-pod", "rkt-store", "aci-hash", "aci-validate", "aci-extract",
            "aci-build"]
WITH_COMMANDS = ["rkt-pod", "rkt-store"]
FILES = {"bash": "bash/{}", "zsh": "zsh/_{}", "fish": "fish/{}.fish"}

every_program = pytest.mark.parametrize("program", PROGRAMS)
every_shell = pytest.mark.parametrize("shell", FILES)


@pytest.fixture
def image(data_dir, tmp_path):
    """The ID of example.com/app, which is in the store."""
    return add(write(tmp_path / "app.aci", image_tar("example.com/app")))


@pytest.fixture
def other(data_dir, tmp_path):
    """A data directory that is not the usual one, with an ugly name and one image: other.org/tool."""
    path = tmp_path / "o'ther $(touch evaluated) dir"
    image = write(tmp_path / "other.aci", image_tar("other.org/tool"))
    assert run(["rkt-store", "import", "--dir", path, image]).status == 0
    return path


@pytest.fixture
def versions(image, tmp_path):
    """Images of example.com/app besides 1.0.0, one of which has a version that no shell could take."""
    for number, version in enumerate(("1.10", "2.0+b~1", "x $(touch evaluated)", "*", None)):
        labels = [{"name": "os", "value": "linux"}] + [{"name": "version", "value": version}] * (version is not None)
        add(write(tmp_path / f"{number}.aci", image_tar("example.com/app", labels=labels)))
    return {"1.0.0", "1.10", "2.0+b~1"}


def need(shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")


def options_of(*command):
    """The long options that --help shows."""
    text = run([*command, "--help"]).out
    return set(re.findall(r"^ {2}(?:-\w,| {3}) (--[\w-]+)", text, re.MULTILINE))


def commands_of(program):
    text = run([program, "--help"]).out.split("Commands:\n")[1].split("\n\n")[0]
    return set(re.findall(r"^ {2}([\w-]+) {2}", text, re.MULTILINE))


# ---- the files


@every_program
@every_shell
def test_file_is_what_the_program_prints(program, shell):
    file = DIR / FILES[shell].format(program)
    assert file.read_text() == run([program, f"--print-completion={shell}"]).out


@every_program
@every_shell
def test_shell_can_read_it(program, shell):
    need(shell)
    result = run([shell, "-n", DIR / FILES[shell].format(program)])
    assert (result.status, result.out, result.err) == (0, "", "")


@every_program
def test_zsh_finds_the_program_s_name_in_the_first_line(program):
    assert (DIR / f"zsh/_{program}").read_text().splitlines()[0] == f"#compdef {program}"


def test_unknown_shell_is_refused():
    for command in ("aci-hash", "rkt-store", "rkt", "rkt-store fetch", "rkt-store export"):
        result = run([*command.split(), "--print-completion=csh"])
        assert (result.status, result.out) == (2, "")
        said, _ = result.err.splitlines()
        assert "no completion for 'csh'" in said


# ---- bash


BASH = r"""
declare -A options=()
compopt() { options[$2]=1; }
. "$1"; shift
function=$(complete -p "$1") || exit 9
function=${function#complete -F }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"${function% *}"
printf '%s\n' "${!options[*]}" "${COMPREPLY[@]}"
"""


def bash(*words, cwd=None, env=None):
    """What bash would offer for the last of WORDS, and the options it would set for that."""
    env = {"LC_ALL": "C.UTF-8", "PATH": f"{BUILD}:{os.environ['PATH']}", **(env or {})}
    result = run(["bash", "--norc", "-c", BASH, "bash", DIR / "bash" / words[0], *words], cwd=cwd, env=env)
    assert (result.status, result.err) == (0, ""), result
    options, *replies = result.out.splitlines()
    return set(replies) - {""}, set(options.split())


@every_program
def test_bash_offers_every_option(program):
    replies, _ = bash(program, "--")
    assert {reply.rstrip("=") for reply in replies} == options_of(program)


@pytest.mark.parametrize("program", WITH_COMMANDS)
def test_bash_offers_commands_and_the_options_of_each(program):
    commands = commands_of(program)
    assert bash(program, "")[0] == commands | {"help"}
    for command in commands:
        replies, _ = bash(program, command, "--")
        assert {reply.rstrip("=") for reply in replies} == options_of(program, command)


def test_bash_offers_choices_however_the_value_is_given():
    choices = {"auto", "image", "image-manifest", "pod-manifest", "layout"}
    assert bash("aci-validate", "--type", "")[0] == choices
    assert bash("aci-validate", "--type", "=")[0] == choices
    assert bash("aci-validate", "--type", "=", "im")[0] == {"image", "image-manifest"}
    assert bash("aci-hash", "-a", "sha2")[0] == {"sha256"}


def test_bash_offers_words_of_values_that_are_no_choices():
    assert bash("rkt-store", "list", "--sort", "=", "i")[0] == {"id", "index-size", "imported"}
    assert bash("rkt-store", "list", "--fields", "signed")[0] == {"signed-by"}
    for words in ["rkt-store", "fetch"], ["rkt-run"]:
        assert bash(*words, "--insecure-options", "=", "t")[0] == {"tls"}
        assert bash(*words, "--pull-policy", "=", "n")[0] == {"new", "never"}


def test_bash_offers_what_may_be_done_with_trusted_keys(tmp_path):
    (tmp_path / "key.asc").write_text("")
    assert bash("rkt-store", "trust", "", cwd=tmp_path)[0] == {"list", "rm", "mask", "key.asc"}
    assert bash("rkt", "trust", "l", cwd=tmp_path)[0] == {"list"}


def test_bash_offers_files_and_directories(tmp_path):
    (tmp_path / "dir").mkdir()
    (tmp_path / "a b.aci").write_text("")
    both, options = bash("aci-hash", "", cwd=tmp_path)
    assert (both, options) == ({"dir", "a b.aci"}, {"filenames"})
    assert bash("aci-validate", "--keyring", "=", "a", cwd=tmp_path)[0] == {"a b.aci"}
    assert bash("rkt-store", "list", "--dir", "", cwd=tmp_path)[0] == {"dir"}
    assert bash("rkt-run", "", cwd=tmp_path)[0] == both
    assert bash("rkt-pod", "status", "", cwd=tmp_path)[0] == set()


def test_bash_offers_images_that_are_there(image, tmp_path):
    assert bash("rkt-store", "rm", "")[0] == {"example.com/app", image}
    assert bash("rkt-store", "info", "sha256-")[0] == {image}
    assert bash("rkt", "image", "cat-manifest", "exam")[0] == {"example.com/app"}
    assert bash("rkt", "run", "", cwd=tmp_path)[0] >= {"example.com/app", "app.aci"}
    assert bash("rkt-store", "rm", "none")[0] == set()


def test_bash_offers_names_to_list_images_by(image):
    assert bash("rkt", "image", "list", "")[0] == {"example.com/app"}
    assert bash("rkt-store", "list", "exam")[0] == {"example.com/app"}


def test_bash_offers_files_to_fetch(tmp_path):
    (tmp_path / "a.aci").write_text("")
    for words in ["rkt", "fetch", ""], ["rkt-store", "fetch", "a"]:
        assert bash(*words, cwd=tmp_path) == ({"a.aci"}, {"filenames"})


def test_bash_takes_images_for_no_files(image, tmp_path):
    """Of a file readline would show the last component, and a directory of that name it would enter."""
    (tmp_path / "dir/example.com/app").mkdir(parents=True)
    (tmp_path / "dir/example.com/a b").write_text("")
    cwd = tmp_path / "dir"
    assert bash("rkt-run", "example.com/a", cwd=cwd) == ({"example.com/app", r"example.com/a\ b"}, set())
    assert bash("rkt-run", "exam", cwd=cwd) == ({"example.com/app", "example.com/"}, set())
    assert bash("rkt-run", "./", cwd=cwd) == ({"./example.com"}, {"filenames"})
    assert bash("rkt-store", "extract", "example.com/", cwd=cwd) == ({"example.com/app"}, set())


def test_bash_offers_images_only_where_one_may_stand(image, tmp_path):
    file = tmp_path / "dir/exam"
    file.parent.mkdir()
    file.write_text("")
    cwd = file.parent
    for command in "info", "cat-manifest":
        assert bash("rkt-store", command, "example.com/app", "")[0] == set()
        assert bash("rkt", "image", command, "example.com/app", ":", "1.0", "")[0] == set()
    for command in "extract", "export", "render":
        assert bash("rkt-store", command, "", cwd=cwd) == ({"example.com/app", image}, set())
        assert bash("rkt-store", command, "example.com/app", "", cwd=cwd) == ({"exam"}, {"filenames"})
        assert bash("rkt-store", command, "example.com/app", "x", "", cwd=cwd)[0] == set()
    assert bash("rkt-store", "export", "--compress", "gzip", "exam", cwd=cwd)[0] == {"example.com/app"}
    assert bash("rkt-store", "rm", "example.com/app", "exam")[0] == {"example.com/app"}


def test_bash_offers_nothing_among_the_arguments_of_an_app(image, tmp_path):
    for words in ["exam"], ["--"], ["a", "exam"], ["a", "--", "exam"]:
        assert bash("rkt", "run", "x", "--", *words, cwd=tmp_path)[0] == set()
    after = bash("rkt", "run", "x", "--", "a", "---", "exam", cwd=tmp_path)[0]
    assert after == {"example.com/app"}
    words = ["x", "--", "--dir", "/nonexistent", "---", "exam"]
    assert bash("rkt", "run", *words, cwd=tmp_path)[0] == {"example.com/app"}
    assert "--name=" in bash("rkt-run", "x", "--", "a", "---", "y", "--na", cwd=tmp_path)[0]


def spelt(path):
    """PATH in the ways one can write it for a shell."""
    return ["'" + str(path).replace("'", r"'\''") + "'", re.sub(r"([^\w/.-])", r"\\\1", str(path)), '"' + str(path).replace("$", r"\$") + '"']


def test_bash_offers_what_is_in_the_directory_named(image, other, tmp_path):
    cwd = tmp_path / "empty"
    cwd.mkdir()
    for path in spelt(other):
        for words in (
            ["rkt-store", "--dir", path, "info"],
            ["rkt-store", "info", "--dir", "=", path],
            ["rkt-store", "info", "-d", path],
            ["rkt-store", "-dir", path, "info"],
            ["rkt", "--dir", "=", path, "image", "info"],
            ["rkt", "-dir", "=", path, "image", "info"],
            ["rkt", "image", "info", "--dir", path],
            ["rkt", "--dir", path, "run"],
            ["rkt-run", "--dir", path],
            ["rkt", "--dir", path, "image", "list"],
            ["rkt-store", "info", f"-d{path}"],
            ["rkt", "image", "info", f"-d{path}"],
        ):
            assert bash(*words, "oth", cwd=cwd)[0] == {"other.org/tool"}, words
            assert bash(*words, "exam", cwd=cwd)[0] == set(), words
    assert bash("rkt-store", "--dir", '"$(touch evaluated)"', "info", "", cwd=cwd)[0] == set()
    assert not list(cwd.iterdir())


def test_bash_puts_a_directory_together_again(image, data_dir, tmp_path):
    (tmp_path / "a:b=c").symlink_to(data_dir)
    words = ["--dir", "=", f"{tmp_path}/a", ":", "b", "=", "c", "info", ""]
    assert bash("rkt-store", *words)[0] == {"example.com/app", image}
    assert bash("rkt", *words[:-2], "image", "info", "exam")[0] == {"example.com/app"}
    words = [f"-d{tmp_path}/a", ":", "b", "=", "c", "info", ""]
    assert bash("rkt-store", *words)[0] == {"example.com/app", image}


def test_bash_takes_other_options_for_no_directory(image, data_dir):
    assert bash("rkt-store", "-debug", "info", "exam")[0] == {"example.com/app"}
    assert bash("rkt-run", "-dns", "=", "/nonexistent", "exam")[0] == {"example.com/app"}
    assert bash("rkt-store", "info", "-d", data_dir, "-dbug", "exam")[0] == {"example.com/app"}


def test_bash_knows_the_home_directory_by_its_sign(image, data_dir):
    env = {"HOME": str(pathlib.Path(data_dir).parent), "RKT_DIR": "/nonexistent"}
    name = pathlib.Path(data_dir).name
    assert bash("rkt-store", "info", "--dir", f"~/{name}", "exam", env=env)[0] == {"example.com/app"}
    assert bash("rkt-store", "info", "--dir", f"'~/{name}'", "exam", env=env)[0] == set()


def test_bash_offers_versions_behind_a_colon(versions, tmp_path):
    """Which are words of their own, as bash cuts a line."""
    cwd = tmp_path / "empty"
    cwd.mkdir()
    for words in ["rkt", "fetch"], ["rkt", "run", "x"], ["rkt", "image", "info"], ["rkt-store", "rm", "a", ":", "b"]:
        assert bash(*words, "example.com/app", ":", cwd=cwd)[0] == versions
        assert bash(*words, "example.com/app", ":", "1.", cwd=cwd)[0] == {"1.0.0", "1.10"}
        assert bash(*words, "example.com/ap", ":", cwd=cwd)[0] == set()
        assert "example.com/app" in bash(*words, "exam", cwd=cwd)[0]
        assert bash(*words, "example.com/app:2", cwd=cwd)[0] == {"example.com/app:2.0+b~1"}  # if ":" cuts nothing
    assert bash("rkt-store", "info", "example.com/app", ":", "1.10", "exam")[0] == set()
    assert bash("rkt-store", "extract", "example.com/app", ":", "1.1")[0] == {"1.10"}
    assert bash("rkt", "image", "list", "example.com/app", ":")[0] == set()
    assert not list(cwd.iterdir())


def test_bash_offers_files_with_a_colon(tmp_path):
    (tmp_path / "a:b c.aci").write_text("")
    for words in ["rkt-run"], ["rkt", "fetch"]:
        assert bash(*words, "a", ":", cwd=tmp_path) == ({"b c.aci"}, {"filenames"})


@pytest.mark.parametrize("offers", ["bash", "fish"])
def test_pods_that_are_there_are_offered(offers, house, tmp_path):
    need(offers)
    assert run(["rkt-run", house.image(), house.image(name="example.com/two")]).status == 0
    assert run(["rkt-run", house.image()]).status == 0
    pods = set(house.pods())
    assert len(pods) == 2
    for command in "rm", "status":
        found = bash("rkt-pod", command, "")[0] if offers == "bash" else fish(f"rkt-pod {command} ", tmp_path)
        assert found == pods
    first = pods.pop()
    assert bash("rkt", "status", first[:8])[0] == {first}


def test_bash_adds_no_space_where_a_value_must_follow():
    assert bash("aci-hash", "--jo") == ({"--jobs="}, {"nospace"})
    assert bash("aci-hash", "--ra") == ({"--raw"}, set())


def test_bash_knows_that_a_value_is_no_command():
    assert bash("rkt-store", "--dir", "list", "im")[0] == {"import"}
    assert bash("rkt-store", "--dir", "=", "list", "im")[0] == {"import"}
    assert bash("rkt-store", "--dir", "x", "list", "--no-l")[0] == bash("rkt-store", "list", "--no-l")[0]


def test_bash_completes_rkt_as_the_program_behind_it():
    assert {"run", "image", "help"} <= bash("rkt", "")[0]
    assert bash("rkt", "image", "")[0] == commands_of("rkt-store") - {"init", "config", "fetch", "import", "trust"}
    assert bash("rkt", "image", "gc", "--gr")[0] == {"--grace-period="}
    assert bash("rkt", "gc", "--gr")[0] == {"--grace-period="}
    assert bash("rkt", "--debug", "run", "--tree", "=", "e")[0] == {"erofs", "extracted"}
    assert bash("rkt", "help", "im")[0] == {"image", "import"}


# ---- shells as people use them


class Terminal:
    """An interactive shell that has loaded the completions."""

    def __init__(self, command, *lines):
        env = dict(os.environ, TERM="dumb", LC_ALL="C.UTF-8", PATH=f"{BUILD}:{os.environ['PATH']}",
                   HOME="/nonexistent", PS1="> ", PS2="")
        self.child = pexpect.spawn(command[0], command[1:], env=env, timeout=60, encoding="utf-8",
                                   dimensions=(50, 200))
        for line in lines:
            self.child.sendline(line)
        self.child.sendline("echo READ''Y")
        self.child.expect("READY")


def argument_of(child, start):
    """Presses the tabulator key after START, and asks the shell for the last argument then."""
    child.send(start + "\t")
    child.send("X\x01printf '<%s>' \x05\r")
    child.expect(r"(?:<[^<>%]*>)+<[^<>%]*X>")
    found = re.findall(r"<([^<>%]*)>", child.match.group(0))
    assert found[-1].endswith("X"), found
    return found[-1][:-1] or found[-2]


def test_bash_completes_at_the_prompt():
    shell = Terminal(["bash", "--norc", "--noprofile", "-i"], f". {DIR}/bash/aci-validate",
                     f". {DIR}/bash/rkt")
    assert argument_of(shell.child, "aci-validate --rend") == "--render-check"
    assert argument_of(shell.child, "aci-validate --type=pod") == "--type=pod-manifest"
    assert argument_of(shell.child, "rkt image cat-m") == "cat-manifest"


def test_bash_completes_images_at_the_prompt(image):
    shell = Terminal(["bash", "--norc", "--noprofile", "-i"], f". {DIR}/bash/rkt", f". {DIR}/bash/rkt-store")
    assert argument_of(shell.child, "rkt image info exam") == "example.com/app"
    assert argument_of(shell.child, "rkt-store extract exam") == "example.com/app"
    assert argument_of(shell.child, f"rkt image rm {image[:20]}") == image


def test_bash_completes_versions_at_the_prompt(versions, tmp_path):
    shell = Terminal(["bash", "--norc", "--noprofile", "-i"], f". {DIR}/bash/rkt", f"cd {tmp_path}")
    assert argument_of(shell.child, "rkt fetch example.com/app:2") == "example.com/app:2.0+b~1"
    assert argument_of(shell.child, "rkt image info example.com/app:1.1") == "example.com/app:1.10"
    assert argument_of(shell.child, "rkt run example.com/app:1") == "example.com/app:1."
    shell.child.send("rkt run example.com/app:\t\t")
    shell.child.expect("1.10.*2.0")


def test_bash_lists_images_whole_at_the_prompt(image, other, tmp_path):
    assert run(["rkt-store", "import", tmp_path / "other.aci"]).status == 0
    cwd = tmp_path / "dir"
    (cwd / "example.com/app").mkdir(parents=True)
    (cwd / "file name").write_text("")
    (cwd / "fol/in").mkdir(parents=True)
    shell = Terminal(["bash", "--norc", "--noprofile", "-i"], f". {DIR}/bash/rkt", f"cd '{cwd}'")
    assert argument_of(shell.child, "rkt run example.com/a") == "example.com/app"
    assert argument_of(shell.child, "rkt run fi") == "file name"
    assert argument_of(shell.child, "rkt run fo") == "fol/"
    assert argument_of(shell.child, "rkt image export x fi") == "file name"
    assert argument_of(shell.child, f"rkt --dir={spelt(other)[0]} image info oth") == "other.org/tool"
    shell.child.send("rkt run \t\t")
    shell.child.expect("fol/")
    assert {"example.com/app", "example.com/", "other.org/tool"} <= set(shell.child.before.split())


def test_zsh_completes_at_the_prompt(tmp_path):
    need("zsh")
    shell = Terminal(["zsh", "-f", "-i"], f"fpath=({DIR}/zsh $fpath)", "autoload -Uz compinit",
                     f"compinit -u -d {tmp_path}/dump", "unsetopt zle_bracketed_paste prompt_sp; bindkey -e")
    for start, end in (
        ("aci-validate --rend", "--render-check"),
        ("aci-validate --type=pod", "--type=pod-manifest"),
        ("rkt-store cat-m", "cat-manifest"),
        ("rkt-store trust mas", "mask"),
        ("rkt-store list --sort=index", "--sort=index-size"),
        ("rkt-store gc --grac", "--grace-period="),
        ("rkt image cat-m", "cat-manifest"),
        ("rkt image gc --grac", "--grace-period="),
        ("rkt run --tree=ext", "--tree=extracted"),
    ):
        assert argument_of(shell.child, start) == end


def test_zsh_completes_images_at_the_prompt(image, tmp_path):
    need("zsh")
    shell = Terminal(["zsh", "-f", "-i"], f"fpath=({DIR}/zsh $fpath)", "autoload -Uz compinit",
                     f"compinit -u -d {tmp_path}/dump", "unsetopt zle_bracketed_paste prompt_sp; bindkey -e")
    assert argument_of(shell.child, "rkt image info exam") == "example.com/app"
    assert argument_of(shell.child, "rkt-store extract exam") == "example.com/app"
    assert argument_of(shell.child, f"rkt image rm {image[:20]}") == image


def zsh_terminal(cwd):
    need("zsh")
    return Terminal(["zsh", "-f", "-i"], f"fpath=({DIR}/zsh $fpath)", "autoload -Uz compinit",
                    f"compinit -u -d {cwd}/dump", "unsetopt zle_bracketed_paste prompt_sp automenu; bindkey -e",
                    f"mkdir {cwd}/dir; cd {cwd}/dir; touch fetched.aci exported")


def test_zsh_offers_files_to_fetch_and_names_to_list(image, tmp_path):
    shell = zsh_terminal(tmp_path)
    assert argument_of(shell.child, "rkt fetch fet") == "fetched.aci"
    assert argument_of(shell.child, "rkt-store fetch fet") == "fetched.aci"
    assert argument_of(shell.child, "rkt image list ") == "example.com/app"


def test_zsh_offers_versions_behind_a_colon(versions, tmp_path):
    shell = zsh_terminal(tmp_path)
    for line in "rkt fetch", "rkt-store fetch x", "rkt run", "rkt image info", "rkt-store rm a:b":
        assert argument_of(shell.child, f"{line} example.com/app:2") == "example.com/app:2.0+b~1", line
        assert argument_of(shell.child, f"{line} example.com/app:1") == "example.com/app:1.", line
        assert argument_of(shell.child, f"{line} exam") == "example.com/app", line
    assert argument_of(shell.child, "rkt image info example.com/app:1.1 exam") == "exam"
    assert {path.name for path in (tmp_path / "dir").iterdir()} == {"fetched.aci", "exported"}


def test_zsh_knows_options_before_both_words_of_a_command(image, other, tmp_path):
    shell = zsh_terminal(tmp_path)
    for options in "--debug", "--dir={}", "--debug --dir {} --no-color", "-dir {} -q":
        line = f"rkt {options} image info".format(spelt(other)[0])
        assert argument_of(shell.child, f"{line} --js") == "--json", line
        name = "other.org/tool" if "dir" in line else "example.com/app"
        assert argument_of(shell.child, f"{line} {name[:3]}") == name, line


def test_zsh_offers_images_only_where_one_may_stand(image, tmp_path):
    shell = zsh_terminal(tmp_path)
    for command in "info", "cat-manifest":
        assert argument_of(shell.child, f"rkt image {command} a exam") == "exam"
    for command in "extract", "export", "render":
        assert argument_of(shell.child, f"rkt image {command} --debug ex") == "example.com/app"
        assert argument_of(shell.child, f"rkt image {command} a ex") == "exported"
        assert argument_of(shell.child, f"rkt image {command} a b ex") == "ex"
    assert argument_of(shell.child, "rkt image rm a exam") == "example.com/app"
    assert argument_of(shell.child, "rkt run exam") == "example.com/app"
    assert argument_of(shell.child, "rkt run a -- exam") == "exam"
    assert argument_of(shell.child, "rkt run a -- b -- exam") == "exam"
    assert argument_of(shell.child, "rkt run a -- b --- exam") == "example.com/app"
    assert argument_of(shell.child, "rkt run a -- b --- c --tree=ext") == "--tree=extracted"


def test_zsh_offers_what_is_in_the_directory_named(image, other, tmp_path):
    shell = zsh_terminal(tmp_path)
    for path in spelt(other):
        for line in ("rkt-store --dir {} info", "rkt-store info --dir={}", "rkt-store info -d {}",
                     "rkt-store -dir {} info", "rkt --dir={} image info", "rkt -dir={} image info",
                     "rkt image info --dir {}", "rkt --dir {} run", "rkt-run --dir {}", "rkt-store info -d{}",
                     "rkt-store -d{} info", "rkt image info -d{}"):
            assert argument_of(shell.child, line.format(path) + " oth") == "other.org/tool", line
            assert argument_of(shell.child, line.format(path) + " exam") == "exam", line
    for line in "rkt image info exam", "rkt-store -debug info exam", "rkt image info -debug exam":
        assert argument_of(shell.child, line) == "example.com/app", line
    shell.child.send('rkt --dir "$(touch evaluated)" image info exam\t\x15echo DO\'\'NE\r')
    shell.child.expect("DONE")
    assert {path.name for path in (tmp_path / "dir").iterdir()} == {"fetched.aci", "exported"}


def test_pods_of_the_directory_named_are_offered(house, tmp_path):
    need("fish")
    assert run(["rkt-run", house.image()]).status == 0
    (pod,) = house.pods()
    (tmp_path / "pods").symlink_to(os.environ["RKT_DIR"])
    path, env = tmp_path / "pods", {"RKT_DIR": "/nonexistent"}
    assert bash("rkt-pod", "status", "", env=env)[0] == set()
    assert bash("rkt-pod", "status", "--dir", path, "", env=env)[0] == {pod}
    assert bash("rkt", "--dir", "=", path, "rm", "", env=env)[0] == {pod}
    assert fish(f"rkt-pod status --dir {path} ", tmp_path, env) == {pod}
    assert fish(f"rkt --dir={path} status ", tmp_path, env) == {pod}


def fish(line, cwd=None, env=None):
    quoted = line.replace("\\", r"\\").replace("'", r"\'")
    result = run(["fish", "--no-config", "-c", f"set fish_complete_path {DIR}/fish; complete -C '{quoted}'"],
                 cwd=cwd, env={"HOME": cwd or "/nonexistent", "PATH": f"{BUILD}:{os.environ['PATH']}", **(env or {})})
    assert result.status == 0, result
    return {reply.partition("\t")[0] for reply in result.out.splitlines()}


@every_program
def test_fish_offers_every_option(program, tmp_path):
    need("fish")
    assert {reply.rstrip("=") for reply in fish(f"{program} --", tmp_path)} == options_of(program)


@pytest.mark.parametrize("program", WITH_COMMANDS)
def test_fish_offers_commands_and_their_options(program, tmp_path):
    need("fish")
    assert fish(f"{program} ", tmp_path) == commands_of(program) | {"help"}
    for command in commands_of(program):
        found = {reply.rstrip("=") for reply in fish(f"{program} {command} --", tmp_path)}
        assert found == options_of(program, command)


def test_fish_offers_choices(tmp_path):
    need("fish")
    assert fish("aci-validate --type=im", tmp_path) == {"--type=image", "--type=image-manifest"}
    assert fish("aci-hash -a sha2", tmp_path) == {"sha256"}


def test_fish_offers_words_of_values_and_operands(tmp_path):
    need("fish")
    assert fish("rkt-store fetch --insecure-options=tl", tmp_path) == {"--insecure-options=tls"}
    assert fish("rkt-store trust ma", tmp_path) == {"mask"}


def test_fish_offers_files_only_where_they_are_wanted(tmp_path):
    need("fish")
    (tmp_path / "a.aci").write_text("")
    assert fish("aci-hash ", tmp_path) == {"a.aci"}
    assert fish("rkt-pod status ", tmp_path) == set()


def test_fish_offers_images_that_are_there(image, tmp_path):
    need("fish")
    assert fish("rkt-store rm ", tmp_path) == {"example.com/app", image}
    assert fish("rkt image info sha256-", tmp_path) == {image}
    assert fish("rkt-store export exam", tmp_path) == {"example.com/app"}


def test_fish_offers_files_to_fetch_and_names_to_list(image, tmp_path):
    need("fish")
    for line in "rkt fetch ap", "rkt-store fetch ap", "rkt-store import ap":
        assert fish(line, tmp_path) == {"app.aci"}
    assert fish("rkt image list ", tmp_path) == {"example.com/app"}


def test_fish_offers_versions_behind_a_colon(versions, tmp_path):
    need("fish")
    cwd = tmp_path / "empty"
    cwd.mkdir()
    whole = {f"example.com/app:{version}" for version in versions}
    for line in "rkt fetch", "rkt-store fetch x", "rkt run", "rkt image info", "rkt-store rm a:b":
        assert fish(f"{line} example.com/app:", cwd) == whole, line
        assert fish(f"{line} example.com/app:2", cwd) == {"example.com/app:2.0+b~1"}, line
        assert fish(f"{line} exam", cwd) == {"example.com/app"}, line
    assert fish("rkt image info example.com/app:1.10 exam", cwd) == set()
    assert not {path.name for path in cwd.iterdir()} & {"evaluated"}


def test_fish_offers_images_only_where_one_may_stand(image, tmp_path):
    need("fish")
    cwd = tmp_path / "dir"
    cwd.mkdir()
    (cwd / "exported").write_text("")
    for command in "info", "cat-manifest":
        assert fish(f"rkt image {command} a ", cwd) == set()
    for command in "extract", "export", "render":
        assert fish(f"rkt image {command} --debug ex", cwd) == {"example.com/app"}
        assert fish(f"rkt image {command} a ", cwd) == {"exported"}
        assert fish(f"rkt image {command} a b ", cwd) == set()
    assert fish("rkt-store export --compress gzip exam", cwd) == {"example.com/app"}
    assert fish("rkt image rm a exam", cwd) == {"example.com/app"}
    assert fish("rkt run ex", cwd) == {"example.com/app", "exported"}
    assert fish("rkt run a -- ex", cwd) == set()
    assert fish("rkt run a -- b --- ex", cwd) == {"example.com/app", "exported"}


def test_fish_offers_what_is_in_the_directory_named(image, other, tmp_path):
    need("fish")
    cwd = tmp_path / "empty"
    cwd.mkdir()
    path = "'" + str(other).replace("'", r"\'") + "'"
    for path in path, re.sub(r"([^\w/.-])", r"\\\1", str(other)):
        for line in ("rkt-store --dir {} info", "rkt-store info --dir={}", "rkt-store info -d {}",
                     "rkt-store -dir {} info", "rkt --dir={} image info", "rkt -dir={} image info",
                     "rkt -dir {} image info", "rkt image info --dir {}", "rkt --dir {} run",
                     "rkt-run --dir {}", "rkt-store info -d{}", "rkt-store -d{} info", "rkt image info -d{}"):
            assert fish(line.format(path) + " oth", cwd) == {"other.org/tool"}, line
            assert fish(line.format(path) + " exam", cwd) == set(), line
    for line in "rkt-store -debug info exam", "rkt image info -debug exam", "rkt-run -debug exam":
        assert fish(line, cwd) == {"example.com/app"}, line
    assert fish("rkt --dir (touch evaluated) image info exam", cwd) == set()
    assert not {path.name for path in cwd.iterdir()} & {"evaluated"}


def test_fish_completes_rkt_as_the_program_behind_it(tmp_path):
    need("fish")
    assert {"run", "image", "help"} <= fish("rkt ", tmp_path)
    assert fish("rkt image ", tmp_path) == commands_of("rkt-store") - {"init", "config", "fetch", "import", "trust"}
    assert {reply.rstrip("=") for reply in fish("rkt image gc --gr", tmp_path)} == {"--grace-period"}
    assert fish("rkt --dir x run --tree=e", tmp_path) == {"--tree=erofs", "--tree=extracted"}


# ---- installed


def test_installed_where_the_shells_look(tmp_path):
    made = subprocess.run(
        ["make", "-s", "-C", BUILD, "install-data-am", f"DESTDIR={tmp_path}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert made.returncode == 0, made.stdout.decode()
    found = {path.relative_to(tmp_path).as_posix().split("/share/", 1)[1]
             for path in pathlib.Path(tmp_path).rglob("*") if "/share/" in path.as_posix() and path.is_file()}
    for program in PROGRAMS:
        assert {f"bash-completion/completions/{program}", f"zsh/site-functions/_{program}",
                f"fish/vendor_completions.d/{program}.fish"} <= found
