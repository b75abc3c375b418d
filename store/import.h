/* Recording an image: what the one commit at the end of an import writes; and the import for our
 * own commands. */
#pragma once

#include "store/store.h"

struct import_record {
	rkt_image_id id;
	struct image_row row;
	struct slice manifest;
	struct alias packed, hint; /* what the file is known by; empty: no file */
	struct alias seen;         /* the file as it lies there; empty: not to be relied on */
	struct alias sha512;       /* of the tar; empty: not made */
	struct origin_row origin;  /* empty: not known */
	struct tree_row
		tree; /* of its EROFS index, unless row.index_fault says why there is none */
};

/* How much of a file it took to know its image. */
enum import_how {
	IMPORT_UNPACKED,   /* all, unpacked; the image is new */
	IMPORT_KNOWN_TAR,  /* the same, and the image was there */
	IMPORT_KNOWN_FILE, /* all, as it is: a file of the same bytes was imported before */
	IMPORT_KNOWN_SEEN, /* samples: it lies there as it did then (seen.h) */
};

/* What our own commands ask for beyond rkt_import_options. */
struct import_wish {
	uint64_t at_ns; /* the time of the import, for its record; 0: that of the record */
	/* Digits: refuse (RKT_INVALID) what is compressed, or has a SHA-512 that does not begin
	 * with them; from then on the image is found by it. NULL: any. */
	const char *sha512;
	/* 64 digits: refuse (RKT_INVALID) a file whose bytes as delivered have another SHA-256: for
	 * what was looked at before (S-020). NULL: any. */
	const char *file_sha256;
	/* For the record of where the image came from (origin_row); both NULL: none. Of an image
	 * that is there already it is changed only when this file was signed. */
	const char *source, *signed_by;
	enum import_how *ret_how; /* set on success; or NULL */
};

/* rkt_store_import(); OPTIONS and WISH may be NULL. */
int import_as_wished(rkt_store *store, int fd, const struct rkt_import_options *options,
	const struct import_wish *wish, rkt_image_id *ret_id, rkt_error **err);

/* A db_work: writes the records of CONTEXT, a struct import_record. An image that is there already
 * keeps its time and name record. */
int import_record_write(db_txn *txn, void *context, rkt_error **err);
/* A db_work: of an image that is there already, what CONTEXT, a struct import_record, says that was
 * not known: aliases, and where it came from. */
int import_record_more(db_txn *txn, void *context, rkt_error **err);
