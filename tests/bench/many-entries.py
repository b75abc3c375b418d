#!/usr/bin/python3
"""Writes the tar of an image with COUNT empty files to standard output: many-entries.py COUNT"""
import sys

sys.path.insert(0, sys.path[0] + "/../corpus")
from pieces import END, directory, header, member  # noqa: E402

MANIFEST = b'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/many"}'
FILES_PER_DIRECTORY = 1000
DIGITS = [b"%03d" % number for number in range(FILES_PER_DIRECTORY)]


def entries(count):
    """Directories and their files: COUNT in all. Checksums are changed with the name, not summed anew."""
    for first in range(0, count, FILES_PER_DIRECTORY):
        name = b"rootfs/directory-%06d" % (first // FILES_PER_DIRECTORY)
        yield directory(name)
        block = bytearray(header(name + b"/file-000"))
        at = len(name) + len(b"/file-")
        plain = sum(block) - sum(block[148:156]) - 3 * ord("0")
        for digits in DIGITS[:min(FILES_PER_DIRECTORY, count - first) - 1]:
            block[at:at + 3] = digits
            block[148:156] = b"%06o\0 " % (plain + sum(digits) + 8 * ord(" "))
            yield bytes(block)


def main():
    out = sys.stdout.buffer
    out.write(member(b"manifest", MANIFEST) + directory(b"rootfs"))
    piece = bytearray()
    for entry in entries(int(sys.argv[1])):
        piece += entry
        if len(piece) > 1 << 20:
            out.write(piece)
            piece.clear()
    out.write(piece + END)


main()
