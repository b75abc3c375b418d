"""What the tests of the four image tools share: other users, small disks, canaries."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from conftest import run, tool


def lines(text):
    return text.splitlines()


def one_line(result, status, words):
    """Asserts that RESULT is a failure told in one clear line that holds WORDS."""
    assert result.status == status, result
    assert len(lines(result.err)) == 1, result
    assert words in result.err, result
    return result


@pytest.fixture
def public_dir():
    """A directory that everybody may enter (pytest's own are private)."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="rkt-test."))
    path.chmod(0o755)
    yield path
    for below in [path, *path.rglob("*")]:
        if below.is_dir() and not below.is_symlink():
            below.chmod(0o755)
    shutil.rmtree(path)


def as_nobody(where, args, **more):
    """Runs the program ARGS[0] as an ordinary user. WHERE is a public directory for a copy of it."""
    program = where / f".{args[0]}"
    shutil.copy(tool(args[0]), program)
    program.chmod(0o755)
    command = [program, *args[1:]]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return run(command, cwd=where, **more)


def on_small_disk(size, script, *args):
    """Runs SCRIPT (sh; $1... are ARGS) in a tmpfs of SIZE bytes that nobody else sees."""
    inner = f'mount -t tmpfs -o size={size} none "$0" && cd "$0" && {script}'
    with tempfile.TemporaryDirectory() as where:
        command = ["unshare", "-m", "--propagation=private", "sh", "-c", inner, where, *args]
        return run(command)


class Canary:
    """A directory beside an extraction, with content: whether any of it was touched."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        (self.path / "dir").mkdir(parents=True)
        (self.path / "file").write_text("canary")
        (self.path / "link").symlink_to("file")
        (self.path / "dir/file").write_text("canary")
        self.before = self.look()

    def look(self):
        found = {}
        for path in [self.path, *sorted(self.path.rglob("*"))]:
            st = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[str(path)] = (
                st.st_ino, st.st_mode, st.st_uid, st.st_nlink, st.st_mtime_ns, content,
            )
        return found

    def assert_untouched(self):
        assert self.look() == self.before


def same_trees(left, right):
    """Asserts that two directories hold the same files with the same properties."""
    for root in (left, right):
        assert pathlib.Path(root).is_dir()
    script = pathlib.Path(__file__).parents[1] / "images/same-tree.py"
    done = subprocess.run(
        ["python3", script, left, right], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")
