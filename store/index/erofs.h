/*
 * The EROFS on-disk format, as far as an index over tars uses it (Linux: fs/erofs/erofs_fs.h,
 * Documentation/filesystems/erofs.rst). All numbers are little-endian; a block is 512 bytes.
 *
 *	index      = 1024 zero bytes
 *	             superblock                      at 1024
 *	             device{tars}                    at 1152, one per tar: the n-th has device id n
 *	             inode-with-body{inodes}         each at a multiple of 32, the root's first
 *	             zeros to a multiple of 512
 *	             data-block{…}                   of directories and symlinks
 *	             zeros to a multiple of 65536
 *
 *	inode-with-body = inode [xattr-body] [tail | zeros-to-8 chunk{chunks}]
 *	xattr-body = xattr-header xattr-entry{…}     length 12 + 4·(xattr_icount - 1)
 *	xattr-entry = name-len name-index value-size name value zeros-to-4
 *	data-block = directory-block | 512 bytes of a symlink's target, zeros after its end
 *	directory-block = dirent{n} name{n} zeros-to-512
 *	tail       = what is left of a directory or target after its whole blocks: lies in one block
 *
 * A nid is an inode's offset in the index divided by 32. A directory has one strict order of names,
 * as unsigned bytes, over all its blocks, "." and ".." among them; a block is filled until the next
 * entry does not fit. Regular files have their data in a tar: a chunk names the device and the
 * block, or is a hole of a sparse file.
 *
 * Fields called zero are used by features that an index does not have.
 */
#pragma once

#include <endian.h>
#include <stdint.h>

#define EROFS_BLOCK_BITS 9
#define EROFS_BLOCK      512u
#define EROFS_SLOT       32u /* what nids count */
#define EROFS_ALIGN \
	65536u /* the size of an index: whole pages on every machine (from Linux 7.3 on) */

#define EROFS_SUPER_OFFSET 1024u
#define EROFS_MAGIC        0xe0f5e1e2u
/* No checksum: fsck.erofs 1.8.6 crashes on one over 512-byte blocks, and the kernel asks for
 * none. */
#define EROFS_COMPAT_MTIME          0x2u
#define EROFS_INCOMPAT_CHUNKED_FILE 0x4u
#define EROFS_INCOMPAT_DEVICE_TABLE 0x8u

struct erofs_super {
	uint32_t magic;
	uint32_t checksum;
	uint32_t feature_compat;
	uint8_t block_bits;
	uint8_t zero0;
	uint16_t root_nid;
	uint64_t inodes;
	uint64_t epoch;
	uint32_t epoch_nsec;
	uint32_t blocks;     /* of the index */
	uint32_t meta_block; /* nids count from here: 0 */
	uint32_t xattr_block;
	uint8_t uuid[16];
	uint8_t volume_name[16];
	uint32_t feature_incompat;
	uint16_t zero1;
	uint16_t devices;
	uint16_t device_slot; /* the device table is at DEVICE_SLOT · 128 */
	uint8_t zero2[38];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_super) == 128, "superblock");

#define EROFS_DEVICES_OFFSET (EROFS_SUPER_OFFSET + 128u)
/* The root's nid has 16 bits, and the root stands behind the device table. */
#define EROFS_DEVICES_MAX 16000u

struct erofs_device {
	uint8_t tag[64];
	uint32_t blocks;  /* of the tar */
	uint32_t address; /* its first block when index and tars are read as one disk; 0: nowhere */
	uint8_t zero[56];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_device) == 128, "device slot");

/* Bit 0: the long form of an inode, the only one with a time of its own on every kernel. */
#define EROFS_INODE_LONG 1u
enum erofs_layout {
	EROFS_PLAIN = 0,  /* whole blocks from DATA on */
	EROFS_INLINE = 2, /* the last, partial block is the tail behind the inode */
	EROFS_CHUNKS = 4, /* chunks behind the inode */
};

struct erofs_inode {
	uint16_t format; /* EROFS_INODE_LONG | layout << 1 */
	uint16_t xattr_icount;
	uint16_t mode;
	uint16_t zero0;
	uint64_t size;
	uint32_t data; /* plain, inline: first block; chunks: EROFS_CHUNK_INDEXES | bits; devices:
			  number */
	uint32_t ino;  /* a running number */
	uint32_t uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t nlink;
	uint8_t zero1[16];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_inode) == 64, "inode");

/* A chunk is 512 << bits bytes long. */
#define EROFS_CHUNK_INDEXES  0x20u
#define EROFS_CHUNK_BITS_MAX 31u

struct erofs_chunk {
	uint16_t zero;
	uint16_t device;
	uint32_t block;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_chunk) == 8, "chunk");

/* A device ends before the number that stands for a hole: 2 TiB. */
#define EROFS_HOLE       0xffffffffu
#define EROFS_BLOCKS_MAX 0xfffffffeu

struct erofs_dirent {
	uint64_t nid;
	uint16_t name_offset; /* from the start of the block */
	uint8_t type;         /* enum erofs_type */
	uint8_t zero;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "dirent");

enum erofs_type {
	EROFS_FILE = 1,
	EROFS_DIR,
	EROFS_CHAR,
	EROFS_BLOCKDEV,
	EROFS_FIFO,
	EROFS_SOCKET,
	EROFS_SYMLINK,
};

#define EROFS_NAME_MAX   255u
#define EROFS_TARGET_MAX 4095u
#define EROFS_MAJOR_MAX  0xfffu
#define EROFS_MINOR_MAX  0xfffffu
#define EROFS_ID_MAX     0xfffffffeu /* uid, gid: 2^32-1 means "none" */

struct erofs_xattr_header {
	uint32_t zero0;
	uint8_t shared_count; /* 0: every inode has its own */
	uint8_t zero1[7];
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "xattr header");

struct erofs_xattr {
	uint8_t name_len; /* without the prefix that INDEX stands for */
	uint8_t index;    /* enum erofs_xattr_index */
	uint16_t value_size;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_xattr) == 4, "xattr entry");

enum erofs_xattr_index {
	EROFS_XATTR_USER = 1,
	EROFS_XATTR_ACL_ACCESS = 2,
	EROFS_XATTR_ACL_DEFAULT = 3,
	EROFS_XATTR_TRUSTED = 4,
	EROFS_XATTR_SECURITY = 6,
};

#define EROFS_XATTR_ICOUNT_MAX 65535u
