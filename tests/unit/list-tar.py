#!/usr/bin/python3
"""Lists a tar as Python's tarfile reads it, a line a member, for comparison with our walker:

path|link|type|mode|uid|gid|size|mtime in seconds|header offset|data offset|xattrs
"""
import sys
import tarfile

TYPES = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file",
         tarfile.LNKTYPE: "hardlink", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "char",
         tarfile.BLKTYPE: "block", tarfile.DIRTYPE: "dir", tarfile.FIFOTYPE: "fifo"}


def normal(name):
    name = name.rstrip("/")
    return name[2:] if name.startswith("./") else "" if name == "." else name


with tarfile.open(sys.argv[1], "r:", errorlevel=2) as tar:
    for member in tar:
        link = normal(member.linkname) if member.islnk() else \
            member.linkname if member.issym() else ""
        xattrs = ",".join(sorted(key[13:] + "=" + value for key, value in
                                 member.pax_headers.items() if key.startswith("SCHILY.xattr.")))
        print(normal(member.name), link, TYPES[member.type], "%o" % (member.mode & 0o7777),
              member.uid, member.gid, member.size, int(member.mtime // 1), member.offset,
              member.offset_data, xattrs, sep="|")
