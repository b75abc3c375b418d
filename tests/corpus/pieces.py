"""Pieces of archives: tar headers, pax records and compressed members, each as exact bytes.

Nothing here checks anything: the point is to write what no sane tool would.
"""
import bz2
import lzma
import struct
import zlib

BLOCK = 512
MTIME = 1418290200  # 2014-12-11, the day of the first release


# ---- tar ----------------------------------------------------------------------------------------

def pad(data):
    """DATA up to the next multiple of 512."""
    return data + bytes(-len(data) % BLOCK)


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def base256(value, width):
    """GNU's numbers: big-endian two's complement with the highest bit set."""
    raw = bytearray((value % (1 << (8 * width))).to_bytes(width, "big"))
    raw[0] |= 0x80
    return bytes(raw)


def number(value, width):
    """VALUE is a number to be written in octal, or the bytes of the field themselves."""
    return value.ljust(width, b"\0") if isinstance(value, bytes) else octal(value, width)


USTAR, GNU, V7 = b"ustar\x0000", b"ustar  \0", bytes(8)


def header(name, type=b"0", size=0, *, mode=0o644, uid=0, gid=0, mtime=MTIME, link=b"",
           magic=USTAR, major=b"", minor=b"", prefix=b"", rest=b"", checksum=None, signed=False):
    block = bytearray(BLOCK)
    block[0:100] = name.ljust(100, b"\0")[:100]
    block[100:108] = number(mode, 8)
    block[108:116] = number(uid, 8)
    block[116:124] = number(gid, 8)
    block[124:136] = number(size, 12)
    block[136:148] = number(mtime, 12)
    block[148:156] = b" " * 8
    block[156:157] = type
    block[157:257] = link.ljust(100, b"\0")[:100]
    block[257:265] = magic
    block[329:337] = number(major, 8)
    block[337:345] = number(minor, 8)
    block[345:500] = prefix.ljust(155, b"\0")
    if rest:
        block[386:386 + len(rest)] = rest
    if checksum is None:
        checksum = sum(b - 256 if signed and b > 127 else b for b in block)
    block[148:156] = b"%06o\0 " % checksum
    return bytes(block)


def member(name, data=b"", type=b"0", **fields):
    fields.setdefault("size", len(data))
    return header(name, type, **fields) + pad(data)


def directory(name, **fields):
    return header(name, b"5", mode=0o755, **fields)


def symlink(name, target, **fields):
    return header(name, b"2", mode=0o777, link=target, **fields)


def hardlink(name, target, **fields):
    return header(name, b"1", link=target, **fields)


def sparse_gnu(name, size, runs, data, *, more=False, **fields):
    """GNU's old form: four runs in the header, 21 in each block after it."""
    def field(value):
        return value if isinstance(value, bytes) else number(value, 12) if value < 8**11 else base256(value, 12)
    packed = [field(offset) + field(length) for offset, length in runs]
    blocks = [packed[:4]] + [packed[i:i + 21] for i in range(4, len(packed), 21)]
    marks = [b"\1"] * (len(blocks) - 1) + [b"\1" if more else b"\0"]
    rest = b"".join(blocks[0]).ljust(96, b"\0") + marks[0] + field(size)
    lists = [pad(b"".join(block).ljust(504, b"\0") + mark) for block, mark in zip(blocks[1:], marks[1:])]
    fields.setdefault("magic", GNU)
    return header(name, b"S", len(data), rest=rest, **fields) + b"".join(lists) + pad(data)


def sparse_0_0(name, size, runs, data, *, count=None):
    pairs = [(f"GNU.sparse.{key}", b"%d" % value) for run in runs
             for key, value in zip(("offset", "numbytes"), run)]
    count = len(runs) if count is None else count
    return pax(("GNU.sparse.size", b"%d" % size), ("GNU.sparse.numblocks", b"%d" % count),
               *pairs) + member(name, data)


def sparse_0_1(name, size, runs, data, *, count=None, map=None):
    count = len(runs) if count is None else count
    map = b",".join(b"%d,%d" % run for run in runs) if map is None else map
    return pax(("GNU.sparse.size", b"%d" % size), ("GNU.sparse.numblocks", b"%d" % count),
               ("GNU.sparse.name", name), ("GNU.sparse.map", map)) + \
        member(b"rootfs/GNUSparseFile.1/x", data)


def sparse_1_0(name, size, runs, data, *, map=None, version=(b"1", b"0")):
    if map is None:
        map = b"%d\n" % len(runs) + b"".join(b"%d\n%d\n" % run for run in runs)
    return pax(("GNU.sparse.major", version[0]), ("GNU.sparse.minor", version[1]),
               ("GNU.sparse.name", name), ("GNU.sparse.realsize", b"%d" % size)) + \
        member(b"rootfs/GNUSparseFile.1/x", pad(map) + data)


def long_name(name, type=b"L"):
    """GNU: the name (L) or link target (K) of the next member."""
    return member(b"././@LongLink", name + b"\0", type, magic=GNU, mtime=0)


def record(key, value):
    """One pax record, with the length that counts itself."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def pax_raw(body, type=b"x"):
    return member(b"PaxHeaders/x", body, type)


def pax(*records, type=b"x", **keys):
    """pax(("SCHILY.xattr.user.a", b"1"), path=b"p")"""
    pairs = list(records) + list(keys.items())
    return pax_raw(b"".join(record(key, value) for key, value in pairs), type)


END = bytes(2 * BLOCK)


# ---- compression --------------------------------------------------------------------------------

def gzip(data, *, flags=0, extra=b"", method=8, crc=None, size=None, level=6):
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) % (1 << 32) if size is None else size
    head = bytes([0x1f, 0x8b, method, flags, 0, 0, 0, 0, 0, 255])
    return head + extra + deflate.compress(data) + deflate.flush() + struct.pack("<II", crc, size)


def gzip_with_fields(data, *, break_header_crc=False):
    """A member with an extra field, name, comment and the checksum of the header."""
    extra = struct.pack("<H", 300) + bytes(300) + b"image.tar\0" + b"a comment\0"
    head = bytes([0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 255]) + extra
    crc = (zlib.crc32(head) & 0xffff) ^ (1 if break_header_crc else 0)
    return gzip(data, flags=0x1e, extra=extra + struct.pack("<H", crc))


def bzip2(data):
    return bz2.compress(data)


def xz(data, check=lzma.CHECK_CRC64):
    return lzma.compress(data, lzma.FORMAT_XZ, check, preset=0)


def xz_with_dictionary(data, code):
    """The dictionary size byte of the first block replaced (xz format 5.3.1), its CRC made right."""
    whole = bytearray(xz(data))
    start = 12  # after the stream header
    length = (whole[start] + 1) * 4
    at = whole.index(b"\x21\x01", start) + 2
    whole[at] = code
    crc = zlib.crc32(bytes(whole[start:start + length - 4]))
    whole[start + length - 4:start + length] = struct.pack("<I", crc)
    return bytes(whole)


def zstd(data, *, checksum=None, window=0x38):
    """A frame of raw blocks (RFC 8878, 3.1.1). WINDOW 0x38: 128 KiB."""
    out = struct.pack("<IBB", 0xfd2fb528, 4 if checksum is not None else 0, window)
    pieces = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        out += struct.pack("<I", last | len(piece) << 3)[:3] + piece
    return out + (struct.pack("<I", checksum) if checksum is not None else b"")


def zstd_skippable(data):
    return struct.pack("<II", 0x184d2a53, len(data)) + data
