"""What the tests of signatures share: real keys, made on the spot, and what they sign."""

import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from conftest import UNDER_STRACE, run, tool

needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")


class Gpg:
    """A keyring to sign with; what is checked never sees it."""

    def __init__(self, home):
        """HOME is for its files and those beside it. gpg's agent listens on a socket in the home, whose
        path must be short, so that what HOME leads to lies elsewhere."""
        self.home = home
        self.real = pathlib.Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
        home.symlink_to(self.real)

    def run(self, *args, stdin=b""):
        command = ["gpg", "--homedir", self.real, "--batch", "--quiet", "--passphrase", ""]
        done = subprocess.run([*command, *args], input=stdin, stdout=subprocess.PIPE, check=True)
        return done.stdout

    def make_key(self, user, algorithm="ed25519", *more, expires="2y", usage="sign"):
        """USER's key; its public half goes to the file USER.asc, whose path is returned."""
        self.run(*more, "--quick-gen-key", f"{user}@example.com", algorithm, usage, expires)
        return self.write_key(user)

    def write_key(self, user):
        path = self.home.parent / f"{user}.asc"
        path.write_bytes(self.run("--armor", "--export", f"{user}@example.com"))
        return path

    def sign(self, user, file, name, *more):
        """What gpg makes of FILE with the options MORE, in the file NAME."""
        path = self.home.parent / name
        path.write_bytes(self.run("-u", f"{user}@example.com", *more, "-o", "-", file))
        return path

    def colons(self, user):
        return self.run("--with-colons", "--list-keys", f"{user}@example.com").decode().splitlines()

    def fingerprint(self, user, number=0):
        """Of the primary key (0) or a subkey, as key files are called."""
        found = [line.split(":")[9] for line in self.colons(user) if line.startswith("fpr:")]
        return found[number].lower()

    def revoke(self, user):
        """Revokes the key in this keyring."""
        certificate = self.home / "openpgp-revocs.d" / f"{self.fingerprint(user).upper()}.rev"
        text = certificate.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.run("--import", stdin=text.encode())

    def stop(self):
        subprocess.run(["gpgconf", "--homedir", self.real, "--kill", "all"], check=False)
        shutil.rmtree(self.real, ignore_errors=True)


class Trust:
    """Empty configuration directories, and key files in them."""

    def __init__(self, path):
        self.dirs = {level: path / level for level in ("system", "local", "user")}
        self.path = path

    def file(self, level, prefix, fingerprint):
        folder = self.dirs[level] / "trustedkeys" / (f"prefix.d/{prefix}" if prefix else "root.d")
        return folder / fingerprint

    def put(self, level, prefix, fingerprint, content):
        """A key file; CONTENT "" is a mask."""
        path = self.file(level, prefix, fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def clear(self):
        for folder in self.dirs.values():
            shutil.rmtree(folder / "trustedkeys", ignore_errors=True)

    def files(self):
        """All files there are, by name, below the configuration directories."""
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*") if not file.is_dir())


def gpg_starts(folder, *args):
    """How often gpg is started by "rkt-store ARGS", which does well, and starts nothing else."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    trace = folder / "trace"
    result = run(["strace", "-f", "-e", "trace=execve", "-o", trace, tool("rkt-store"), *args], env=UNDER_STRACE)
    assert (result.status, result.err) == (0, ""), result
    calls = [line for line in trace.read_text().splitlines() if 'execve("' in line and " = -1 " not in line]
    programs = [re.search(r'execve\("[^"]*/([^"/]*)"', line)[1] for line in calls]
    assert set(programs) == {"rkt-store", "gpg"}, programs
    return programs.count("gpg")


@pytest.fixture
def trust(tmp_path, monkeypatch):
    found = Trust(tmp_path / "config")
    for level, folder in found.dirs.items():
        folder.mkdir(parents=True)
        monkeypatch.setenv(f"RKT_{level.upper()}_CONFIG", str(folder))
    return found
