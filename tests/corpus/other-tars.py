#!/usr/bin/python3
"""What other programs make of the archives that we refuse: other-tars.py DIRECTORY

DIRECTORY is what make-corpus.py wrote. Prints the table of doc/other-tars.md: a line for each plain tar
that our walker or the rules of the image refuse.
"""
import ast
import os
import re
import resource
import subprocess
import sys
import tarfile

KINDS = {tarfile.REGTYPE: "-", tarfile.AREGTYPE: "-", tarfile.CONTTYPE: "-", tarfile.LNKTYPE: "h",
         tarfile.SYMTYPE: "l", tarfile.CHRTYPE: "c", tarfile.BLKTYPE: "b", tarfile.DIRTYPE: "d",
         tarfile.FIFOTYPE: "p", tarfile.GNUTYPE_SPARSE: "-"}
# type, permissions, owner, size or device, two or three words of time, name; of links what they lead to
GNU = re.compile(rb"(?P<type>.)\S+ \S+ +(?P<size>[\d,]+) \S+ \S+ (?P<name>.*)")
BSD = re.compile(rb"(?P<type>.)\S+ +\d+ \S+ +\S+ +(?P<size>[\d,]+) \S+ +\d+ +\S+ (?P<name>.*)")


def listing(command, pattern, file):
    """[(type, size, name)] as COMMAND lists FILE, or None when it refuses."""
    done = subprocess.run([*command, file], capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
                          timeout=60, check=False)
    if done.returncode:
        return None
    found = []
    for line in done.stdout.splitlines():
        match = pattern.fullmatch(line)
        if not match:
            found.append(("?", b"", line))
            continue
        kind, name = match["type"].decode(), match["name"]
        for word, of in ((b" -> ", "l"), (b" link to ", "h")):
            name = name.split(word)[0] if kind == of else name
        found.append((kind, match["size"] if kind == "-" else b"", name.rstrip(b"/")))
    return found


def python_listing(file):
    with tarfile.open(file, "r:") as tar:
        return [(KINDS.get(one.type, "?"), b"%d" % one.size if KINDS.get(one.type) == "-" else b"",
                 one.name.encode(errors="surrogateescape").rstrip(b"/")) for one in tar]


def python_in_bounds(file):
    """[(type, size, name)] as Python's tarfile lists FILE; None when it refuses; "crashes", or
    "hangs" when it takes more than five seconds or a gigabyte."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        try:
            answer = python_listing(file)
        except (tarfile.TarError, ValueError, OverflowError, EOFError):
            answer = None
        except MemoryError:
            answer = "hangs"
        except Exception:  # whatever a parser may trip over
            answer = "crashes"
        os.write(writing, repr(answer).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return ast.literal_eval(answer.decode()) if answer else "hangs"


def row(name, who, file):
    seen = [listing(["tar", "--numeric-owner", "-Ptvf"], GNU, file),
            listing(["bsdtar", "--numeric-owner", "-tvf"], BSD, file), python_in_bounds(file)]
    taken = [one for one in seen if isinstance(one, list)]
    if len(taken) < 2:
        agree = ""
    else:
        agree = "yes" if all(one == taken[0] for one in taken) else "no"
    words = [f"lists {len(one)}" if isinstance(one, list) else one or "refuses" for one in seen]
    return "| " + " | ".join([name, "walker" if who == "tar" else "image rules", *words, agree]) + " |"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("| archive | refused by our | GNU tar | bsdtar | Python | the same |")
    print("|---|---|---|---|---|---|")
    with open(os.path.join(sys.argv[1], "EXPECTED"), encoding="ascii") as expected:
        for line in expected:
            name, who, _ = line.split("\t")
            if name.startswith("bad-") and who in ("tar", "layout") and "gzip" not in name:
                print(row(name[4:-4], who, os.path.join(sys.argv[1], name)))


if __name__ == "__main__":
    main()
