#!/usr/bin/python3
"""Writes the corpus of archives to a directory: make-corpus.py DIRECTORY

ok-NAME    is a valid image
bad-RULE   breaks RULE and nothing else, and has to be refused

DIRECTORY/EXPECTED has a line for each: name, tab, who must speak (ok; unpack: the decompressor; tar:
the walker; layout: the rules of the image), tab, words that must be in the refusal. The same bytes
come out every time.
"""
import os
import sys

from pieces import *  # noqa: F403 - the vocabulary of this file

MANIFEST = (b'{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/corpus",'
            b'"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}]}\n')
HEAD = member(b"manifest", MANIFEST) + directory(b"rootfs")
FILE = member(b"rootfs/file", b"hello\n")

cases = {}


def image(*members, end=END):
    """A whole image with these members after its manifest and root."""
    return HEAD + b"".join(members) + end


def ok(name, data):
    cases["ok-" + name] = ("ok", "", data)


def bad(name, who, words, data):
    cases["bad-" + name] = (who, words, data)


def bad_tar(name, words, *members, end=END):
    bad(name, "tar", words, image(*members, end=end))


def layout(name, data):
    bad("layout-" + name, "layout", "", data)


# ---- forms and fields ---------------------------------------------------------------------------

def tar_forms():
    ok("ustar", image(FILE))
    ok("gnu", image(member(b"rootfs/file", b"hello\n", magic=GNU)))
    ok("v7", image(member(b"rootfs/file", b"hello\n", type=b"\0", magic=V7)))
    ok("v7-directory", image(header(b"rootfs/dir/", b"\0", magic=V7, mode=0o755)))
    ok("type-contiguous", image(member(b"rootfs/file", b"hello\n", type=b"7")))
    ok("ustar-prefix", image(member(b"file", b"1", prefix=b"rootfs/" + b"p" * 148)))
    ok("ustar-name-full", image(member(b"rootfs/" + b"n" * 93, b"1")))
    ok("gnu-times-in-prefix", image(member(b"rootfs/file", b"1", magic=GNU, prefix=b"12345670123")))
    ok("checksum-signed", image(member("rootfs/f\u00fcnf".encode(), b"5", signed=True)))
    ok("symlink", image(symlink(b"rootfs/link", b"/etc/../anything")))
    ok("hardlink", image(FILE, hardlink(b"rootfs/other", b"rootfs/file")))
    ok("hardlink-dot-slash", image(FILE, hardlink(b"./rootfs/other", b"./rootfs//file")))
    ok("devices", image(header(b"rootfs/null", b"3", major=1, minor=3),
                        header(b"rootfs/loop", b"4", major=7, minor=0),
                        header(b"rootfs/fifo", b"6")))
    ok("mode-with-type-bits", image(member(b"rootfs/file", b"1", mode=0o100644)))
    ok("empty-file", image(member(b"rootfs/file")))
    ok("file-of-one-block", image(member(b"rootfs/file", b"x" * 512)))
    ok("base256-uid", image(member(b"rootfs/file", b"1", uid=base256(2**32 - 2, 8), magic=GNU)))
    ok("base256-size", image(member(b"rootfs/file", b"1", size=base256(1, 12), magic=GNU)))
    ok("base256-mtime-negative", image(member(b"rootfs/file", mtime=base256(-1, 12), magic=GNU)))
    ok("number-blank", image(member(b"rootfs/file", b"1", uid=b"", gid=b" " * 7)))
    bad_tar("checksum", "checksum", header(b"rootfs/file", checksum=1))
    bad_tar("header-form", "neither", member(b"rootfs/file", magic=b"ustar\x0099"))
    bad_tar("number-not-octal", "mode is not a number", member(b"rootfs/file", mode=b"0000648\0"))
    bad_tar("number-rest", "size is not", member(b"rootfs/file", size=b"0 1"))
    bad_tar("base256-size-negative", "size is negative",
            member(b"rootfs/file", size=base256(-512, 12), magic=GNU))
    bad_tar("base256-size-overflow", "size is too large",
            member(b"rootfs/file", size=base256(2**70, 12), magic=GNU))
    bad_tar("base256-size-huge", "too large",
            member(b"rootfs/file", size=base256(2**63 - 1, 12), magic=GNU))
    bad_tar("base256-uid-negative", "uid is negative",
            member(b"rootfs/file", uid=base256(-2, 8), magic=GNU))
    bad_tar("uid-above-32-bits", "uid is too large",
            member(b"rootfs/file", uid=base256(2**32 - 1, 8), magic=GNU))
    bad_tar("gid-above-32-bits", "gid is too large",
            member(b"rootfs/file", gid=base256(2**40, 8), magic=GNU))
    bad_tar("device-major", "devmajor", header(b"rootfs/null", b"3", major=4096, minor=3))
    bad_tar("device-minor", "devminor", header(b"rootfs/null", b"3", major=1, minor=1 << 20))
    for letter in b"MVDNXAZ":
        words = {b"M": "multi-volume", b"V": "label", b"D": "incremental"}
        kind = bytes([letter])
        bad_tar("type-" + kind.decode(), words.get(kind, "unknown member type"),
                header(b"rootfs/file", kind, magic=GNU))
    bad_tar("type-control", "unknown member type 0x01", header(b"rootfs/file", b"\x01"))
    bad_tar("size-of-directory", "data in a member", member(b"rootfs/dir", b"1", type=b"5"))
    bad_tar("size-of-symlink", "data in a member",
            member(b"rootfs/link", b"1", type=b"2", link=b"a"))
    bad_tar("size-of-hardlink", "data in a member", FILE,
            member(b"rootfs/link", b"hello\n", type=b"1", link=b"rootfs/file"))
    bad_tar("padding-not-zero", "padding", header(b"rootfs/file", size=1) + b"x" * 512)


# ---- names --------------------------------------------------------------------------------------

def names():
    deep = b"rootfs" + b"/d" * 1023
    ok("name-dot-slash", b"".join([member(b"./manifest", MANIFEST), directory(b"./"),
                                   directory(b"./rootfs/"), member(b"./rootfs/./a//b", b"1"), END]))
    ok("name-part-255", image(pax(path=b"rootfs/" + b"c" * 255) + member(b"x", b"1")))
    ok("name-4096", image(pax(path=b"rootfs" + b"/" + b"/".join([b"p" * 239] * 17) + b"/" +
                              b"q" * 9) + member(b"x", b"1")))
    ok("name-deep", image(pax(path=deep) + member(b"x", b"1")))
    ok("name-hostile-bytes", image(member(b"rootfs/a\nb\x1b[31m\xff\xfe", b"1"),
                                   member("rootfs/\u202egnp.exe".encode(), b"1")))
    ok("name-dots", image(member(b"rootfs/...", b"1"), member(b"rootfs/..a", b"1")))
    ok("name-after-nul", image(member(b"rootfs/file\0/../../etc/passwd", b"1")))
    for name, path in [("start", b"../x"), ("middle", b"rootfs/../../x"), ("end", b"rootfs/a/.."),
                       ("alone", b".."), ("dot-slash", b"./../x")]:
        bad_tar("name-dotdot-" + name, "..", member(path, b"1"))
    bad_tar("name-dotdot-prefix", "..", member(b"x", b"1", prefix=b"rootfs/.."))
    bad_tar("name-dotdot-pax", "..", pax(path=b"rootfs/../../x") + member(b"rootfs/x", b"1"))
    bad_tar("name-dotdot-gnu", "..", long_name(b"rootfs/../../x") + member(b"rootfs/x", b"1"))
    bad_tar("name-dotdot-hardlink", "..", hardlink(b"rootfs/x", b"../../etc/passwd"))
    bad_tar("name-absolute", "absolute", member(b"/etc/passwd", b"1"))
    bad_tar("name-absolute-pax", "absolute", pax(path=b"//x") + member(b"rootfs/x", b"1"))
    bad_tar("name-absolute-hardlink", "absolute", hardlink(b"rootfs/x", b"/etc/passwd"))
    bad_tar("name-empty", "without a name", member(b"", b"1"))
    bad_tar("name-part-256", "255", pax(path=b"rootfs/" + b"c" * 256) + member(b"x", b"1"))
    bad_tar("name-4097", "4096", pax(path=b"rootfs" + b"/" + b"/".join([b"p" * 239] * 17) +
                                     b"/" + b"q" * 10) + member(b"x", b"1"))
    bad_tar("name-too-deep", "deep", pax(path=deep + b"/d") + member(b"x", b"1"))
    bad_tar("name-nul-pax", "NUL", pax(path=b"rootfs/a\0b") + member(b"rootfs/a", b"1"))
    bad_tar("name-nul-gnu", "NUL", long_name(b"rootfs/a\0b") + member(b"rootfs/a", b"1"))
    bad_tar("name-file-like-directory", "like a directory", member(b"rootfs/dir/", b"1"))
    bad_tar("name-top-file", "top", member(b".", type=b"6"))
    bad_tar("link-nul", "NUL", pax(linkpath=b"a\0b") + symlink(b"rootfs/l", b"a"))
    bad_tar("link-empty", "nothing", symlink(b"rootfs/l", b""))
    bad_tar("link-4096", "4095", long_name(b"t" * 4096, b"K") + symlink(b"rootfs/l", b"t"))
    bad_tar("link-to-top", "top", hardlink(b"rootfs/l", b"./"))


# ---- long names and pax -------------------------------------------------------------------------

def extensions():
    long = b"rootfs/" + b"/".join([b"long" * 20] * 3)
    ok("gnu-long-name", image(long_name(long) + member(long[:100], b"1", magic=GNU)))
    ok("gnu-long-link", image(long_name(long, b"K") + symlink(b"rootfs/l", long[:100], magic=GNU)))
    ok("pax-path", image(pax(path=long) + member(long[:100], b"1")))
    ok("pax-linkpath", image(pax(linkpath=long) + symlink(b"rootfs/l", long[:100])))
    ok("pax-agrees-with-gnu", image(long_name(long) + pax(path=long) + member(b"x", b"1")))
    ok("pax-size", image(pax(size=b"5") + header(b"rootfs/file") + pad(b"12345")))
    ok("pax-size-octal-max", image(pax(size=b"5") +
                                   header(b"rootfs/file", size=b"777777777777") + pad(b"12345")))
    ok("pax-ids", image(pax(uid=b"4294967294", gid=b"3000000") + member(b"rootfs/file", b"1")))
    ok("pax-mtime-fraction", image(pax(mtime=b"1418290200.123456789") + FILE))
    ok("pax-mtime-negative", image(pax(mtime=b"-1.5") + FILE))
    ok("pax-mtime-long-fraction", image(pax(mtime=b"-1.00000000000000001") + FILE))
    ok("pax-empty-value", image(pax(path=b"", mtime=b"", size=b"") + FILE))
    ok("pax-empty-header", image(pax() + FILE))
    ok("pax-ignored-keys", image(pax(atime=b"1", ctime=b"1.5", comment=b"x\ny=z", uname=b"root",
                                     gname=b"root", hdrcharset=b"BINARY",
                                     **{"VENDOR.key": b"\0\xff"}) + FILE))
    ok("pax-global-comment", image(pax(type=b"g", comment=b"0123456789") + FILE))
    ok("pax-global-mtime", image(pax(type=b"g", mtime=b"5.5", uid=b"7") + FILE + pax(mtime=b"") +
                                 member(b"rootfs/other", b"1")))
    ok("pax-xattr-schily", image(pax(("SCHILY.xattr.user.b", b"\0\1\n="),
                                     ("SCHILY.xattr.user.a", b"x")) + FILE))
    ok("pax-xattr-libarchive", image(pax(("LIBARCHIVE.xattr.user.%61", b"aGVsbG8")) + FILE))
    ok("pax-xattr-both", image(pax(("SCHILY.xattr.user.a", b"hello"),
                                   ("LIBARCHIVE.xattr.user.a", b"aGVsbG8=")) + FILE))
    ok("pax-xattr-empty-value", image(pax(("SCHILY.xattr.user.a", b"")) + FILE))
    ok("pax-xattr-encoded-name", image(pax(("SCHILY.xattr.user.a%3Db%25", b"1")) + FILE))
    ok("pax-acl", image(pax(("SCHILY.acl.access", b"user::rw-,group::r--,other::r--")) + FILE))
    bad_tar("gnu-long-name-empty", "empty GNU", long_name(b"") + FILE)
    bad_tar("gnu-long-name-twice", "two extended", long_name(b"rootfs/a") + long_name(b"rootfs/a") +
            FILE)
    bad_tar("gnu-long-name-without-member", "without a member", FILE + long_name(b"rootfs/a"))
    bad_tar("gnu-long-name-size", "more than", header(b"l", b"L", size=1024 * 1024 + 1, magic=GNU) +
            bytes(1024 * 1024 + 512) + FILE)
    bad_tar("pax-contradicts-gnu-name", "differ", long_name(b"rootfs/a") + pax(path=b"rootfs/b") +
            FILE)
    bad_tar("pax-contradicts-gnu-link", "differ", long_name(b"a", b"K") + pax(linkpath=b"b") +
            symlink(b"rootfs/l", b"a"))
    bad_tar("pax-contradicts-size", "sizes", pax(size=b"5") + member(b"rootfs/file", b"1"))
    bad_tar("pax-size-of-symlink", "data in a member", pax(size=b"5") + symlink(b"rootfs/l", b"a"))
    bad_tar("pax-size-negative", "size is not", pax(size=b"-1") + FILE)
    bad_tar("pax-size-overflow", "size is not", pax(size=b"18446744073709551617") + FILE)
    bad_tar("pax-uid-limit", "uid is not", pax(uid=b"4294967295") + FILE)
    bad_tar("pax-gid-negative", "gid is not", pax(gid=b"-1") + FILE)
    for name, value in [("letters", b"yesterday"), ("sign", b"+1"), ("dot", b"1."), ("two", b"1.2.3"),
                        ("exponent", b"1e9"), ("overflow", b"9223372036854775808")]:
        bad_tar("pax-mtime-" + name, "point in time", pax(mtime=value) + FILE)
    bad_tar("pax-key-twice", "given twice", pax(("path", b"rootfs/a"), ("path", b"rootfs/b")) + FILE)
    bad_tar("pax-twice", "two extended", pax(uid=b"1") + pax(gid=b"1") + FILE)
    bad_tar("pax-without-member", "without a member", FILE + pax(uid=b"1"))
    bad_tar("pax-before-global", "global header between", pax(uid=b"1") + pax(type=b"g", uid=b"1") +
            FILE)
    for key in ("path", "linkpath", "size", "SCHILY.xattr.user.a"):
        bad_tar("pax-global-" + key.split(".")[0].lower(), "in a global header",
                pax((key, b"1"), type=b"g") + FILE)
    for name, body in [("empty", b" "), ("word", b"nine a=b\n"), ("leading-zero", b"07 a=bc\n"),
                       ("no-space", b"6\ta=b\n"), ("huge", b"99999999999999999999 a=b\n")]:
        bad_tar("pax-length-" + name, "without a length", pax_raw(body) + FILE)
    for name, body, words in [
            ("short", b"3 uid=1\n", "does not end"), ("too-short", b"2 a=b\n", "impossible"),
            ("long", b"9 uid=1\n", "impossible"), ("zero", b"0 a=b\n", "without a length"),
            ("no-newline", b"7 a=bcd", "does not end")]:
        bad_tar("pax-length-" + name, words, pax_raw(body) + FILE)
    bad_tar("pax-record-no-equals", "without a key", pax_raw(b"6 abc\n") + FILE)
    bad_tar("pax-record-no-key", "without a key", pax_raw(b"6 =bc\n") + FILE)
    bad_tar("pax-record-nul-key", "without a key", pax_raw(b"8 a\0b=c\n") + FILE)
    bad_tar("pax-size-of-header", "more than", header(b"p", b"x", size=1024 * 1024 + 1) +
            bytes(1024 * 1024 + 512) + FILE)
    bad_tar("pax-xattr-twice", "given twice", pax(("SCHILY.xattr.user.a", b"1"),
                                                  ("SCHILY.xattr.user.a", b"1")) + FILE)
    bad_tar("pax-xattr-two-values", "two values", pax(("SCHILY.xattr.user.a", b"1"),
                                                      ("LIBARCHIVE.xattr.user.a", b"Mg")) + FILE)
    bad_tar("pax-xattr-base64", "encoded", pax(("LIBARCHIVE.xattr.user.a", b"a*b=")) + FILE)
    bad_tar("pax-xattr-percent", "encoded", pax(("LIBARCHIVE.xattr.user.%zz", b"Mg")) + FILE)
    bad_tar("pax-xattr-nul-name", "encoded", pax(("LIBARCHIVE.xattr.user.%00", b"Mg")) + FILE)
    bad_tar("pax-xattr-no-name", "names no", pax(("SCHILY.xattr.", b"1")) + FILE)
    bad_tar("pax-xattr-long-name", "255", pax(("SCHILY.xattr." + "u" * 256, b"1")) + FILE)
    bad_tar("pax-xattr-size", "attributes of more", pax(("SCHILY.xattr.user.a", b"1" * 65536)) + FILE)


def sparse():
    name, data = b"rootfs/file", b"d" * 1024
    shapes = {
        "two-runs": (8192, [(0, 512), (4096, 512)], data),
        "hole-at-the-end": (8192, [(512, 1024), (8192, 0)], data),
        "unaligned": (8192, [(100, 1000), (4000, 24)], data),
        "all-hole": (1 << 40, [(1 << 40, 0)], b""),
        "many-runs": (100 * 1024, [(i * 1024, 8) for i in range(100)], b"d" * 800),
    }
    forms = [("gnu-old", sparse_gnu), ("pax-0.0", sparse_0_0), ("pax-0.1", sparse_0_1),
             ("pax-1.0", sparse_1_0)]
    for form, make in forms:
        for shape, (size, runs, bytes_) in shapes.items():
            ok(f"sparse-{form}-{shape}", image(make(name, size, runs, bytes_)))
        bad_tar(f"sparse-{form}-overlap", "overlap", make(name, 8192, [(0, 512), (511, 512)], data))
        bad_tar(f"sparse-{form}-falling", "overlap", make(name, 8192, [(4096, 512), (0, 512)], data))
        bad_tar(f"sparse-{form}-beyond", "beyond", make(name, 4607, [(0, 512), (4096, 512)], data))
        bad_tar(f"sparse-{form}-sum", "runs have", make(name, 8192, [(0, 512), (4096, 511)], data))
        bad_tar(f"sparse-{form}-huge", "too large", make(name, 2**63 - 1, [(0, 1024)], data))
        bad_tar(f"sparse-{form}-cut-short", "truncated",
                make(name, 8192, [(0, 512), (4096, 512)], data)[:-512], end=b"")
    ok("sparse-gnu-old-empty", image(header(name, b"S", magic=GNU)))
    ok("sparse-gnu-old-base256", image(sparse_gnu(name, base256(1 << 35, 12),
                                                  [(base256(1 << 34, 12), 512)], b"d" * 512)))
    ok("sparse-pax-0.0-size", image(pax(("GNU.sparse.size", b"6"), ("GNU.sparse.numblocks", b"0"))
                                    + member(name)))
    bad_tar("sparse-not-gnu", "not GNU's", sparse_gnu(name, 512, [(0, 512)], b"d" * 512, magic=USTAR))
    full = [(i * 1024, 256) for i in range(4)]  # what fits into the header
    bad_tar("sparse-gnu-old-map-cut-short", "truncated",
            sparse_gnu(name, 8192, full, b"", more=True), end=b"")
    bad_tar("sparse-gnu-old-map-empty", "empty block",
            sparse_gnu(name, 8192, full, b"", more=True) + bytes(512))
    for what, runs in {
        "without-length": [(0, 512), (1024, bytes(12)), (4096, 512)],
        "without-offset": [(0, 512), (bytes(12), 512), (4096, 0)],
        "after-its-end": [(0, 1024), (bytes(12), bytes(12)), (8192, 0)],
        "more-after-its-end": [(0, 512), *[(bytes(12), bytes(12))] * 3, (4096, 512)],
    }.items():
        bad_tar(f"sparse-gnu-old-map-{what}", "after an empty run", sparse_gnu(name, 8192, runs, data))
    bad_tar("sparse-gnu-and-pax", "both", pax(("GNU.sparse.size", b"512")) +
            sparse_gnu(name, 512, [(0, 512)], b"d" * 512))
    bad_tar("sparse-directory", "not a file", pax(("GNU.sparse.size", b"0"),
                                                  ("GNU.sparse.numblocks", b"0")) + directory(name))
    bad_tar("sparse-pax-0.0-count", "announced", sparse_0_0(name, 8192, [(0, 1024)], data, count=2))
    bad_tar("sparse-pax-0.1-count", "announced", sparse_0_1(name, 8192, [(0, 1024)], data, count=2))
    bad_tar("sparse-pax-0.1-odd-map", "map is malformed",
            sparse_0_1(name, 8192, [(0, 1024)], data, map=b"0,1024,2000"))
    bad_tar("sparse-pax-0.1-words", "map is malformed",
            sparse_0_1(name, 8192, [(0, 1024)], data, map=b"0,lots"))
    bad_tar("sparse-pax-1.0-too-many", "more than 262144 runs",
            sparse_1_0(name, 8192, [], b"", map=b"262145\n" + b"0\n0\n" * 262145))
    bad_tar("sparse-pax-1.0-version", "version 1.1", sparse_1_0(name, 8192, [(0, 1024)], data,
                                                                version=(b"1", b"1")))
    bad_tar("sparse-pax-1.0-map-cut-short", "longer than its data",
            sparse_1_0(name, 8192, [], b"", map=b"300\n" + b"1\n0\n" * 127))
    bad_tar("sparse-pax-1.0-padding", "padding", sparse_1_0(name, 8192, [], data,
                                                            map=b"1\n0\n1024\nx"))
    bad_tar("sparse-pax-1.0-number", "malformed", sparse_1_0(name, 8192, [], data,
                                                             map=b"1\n0\n" + b"1" * 30))
    bad_tar("sparse-pax-two-forms", "none of the versions",
            pax(("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.realsize", b"6"), ("GNU.sparse.map", b"0,6")) + FILE)
    bad_tar("sparse-pax-twice", "twice", pax(("GNU.sparse.size", b"6"), ("GNU.sparse.size", b"6"),
                                             ("GNU.sparse.numblocks", b"0")) + FILE)
    bad_tar("sparse-pax-turns", "in turns", pax(("GNU.sparse.size", b"6"),
                                                ("GNU.sparse.numblocks", b"1"),
                                                ("GNU.sparse.numbytes", b"6")) + FILE)
    bad_tar("sparse-pax-open", "without a length", pax(("GNU.sparse.size", b"6"),
                                                       ("GNU.sparse.numblocks", b"1"),
                                                       ("GNU.sparse.offset", b"0")) + FILE)
    bad_tar("sparse-pax-unknown", "unknown key", pax(("GNU.sparse.shape", b"round")) + FILE)
    bad_tar("sparse-pax-name-dotdot", "..", sparse_0_1(b"rootfs/../../x", 8192, [(0, 1024)], data))
    bad_tar("sparse-pax-name-nul", "NUL", sparse_0_1(b"rootfs/a\0b", 8192, [(0, 1024)], data))
    bad_tar("sparse-pax-global", "global", pax(("GNU.sparse.size", b"6"), type=b"g") + FILE)
    bad_tar("sparse-solaris", "Solaris", pax(("SUN.holesdata", b" 0 6 4096")) + FILE)
    layout("sparse-manifest", sparse_1_0(b"manifest", len(MANIFEST), [(0, len(MANIFEST))], MANIFEST) +
           directory(b"rootfs") + END)


# ---- ends (S-005) -------------------------------------------------------------------------------

def ends():
    whole = image(FILE)
    ok("end-two-blocks", whole)
    ok("end-record", image(FILE, end=bytes(20 * BLOCK)))
    ok("end-megabyte", image(FILE, end=bytes(1024 * 1024)))
    bad_tar("end-missing", "no end marker", FILE, end=b"")
    bad_tar("end-half", "half an end marker", FILE, end=bytes(BLOCK))
    bad_tar("end-lone-zero", "lone zero", bytes(BLOCK), FILE)
    bad_tar("end-garbage", "garbage after", FILE, end=END + b"x")
    bad_tar("end-garbage-late", "garbage after", FILE, end=bytes(100 * BLOCK) + b"x" + bytes(511))
    bad_tar("end-second-archive", "garbage after", FILE, end=END + whole)
    bad("truncated-header", "tar", "within a header", HEAD + FILE[:100])
    bad("truncated-data", "tar", "are missing", HEAD + FILE[:514])
    bad("truncated-padding", "tar", "padding", HEAD + FILE[:600])
    bad("truncated-pax", "tar", "extended header", HEAD + pax(path=b"rootfs/a")[:520])
    bad("not-a-tar", "tar", "not a tar archive", b"Ceci n'est pas une image.\n" * 40)
    bad("not-a-tar-short", "tar", "not a tar archive", b"hello\n")
    bad("empty", "unpack", "empty", b"")


# ---- compression (S-006) ------------------------------------------------------------------------

def gzip_cases():
    whole = image(FILE)
    packed = gzip(whole)
    ok("gzip", packed)
    ok("gzip-stored", gzip(whole, level=0))
    ok("gzip-members", gzip(whole[:700]) + gzip(whole[700:]))
    ok("gzip-empty-member", gzip(b"") + packed + gzip(b""))
    ok("gzip-fields", gzip_with_fields(whole))
    for at in (1, 3, 9, 10, 20, len(packed) // 2, len(packed) - 9, len(packed) - 8, len(packed) - 4,
               len(packed) - 1):
        bad("gzip-truncated-%d" % at, *(("tar", "") if at < 2 else ("unpack", "truncated")),
            packed[:at])
    bad("gzip-truncated-second", "unpack", "truncated", packed + gzip(bytes(9000))[:20])
    bad("gzip-garbage", "unpack", "garbage", packed + b"garbage")
    bad("gzip-garbage-one-byte", "unpack", "garbage", packed + b"\x1f")
    bad("gzip-zeros", "unpack", "garbage", packed + bytes(512))
    bad("gzip-checksum", "unpack", "checksum|data check", gzip(whole, crc=1))
    bad("gzip-checksum-first", "unpack", "checksum|data check",
        gzip(whole[:700], crc=1) + gzip(whole[700:]))
    bad("gzip-length", "unpack", "length", gzip(whole, size=1))
    bad("gzip-header-checksum", "unpack", "checksum|header crc",
        gzip_with_fields(whole, break_header_crc=True))
    bad("gzip-method", "unpack", "damaged header", gzip(whole, method=7))
    bad("gzip-reserved-flags", "unpack", "damaged header", gzip(whole, flags=0x80))
    bad("gzip-data", "unpack", "gzip:", packed[:10] + b"\xff" * 40 + packed[50:])
    bad("gzip-bomb", "unpack", "1000 times", gzip(image(member(b"rootfs/file", bytes(80 << 20)))))


def bzip2_cases():
    whole = image(FILE)
    packed = bzip2(whole)
    ok("bzip2", packed)
    ok("bzip2-members", bzip2(whole[:700]) + bzip2(whole[700:]))
    for at in (4, 20, len(packed) - 1):
        bad("bzip2-truncated-%d" % at, "unpack", "truncated", packed[:at])
    bad("bzip2-garbage", "unpack", "garbage", packed + b"garbage")
    bad("bzip2-zeros", "unpack", "garbage", packed + bytes(4))
    bad("bzip2-checksum", "unpack", "checksum", packed[:10] + b"\0\0\0\0" + packed[14:])


def xz_cases():
    whole = image(FILE)
    packed = xz(whole)
    ok("xz", packed)
    ok("xz-check-none", xz(whole, lzma.CHECK_NONE))
    ok("xz-streams", xz(whole[:700]) + xz(whole[700:]))
    ok("xz-padding", xz(whole[:700]) + bytes(4) + xz(whole[700:]) + bytes(8))
    for at in (6, 12, 40, len(packed) - 1):
        bad("xz-truncated-%d" % at, "unpack", "truncated", packed[:at])
    bad("xz-garbage", "unpack", "xz:", packed + b"garbage garbage")
    bad("xz-padding-odd", "unpack", "xz:", packed + bytes(3))
    bad("xz-checksum", "unpack", "checksum", packed[:-40] + b"\xff" + packed[-39:])
    bad("xz-dictionary", "unpack", "memory", xz_with_dictionary(whole, 33))


def zstd_cases():
    whole = image(FILE)
    packed = zstd(whole)
    ok("zstd", packed)
    ok("zstd-frames", zstd(whole[:700]) + zstd(whole[700:]))
    ok("zstd-skippable", zstd_skippable(b"note") + packed + zstd_skippable(b""))
    for at in (4, 8, 200, len(packed) - 1):
        bad("zstd-truncated-%d" % at, "unpack", "truncated", packed[:at])
    bad("zstd-truncated-skippable", "unpack", "truncated", packed + zstd_skippable(b"note")[:-1])
    bad("zstd-garbage", "unpack", "garbage", packed + b"garbage")
    bad("zstd-checksum", "unpack", "checksum", zstd(whole, checksum=1))
    bad("zstd-window", "unpack", "window", zstd(whole, window=0x89))


def encrypted():
    bad("pgp-symmetric", "unpack", "OpenPGP", bytes.fromhex("8c0d040903020123456789abcdef") +
        b"\xd2" + bytes(range(200)))
    bad("pgp-public-key", "unpack", "OpenPGP", bytes.fromhex("85010c03") + bytes(range(256)) * 2)
    bad("pgp-new-format", "unpack", "OpenPGP", bytes.fromhex("c32e040903080123456789") + bytes(300))
    bad("pgp-armor", "unpack", "OpenPGP", b"-----BEGIN PGP MESSAGE-----\n\njA0ECQMC\n" * 20)
    # what starts a name in UTF-8 is the tag of such a packet, but no version follows
    ok_name = "\u00e9/x".encode()
    layout("top-utf8-name", member(ok_name, b"1") + image())


# ---- what only the rules of the image refuse (S-007, S-008) -------------------------------------

def layouts():
    root = directory(b"rootfs")
    manifest = member(b"manifest", MANIFEST)
    ok("manifest-last", root + FILE + manifest + END)
    ok("no-parents", image(member(b"rootfs/a/b/c/file", b"1")))
    layout("manifest-missing", root + FILE + END)
    layout("rootfs-missing", manifest + END)
    layout("top-other", image(member(b"readme", b"1")))
    layout("manifest-symlink", symlink(b"manifest", b"rootfs/file") + root + FILE + END)
    layout("manifest-hardlink", root + member(b"rootfs/m", MANIFEST) +
           hardlink(b"manifest", b"rootfs/m") + END)
    layout("manifest-directory", directory(b"manifest") + root + END)
    layout("manifest-device", header(b"manifest", b"3", major=1, minor=3) + root + END)
    layout("manifest-twice", manifest + root + manifest + END)
    layout("manifest-not-json", member(b"manifest", b"hello\n") + root + END)
    layout("manifest-empty", member(b"manifest") + root + END)
    layout("manifest-too-large", member(b"manifest", b" " * (1024 * 1024) + MANIFEST) + root + END)
    layout("manifest-kind", member(b"manifest", MANIFEST.replace(b"ImageManifest", b"PodManifest")) +
           root + END)
    layout("rootfs-file", manifest + member(b"rootfs", b"1") + END)
    layout("rootfs-symlink", manifest + symlink(b"rootfs", b"/") + END)
    layout("rootfs-twice", image(root))
    layout("duplicate", image(FILE, FILE))
    layout("duplicate-dot-slash", image(FILE, member(b"./rootfs//file", b"1")))
    layout("duplicate-directory", image(directory(b"rootfs/d"), directory(b"rootfs/d/")))
    layout("hardlink-forward", image(hardlink(b"rootfs/l", b"rootfs/file"), FILE))
    layout("hardlink-self", image(hardlink(b"rootfs/l", b"rootfs/l")))
    layout("hardlink-missing", image(hardlink(b"rootfs/l", b"rootfs/nothing")))
    layout("hardlink-chain", image(FILE, hardlink(b"rootfs/l", b"rootfs/file"),
                                   hardlink(b"rootfs/m", b"rootfs/l")))
    layout("hardlink-to-directory", image(directory(b"rootfs/d"), hardlink(b"rootfs/l", b"rootfs/d")))
    layout("hardlink-to-symlink", image(symlink(b"rootfs/s", b"file"),
                                        hardlink(b"rootfs/l", b"rootfs/s")))
    layout("hardlink-to-manifest", image(hardlink(b"rootfs/l", b"manifest")))
    layout("hardlink-to-device", image(header(b"rootfs/n", b"3", major=1, minor=3),
                                       hardlink(b"rootfs/l", b"rootfs/n")))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = sys.argv[1]
    for make in (tar_forms, names, extensions, sparse, ends, gzip_cases, bzip2_cases, xz_cases,
                 zstd_cases, encrypted, layouts):
        make()
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(target, "EXPECTED"), "w") as expected:
        for name, (who, words, data) in sorted(cases.items()):
            with open(os.path.join(target, name + ".aci"), "wb") as file:
                file.write(data)
            expected.write("%s.aci\t%s\t%s\n" % (name, who, words))


if __name__ == "__main__":
    main()
