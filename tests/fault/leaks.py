"""Memory and descriptors: every command of the store gives back what it took, also when it fails.

valgrind looks at blocks nobody has a pointer to any more (and those only something within points
to), at descriptors that are open at the end besides those it was given, and at invalid accesses;
also in the programs that commands become, but not in gpg.
"""

import hashlib
import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from conftest import data_dir, run, tool  # noqa: E402
from faultlib import KEPT, KEPT_TAR, LAYERED, LAYERED_TAR, SUBJECT, SUBJECT_TAR, is_sanitized  # noqa: E402
from siglib import Gpg, needs_gpg, trust  # noqa: E402
from storelib import add, blob_path, flip, image_tar, info, own_mounts, store, write  # noqa: E402

assert data_dir and own_mounts and trust  # fixtures

MISSING = "example.com/none"
COMMANDS = [
    (["import", "{subject}"], 0),
    (["import", "{none}"], 3),
    (["import", "{broken}"], 4),
    # not one file twice: valgrind 3.19 lets no thread run while another waits for F_OFD_SETLKW
    (["import", "-j3", "{subject}", "{broken}", "{none}", "{subject}"], 4),
    (["import", "--from-rkt", "{old}"], 4),
    (["import", "--from-rkt", "{none}"], 3),
    (["list"], 0),
    (["list", "--json"], 0),
    (["info", KEPT], 0),
    (["info", MISSING], 3),
    (["cat-manifest", KEPT], 0),
    (["export", KEPT, "{out}"], 0),
    (["export", KEPT, "/"], 2),
    (["extract", KEPT, "{out}"], 0),
    (["render", "--form=extracted", KEPT], 0),
    (["render", "--list"], 0),
    (["render", MISSING], 3),
    (["stat"], 0),
    (["stat", "--images", "--json"], 0),
    (["verify"], 0),
    (["verify", "--repair"], 0),
    (["verify", "--damaged"], 2),
    (["rm", KEPT], 0),
    (["rm", "--force", KEPT], 0),
    (["rm", MISSING], 3),
    (["gc", "--grace-period=0s"], 0),
    (["gc", "--dry-run", "--json"], 0),
    (["gc", "--grace-period=0s", "--keep-latest=1", "--max-size=1K"], 0),
    (["gc", "--grace-period=0s", "--max-size=1G"], 0),
]

pytestmark = pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")


@pytest.fixture(scope="module")
def valgrind():
    if is_sanitized():
        pytest.skip("AddressSanitizer looks itself")
    return ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible", "--track-fds=yes",
            "--error-exitcode=99", "--trace-children=yes", "--trace-children-skip=*gpg*"]


def left_open(text):
    """Descriptors valgrind names, without those that were open before."""
    found = re.findall(r"Open (?:file descriptor|AF_\S+ socket) (\d+)[^\n]*\n((?:==\d+== .*\n)*)", text)
    return [number for number, where in found if "<inherited from parent>" not in where]


def old_rkt(path):
    """A data directory of old rkt with one good image and a damaged one."""
    for tar, data in ((SUBJECT_TAR, SUBJECT_TAR), (KEPT_TAR, LAYERED_TAR)):
        name = f"sha512-{hashlib.sha512(tar).hexdigest()[:64]}"
        shard = path / "cas/blob/sha512" / name[7:9]
        shard.mkdir(parents=True)
        write(shard / name, data)
    return path


@pytest.mark.parametrize("args, status", COMMANDS, ids=lambda value: "-".join(
    word.strip("{}/").replace("/", "-") for word in value) if isinstance(value, list) else str(value))
def test_everything_is_given_back(own_mounts, valgrind, data_dir, tmp_path, args, status):
    add(write(tmp_path / "kept.aci", KEPT_TAR))
    names = {
        "old": old_rkt(tmp_path / "old"),
        "subject": write(tmp_path / "subject.aci", SUBJECT_TAR),
        "broken": write(tmp_path / "broken.aci", SUBJECT_TAR[:3000]),
        "none": tmp_path / "none", "out": tmp_path / "out",
    }
    result = run([*valgrind, tool("rkt-store"), *[arg.format(**names) for arg in args]])
    assert result.status == status, result
    assert not left_open(result.err), result


def test_damage_is_no_reason_to_leak(own_mounts, valgrind, data_dir, tmp_path):
    add(write(tmp_path / "kept.aci", KEPT_TAR), write(tmp_path / "subject.aci", SUBJECT_TAR))
    flip(blob_path(data_dir, SUBJECT), 1100)
    for args, status in ((["verify"], 4), (["export", SUBJECT, tmp_path / "out"], 4),
                         (["verify", "--repair"], 0)):
        result = run([*valgrind, tool("rkt-store"), *args])
        assert result.status == status and not left_open(result.err), result
    assert store("verify").status == 0


@needs_gpg
def test_signatures_are_given_back(own_mounts, valgrind, data_dir, tmp_path, trust):
    """gpgme forks, and takes a child that valgrind finds leaks in for one that failed: so no exit status."""
    valgrind = [word for word in valgrind if "exitcode" not in word] + ["--child-silent-after-fork=yes"]
    gpg = Gpg(tmp_path / "home")
    file, other = write(tmp_path / "a", SUBJECT_TAR), write(tmp_path / "b", KEPT_TAR)
    key, fingerprint = gpg.make_key("alice"), gpg.fingerprint("alice")
    signature = gpg.sign("alice", file, "sig", "--detach-sign")
    gpg.stop()

    def check(status, *args):
        result = run([*valgrind, tool("rkt-store"), *args], stdin=SUBJECT_TAR)
        assert result.status == status and not left_open(result.err), result
        assert "lost" not in result.err and "Invalid" not in result.err, result

    sign = f"--signature={signature}"
    check(5, "import", sign, file)
    check(0, "trust", "--prefix=example.com/other", "--yes", key)
    check(5, "import", sign, file)
    check(0, "trust", "--root", "--yes", key)
    check(2, "trust", "--root", key)
    check(4, "trust", "--root", "--yes", file)
    check(0, "trust", "list")
    check(0, "trust", "list", "--json")
    check(4, "import", sign, other)
    check(4, "import", f"--signature={other}", file)
    check(0, "import", sign, "-")
    check(0, "import", sign, file)
    check(0, "info", SUBJECT)
    check(0, "list", "--fields=signed-by")
    check(0, "trust", "mask", "--root", fingerprint)
    check(0, "trust", "rm", "--root", fingerprint)
    check(3, "trust", "rm", "--root", fingerprint)
    trust.put("local", None, "00" * 20, "no key")
    trust.put("local", "UPPER", fingerprint, "no key")
    check(0, "trust", "list")


def test_layers_are_given_back(own_mounts, valgrind, data_dir, tmp_path):
    """Of a dependency given by its SHA-512, too, and of a damaged tree."""
    wanted = [{"imageName": "example.com/subject", "imageID": f"sha512-{hashlib.sha512(SUBJECT_TAR).hexdigest()}"}]
    add(write(tmp_path / "subject.aci", SUBJECT_TAR), write(tmp_path / "layered.aci", LAYERED_TAR),
        write(tmp_path / "top.aci", image_tar("example.com/top", dependencies=wanted)))
    out, tree = tmp_path / "out", info(LAYERED)["tree"]
    store("render", "--form=erofs", LAYERED)  # without EROFS mounts the index is made all the same
    for args, status in ((["info", "example.com/top"], 0), (["render", "--form=extracted", LAYERED], 0),
                         (["render", "example.com/top", out], 0), (["render", LAYERED, out], 1),
                         (["verify"], 0), (["verify", "-j1"], 4), (["verify", "--repair"], 0)):
        if status == 4:
            flip(data_dir / "cas/erofs/sha256" / tree[7:9] / tree, 1100)
        result = run([*valgrind, tool("rkt-store"), *args])
        assert result.status == status and not left_open(result.err), (args, result)
