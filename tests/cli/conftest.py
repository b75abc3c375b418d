"""What the black-box tests share: the built programs, fresh data directories, images to chew on.

Nothing here imports or mocks any part of Rocket: tests see what a user sees.
"""

import gzip
import io
import json
import lzma
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import pytest

BUILD = pathlib.Path(os.environ.get("top_builddir", ".")).resolve()
SOURCE = pathlib.Path(os.environ.get("top_srcdir", pathlib.Path(__file__).parents[2])).resolve()

TIMEOUT_SEC = 120

# who runs the tests behind nohup(1) or "&" has these ignored, and so would all that is started here
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Result:
    """How a program ended: .status (negative: killed by that signal), .out, .err (text)."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="surrogateescape")
        self.err = done.stderr.decode(errors="surrogateescape")

    def __repr__(self):
        return f"<status {self.status}\nout: {self.out}\nerr: {self.err}>"


def tool(name):
    """The path of a built program."""
    return str(BUILD / name)


def run(args, stdin=b"", env=None, cwd=None, timeout=TIMEOUT_SEC, preexec_fn=None, pass_fds=()):
    """Runs ARGS; a first word without a slash that names a built program is that program."""
    args = [str(arg) for arg in args]
    if "/" not in args[0] and (BUILD / args[0]).exists():
        args[0] = tool(args[0])
    full = dict(os.environ)
    full.update({key: str(value) for key, value in (env or {}).items()})
    done = subprocess.run(
        args,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=full,
        cwd=cwd,
        timeout=timeout,
        preexec_fn=preexec_fn,
        pass_fds=pass_fds,
        check=False,
    )
    return Result(done)


def meddled(args, what, path, *options, log="/dev/null"):
    """The words that run ARGS while strace(1) meddles with system calls; PATH: only those about this file. OPTIONS
    are of strace."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    only = ["-P", path] if path else []
    return [str(word) for word in ["strace", "-f", *options, "-o", log, *only, "-e", f"inject={what}", *args]]


# LeakSanitizer cannot look at what strace looks at
UNDER_STRACE = {"ASAN_OPTIONS": "detect_leaks=0"}


class Held(subprocess.Popen):
    """ARGS, held by strace(1) at their system call number WHEN of those called CALL (about the file PATH): before
    it, or AFTER it. However slow the machine is, they stay there until release(). MORE is for Popen; the process
    is the program itself. Calls are counted of each thread for itself."""

    def __init__(self, args, call, path=None, when=1, after=False, **more):
        self.mark = "(DELAYED)" if after else f"{call}("
        self.marks = 1 if after else when
        self.log = tempfile.NamedTemporaryFile(prefix="rkt-test-")
        for_ever = f"{call}:delay_{'exit' if after else 'enter'}=2000000000:when={when}"
        words = meddled(args, for_ever, path, "-D", "-e", f"trace={call}", log=self.log.name)
        super().__init__(words, env={**os.environ, **UNDER_STRACE}, **more)

    def is_held(self):
        return pathlib.Path(self.log.name).read_text().count(self.mark) >= self.marks

    def wait_held(self, seconds=60):
        """Returns it when it is there."""
        end = time.monotonic() + seconds
        while not self.is_held():
            assert self.poll() is None and time.monotonic() < end, "it does not come to that call"
            time.sleep(0.002)
        return self

    def release(self):
        """Lets it run to its end: whom nobody traces any more goes on."""
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except FileNotFoundError:
            return
        tracer = int(re.search(r"^TracerPid:\t(\d+)$", status, re.MULTILINE)[1])
        if tracer:
            os.kill(tracer, signal.SIGKILL)

    def kill(self):
        """What is killed while it is held ends when it is released."""
        super().kill()
        self.release()

    def __exit__(self, *why):
        if why[0]:
            self.kill()  # it may not have come to that call yet, and nobody would let it go on then
        self.release()
        super().__exit__(*why)
        self.log.close()


def run_failing(args, error, path=None):
    """Runs ARGS with an ERROR of a system call: "pread64:error=EIO"."""
    return run(meddled(args, error, path), env=UNDER_STRACE)


def manifest(name="example.com/test", exec_=("/bin/true",), **more):
    """A valid image manifest as a dict; MORE replaces top-level fields."""
    value = {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": name,
        "labels": [
            {"name": "version", "value": "1.0.0"},
            {"name": "os", "value": "linux"},
            {"name": "arch", "value": "amd64"},
        ],
        "app": {"exec": list(exec_), "user": "0", "group": "0"},
    }
    value.update(more)
    return value


def entry(name, data=None, **more):
    """A (TarInfo, bytes) pair: a regular file when DATA is given, else a directory.

    MORE sets TarInfo fields: mode, uid, gid, mtime, type, linkname, pax_headers, ...
    """
    info = tarfile.TarInfo(name)
    info.mtime = 1418290200
    if data is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    else:
        data = data.encode() if isinstance(data, str) else data
        info.size, info.mode = len(data), 0o644
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def symlink(name, target):
    return entry(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)


def hardlink(name, target):
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def tar_bytes(pairs):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in pairs:
            archive.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def make_aci(path, entries=(), manifest_=None, compression="gzip"):
    """Writes an ACI: the manifest (a dict, text or bytes), `rootfs`, then ENTRIES below it as
    given (names must begin with rootfs/). Returns PATH."""
    text = manifest_ if manifest_ is not None else manifest()
    if isinstance(text, dict):
        text = json.dumps(text)
    tar = tar_bytes([entry("manifest", text), entry("rootfs"), *entries])
    pathlib.Path(path).write_bytes(compress(tar, compression))
    return path


def compress(data, compression):
    if compression == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if compression == "xz":
        return lzma.compress(data, preset=1)
    if compression == "none":
        return data
    program = {"bzip2": ["bzip2", "-c"], "zstd": ["zstd", "-qc"]}[compression]
    return subprocess.run(program, input=data, stdout=subprocess.PIPE, check=True).stdout


def busybox_entries():
    """A root file system of Debian's static busybox with its usual applets."""
    program = shutil.which("busybox")
    if not program:
        pytest.skip("busybox-static is not installed")
    applets = "sh true false echo cat ls id env sleep kill ps mount touch stat pwd hostname test"
    return [
        entry("rootfs/bin"),
        entry("rootfs/bin/busybox", pathlib.Path(program).read_bytes(), mode=0o755),
        *[symlink(f"rootfs/bin/{name}", "busybox") for name in applets.split()],
        entry("rootfs/etc"),
        entry("rootfs/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n"),
        entry("rootfs/etc/group", "root:x:0:\nweb:x:34:\nextra:x:44:web\n"),
        entry("rootfs/tmp", mode=0o1777),
        entry("rootfs/srv"),
    ]


def erofs_reason():
    """Why file-backed EROFS mounts cannot be tried here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if "erofs" not in pathlib.Path("/proc/filesystems").read_text():
        return "this kernel has no EROFS"
    major, minor = os.uname().release.split(".")[:2]
    if (int(major), int(minor)) < (6, 12):
        return "file-backed EROFS needs Linux 6.12"
    return None


def is_sanitized():
    """Whether the programs are built with AddressSanitizer, by gcc (a library) or clang (a part of each)."""
    return b"__asan_init" in (BUILD / "rkt-store").read_bytes()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_erofs = pytest.mark.skipif(erofs_reason() is not None, reason=str(erofs_reason()))


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """A data directory of this test's own, not made yet, named by RKT_DIR."""
    path = tmp_path / "rkt"
    monkeypatch.setenv("RKT_DIR", str(path))
    return path


@pytest.fixture
def busybox_aci(tmp_path):
    """A function that makes a busybox image: busybox_aci(exec_=[...], name=..., **app fields)."""

    def make(exec_=("/bin/true",), name="example.com/busybox", file="busybox.aci", **app):
        text = manifest(name, exec_)
        text["app"].update(app)
        return make_aci(tmp_path / file, busybox_entries(), text)

    return make
