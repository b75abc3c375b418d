"""Discovery pages are read by a program of their own, rkt-read-page, which may fall to them (S-030)."""

import os
import pathlib
import platform
import shutil
import signal
import subprocess
import time

import pytest
from acilib import (  # noqa: F401 (fixtures)
    only_noexec_memory, only_x86_64, public_dir, without_filters, without_noexec_memory)
from conftest import is_sanitized, needs_root, run, tool
from fetchlib import SOON, pki, proxy, unsigned, web  # noqa: F401 (fixtures)
from storelib import assert_one_line, image_tar, write

NAME = "example.com/app"
READER = "rkt-read-page"
SECRET = "geheim"


def tag(content, name="ac-discovery"):
    return f'<meta name="{name}" content="{content}">'


HERE = tag(f"{NAME} https://example.com/here.{{ext}}")


# ---- pages, as they come


@pytest.fixture
def find(web, proxy, data_dir):
    """A function that asks for NAME, whose page is the first argument. The image lies at /here.aci."""
    web.file("/here.aci", image_tar(NAME))

    def it(page, *more, name=NAME):
        web.file("/app", page if isinstance(page, bytes) else page.encode())
        return unsigned(web, name, *more, env={"https_proxy": proxy.url})

    return it


@pytest.mark.parametrize("page", [
    HERE, f"<!DOCTYPE html><HTML><HEAD>{HERE}</HEAD><BODY>", f"<head><title>a</title><bogus>{'</bogus>'}{HERE}",
    f"<head>{tag('')}{tag('example.com')}{tag('a b c')}{tag('A https://x/')}<meta name=ac-discovery>{HERE}",
    f"<head>{tag('example.com/other https://example.com/no.{ext}')}{HERE}", f"<head>{HERE * 1000}",
    f"<head>{tag('example.com https://example.com/&#228;&#127;&#x1b;[m.{ext}')}{HERE}",
    f"<head>{HERE}<meta x='" + "x" * 200_000, f"<head>{HERE}</head>" + "<div>" * 180_000,
    b"\xef\xbb\xbf<head><!-- \xff\xfe\0 -->" + HERE.encode(),
    f"<head>{tag('example.com ' + 'x' * 60_000)}{HERE}", " " * 1_000_000 + HERE,
], ids=["bare", "upper case", "bogus", "faults", "other", "a thousand", "by number", "cut off", "deep", "bytes", "long",
        "spaces"])
def test_pages_however_odd_that_say_where(find, page):
    result = find(page)
    assert (result.status, result.err) == (0, ""), result


@pytest.mark.parametrize("page, words", [
    ("", "has no tag"), ("plain words", "has no tag"), (f"<body>{HERE}", "has no tag"),
    (f"<head><script>{HERE}</script>", "has no tag"), (f"<head><!--{HERE}", "has no tag"),
    (f"<head>{tag('example.com')}", "has no tag"), (f"<head>{'<b>' * 10_000}{HERE}", "has no tag"),
    (f"<head>{HERE * 1001}", "more than 1000 tags"),
    (f"<head><!-- {'x' * 200_000}{HERE}", "more than 64 KiB"),
    (f"<head><meta {'a b c d ' * 20_000}>{HERE}", "more than 64 KiB"),
    (HERE + " " * 1_048_576, "more than 1048576 bytes"),
    (f"<head>{tag('example.com/app https://example.com/&#228;.{ext}')}", "characters that no URL has"),
], ids=["empty", "words", "body", "script", "comment", "short", "deep", "many", "long comment", "long tag", "large",
        "by number"])
def test_pages_that_say_nothing(find, page, words):
    assert_one_line(find(page), 3, "was not found", words)


def test_of_a_name_with_many_parts_the_nearest_pages_are_asked_for(find, web):
    """An image may need another of any name, whose host never asked for that many questions."""
    name = "example.com" + "/a" * 31
    result = find(tag(f"{NAME} https://example.com/here.{{ext}}"), name=name)
    pages = [asked.path for asked in web.requests if "ac-discovery" in asked.path]
    assert len(pages) == 32 and pages[-1] == "/?ac-discovery=1" and "not asked for" not in result.err
    del web.requests[:]
    assert_one_line(find("", name=name + "/a"), 4, "https://example.com?ac-discovery=1: not asked for, after 32")
    assert [asked.path for asked in web.requests if "ac-discovery" in asked.path] == [
        f"/{'/'.join('a' * count)}?ac-discovery=1" for count in range(32, 0, -1)]


def test_of_many_places_the_first_are_asked(find, web):
    """The hosts of a page need not be those of who made it."""
    result = find("".join(tag(f"{NAME} https://example.com/{number}.{{ext}}") for number in range(40)))
    assert_one_line(result, 3, "was not found", "/31.aci", "names more places, which nobody asked")
    assert web.asked("/31.aci") and not web.asked("/32.aci")


def test_many_pages_are_read_at_once(web, proxy, data_dir):
    names = [f"example.com/n{number}" for number in range(24)]
    for number, name in enumerate(names):
        web.file(f"/n{number}", tag(f"{name} https://example.com/i{number}.{{ext}}").encode())
        web.file(f"/i{number}.aci", image_tar(name))
    result = unsigned(web, "--jobs=8", *names, env={"https_proxy": proxy.url})
    assert (result.status, result.err, len(result.out.splitlines())) == (0, "", len(names)), result


def test_who_asks_may_be_started_with_children_ignored(web, proxy, data_dir):
    """As some daemons do, which then have no child to wait for."""
    web.file("/here.aci", image_tar(NAME))
    web.file("/app", HERE.encode())
    result = unsigned(web, NAME, env={"https_proxy": proxy.url},
                      preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert (result.status, result.err) == (0, ""), result


@only_x86_64
@pytest.mark.parametrize("kernel", [without_noexec_memory, only_noexec_memory])
def test_pages_and_indexes_lie_in_memory_that_every_kernel_allows(web, proxy, data_dir, kernel):
    web.file("/here.aci", image_tar(NAME))
    web.file("/app", HERE.encode())
    result = unsigned(web, NAME, env={"https_proxy": proxy.url}, preexec_fn=kernel)
    assert (result.status, result.err) == (0, ""), result
    result = run(["rkt-store", "verify"], preexec_fn=kernel)
    assert (result.status, result.err) == (0, ""), result


# ---- a reader that is taken over


@pytest.fixture
def apart(web, proxy, data_dir, tmp_path):
    """A function that asks for NAME by a copy of the program, beside which lies the reader that SCRIPT is (None: that
    is not there). The image lies at /here.aci, and the page of example.com says so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(tool("rkt-store"), folder)
    shutil.copy(tool(READER), folder / "real")
    web.file("/here.aci", image_tar(NAME))
    web.file("/app", b"<head><!-- poison -->" + HERE.encode())
    web.file("/", tag("example.com https://example.com/here.{ext}").encode())

    def it(script, *args, env=()):
        if script is not None:
            write(folder / READER, f"#!/bin/sh\n{script}\n".encode()).chmod(0o755)
        env = {"https_proxy": proxy.url, **dict(env)}
        args = args or ["fetch", *SOON, "--insecure-options=image", NAME]
        return run([folder / "rkt-store", *args, "--cacert", web.ca], env=env)

    it.folder = folder
    return it


def test_a_reader_beside_the_program_is_the_one(apart):
    result = apart('exec "${0%/*}/real"')
    assert (result.status, result.err) == (0, ""), result


def answer(*lines, end="end"):
    return f"cat <<'END'\n{chr(10).join([*lines, end])}\nEND"


GOOD = f"discovery {NAME} https://example.com/here.{{ext}}"


@pytest.mark.parametrize("script, words", [
    ("kill -9 $$", "was killed by signal 9"),
    ("kill -11 $$", "was killed by signal 11"),
    ("exit 127", "ended with status 127"),
    (f"{answer(GOOD)}\nexit 1", "ended with status 1"),
    ("exit 0", "gave no answer"),
    ("cat", "gave no answer"),
    ("yes", "printed more than"),
    (f"printf '{GOOD}'", "gave no answer"),
    (answer(GOOD, end="fin"), "line 2 is no tag"),
    (answer(GOOD, "end"), "more than an end"),
    (answer(GOOD, end="end !large"), "more than an end"),
    (answer("discovery * https://example.com/here.{ext}"), "line 1 is no tag"),
    (answer(f"discovery {NAME} https://example.com/here.{{ext}} x"), "line 1 is no tag"),
    (answer(f"discovery {NAME} https://example.com/\x1b[31m.{{ext}}"), "line 1 is none"),
    (answer(f"discovery {NAME} https://example.com/ä.{{ext}}"), "line 1 is none"),
    (answer(*[GOOD] * 1001), "line 1001 is no tag"),
    (f"echo boo >&2; {answer('boo')}", "line 1 is no tag"),
], ids=["killed", "crashed", "no library", "failed", "silent", "page", "endless", "cut off", "no end", "two ends",
        "fault and tags", "prefix", "three words", "escape", "beyond ASCII", "too many", "on stderr"])
def test_a_reader_that_lies_or_dies_is_told_in_a_line(apart, script, words):
    result = apart(script)
    assert_one_line(result, 1, f"{NAME}?ac-discovery=1: ", "example.com?ac-discovery=1: ", str(apart.folder / READER),
                    words, "give the URL of the file itself")
    assert "boo" not in result.err


def test_without_a_reader_it_is_said_what_is_missing(apart):
    result = apart(None)
    if result.status == 0:
        pytest.skip("an installed reader answers")
    assert_one_line(result, 1, f"/{READER} is not there", "install all of Rocket", "give the URL of the file itself")


def test_the_page_that_kills_the_reader_hides_no_other(apart, web):
    script = 'page=$(cat); case $page in *poison*) kill -9 $$ ;; esac; echo "$page" | "${0%/*}/real"'
    result = apart(script)
    assert (result.status, result.err) == (0, ""), result
    assert web.asked("/app") and web.asked("/here.aci")


def test_keys_are_found_in_the_same_way(apart, web):
    trust = ["trust", "--yes", f"--prefix={NAME}"]
    web.file("/app", tag(f"{NAME} https://example.com/key", "ac-discovery-pubkeys").encode())
    web.status("/key", 404)
    assert_one_line(apart('exec "${0%/*}/real"', *trust), 3, "key https://example.com/key: ")
    assert web.asked("/key")
    result = apart("kill -9 $$", *trust)
    assert_one_line(result, 1, "was killed by signal 9", "give the URL of the file itself")
    assert_one_line(apart(answer(f"pubkeys {NAME} file:///etc/shadow"), *trust), 3, "names no key")


def test_a_reader_that_says_where_can_say_no_more_than_a_page(apart, web):
    """Where an image is; not under what name it is taken, nor of what kind a URL is."""
    web.file("/other.aci", image_tar("example.com/other"))
    result = apart(answer(f"discovery {NAME} https://example.com/other.{{ext}}"))
    assert_one_line(result, 4, "example.com/other")
    for url in "http://example.com/here.{ext}", "file:///here.{ext}", "/here.{ext}", "https://me:x@example.com/h.{ext}":
        assert apart(answer(f"discovery {NAME} {url}")).status != 0, url
    assert web.asked("/here.aci") == []


def test_the_reader_gets_nothing_of_who_asks(apart, tmp_path, proxy):
    """S-029: neither environment nor files; errors go nowhere."""
    seen = tmp_path / "seen"
    script = (f"{{ cat /proc/$$/environ; echo; readlink /proc/$$/fd/[0-9]; cat /proc/$$/cmdline; }} >{seen}\n"
              f'exec "${{0%/*}}/real"')
    url = proxy.url.replace("://", f"://me:{SECRET}@")
    result = apart(script, env={"https_proxy": url, "TOKEN": SECRET})
    assert result.status == 0, result
    environ, *files, words = seen.read_text().splitlines()
    assert environ == "", environ
    # the shell holds its script, too
    files = [file for file in files if not file.endswith((READER, "/seen")) and "pipe:" not in file]
    assert len(files) == 2 and files[0].startswith("/memfd:") and files[1] == "/dev/null", seen.read_text()
    assert SECRET not in words


# ---- what the reader does to itself


def reading(*more_files, before=()):
    """rkt-read-page, which waits for the rest of a page. The words BEFORE run it."""
    process = subprocess.Popen([*before, tool(READER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=more_files)
    process.stdin.write(HERE.encode())
    process.stdin.flush()
    wanted = pathlib.Path(f"/proc/{process.pid}/syscall")
    for _ in range(100):
        time.sleep(0.02)
        if wanted.read_text().startswith("0 0x0 "):  # read() of standard input
            return process
    process.kill()
    raise AssertionError("it does not read")


def limits_of(process):
    lines = pathlib.Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


@needs_root
def test_the_reader_gives_up_what_it_can_do_without():
    ours = os.open("/dev/null", os.O_RDONLY)
    process = reading(ours)
    try:
        limits = limits_of(process)
        files = os.listdir(f"/proc/{process.pid}/fd")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    finally:
        os.close(ours)
        out, _ = process.communicate(timeout=60)
    assert out.decode() == f"{GOOD}\nend\n"
    assert sorted(files) == ["0", "1", "2"]
    assert "NoNewPrivs:\t1\n" in status
    assert limits["Max cpu time"] == ["10", "10"] and limits["Max core file size"] == ["0", "0"]
    if is_sanitized():
        return
    assert "Uid:\t65534\t65534\t65534\t65534\n" in status and "Groups:\t \n" in status
    assert "CapEff:\t0000000000000000\n" in status
    assert limits["Max open files"] == ["0", "0"] and limits["Max processes"] == ["0", "0"]
    assert limits["Max address space"] == [str(256 << 20)] * 2


@needs_root
def test_a_root_that_can_become_nobody_else_has_no_capability_either():
    """As in some containers."""
    if is_sanitized():
        pytest.skip("the sanitizer needs what the plain build gives up")
    process = reading(before=["setpriv", "--bounding-set=-setuid,-setgid"])
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    process.communicate(timeout=60)
    assert "Uid:\t0\t0\t0\t0\n" in status
    assert "CapEff:\t0000000000000000\n" in status and "CapPrm:\t0000000000000000\n" in status


# ---- what who has taken over the reader can do

# Parsing a page is doing what ACT says: "did" and "cannot" are told unless the kernel ends it before.
TAKEN_OVER = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int act(const char *what)
{
	pid_t victim = atoi(getenv("VICTIM"));
	char path[64], bytes[4];
	struct iovec ours = { bytes, sizeof bytes };
	struct iovec its = { (void *)strtoul(getenv("ADDRESS"), NULL, 16), sizeof bytes };

	close(0); /* a number is free now */
	if (!strcmp(what, "open"))
		return open("/etc/passwd", O_RDONLY);
	if (!strcmp(what, "open memory")) {
		snprintf(path, sizeof path, "/proc/%d/mem", victim);
		return open(path, O_RDWR);
	}
	if (!strcmp(what, "socket"))
		return socket(AF_INET, SOCK_STREAM, 0);
	if (!strcmp(what, "fork"))
		return fork();
	if (!strcmp(what, "exec"))
		return execl("/bin/echo", "echo", "did", NULL);
	if (!strcmp(what, "unlink"))
		return unlink(getenv("FILE"));
	if (!strcmp(what, "kill"))
		return kill(victim, SIGKILL);
	if (!strcmp(what, "read memory"))
		return process_vm_readv(victim, &ours, 1, &its, 1, 0) > 0 ? 0 : -1;
	if (!strcmp(what, "ptrace"))
		return ptrace(PTRACE_SEIZE, victim, 0, 0);
	return -1;
}

void *htmlCtxtReadIO(void)
{
	const char *what = getenv("ACT");

	write(1, "began\n", 6);
	if (act(what) >= 0)
		write(1, "did\n", 4);
	else
		write(1, "cannot\n", 7);
	_exit(0);
}
"""
ACTS = ["open", "open memory", "socket", "fork", "exec", "unlink", "kill", "read memory", "ptrace"]


@pytest.fixture(scope="module")
def taking_over(tmp_path_factory):
    """The library that is what a page has made of libxml2."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    if is_sanitized():
        pytest.skip("the sanitizer needs what the plain build gives up")
    folder = tmp_path_factory.mktemp("taking-over")
    source = write(folder / "it.c", TAKEN_OVER.encode())
    subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", folder / "it.so", source], check=True)
    return folder / "it.so"


@pytest.fixture
def take_over(taking_over, public_dir):
    """A function that does ACT in the reader that USER runs. What it is done to, of that user too, are the file .file
    and the process .victim."""
    library = shutil.copy(taking_over, public_dir)
    program = shutil.copy(tool(READER), public_dir)
    victims = []

    def it(act, user, preexec_fn=None):
        it.file = write(public_dir / "file", b"mine")
        before = []
        if user == "ordinary":
            before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            os.chown(public_dir, 65534, 65534)
        it.victim = subprocess.Popen([*before, "sleep", "60"])
        victims.append(it.victim)
        while pathlib.Path(f"/proc/{it.victim.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        maps = pathlib.Path(f"/proc/{it.victim.pid}/maps").read_text()
        env = {"LD_PRELOAD": library, "ACT": act, "VICTIM": it.victim.pid, "ADDRESS": maps.split("-")[0], "FILE": it.file}
        words = [f"{key}={value}" for key, value in env.items()]
        return run([*before, "env", *words, program], stdin=HERE.encode(), preexec_fn=preexec_fn)

    yield it
    for victim in victims:
        victim.kill()
        victim.wait()


def has_filters():
    return platform.machine() in ("x86_64", "aarch64") and "\nSeccomp:" in pathlib.Path("/proc/self/status").read_text()


@needs_root  # to be both
@pytest.mark.parametrize("user", ["root", "ordinary"])
@pytest.mark.parametrize("act", ACTS)
def test_a_reader_that_is_taken_over_is_killed_by_what_it_tries(take_over, user, act):
    if not has_filters():
        pytest.skip("no filters for system calls here")
    result = take_over(act, user)
    assert (result.status, result.out) == (-signal.SIGSYS, "began\n"), result
    assert take_over.file.read_bytes() == b"mine" and take_over.victim.poll() is None


@needs_root
@only_x86_64
@pytest.mark.parametrize("user, act", [
    *[("root", act) for act in ACTS], *[("ordinary", act) for act in ("open", "open memory", "socket", "fork")]])
def test_without_filters_in_the_kernel_it_makes_nothing(take_over, user, act):
    """What is left then to an ordinary user's reader is in SECURITY.md; root's is nobody."""
    result = take_over(act, user, preexec_fn=without_filters)
    assert result.status != -signal.SIGSYS and result.out in ("began\ncannot\n", "began\n"), result
    assert take_over.victim.poll() is None


def test_the_reader_tells_people_on_a_terminal(tmp_path):
    """Asking what kind of a file it prints to is a system call, too."""
    page = write(tmp_path / "page", HERE.encode())
    large = write(tmp_path / "large", b"x" * ((1 << 20) + 1))
    for file, words in (page, f"{GOOD}\r\nend\r\n"), (large, "1048576 bytes\r\n"):
        result = run(["script", "-qec", f"{tool(READER)} <{file}", "/dev/null"], env={"TERM": "xterm"})
        assert result.out.endswith(words), result


def test_the_reader_is_for_programs():
    assert "rkt-store fetch" in run([READER, "--help"]).out
    result = run([READER, "page.html"])
    assert result.status == 2 and result.err.startswith(f"{READER}: ") and "--help" in result.err, result
    result = run([READER], stdin=b"x" * (1 << 20) + b"x")
    assert result.status == 4 and "1048576" in result.err, result
