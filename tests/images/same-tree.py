#!/usr/bin/python3
"""Compares two trees in everything a program can see and says what differs; status 1 if anything does.

same-tree.py A B [--no-content]
"""

import os
import stat
import sys

PIECE = 1 << 20
SHOWN_MAX = 40


def walk(top):
    """All paths below TOP as bytes, "" first, each directory before what is in it."""
    todo = [b""]
    while todo:
        path = todo.pop()
        yield path
        full = os.path.join(top, path)
        if stat.S_ISDIR(os.lstat(full).st_mode):
            todo += [os.path.join(path, name) for name in os.listdir(full)]


def xattrs(full):
    names = sorted(os.listxattr(full, follow_symlinks=False))
    return [(name, os.getxattr(full, name, follow_symlinks=False)) for name in names]


def properties(full, first_paths, path):
    """What PATH is, as a dict; hard links are told by the first path seen of the same inode."""
    st = os.lstat(full)
    kind = stat.S_IFMT(st.st_mode)
    found = {
        "type": kind,
        "mode": oct(stat.S_IMODE(st.st_mode)),
        "uid": st.st_uid,
        "gid": st.st_gid,
        "mtime": st.st_mtime_ns,
        "nlink": st.st_nlink,
        "xattrs": xattrs(full),
        "same file as": first_paths.setdefault((st.st_dev, st.st_ino), path),
    }
    if kind != stat.S_IFDIR:
        found["size"] = st.st_size
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        found["device"] = st.st_rdev
    if kind == stat.S_IFLNK:
        found["target"] = os.readlink(full)
    return found


def same_content(one, other):
    with open(one, "rb") as left, open(other, "rb") as right:
        while True:
            piece = left.read(PIECE)
            if piece != right.read(PIECE):
                return False
            if not piece:
                return True


def differences(left_top, right_top, content):
    left_paths, right_paths = sorted(walk(left_top)), sorted(walk(right_top))
    left_first, right_first = {}, {}
    for path in sorted(set(left_paths) ^ set(right_paths)):
        yield path, "only in one", path in left_paths, path in right_paths
    for path in sorted(set(left_paths) & set(right_paths)):
        one, other = os.path.join(left_top, path), os.path.join(right_top, path)
        left = properties(one, left_first, path)
        right = properties(other, right_first, path)
        for what in sorted(left.keys() | right.keys()):
            if left.get(what) != right.get(what):
                yield path, what, left.get(what), right.get(what)
        if content and left["type"] == stat.S_IFREG and not same_content(one, other):
            yield path, "content", "", ""


def main(left, right, *options):
    count = 0
    left, right = os.fsencode(left), os.fsencode(right)
    for difference in differences(left, right, "--no-content" not in options):
        count += 1
        if count <= SHOWN_MAX:
            print(*difference)
    entries = sum(1 for _ in walk(left))
    print(f"{entries} entries, {count} differences")
    return 1 if count or entries < 2 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
