/*
 * Import: one pass over the bytes of an image file.
 *
 *	fd -> packed -> unpack -> threaded -> tap(digest) -> tap(blob) -> image walk -> index
 *
 * A file that was imported before is known by the digest of its packed bytes and not unpacked again
 * (packed.h), and as long as it lies there untouched not read again either (seen.h). Whoever
 * imports a file that somebody else is importing waits for that one (arrival.h).
 *
 * Then, in this order (S-040): both files synced, named, their folders synced, one durable commit.
 * Before the commit the image does not exist. What a killed import leaves is at most two files that
 * no record names; gc collects them, and the next import of the same image takes them over.
 */
#include "store/import.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "aci/image.h"
#include "aci/unpack.h"
#include "base/alloc.h"
#include "base/hex.h"
#include "store/alias.h"
#include "store/arrival.h"
#include "store/index/index.h"
#include "store/known.h"
#include "store/origin.h"
#include "store/packed.h"
#include "store/reference.h"
#include "store/seen.h"

struct import {
	rkt_store *store;
	struct rkt_import_options options; /* all zero: none */
	const struct import_wish *wish;    /* or NULL */
	_Atomic uint64_t done; /* bytes read from the file, counted in the reading thread */
	struct packed packed;  /* in the reading thread too */
	struct seen seen;      /* of a file that lies somewhere */
	struct alias file;     /* the SHA-256 of the bytes as delivered, when all were read */
	digest *sum;
	struct blob_writer blob;
	image_reader *image;
	index_builder *index; /* NULL once the tree turned out not to fit an index */
	struct scratch index_file;
	char *index_fault;
	struct import_record record;
	enum import_how how;
};

/* ---- known files ----------------------------------------------------------------------------- */

static void show_progress(struct import *self)
{
	if (self->options.progress)
		self->options.progress(self->options.context,
			atomic_load_explicit(&self->done, memory_order_relaxed));
}

/* All bytes will be read, perhaps not for the first time. */
static void start_packed(struct import *self)
{
	packed_free(&self->packed);
	packed_start(&self->packed,
		self->wish && self->wish->sha512 ? PACKED_SHA512_TOO : PACKED_SHA256);
}

/* All of a tar was read: whether its SHA-512 is the one wished for. */
static int check_sha512(struct import *self, rkt_error **err)
{
	const char *digits = self->wish ? self->wish->sha512 : NULL;
	struct alias *found = &self->record.sha512;
	char text[2 * ALIAS_DIGEST_MAX + 1];

	if (!digits)
		return 0;
	if (packed_sha512(&self->packed, found, err) < 0)
		return -1;
	hex_encode(found->digest, found->len, text);
	return strncmp(text, digits, strlen(digits)) == 0
		       ? 0
		       : rkt_fail(err, RKT_INVALID, "it is damaged: its bytes give sha512-%.*s",
				 (int)strlen(digits), text);
}

/* Whether the file is the one that was looked at before (S-020). */
static int check_file(const struct import *self, rkt_error **err)
{
	const char *digits = self->wish ? self->wish->file_sha256 : NULL;
	struct alias expected;

	if (!digits)
		return 0;
	expected = alias_of_hex(ALIAS_PACKED, digits);
	if (self->file.len == expected.len &&
		memcmp(self->file.digest, expected.digest, expected.len) == 0)
		return 0;
	return rkt_fail(err, RKT_INVALID, "the file changed after its signature was checked");
}

static int check_expected(struct import *self, rkt_error **err)
{
	const rkt_image_id *expect = self->options.expect;

	if (expect && strcmp(expect->text, self->record.id.text) != 0)
		return rkt_fail(err, RKT_INVALID, "the image is %s, not %s", self->record.id.text,
			expect->text);
	return 0;
}

static int count(struct import *self, struct slice block, rkt_error **err)
{
	atomic_fetch_add_explicit(&self->done, block.len, memory_order_relaxed);
	return packed_tap(&self->packed, block, err);
}

/* What a pipe brings while we wait for somebody else. The file it becomes is read anew. */
static int standing_by(void *context, struct slice block, rkt_error **err)
{
	struct import *self = context;

	(void)err;
	atomic_fetch_add_explicit(&self->done, block.len, memory_order_relaxed);
	show_progress(self);
	return 0;
}

/* The digest of FD from its present position to its end. */
static int digest_packed(struct import *self, int fd, struct alias *ret, rkt_error **err)
{
	auto_fd int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	auto_source source *in = NULL;
	struct slice block;
	int got;

	if (own < 0)
		return rkt_fail_errno(err, "dup");
	start_packed(self);
	in = source_from_fd(pass_fd(own));
	while ((got = source_next(in, &block, err)) > 0) {
		if (count(self, block, err) < 0)
			return -1;
		show_progress(self);
	}
	return got < 0 ? -1 : packed_digest(&self->packed, ret, err);
}

/* FD was read for nothing: back to where it was. */
static int begin_again(struct import *self, int fd, off_t position, rkt_error **err)
{
	if (lseek(fd, position, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	atomic_store(&self->done, 0);
	return 0;
}

/* Whether the file, whose digest is PACKED, is its image's tar. */
static bool is_tar(const struct import *self, const struct alias *packed)
{
	struct alias id = alias_of_hex(ALIAS_PACKED, self->record.id.text + strlen("sha256-"));

	return memcmp(id.digest, packed->digest, id.len) == 0;
}

/* All bytes were read: what the file will be known by while it lies there. */
static void keep_seen(struct import *self)
{
	seen_check(&self->seen);
	self->record.seen = self->seen.mark;
}

/* Whether the image is there of a file that lies where it did when all its bytes were read, and
 * nobody wants to know what they are: 1 (as if it had been read to its end), 0, or -1. */
static int recognise_seen(
	struct import *self, const struct arrival *file, uint64_t at, rkt_error **err)
{
	int got = 0;

	if (arrival_is_spool(file) ||
		(self->wish && (self->wish->sha512 || self->wish->file_sha256)))
		return 0;
	seen_begin(&self->seen, file->fd, at);
	if (self->seen.mark.len && !self->options.expect)
		got = known_by_alias(self->store, &self->seen.mark, &self->record.id, err);
	if (got > 0)
		got = known_is_there(self->store, &self->record.id, err);
	if (got > 0 && lseek(file->fd, 0, SEEK_END) < 0)
		return rkt_fail_errno(err, "seek");
	if (got == 0)
		seen_check(&self->seen);
	self->how = IMPORT_KNOWN_SEEN;
	return got;
}

/* The same by all bytes of FD, which has an end. */
static int recognise_bytes(struct import *self, int fd, rkt_error **err)
{
	int got = digest_packed(self, fd, &self->file, err);

	keep_seen(self);
	if (got == 0)
		got = known_by_alias(self->store, &self->file, &self->record.id, err);
	self->how = IMPORT_KNOWN_FILE;
	if (got > 0 && self->packed.sha512 && !is_tar(self, &self->file))
		got = 0; /* read on to find out what is wrong with it */
	return got > 0 ? known_is_there(self->store, &self->record.id, err) : got;
}

/* Whether the file's image is there: 1, 0 (the file at the position it had), or -1. After 0 this
 * import alone works on files with that fingerprint. */
static int recognise(struct import *self, struct arrival *file, rkt_error **err)
{
	off_t position = lseek(file->fd, 0, SEEK_CUR);
	struct packed_print print;
	int got = recognise_seen(self, file, (uint64_t)position, err);

	if (got)
		return got;
	got = arrival_wait(file, &print, err);
	atomic_store(&self->done, 0);
	if (got > 0)
		got = known_by_alias(self->store, &print.hint, &self->record.id, err);
	if (got <= 0)
		return got;
	got = recognise_bytes(self, file->fd, err);
	return got ? got : begin_again(self, file->fd, position, err);
}

/* What the file will be known by. */
static int name_packed(struct import *self, rkt_error **err)
{
	struct import_record *record = &self->record;

	record->packed = alias_of_hex(ALIAS_PACKED, record->id.text + strlen("sha256-"));
	if (!self->packed.plain && packed_digest(&self->packed, &record->packed, err) < 0)
		return -1;
	keep_seen(self);
	return packed_hint(&self->packed, &record->hint, err);
}

/* ---- the pass -------------------------------------------------------------------------------- */

static int count_tap(void *context, struct slice block, rkt_error **err)
{
	return count(context, block, err);
}

static int unpacked_tap(void *context, struct slice block, rkt_error **err)
{
	struct import *self = context;

	if (digest_tap(self->sum, block, err) < 0 || blob_tap(&self->blob, block, err) < 0)
		return -1;
	show_progress(self);
	return 0;
}

/* Takes over FILE, the bytes as they are delivered. */
static int open_stream(struct import *self, source *file, rkt_error **err)
{
	enum compression kind;
	source *in = source_tap(file, count_tap, self);

	in = source_unpack_threaded(in, NULL, &kind, err);
	if (!in)
		return -1;
	self->packed.plain = kind == COMPRESSION_NONE;
	if (self->packed.sha512 && !self->packed.plain) {
		source_free(in);
		return rkt_fail(err, RKT_INVALID, "it is compressed (%s), not a tar",
			compression_name(kind));
	}
	in = source_tap(in, unpacked_tap, self);
	self->image = image_open(in, NULL);
	return 0;
}

/* Adds an entry to the index. A tree that EROFS cannot show faithfully has no index, and is an
 * image all the same: it will be extracted. */
static int index_entry(struct import *self, const struct image_entry *entry, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	if (!self->index || index_add(self->index, entry, &why) == 0)
		return 0;
	if (rkt_error_kind(why) != RKT_INVALID)
		return rkt_fail_with(err, pass_ptr(why));
	self->index_fault = xstrdup(rkt_error_raw(why));
	index_free(self->index);
	self->index = NULL;
	return 0;
}

static int walk(struct import *self, rkt_error **err)
{
	const struct image_entry *entry;
	int got;

	while ((got = image_next(self->image, &entry, err)) > 0)
		if (index_entry(self, entry, err) < 0)
			return -1;
	return got < 0 ? -1 : blob_flush(&self->blob, err);
}

static int identify(struct import *self, rkt_error **err)
{
	char digits[DIGEST_HEX_MAX + 1];

	if (digest_hex(self->sum, digits, err) < 0)
		return -1;
	self->record.id = id_from_hex(digits);
	if (name_packed(self, err) < 0)
		return -1;
	self->file = self->record.packed;
	if (check_file(self, err) < 0 || check_sha512(self, err) < 0)
		return -1;
	return check_expected(self, err);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_index(struct import *self, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	struct index_stats stats;

	if (!self->index)
		return 0;
	if (scratch_open(&self->store->layout, &self->index_file, err) < 0)
		return -1;
	if (index_write(self->index, self->blob.size, self->index_file.fd, &stats, &why) == 0) {
		self->record.tree = (struct tree_row){ .index_version = INDEX_VERSION,
			.size = stats.size,
			.layers = &self->record.id,
			.layer_count = 1 };
		return 0;
	}
	if (rkt_error_kind(why) != RKT_INVALID)
		return rkt_fail_with(err, pass_ptr(why));
	self->index_fault = xstrdup(rkt_error_raw(why));
	scratch_close(&self->index_file);
	return 0;
}

/* ---- the record ------------------------------------------------------------------------------ */

static void fill_record(struct import *self)
{
	const struct image_manifest *manifest = image_manifest(self->image);
	struct import_record *record = &self->record;

	record->manifest = image_manifest_bytes(self->image);
	record->row = (struct image_row){ .size = self->blob.size,
		.entries = image_entry_count(self->image),
		.imported_ns = self->wish && self->wish->at_ns ? self->wish->at_ns : store_now_ns(),
		.name = manifest->name,
		.version = image_manifest_label(manifest, "version"),
		.os = image_manifest_label(manifest, "os"),
		.arch = image_manifest_label(manifest, "arch"),
		.index_fault = self->index_fault };
	record->tree.made_ns = record->row.imported_ns;
}

static void fill_origin(struct import *self)
{
	if (self->wish)
		self->record.origin = (struct origin_row){ self->wish->source,
			self->wish->signed_by, store_now_ns() };
}

static int commit(struct import *self, rkt_error **err)
{
	struct layout *layout = &self->store->layout;
	auto_fd int naming = -1;

	if (write_index(self, err) < 0)
		return -1;
	/* the index first: its sync is short, and the blob is on its way to the disk meanwhile */
	if (!self->index_fault && scratch_sync(&self->index_file, err) < 0)
		return -1;
	if (scratch_sync(&self->blob.file, err) < 0)
		return -1;
	naming = layout_lock(layout, LAYOUT_NAMING, err);
	if (naming < 0 || scratch_shelve(&self->blob.file, layout->blob, &self->record.id, err) < 0)
		return -1;
	if (!self->index_fault &&
		scratch_shelve(&self->index_file, layout->erofs, &self->record.id, err) < 0)
		return -1;
	fill_record(self);
	return db_write(self->store->db, import_record_write, &self->record, err);
}

/* The image was there, in another file or through a pipe: this file is known from here on too, and
 * the image by all that was learnt of it. */
static int remember(struct import *self, rkt_error **err)
{
	const struct alias *aliases[] = { &self->record.packed, &self->record.sha512,
		&self->record.seen };
	int known = 1;

	for (size_t i = 0; i < ARRAY_LEN(aliases) && known > 0; i++) {
		rkt_image_id id;

		if (aliases[i]->len)
			known = known_by_alias(self->store, aliases[i], &id, err);
	}
	if (known < 0)
		return -1;
	if ((!known || self->record.origin.signed_by) &&
		db_write(self->store->db, import_record_more, &self->record, err) < 0)
		return -1;
	return known_used(self->store, &self->record.id, err);
}

/* Whether the caller lets in what is called like this. */
static int ask_for_name(const struct import *self, const char *name, rkt_error **err)
{
	rkt_error *why = NULL;

	if (!self->options.check_name ||
		self->options.check_name(self->options.check_context, name, &why) == 0)
		return 0;
	return why ? rkt_fail_with(err, why)
		   : rkt_fail(err, RKT_INVALID, "an image called %s is not wanted", name);
}

static int check_manifest(
	const struct import *self, const struct image_manifest *manifest, rkt_error **err)
{
	auto_reference struct reference wanted = { 0 };

	if (ask_for_name(self, manifest->name, err) < 0)
		return -1;
	if (!self->options.name)
		return 0;
	if (reference_parse(self->options.name, &wanted, err) < 0)
		return -1;
	return reference_check(&wanted, manifest, err);
}

/* Whether the image has the name and labels the caller asked for (S-025). MANIFEST NULL: that of
 * the image in the store. */
static int check_name(struct import *self, const struct image_manifest *manifest, rkt_error **err)
{
	auto_image_manifest struct image_manifest *stored = NULL;
	auto_image_record rkt_image_record *record = NULL;
	struct slice bytes;

	if (!self->options.name && !self->options.check_name)
		return 0;
	if (manifest)
		return check_manifest(self, manifest, err);
	if (rkt_store_find(self->store, self->record.id.text, &record, err) < 0)
		return -1;
	bytes = (struct slice){ (const uint8_t *)record->manifest, record->manifest_len };
	stored = image_manifest_parse(bytes, NULL, err);
	return stored ? check_manifest(self, stored, err) : -1;
}

/* Takes over FILE. */
static int read_image(struct import *self, source *file, rkt_error **err)
{
	int there;

	start_packed(self);
	self->sum = digest_new(DIGEST_SHA256);
	if (open_stream(self, file, err) < 0)
		return -1;
	if (scratch_open(&self->store->layout, &self->blob.file, err) < 0 || walk(self, err) < 0 ||
		identify(self, err) < 0)
		return -1;
	if (check_name(self, image_manifest(self->image), err) < 0)
		return -1;
	there = known_is_there(self->store, &self->record.id, err);
	self->how = there ? IMPORT_KNOWN_TAR : IMPORT_UNPACKED;
	if (there)
		return there < 0 ? -1 : remember(self, err);
	return commit(self, err);
}

/* All of the file was read, and its image is there. */
static int accept_known(struct import *self, rkt_error **err)
{
	if (check_file(self, err) < 0 || check_sha512(self, err) < 0 ||
		check_expected(self, err) < 0 || check_name(self, NULL, err) < 0)
		return -1;
	return remember(self, err);
}

static int import_file(struct import *self, struct arrival *file, rkt_error **err)
{
	int known = recognise(self, file, err);
	auto_fd int own = -1;

	if (known < 0)
		return -1;
	if (known)
		return accept_known(self, err);
	own = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return rkt_fail_errno(err, "dup");
	return read_image(self, source_from_fd(pass_fd(own)), err);
}

static int import(struct import *self, int fd, rkt_error **err)
{
	struct arrival arrival = ARRIVAL_EMPTY;
	int result = arrival_open(&arrival, &self->store->layout, fd, standing_by, self, err);

	if (result == 0)
		result = arrival.stream ? read_image(self, pass_ptr(arrival.stream), err)
					: import_file(self, &arrival, err);
	arrival_close(&arrival);
	return result;
}

#define OPTIONS_FIRST offsetof(struct rkt_import_options, check_name)

static int check_call(
	struct import *self, const struct rkt_import_options *options, rkt_error **err)
{
	if (options && store_read_options(options, OPTIONS_FIRST, &self->options,
			       sizeof self->options, err) < 0)
		return -1;
	return self->store->mode == RKT_STORE_READ
		       ? rkt_fail(err, RKT_USAGE, "the store is open for reading only")
		       : 0;
}

int import_as_wished(rkt_store *store, int fd, const struct rkt_import_options *options,
	const struct import_wish *wish, rkt_image_id *ret_id, rkt_error **err)
{
	struct import self = { .store = store,
		.wish = wish,
		.blob.file = SCRATCH_EMPTY,
		.index_file = SCRATCH_EMPTY,
		.index = index_new() };
	int result = check_call(&self, options, err);

	fill_origin(&self);
	if (result == 0)
		result = import(&self, fd, err);
	if (result == 0 && ret_id)
		*ret_id = self.record.id;
	if (result == 0 && wish && wish->ret_how)
		*wish->ret_how = self.how;
	image_free(self.image);
	index_free(self.index);
	digest_free(self.sum);
	packed_free(&self.packed);
	blob_writer_close(&self.blob);
	scratch_close(&self.index_file);
	free(self.index_fault);
	return result;
}

int rkt_store_import(rkt_store *store, int fd, const struct rkt_import_options *options,
	rkt_image_id *ret_id, rkt_error **err)
{
	return import_as_wished(store, fd, options, NULL, ret_id, err);
}
