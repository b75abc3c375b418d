"""What the harnesses share: commands over a prepared store, and what must hold after a disturbed one.

A scene is a command with the store it begins from. A yard keeps that store, runs the command under
at-syscall, and judges what is left. Restoring and judging is left out where the store is, byte for
byte, as it was, or as a state that was judged before: most system calls change nothing.
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import time

import pytest
from conftest import BUILD, erofs_reason, run, tool
from storelib import blob_path, files_in, flip, image_tar, mounts_below, store, write

TIMEOUT_SEC = 60
# nanoseconds since 1970 of these days, as records have them and as keys do (doc/formats.md)
_TODAY = (time.time_ns() >> 48).to_bytes(2, "little")
TIMES = re.compile(
    b".{6}" + re.escape(_TODAY) + b"|" + re.escape(bytes(255 - byte for byte in reversed(_TODAY))) + b".{6}", re.S
)
FULL = bool(os.environ.get("RKT_FAULT_FULL"))
POD = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
UNIQUE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AT_SYSCALL = str(BUILD / "tests/fault/at-syscall")

KEPT_TAR = image_tar("example.com/kept", "kept" * 100)
SUBJECT_TAR = image_tar("example.com/subject", "subject" * 100)
LAYERED_TAR = image_tar("example.com/layered", "layered", dependencies=[{"imageName": "example.com/subject"}])
KEPT = f"sha256-{hashlib.sha256(KEPT_TAR).hexdigest()}"
SUBJECT = f"sha256-{hashlib.sha256(SUBJECT_TAR).hexdigest()}"
LAYERED = f"sha256-{hashlib.sha256(LAYERED_TAR).hexdigest()}"
LOST = "sha256-" + "ab" * 32

Call = collections.namedtuple("Call", "thread number name whose")


class Scene:
    """ARGS of rkt-store over a store made by PREPARE(yard). BEFORE and AFTER are the images there
    without and with it; None: no store at all. BETWEEN: what may be there when it did not end well.
    AFTERWARDS(yard) checks more in whatever is left. STEP, LOADER_STEP: every so many calls are disturbed,
    of the program and of the loader; all of them with RKT_FAULT_FULL. OWN_WORDS: a library says in its own words what went wrong."""

    def __init__(
        self, name, args, prepare, before, after, afterwards=None, notes=False, erofs=False, held=(), between=(),
        step=1, loader_step=1, own_words=False
    ):
        self.name, self.args, self.prepare = name, args, prepare
        self.between = between
        self.before, self.after, self.afterwards = before, after, afterwards
        self.notes = notes  # it says more on standard error than what went wrong
        self.erofs = erofs
        self.steps = {"program": 1 if FULL else step, "loader": 1 if FULL else loader_step}
        self.own_words = own_words
        self.held = set(held)  # trees a pod may be running on, image or no image

    def __repr__(self):
        return self.name


class Yard:
    def __init__(self, path, scene):
        self.scene = scene
        self.path = path
        self.data_dir = path / "rkt"
        self.out = path / "out"
        self.template = path / "template"
        self.report = path / "report"
        self.kept_file = write(path / "kept.aci", KEPT_TAR)
        self.subject_file = write(path / "subject.aci", SUBJECT_TAR)
        self.layered_file = write(path / "layered.aci", LAYERED_TAR)
        os.environ["RKT_DIR"] = str(self.data_dir)
        self.closing = []  # called at the end
        self.out.mkdir()
        scene.prepare(self)
        if self.data_dir.exists():
            shutil.copytree(self.data_dir, self.template, symlinks=True)
        self.args = [arg.format(yard=self) for arg in scene.args]
        self.judged = set()
        self.trees = {}
        self.start = None
        self.reset()

    def reset(self):
        """The store as the scene begins."""
        for mount in reversed(mounts_below(self.data_dir)):
            subprocess.run(["umount", "-l", mount], check=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)
        shutil.rmtree(self.out)
        self.out.mkdir()
        if self.template.exists():
            shutil.copytree(self.template, self.data_dir, symlinks=True)
        self.start = self.look()

    def look(self):
        """All that tells two states apart, as one value; unique names, times and numbers of processes do
        not."""
        found = [str(mounts_below(self.data_dir)).replace(str(self.data_dir), "")]
        for top in (self.data_dir, self.out):
            for folder, folders, files in os.walk(top):
                folders.sort()
                for name in [*sorted(files), *folders]:
                    path = os.path.join(folder, name)
                    status = os.lstat(path)
                    short = path if name == POD else UNIQUE.sub("*", path)
                    found.append(f"{short} {status.st_mode} {status.st_nlink} {look_into(path, status)}")
        return hashlib.sha256("\n".join(found).encode()).digest()

    def at(self, *what, **more):
        """Runs the command under at-syscall: its result, and the calls reported."""
        args = [AT_SYSCALL, "-o", self.report, *what, tool("rkt-store"), *self.args]
        result = run(args, timeout=TIMEOUT_SEC, **more)
        return result, [read_call(line) for line in self.report.read_text().splitlines()]

    def calls(self):
        """What an undisturbed run of the command calls."""
        result, calls = self.at("count")
        assert result.status == 0, result
        self.judge(result.status)
        self.reset()
        return calls

    def judge(self, status):
        """What must hold, whatever happened; STATUS: how the command ended, None: it was killed.
        Says whether there was anything to look at."""
        now = (self.look(), status == 0)
        if now in self.judged:
            return False
        self.judged.add(now)
        scene, verdicts = self.scene, self.verify()
        if verdicts is None:
            assert scene.before is None and status != 0
        else:
            there = set(verdicts)
            allowed = [scene.after] if status == 0 else [scene.after, scene.before or set(), *scene.between]
            assert there in allowed, f"{there} is none of {allowed}"
            assert verdicts.get(KEPT, "good") == "good"
            self.collect(there)
        if scene.afterwards:
            scene.afterwards(self)
        return True

    def verify(self):
        """The next ordinary command. What each image is, or None when there is no store."""
        result = store("verify")
        if result.status == 3:
            return None
        lines = [line.split() for line in result.out.splitlines()]
        verdicts = {words[0]: words[1] for words in lines if len(words) == 2}
        self.trees = {words[0]: words[1] for words in lines if words[2:] == ["tree"]}
        damaged = {image for image, verdict in verdicts.items() if verdict != "good"}
        # a scene about damage begins with it
        assert damaged <= ({SUBJECT} if "repair" in self.scene.name else set()), result
        assert "repair-tree" in self.scene.name or set(self.trees.values()) <= {"good"}, result
        assert result.status == (4 if damaged or "damaged" in self.trees.values() else 0), result
        return verdicts

    def collect(self, there):
        """gc collects every left-over."""
        result = store("gc")
        assert result.status == 0, result
        # a download may be gone on with: gc leaves it for a day
        apart = ("rootfs", "quarantine", "partial")
        left = [name for name in files_in(self.data_dir) if not name.startswith(apart)]
        assert len(left) == 2 * len(there) + len(self.trees), left
        for folder in ("tmp", "mnt"):
            assert os.listdir(self.data_dir / "cas" / folder) == [], folder
        trees = [path.name for path in (self.data_dir / "cas/rootfs/sha256").glob("??/*")]
        assert set(trees) <= there | set(self.trees) | self.scene.held, trees


def look_into(path, status):
    if path.endswith("/lock.mdb"):
        return look_at_locks(path)
    if path.endswith("/data.mdb"):
        return hashlib.sha256(TIMES.sub(b"", used_pages(path))).hexdigest()
    if stat.S_ISREG(status.st_mode):
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    return os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""


def used_pages(path):
    data, size = pathlib.Path(path).read_bytes(), 4096
    return b"".join(data[at : at + size] for at in range(0, len(data), size) if data.count(0, at, at + size) < size)


def look_at_locks(path):
    """LMDB's locks without the numbers of processes: whether a holder died, which readers are in."""
    data = pathlib.Path(path).read_bytes()
    died = [at for at in range(0, 128, 4) if int.from_bytes(data[at : at + 4], "little") == 1 << 30]
    readers = [at for at in range(128, len(data), 64) if data.count(0, at, at + 64) < 64]
    return f"{died} {readers}"


def read_call(line):
    thread, number, name, whose = line.split()
    return Call(int(thread), int(number), name, whose)


def numbers(yard):
    """Every (thread, call) of the command, in order: where one of a thread is never reached, the
    next thread follows. Send False when it was not reached."""
    calls = yard.calls()
    whose = {(call.thread, call.number): call.whose for call in calls}
    for thread in sorted({call.thread for call in calls}):
        number = 1
        while (yield thread, number) is not False:
            number += yard.scene.steps[whose.get((thread, number), "program")]


# ---- the scenes ------------------------------------------------------------------------------


def add_kept(yard):
    assert store("import", yard.kept_file).out.split() == [KEPT]


def add_both(yard):
    add_kept(yard)
    assert store("import", yard.subject_file).out.split() == [SUBJECT]


def add_kept_and_old_rkt(yard):
    add_kept(yard)
    name = f"sha512-{hashlib.sha512(SUBJECT_TAR).hexdigest()[:64]}"
    shard = yard.path / "old-rkt/cas/blob/sha512" / name[7:9]
    shard.mkdir(parents=True)
    write(shard / name, SUBJECT_TAR)


def add_nothing(yard):
    pass


def add_much_to_collect(yard):
    """A leased image, one nobody uses with an extracted tree, and left-overs of each kind."""
    add_both(yard)
    run([str(BUILD / "tests/fault/pods"), "lease", POD, KEPT])
    assert store("render", "--form=extracted", SUBJECT).status == 0
    for shelf in ("blob", "erofs"):
        left = yard.data_dir / f"cas/{shelf}/sha256/ab/{LOST}"
        left.parent.mkdir(exist_ok=True)
        left.write_text("x")
    (yard.data_dir / "cas/tmp/file-1").write_text("x")
    (yard.data_dir / "cas/tmp/tree-1/folder").mkdir(parents=True)


def add_one_used_last(yard):
    """A pod that is gone had the image that was imported first; there is room for one."""
    add_both(yard)
    run([str(BUILD / "tests/fault/pods"), "lease", POD, KEPT])
    os.rmdir(yard.data_dir / "containers" / POD)


def add_one_in_use(yard):
    """A pod has the image, and its tree extracted."""
    add_both(yard)
    assert store("render", "--form=extracted", SUBJECT).status == 0
    run([str(BUILD / "tests/fault/pods"), "lease", POD, SUBJECT])


def leaves_the_pods_tree(yard):
    """Whatever became of the image."""
    assert (yard.data_dir / f"cas/rootfs/sha256/{SUBJECT[7:9]}/{SUBJECT}/content").read_text() == "subject" * 100


def damage_index(yard):
    add_both(yard)
    flip(yard.data_dir / "cas/erofs/sha256" / SUBJECT[7:9] / SUBJECT, 1100)


def add_layered(yard):
    add_both(yard)
    assert store("import", yard.layered_file).out.split() == [LAYERED]


def damage_tree(yard):
    add_layered(yard)
    store("render", "--form=erofs", LAYERED)
    assert store("gc").status == 0  # the mount
    tree = json.loads(store("info", "--json", LAYERED).out)["tree"]
    flip(yard.data_dir / "cas/erofs/sha256" / tree[7:9] / tree, 1100)


def damage_blob(yard):
    add_both(yard)
    flip(blob_path(yard.data_dir, SUBJECT), 1100)


def can_be_imported(yard):
    """Also where the very store was being made."""
    assert store("import", yard.subject_file).out.split() == [SUBJECT]
    assert store("verify").status == 0


def can_be_rendered(yard):
    for form in ("extracted", "erofs") if erofs_reason() is None else ("extracted",):
        result = store("render", f"--form={form}", "--json", SUBJECT)
        assert result.status == 0, result
        tree = pathlib.Path(json.loads(result.out)["path"])
        assert (tree / "content").read_text() == "subject" * 100


def layers_can_be_rendered(yard):
    result = store("render", "--form=erofs", "--json", LAYERED)
    assert result.status == 0, result
    tree = pathlib.Path(json.loads(result.out)["path"])
    assert (tree / "content").read_text() == "layered"


def can_be_repaired(yard):
    assert store("verify", "--repair").status == 0
    result = store("verify")
    assert result.status == 0 and f"{KEPT} good" in result.out, result


def leaves_a_whole_file_or_none(yard):
    for path in yard.out.iterdir():
        assert path.name == "subject" and path.read_bytes() == SUBJECT_TAR


def leaves_a_whole_tree_or_none(yard):
    for path in yard.out.iterdir():
        assert path.name == "subject"
        assert (path / "rootfs/content").read_text() == "subject" * 100
        assert (path / "manifest").exists()


MASKED = "ab" * 20


def add_kept_and_configure(yard):
    """Key files go where they are looked at, and begun with none."""
    add_kept(yard)
    for level in ("SYSTEM", "LOCAL", "USER"):
        os.environ[f"RKT_{level}_CONFIG"] = str(yard.out / level.lower())


def leaves_a_mask_or_none(yard):
    """What else there is has a name that readers pass over, and the next one gets through."""
    folder = yard.out / "user/trustedkeys/root.d"
    found = [path for path in folder.glob("*") if not path.name.startswith(".")]
    assert [(path.name, stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in found] in (
        [], [(MASKED, 0o644, b"")])
    assert len(json.loads(store("trust", "list", "--json").out)) == len(found)
    assert store("trust", "mask", "--root", MASKED).status == 0


ONE, BOTH, ALL = {KEPT}, {KEPT, SUBJECT}, {KEPT, SUBJECT, LAYERED}
IMPORT = Scene("import", ["import", "{yard.subject_file}"], add_kept, ONE, BOTH)
CHANGING = [
    IMPORT,
    Scene("first-import", IMPORT.args, add_nothing, None, {SUBJECT}, can_be_imported),
    Scene("import-two", ["import", "-j2", "{yard.kept_file}", "{yard.subject_file}"], add_nothing, None, BOTH,
          can_be_imported, between=[ONE, {SUBJECT}]),
    Scene("import-from-rkt", ["import", "-j1", "--from-rkt", "{yard.path}/old-rkt"], add_kept_and_old_rkt, ONE, BOTH,
          notes=True),
    Scene("rm", ["rm", SUBJECT], add_both, BOTH, ONE),
    Scene("rm-force", ["rm", "--force", SUBJECT], add_one_in_use, BOTH, ONE, leaves_the_pods_tree,
          notes=True, held=[SUBJECT]),
    Scene("gc", ["gc", "--grace-period=0s"], add_much_to_collect, BOTH, ONE, notes=True),
    Scene("gc-max-size", ["gc", "--grace-period=0s", "--max-size=100K"], add_one_used_last, BOTH, ONE, notes=True),
    Scene("render-erofs", ["render", "--form=erofs", SUBJECT], add_both, BOTH, BOTH, can_be_rendered,
          erofs=True),
    Scene("render-extracted", ["render", "--form=extracted", SUBJECT], add_both, BOTH, BOTH,
          can_be_rendered),
    Scene("render-layers", ["render", "--form=erofs", LAYERED], add_layered, ALL, ALL, layers_can_be_rendered,
          erofs=True),
    Scene("trust-mask", ["trust", "mask", "--root", MASKED], add_kept_and_configure, ONE, ONE, leaves_a_mask_or_none),
    Scene("repair-tree", ["verify", "--repair", "-j1"], damage_tree, ALL, ALL, can_be_repaired, notes=True),
    Scene("repair-index", ["verify", "--repair", "-j1"], damage_index, BOTH, BOTH, can_be_repaired,
          notes=True),
    Scene("repair-blob", ["verify", "--repair", "-j1"], damage_blob, BOTH, ONE, can_be_repaired,
          notes=True),
]
READING = [
    Scene("export", ["export", SUBJECT, "{yard.out}/subject"], add_both, BOTH, BOTH,
          leaves_a_whole_file_or_none),
    Scene("extract", ["extract", SUBJECT, "{yard.out}/subject"], add_both, BOTH, BOTH,
          leaves_a_whole_tree_or_none),
    Scene("render-dir", ["render", SUBJECT, "{yard.out}/subject"], add_both, BOTH, BOTH,
          leaves_a_whole_tree_or_none),
    Scene("list", ["list"], add_both, BOTH, BOTH),
    Scene("stat", ["stat", "--images"], add_both, BOTH, BOTH),
    Scene("verify", ["verify", "-j1"], add_both, BOTH, BOTH, notes=True),
]


def scenes(*lists):
    """A test is called with `scene` set to each of them."""
    return pytest.mark.parametrize("scene", [scene for some in lists for scene in some], ids=repr)


def is_sanitized():
    """Whether AddressSanitizer is in our programs: then most system calls are its own, and it dies when they
    fail. The plain build goes through all of them."""
    return "libasan" in run(["ldd", tool("rkt-store")]).out


@pytest.fixture
def yard(scene, tmp_path, monkeypatch):
    if is_sanitized():
        pytest.skip("AddressSanitizer's system calls are not ours: the plain build is disturbed")
    if scene.erofs and erofs_reason():
        pytest.skip(erofs_reason())
    for name in ("RKT_DIR", "RKT_SYSTEM_CONFIG", "RKT_LOCAL_CONFIG", "RKT_USER_CONFIG"):
        monkeypatch.setenv(name, "")  # put back at the end, whatever the yard makes of it
    monkeypatch.setenv("TMPDIR", os.environ.get("TMPDIR", ""))  # so is this
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")  # which does not work under ptrace
    made = Yard(tmp_path, scene)
    if made.at("count")[0].status == 125:
        pytest.skip("programs cannot be traced here")
    made.reset()
    yield made
    made.reset()
    for close in made.closing:
        close()
