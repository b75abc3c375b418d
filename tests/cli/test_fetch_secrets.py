"""Secrets of a fetch are where they must be and nowhere else (S-029): every system call is looked at.

A secret may be in the words that a person typed (the execve of these), in the file that it was read from, and
on the wire, where TLS has it. It is in nothing else that a process of ours writes, sends, runs or shows.
"""

import base64
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading
import time

import pytest
from conftest import is_sanitized, needs_root, run, tool
from fetchlib import SOON, other, pki, web  # noqa: F401
from storelib import image_tar, write

SECRET = "s3cret/w0rd+x"  # what a URL, a shell and base64 would each write in their own way
TYPED = "s3cretw0rdx"
needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def forms(secret):
    """SECRET as it is, in parts, and as basic authentication sends it."""
    basic = base64.b64encode(f"me:{secret}".encode()).decode()
    quoted = "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in secret)
    return {secret, basic, quoted, quoted.lower(), secret[1:-1]}


def assert_without(text, secret, where):
    for form in forms(secret):
        assert form not in text, f"{form!r} is in {where}: {text[max(text.find(form) - 300, 0):][:700]}"


# ---- where secrets come from: each returns (what is typed, user info for the URL, the file) ------------------


def in_the_url(folder, web, kind):
    return [], f"me:{TYPED}@", TYPED, None


def in_a_header(folder, web, kind):
    return [f"--header=X-Token: {TYPED}", "--header", f"Cookie: {TYPED}"], "", TYPED, None


def in_auth_d(folder, web, kind):
    credentials = {
        "basic": {"user": "me", "password": SECRET},
        "oauth": {"token": SECRET},
        "aws": {"accessKeyID": "me", "secretAccessKey": SECRET},
    }[kind]
    (folder / "config/auth.d").mkdir(parents=True)
    file = folder / "config/auth.d/a.json"
    file.touch(mode=0o600)
    # not as JSON would write it for a browser: "/" as itself
    file.write_text(json.dumps({"rktKind": "auth", "rktVersion": "v1", "domains": [web.host], "type": kind,
                                "credentials": credentials}))
    return [], "", SECRET, file


def in_a_key(folder, web, kind):
    """A client's certificate: a line of its key is the secret."""
    file = folder / "client.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=me", "-keyout",
         folder / "client.key", "-out", folder / "client.crt"], check=True, stderr=subprocess.DEVNULL)
    key = (folder / "client.key").read_text()
    write(file, ((folder / "client.crt").read_text() + key).encode())
    return ["--cert", file], "", key.splitlines()[5], file


SOURCES = [(in_the_url, ""), (in_a_header, ""), (in_auth_d, "basic"), (in_auth_d, "oauth"), (in_auth_d, "aws"),
           (in_a_key, "")]
every_source = pytest.mark.parametrize(
    "source, kind", SOURCES, ids=[f"{source.__name__}{kind and '-'}{kind}" for source, kind in SOURCES])


# ---- strace --------------------------------------------------------------------------------------------------


def check_trace(trace, secret, file):
    """No call of TRACE has the secret but those that must."""
    read = False
    for line in trace.read_text(errors="surrogateescape").splitlines():
        if not any(form in line for form in forms(secret)):
            continue
        call = re.sub(r"^\d+ +", "", line)
        if file is None and re.match(r'execve\("[^"]*/rkt-store", ', call):
            continue  # what was typed
        if file is None and re.search(r'read.*"[^"]*/rkt-store\\0', call):
            continue  # AddressSanitizer reads the words of its own process
        if file and re.match(r"(read|pread64|<\.\.\. (read|pread64) resumed>)", call):
            read = True
            continue
        assert_without(call, secret, "a system call")
    assert read or file is None  # it was looked for in the right way


def check_files(folder, secret, *but):
    """Nor has a file."""
    for path in folder.rglob("*"):
        if path.is_file() and path not in but:
            assert_without(path.read_bytes().decode("latin-1"), secret, path)


ENDINGS = {
    "good": ["a.aci", "away"], "bad": ["none.aci", "401", "broken.aci"], "no authority": ["a.aci"],
    "all": ["a.aci", "away", "none.aci", "401"],
}
FACES = [("good", ""), ("bad", ""), ("no authority", ""), ("all", "--json"), ("all", "--debug")]


def serve(web, other):
    body = image_tar()
    web.file("/a.aci", body)
    other.file("/a.aci", body)
    web.redirect("/away", f"{other.url}/a.aci")
    web.status("/401", 401, {"WWW-Authenticate": "Basic realm=x"})
    web.file("/broken.aci", body, ranges=False, end_at=[100, 200])


@needs_root  # strace of others sees nothing of a process that hides its memory
@needs_strace
@every_source
@pytest.mark.parametrize("ending, face", FACES)
def test_no_system_call_has_a_secret(data_dir, tmp_path, web, other, source, kind, ending, face):
    serve(web, other)
    typed, user, secret, file = source(tmp_path, web, kind)
    trace = tmp_path / "trace"
    urls = [f"{web.url}/{path}".replace("://", f"://{user}") for path in ENDINGS[ending]]
    authority = [] if ending == "no authority" else ["--cacert", web.ca]
    result = run(
        ["strace", "-f", "-v", "-s", "65535", "-o", trace, tool("rkt-store"), "fetch", *authority, *SOON, "--tries=2",
         "--insecure-options=image", *([face] if face else []), *typed, *urls],
        env={"RKT_LOCAL_CONFIG": tmp_path / "config", "HOME": tmp_path, "ASAN_OPTIONS": "detect_leaks=0"})
    assert (result.status == 0) == (ending == "good"), result
    assert_without(result.out + result.err, secret, "what is shown")
    check_trace(trace, secret, file)
    check_files(tmp_path, secret, trace, file, tmp_path / "client.key")


FETCH = ["rkt-store", "fetch", "--insecure-options=image"]
TRUST = ["rkt-store", "trust", "--root", "--yes"]
RUN = ["rkt-run", "--insecure-options=image"]


# ---- while it runs -------------------------------------------------------------------------------------------


@pytest.fixture
def under_way(data_dir, tmp_path, web):
    """A function that begins a fetch with secrets, and returns it when it waits in the middle of its body."""
    began, done = threading.Event(), threading.Event()

    def hang(handler, _):
        handler.reply(200, b"x" * 1000, length=100_000)
        handler.wfile.flush()
        began.set()
        done.wait(60)

    web.route("/a.aci", hang)
    started = []

    def start(*args, command=FETCH, **more):
        url = f"{web.url}/a.aci".replace("://", f"://me:{TYPED}@")
        words = [tool(command[0]), *command[1:], *args, url]
        more.setdefault("env", {**os.environ, "RKT_CACERT": str(web.ca)})
        process = subprocess.Popen([str(word) for word in words], cwd=tmp_path, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        started.append(process)
        assert began.wait(60)
        time.sleep(0.3)
        return process

    yield start
    done.set()
    for process in started:
        process.kill()
        process.wait()


def test_the_list_of_processes_has_no_secret(under_way, web):
    process = under_way(f"--header=X-Token: {TYPED}", "--header", f"Cookie: {TYPED}", f"-header=X-A: {TYPED}",
                        "-header", f"X-B: {TYPED}")
    words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text()
    assert "\0fetch\0" in words and web.host in words and "X-Token" in words
    assert_without(words, TYPED, "cmdline")
    assert len(web.requests) == 1 and web.requests[0].headers["x-token"] == TYPED
    assert web.requests[0].headers["authorization"] == f"Basic {base64.b64encode(f'me:{TYPED}'.encode()).decode()}"


@pytest.mark.parametrize("command", [TRUST, pytest.param(RUN, marks=needs_root)], ids=["trust", "run"])
def test_nor_have_others_who_ask_the_web(under_way, web, command):
    """While a key comes and a person is asked; until an image has come."""
    process = under_way(command=command)
    words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text()
    assert words.startswith(tool(command[0])) and web.host in words
    assert_without(words, TYPED, "cmdline")
    assert web.requests[0].headers["authorization"] == f"Basic {base64.b64encode(f'me:{TYPED}'.encode()).decode()}"


SLIPS = [  # URLs as they are mistyped, which are refused
    "me:SECRET@example.com/app", "me:SECRET@example.com/app.aci", "https:me:SECRET@example.com/app",
    "https:/me:SECRET@example.com/a.aci", "https//me:SECRET@example.com/app", "HTTP//me:SECRET@example.com/a.aci",
    "//me:SECRET@example.com/a", "me:x,SECRET@example.com/app", "me:x/SECRET@example.com/app", "me:SECRET@x@example.com/app",
    "file://me:SECRET@example.com/a", "docker://me:SECRET@example.com/app", "https://me:x/SECRET@example.com/app",
    "https://me:x?SECRET@example.com/app", "https://me:x/SECRET@x@example.com/app",
    "--signature=me:SECRET@example.com/a", "--signature=https://me:x/SECRET@example.com/a"]


def test_mistyped_urls_hide_their_password_too(under_way):
    process = under_way("--", *(slip.replace("SECRET", TYPED) for slip in SLIPS))
    words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text()
    assert_without(words, TYPED, "cmdline")
    assert words.count("@example.com/a") == len(SLIPS) and words.count("\0--signature=") == 2


def test_what_has_no_password_is_shown(under_way):
    references = ["example.invalid/app:1.0@rc", "example.invalid/app,version=a:b@c", "app,version=a:b@c", "./a:b@c.aci",
                  "https://127.0.0.1:1/app@2:1.aci", "https://127.0.0.1:1/?a:b@c", "a@b:c/d",
                  "https.example.invalid/app:1@2", "https://[::1]:1/a@2.aci"]
    process = under_way(*references)
    words = pathlib.Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
    assert [word for word in references if word not in words] == []


@pytest.mark.parametrize("command", [FETCH, TRUST], ids=["fetch", "trust"])
def test_memory_goes_to_no_file(under_way, tmp_path, command):
    """A process that has a secret leaves no core."""
    if is_sanitized():
        pytest.skip("AddressSanitizer looks into our memory, which the plain build lets nobody do")

    def with_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)

    def abort(process):
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = 0
        assert os.WTERMSIG(status) == signal.SIGABRT
        return os.WCOREDUMP(status)

    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY and os.geteuid() != 0:
        pytest.skip("no cores here")
    if not abort(subprocess.Popen(["sleep", "60"], cwd=tmp_path, preexec_fn=with_cores)):
        pytest.skip("the kernel writes no cores here")
    assert not abort(under_way(command=command, preexec_fn=with_cores))
