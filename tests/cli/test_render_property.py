"""Random graphs of images: the EROFS mount, the extracted tree, the directory and a plain renderer agree.

RKT_SEED repeats a run, RKT_GRAPHS sets how many graphs it has.
"""

import io
import json
import os
import random
import stat
import tarfile

import pytest
from conftest import erofs_reason, manifest, needs_root
from renderlib import Entry, Image, layers, render
from storelib import own_mounts, store

assert own_mounts  # a fixture

GRAPHS = int(os.environ.get("RKT_GRAPHS", "120"))
PER_STORE = 15
PARTS = ["a", "b", "c", ".wh.a", ".wh..wh..opq", "dir", "d-r", "dir.x", "é", "0"]
KINDS = ["file"] * 5 + ["dir"] * 3 + ["symlink"] * 2 + ["hardlink"] * 3 + ["fifo", "char"]
XATTRS = {"user.note": b"text", "user.empty": b"", "trusted.x": b"\x01v", "user.other": b"y" * 300}
TAR_TYPES = {
    "file": tarfile.REGTYPE,
    "dir": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "char": tarfile.CHRTYPE,
}


# ---- making graphs ------------------------------------------------------------------------------


def some_path(rng):
    return "/".join(rng.choice(PARTS) for _ in range(rng.choice([1, 1, 2, 2, 3])))


def attributes(rng, kind):
    xattrs = {}
    if kind in ("file", "dir") and rng.random() < 0.3:
        xattrs = dict(rng.sample(sorted(XATTRS.items()), rng.randint(1, 3)))
    return {
        "mode": rng.choice([0o644, 0o755, 0o4755, 0o600, 0o1777, 0o555, 0o2750]),
        "uid": rng.choice([0, 0, 1000, 70000]),
        "gid": rng.choice([0, 0, 100]),
        "mtime_ns": rng.choice([0, 10**18, 1418290200_123456789, -1_500_000_000]),
        "xattrs": xattrs,
    }


def some_entry(rng, path, kind, files):
    entry = Entry(path, kind, **attributes(rng, kind))
    if kind == "file":
        entry.data = rng.randbytes(rng.choice([0, 1, 511, 512, 513, 5000]))
    elif kind == "symlink":
        entry.mode = 0o777
        entry.target = rng.choice(["a", "/etc", "../..", "dir/a", some_path(rng)])
    elif kind == "hardlink":
        entry.target = rng.choice(files)
    elif kind == "char":
        entry.device = rng.choice([(1, 3), (5, 0), (0, 1)])
    return entry


def some_entries(rng):
    """Members in an order that an archive may have: each path once, nothing below a file. What is below
    a symlink replaces it, and is among them."""
    entries, kinds = [], {}
    if rng.random() < 0.8:
        entries.append(Entry("", "dir", **attributes(rng, "dir")))
    for _ in range(rng.randint(0, 14)):
        path, kind = some_path(rng), rng.choice(KINDS)
        files = [one for one, its in kinds.items() if its == "file"]
        above = ["/".join(path.split("/")[:i]) for i in range(1, path.count("/") + 1)]
        taken = path in kinds and not (kinds[path] == "implied" and kind == "dir")
        if taken or any(kinds.get(one, "dir") not in ("dir", "implied", "symlink") for one in above):
            continue
        if kind == "hardlink" and not files:
            continue
        for one in above:
            if kinds.get(one, "symlink") == "symlink":
                kinds[one] = "implied" if one not in kinds else "dir"
        kinds[path] = kind
        entries.append(some_entry(rng, path, kind, files))
    return entries


def some_whitelist(rng, below):
    if rng.random() < 0.6:
        return []
    paths = sorted({entry.path for image in below for entry in image.entries if entry.path})
    chosen = [one for one in paths if rng.random() < 0.6] + [some_path(rng)]
    return [f"/{one}{rng.choice(['', '', '/'])}" for one in chosen]


def some_graph(rng, number):
    """The images of a graph; the last is the one to render, the first ones depend on nothing."""
    images = []
    for i in range(rng.randint(1, 6)):
        count = rng.choice([0, 1, 1, 2, 3]) if images else 0
        image = Image(f"example.com/g{number}/i{i}", some_entries(rng))
        image.dependencies = [rng.choice(images) for _ in range(count)]
        image.whitelist = some_whitelist(rng, [image, *(one for one, _ in layers(image))])
        images.append(image)
    if len(images) > 1 and not images[-1].dependencies:
        images[-1].dependencies = [images[0], images[-2], images[0]]
    return images


# ---- as archives --------------------------------------------------------------------------------


def member(entry):
    info = tarfile.TarInfo(f"rootfs/{entry.path}".rstrip("/"))
    info.type = TAR_TYPES[entry.kind]
    info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
    info.mtime = entry.mtime_ns // 10**9
    info.size = len(entry.data)
    info.devmajor, info.devminor = entry.device
    info.linkname = f"rootfs/{entry.target}" if entry.kind == "hardlink" else entry.target
    if entry.mtime_ns % 10**9 or entry.mtime_ns < 0:
        sign, value = ("-", -entry.mtime_ns) if entry.mtime_ns < 0 else ("", entry.mtime_ns)
        info.pax_headers["mtime"] = f"{sign}{value // 10**9}.{value % 10**9:09}"
        info.mtime = 0
    for name, value in entry.xattrs.items():
        info.pax_headers[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    return info


def archive(image):
    fields = {"dependencies": [{"imageName": one.name} for one in image.dependencies]}
    if image.whitelist:
        fields["pathWhitelist"] = image.whitelist
    text = json.dumps(manifest(image.name, **fields)).encode()
    entries = image.entries
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as tar:
        head = tarfile.TarInfo("manifest")
        head.size = len(text)
        tar.addfile(head, io.BytesIO(text))
        if not entries or entries[0].path:
            entries = [Entry("", "dir", mode=0o755), *entries]
            image.entries = entries
        for entry in entries:
            tar.addfile(member(entry), io.BytesIO(entry.data))
    return out.getvalue()


# ---- comparing ----------------------------------------------------------------------------------

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
}


def seen(root):
    """What a program sees below ROOT, in the terms of expected()."""
    found, first = {}, {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in [b"", *files, *folders] if folder == os.fsencode(root) else files + folders:
            full = os.path.join(folder, name) if name else folder
            path = os.fsdecode(os.path.relpath(full, os.fsencode(root))) if name else ""
            st = os.lstat(full)
            kind = TYPES[stat.S_IFMT(st.st_mode)]
            facts = {"kind": kind, "mode": oct(stat.S_IMODE(st.st_mode)), "uid": st.st_uid,
                     "gid": st.st_gid, "mtime_ns": st.st_mtime_ns}
            facts["xattrs"] = {
                one: os.getxattr(full, one, follow_symlinks=False)
                for one in os.listxattr(full, follow_symlinks=False)
                if not one.startswith("security.")
            }
            if kind == "file":
                with open(full, "rb") as file:
                    facts["data"] = file.read()
            if kind == "symlink":
                facts["target"] = os.fsdecode(os.readlink(full))
            if kind == "char":
                facts["device"] = (os.major(st.st_rdev), os.minor(st.st_rdev))
            if kind != "dir":
                facts["nlink"] = st.st_nlink
                first.setdefault(st.st_ino, []).append(path)
            found[path] = facts
    for paths in first.values():
        for path in paths:
            found[path]["same"] = sorted(paths)
    return found


def expected(tree):
    found = {}
    for path, file in tree.items():
        facts = {"kind": file.kind, "mode": oct(file.mode), "uid": file.uid, "gid": file.gid,
                 "mtime_ns": file.mtime_ns, "xattrs": file.xattrs}
        if file.kind == "file":
            facts["data"] = file.data
        if file.kind == "symlink":
            facts["target"] = file.target
        if file.kind == "char":
            facts["device"] = file.device
        if file.kind != "dir":
            facts["same"] = sorted(one for one, other in tree.items() if other is file)
            facts["nlink"] = len(facts["same"])
        found[path] = facts
    return found


def differences(one, other):
    for path in sorted(one.keys() | other.keys()):
        left, right = one.get(path, {}), other.get(path, {})
        for what in sorted(left.keys() | right.keys()):
            if left.get(what) != right.get(what):
                yield f"{path!r} {what}: {left.get(what)!r} {right.get(what)!r}"


def describe(images):
    lines = []
    for image in images:
        lines.append(f"{image.name} <- {[one.name for one in image.dependencies]} {image.whitelist}")
        lines += [f"    {one.kind} {one.path!r} {one.target!r} {oct(one.mode)}" for one in image.entries]
    return "\n".join(lines)


def path_of(name, form, folder):
    if form == "directory":
        to = folder / name.replace("/", "-")
        result = store("render", "--rootfs-only", "--devices", name, to)
        assert result.status == 0, result
        return str(to)
    result = store("render", "--json", f"--form={form}", name)
    assert result.status == 0, result
    tree = json.loads(result.out)
    assert tree["form"] == form
    return tree["path"]


@needs_root
def test_mount_and_extraction_are_what_the_text_says(tmp_path, monkeypatch, own_mounts):
    seed = int(os.environ.get("RKT_SEED") or random.randrange(1 << 32))
    print(f"RKT_SEED={seed}")
    forms = ["extracted", "directory"] + ([] if erofs_reason() else ["erofs"])
    shapes = set()
    for start in range(0, GRAPHS, PER_STORE):
        folder = tmp_path / str(start)
        folder.mkdir()
        monkeypatch.setenv("RKT_DIR", str(folder / "rkt"))
        graphs = {}
        for number in range(start, min(start + PER_STORE, GRAPHS)):
            graphs[number] = some_graph(random.Random(f"{seed} {number}"), number)
        files = []
        for images in graphs.values():
            for image in images:
                files.append(folder / f"{image.name.replace('/', '-')}.aci")
                files[-1].write_bytes(archive(image))
        result = store("import", *files)
        assert result.status == 0, (seed, result)
        for number, images in graphs.items():
            want = expected(render(images[-1]))
            shapes.add((len(list(layers(images[-1]))), bool(images[-1].whitelist)))
            for form in forms:
                found = list(differences(want, seen(path_of(images[-1].name, form, folder))))
                if found:
                    pytest.fail(
                        f"RKT_SEED={seed}, graph {number}, {form} (wanted, found):\n"
                        + "\n".join(found[:20]) + "\n" + describe(images))
    assert len(shapes) > 5 or GRAPHS < 50, "the graphs are all alike"
