"""What the tests of the one walker share: a seeded mutator of archives, what the tools say they saw."""

import concurrent.futures
import hashlib
import os
import random
import re
import stat
import subprocess
import sys
import unicodedata

from conftest import SOURCE, run

BLOCK = 512
BIDI = {0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
LINE = re.compile(
    r"(?P<type>.)(?P<mode>.{9}) (?P<uid>\d+)/(?P<gid>\d+) +(?P<size>[\d,]+) (?P<time>\S+) (?P<name>.*)"
)


def make_corpus(where):
    """Writes the corpus of tests/corpus below WHERE; returns {file name: who must speak}."""
    subprocess.run([sys.executable, "-B", SOURCE / "tests/corpus/make-corpus.py", where], check=True)
    lines = (where / "EXPECTED").read_text().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


# ---- mutants ------------------------------------------------------------------------------------


def repair(data):
    """Makes the checksum right of everything that looks like a header."""
    for at in range(0, len(data) - BLOCK + 1, BLOCK):
        if data[at + 257 : at + 262] == b"ustar":
            data[at + 148 : at + 156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + BLOCK])
    return data


def mutate(data, random_):
    """One to three changes that a hostile author, or a bad disk, could make to the tar DATA."""
    data = bytearray(data)
    for _ in range(random_.randint(1, 3)):
        blocks = max(len(data) // BLOCK, 1)
        at = random_.randrange(blocks) * BLOCK
        other = random_.randrange(blocks) * BLOCK
        kind = random_.randrange(8)
        if kind < 3:  # a byte of a header's fields
            place = at + random_.choice([0, 1, 100, 107, 108, 124, 135, 136, 156, 157, 263, 345])
            if place < len(data):
                data[place] = random_.choice([0, 0x2F, 0x2E, 0x30, 0x31, 0x35, 0x37, 0x80, 0xFF])
        elif kind == 3:  # any byte
            data[random_.randrange(len(data))] = random_.randrange(256)
        elif kind == 4:
            data[at : at + BLOCK], data[other : other + BLOCK] = (
                data[other : other + BLOCK],
                data[at : at + BLOCK],
            )
        elif kind == 5:  # a block twice
            data[at:at] = data[other : other + BLOCK]
        elif kind == 6 and blocks > 2:  # a block less
            del data[at : at + BLOCK]
        else:  # a member again, under another name
            copy = bytearray(data[other : other + BLOCK])
            if copy[257:262] == b"ustar":
                copy[7:8] = b"m"
            data[at:at] = copy
    return repair(data)


def make_mutants(corpus, where, count):
    """COUNT mutants of the good archives in the directory CORPUS; always the same."""
    random_ = random.Random(20141211)
    parents = [
        path.read_bytes()
        for path in sorted(corpus.glob("ok-*.aci"))
        if path.stat().st_size < 32768 and path.read_bytes()[257:262] == b"ustar"
    ]
    for number in range(count):
        (where / f"mutant-{number:03}.aci").write_bytes(mutate(random_.choice(parents), random_))


# ---- what the tools say -------------------------------------------------------------------------


def side_by_side(work, items):
    """[WORK(item) for each of ITEMS], as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def escaped(name):
    """The bytes NAME as all our output shows them."""
    out = []
    for char in name.decode(errors="surrogateescape"):
        if char == "\\":
            out.append("\\\\")
        elif char in "\n\t\r":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char])
        elif unicodedata.category(char) in ("Cc", "Cs") or ord(char) in BIDI:
            out.extend(f"\\x{byte:02x}" for byte in char.encode(errors="surrogateescape"))
        else:
            out.append(char)
    return "".join(out)


def listed(text):
    """The lines of aci-extract --list: {escaped path: facts}, the last of a name."""
    found = {}
    for line in text.splitlines():
        facts = LINE.fullmatch(line).groupdict()
        name = facts.pop("name")
        for words, kind in ((" -> ", "l"), (" link to ", "h")):
            if facts["type"] == kind:
                name, facts["link"] = name.split(words, 1)
        found[name] = facts
    return found


def tree(root):
    """What is below the directory ROOT: {escaped path: facts}, "." the directory itself. By descriptors,
    as paths may be longer than the kernel takes at once."""
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    found = {".": look(top, ".")}
    rest = [(top, b"")]
    while rest:
        where, path = rest.pop()
        for name in map(os.fsencode, os.listdir(where)):
            below = os.path.join(path, name)
            found[escaped(below)] = facts = look(where, name)
            if stat.S_ISDIR(facts["mode"]):
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                rest.append((os.open(name, flags, dir_fd=where), below))
        os.close(where)
    return found


def look(where, name):
    st = os.stat(name, dir_fd=where, follow_symlinks=False)
    path = os.path.join(b"/proc/self/fd/%d" % where, os.fsencode(name))
    facts = {
        "inode": st.st_ino,
        "mode": st.st_mode,
        "owner": (st.st_uid, st.st_gid),
        "mtime": st.st_mtime_ns,
        "links": None if stat.S_ISDIR(st.st_mode) else st.st_nlink,
        "device": st.st_rdev,
    }
    if stat.S_ISREG(st.st_mode):
        facts["size"] = st.st_size
        with open(path, "rb") as file:  # sparse ones may have terabytes: both ends will do
            start = file.read(1 << 20)
            file.seek(max(0, st.st_size - (1 << 20)))
            facts["sha256"] = hashlib.sha256(start + file.read()).hexdigest()
    if stat.S_ISLNK(st.st_mode):
        facts["target"] = os.readlink(path)
    elif stat.S_ISREG(st.st_mode) or stat.S_ISDIR(st.st_mode):
        facts["xattrs"] = {key: os.getxattr(path, key) for key in os.listxattr(path)}
    return facts


def verdicts_of_all(files):
    """{file: digest or None} as aci-hash, {file: valid?} as aci-validate sees FILES, each in one run."""
    hashed = run(["aci-hash", *files], timeout=600)
    digests = {line.split("  ", 1)[1]: line.split("  ", 1)[0] for line in hashed.out.splitlines()}
    validated = run(["aci-validate", "--json", *files], timeout=600)
    assert hashed.status in (0, 4) and validated.status in (0, 1), (hashed, validated)
    return digests, validated.out
