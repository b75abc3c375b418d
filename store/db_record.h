/*
 * Keys and records of the index, and nothing else knows their bytes (doc/formats.md, "Index").
 *
 * Every record begins with a version byte; an unknown one is refused. Numbers are little-endian in
 * values, big-endian in keys, where order matters. IDs are their 32 raw bytes. A text is u32
 * length, bytes and a NUL; length 0xffffffff and nothing after it: no text.
 *
 *	meta      "format"          -> 1, u32 format
 *	meta      "probe"           -> 1, text boot id: in this boot EROFS mounts were found to work
 *	image     id                -> 1, u64 size, u64 entries, u64 imported_ns, texts name,
 *	                               version, os, arch, why there is no index
 *	manifest  id                -> 1, the manifest's bytes
 *	name      name, 0, ~ns, id  -> 1: newest first; a name longer than 255 bytes stands as
 *	                               1 and the 64 digits of its SHA-256
 *	tree      form, id          -> 1, u32 index version, u64 size, u64 made_ns, text boot id,
 *	                               u32 count, count ids of the images layered in it
 *	tree      'p', tree id      -> 1, u32 count, then for each layer, lowest first: id, u32 the
 *	                               number of the layer that it is a dependency of, 2^32-1: none
 *	lease     id, uuid          -> 1, u64 taken_ns [, id of the tree the pod has of the image]
 *	alias     kind, digest      -> 1, id
 *	alias     'i', id, kind, digest -> 1: the aliases of an image, for its removal
 *	remote    SHA-256 of a URL  -> 1, texts url, etag, last modified, u64 fetched_ns, u64
 *	                               fresh_ns, the id of the image it led to
 *	used      id                -> 1, u64 used_ns: when a pod last took a lease on the image, or
 *	                               somebody imported or fetched what was there
 *	origin    id                -> 1, texts source, fingerprint of the key that signed the file,
 *	                               u64 ns: when that was recorded
 */
#pragma once

#include "rkt/store.h"
#include "base/uuid.h"
#include "store/db.h"

#define KEY_ID_SIZE    32
#define KEY_NAME_MAX   (255 + 1 + 8 + KEY_ID_SIZE)
#define KEY_TREE_SIZE  (1 + KEY_ID_SIZE)
#define KEY_LEASE_SIZE (KEY_ID_SIZE + UUID_TEXT_LEN)

/* A key being made: its bytes and how many there are. */
struct key {
	uint8_t bytes[KEY_NAME_MAX];
	size_t len;
};

static inline struct slice key_slice(const struct key *key)
{
	return (struct slice){ key->bytes, key->len };
}

struct key key_of_id(const rkt_image_id *id);
/* The first KEY_ID_SIZE bytes of BYTES as an ID. */
rkt_image_id key_to_id(const uint8_t *bytes);

/* The ID that a key in the image table is; RKT_INVALID when KEY is none. */
int key_image_id(struct slice key, rkt_image_id *ret, rkt_error **err);

/* The key of the image ID called NAME that was imported at NS; with ID NULL the part before the
 * time, which all images of that name share. */
int key_of_name(const char *name, uint64_t imported_ns, const rkt_image_id *id, struct key *ret,
	rkt_error **err);
/* A name of up to so many bytes stands in its key as it is; the keys of all longer ones begin with
 * KEY_LONG_NAMES, which no name does: AC identifiers have no control characters. */
#define KEY_NAME_PLAIN_MAX 255
#define KEY_LONG_NAMES     "\1"
/* The ID at the end of a key in the name table; RKT_INVALID when KEY is too short to have one. */
int key_name_id(struct slice key, rkt_image_id *ret, rkt_error **err);

/* The forms of a tree as they stand in keys. */
/* A plan is what a tree is made of (deps.h): it has no form yet. */
enum record_form { RECORD_EROFS = 'e', RECORD_EXTRACTED = 'x', RECORD_PLAN = 'p' };
struct key key_of_tree(enum record_form form, const rkt_image_id *id);

/* UUID has UUID_TEXT_LEN characters; with UUID NULL the part all leases of the image share. */
struct key key_of_lease(const rkt_image_id *id, const char *uuid);
int key_lease_read(struct slice key, rkt_image_id *ret_id, char ret_uuid[static UUID_TEXT_LEN + 1],
	rkt_error **err);

/* An image's row. Strings are lent: when writing by the caller, after reading by the bytes read. */
struct image_row {
	uint64_t size, entries, imported_ns;
	const char *name;
	const char *version, *os, *arch; /* NULL: no such label */
	const char *index_fault;         /* why there is no EROFS index; NULL when there is one */
};

void image_row_write(const struct image_row *row, struct buf *out);
int image_row_read(struct slice bytes, struct image_row *ret, rkt_error **err);

/* The manifest in a record of the manifest table. */
void manifest_row_write(struct slice manifest, struct buf *out);
int manifest_row_read(struct slice bytes, struct slice *ret, rkt_error **err);

struct tree_row {
	uint32_t index_version;     /* EROFS: INDEX_VERSION of who wrote it; else 0 */
	uint64_t size, made_ns;     /* EROFS: bytes of the index file; extracted: of its tar */
	const char *boot;           /* extracted: the boot it was made in; EROFS: NULL */
	const rkt_image_id *layers; /* writing: the images in it, lowest first */
	uint32_t layer_count;
};

void tree_row_write(const struct tree_row *row, struct buf *out);
/* LAYERS is NULL after reading; only their number is looked at. */
int tree_row_read(struct slice bytes, struct tree_row *ret, rkt_error **err);

/* What else an image goes by, as it stands in keys: the digest of its packed file, a fingerprint of
 * that file (packed.h), the file as it lay on the disk (seen.h), the SHA-512 of its tar. */
enum alias_kind {
	ALIAS_SEEN = 'f',
	ALIAS_HINT = 'h',
	ALIAS_PACKED = 'p',
	ALIAS_SHA512 = 's',
};
#define ALIAS_DIGEST_MAX 64
struct alias {
	enum alias_kind kind;
	uint8_t digest[ALIAS_DIGEST_MAX];
	size_t len;
};
struct key key_of_alias(const struct alias *alias);
/* The key that leads from ID to ALIAS; with ALIAS NULL the part all aliases of ID share. */
struct key key_of_alias_of(const rkt_image_id *id, const struct alias *alias);
/* The alias at the end of such a key; RKT_INVALID when there is none. */
int key_alias_read(struct slice key, struct alias *ret, rkt_error **err);

void alias_row_write(const rkt_image_id *id, struct buf *out);
int alias_row_read(struct slice bytes, rkt_image_id *ret, rkt_error **err);

/* The layers as a plan. */
void plan_row_write(const rkt_layers *layers, struct buf *out);
/* Reads a plan from its lowest layer on: 1 with the next, 0 at the end, -1. BYTES are lent. */
struct plan_reader {
	const uint8_t *at;
	uint32_t count, next;
};
int plan_row_start(struct slice bytes, struct plan_reader *ret, rkt_error **err);
int plan_row_next(
	struct plan_reader *self, rkt_image_id *ret_id, uint32_t *ret_above, rkt_error **err);

/* TREE is what the pod has of the image; NULL: the image is only a layer of some tree. */
void lease_row_write(uint64_t taken_ns, const rkt_image_id *tree, struct buf *out);
/* 1 with *RET_TREE, 0 when there is none, or -1. */
int lease_row_read(struct slice bytes, rkt_image_id *ret_tree, rkt_error **err);

/* When a pod last took a lease on an image. */
void used_row_write(uint64_t used_ns, struct buf *out);
int used_row_read(struct slice bytes, uint64_t *ret_ns, rkt_error **err);

/* Where an image came from. Strings are lent as those of an image's row. */
struct origin_row {
	const char *source;    /* a URL without credentials, or a path; NULL: not known */
	const char *signed_by; /* lower-case hexadecimal; NULL: no signature was looked at */
	uint64_t at_ns;
};
void origin_row_write(const struct origin_row *row, struct buf *out);
int origin_row_read(struct slice bytes, struct origin_row *ret, rkt_error **err);

/* What a URL led to. Strings are lent: when writing by the caller, after reading by the bytes read.
 */
struct remote_row {
	const char *url;
	const char *etag, *last_modified; /* NULL: the server said none */
	uint64_t fetched_ns;              /* when it last said anything new */
	uint64_t fresh_ns;                /* until then nobody needs to ask it again */
	rkt_image_id id;
};
/* URL is without user and password. */
int key_of_remote(const char *url, struct key *ret, rkt_error **err);
void remote_row_write(const struct remote_row *row, struct buf *out);
int remote_row_read(struct slice bytes, struct remote_row *ret, rkt_error **err);

/* A record that is one text: meta "probe". */
void text_row_write(const char *text, struct buf *out);
int text_row_read(struct slice bytes, const char **ret, rkt_error **err);
