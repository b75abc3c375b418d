/* The library compresses; the tar is ours, so to it everything is one raw file. */
#include "aci/pack.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"
#include "base/library.h"

#define ARCHIVE_CALLS(CALL, of)                         \
	CALL(of, archive_entry_free)                    \
	CALL(of, archive_entry_new)                     \
	CALL(of, archive_entry_set_filetype)            \
	CALL(of, archive_errno)                         \
	CALL(of, archive_error_string)                  \
	CALL(of, archive_write_add_filter_gzip)         \
	CALL(of, archive_write_add_filter_none)         \
	CALL(of, archive_write_add_filter_xz)           \
	CALL(of, archive_write_add_filter_zstd)         \
	CALL(of, archive_write_close)                   \
	CALL(of, archive_write_data)                    \
	CALL(of, archive_write_free)                    \
	CALL(of, archive_write_header)                  \
	CALL(of, archive_write_new)                     \
	CALL(of, archive_write_open_fd)                 \
	CALL(of, archive_write_set_bytes_in_last_block) \
	CALL(of, archive_write_set_filter_option)       \
	CALL(of, archive_write_set_format_raw)
static LIBRARY_STRUCT(libarchive, ARCHIVE_CALLS) libarchive;
static LIBRARY_DEFINE(libarchive, ARCHIVE_SONAME, ARCHIVE_CALLS);

struct packer {
	struct archive *archive;
};

static int packer_failed(const packer *self, rkt_error **err)
{
	const char *words = libarchive.archive_error_string(self->archive);
	int number = libarchive.archive_errno(self->archive);

	if (number > 0) {
		errno = number;
		return rkt_fail_errno(err, "write");
	}
	return rkt_fail(err, RKT_FAILED, "write: %s", words ? words : "the compressor failed");
}

static int add_filter(struct archive *archive, enum compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		if (libarchive.archive_write_add_filter_gzip(archive) != ARCHIVE_OK)
			return -1;
		return libarchive.archive_write_set_filter_option(
			archive, "gzip", "timestamp", NULL);
	case COMPRESSION_XZ:
		return libarchive.archive_write_add_filter_xz(archive);
	case COMPRESSION_ZSTD:
		return libarchive.archive_write_add_filter_zstd(archive);
	case COMPRESSION_BZIP2:
	case COMPRESSION_NONE:
		break;
	}
	return libarchive.archive_write_add_filter_none(archive);
}

packer *packer_open(int out, enum compression compression, rkt_error **err)
{
	auto_packer packer *self = xcalloc(1, sizeof *self);
	struct archive_entry *whole;
	int done;

	if (library_load(&libarchive_library, err) < 0)
		return NULL;
	whole = libarchive.archive_entry_new();
	self->archive = libarchive.archive_write_new();
	if (!self->archive || !whole)
		abort();
	libarchive.archive_entry_set_filetype(whole, AE_IFREG);
	done = libarchive.archive_write_set_format_raw(self->archive) == ARCHIVE_OK &&
	       add_filter(self->archive, compression) == ARCHIVE_OK &&
	       libarchive.archive_write_set_bytes_in_last_block(self->archive, 1) == ARCHIVE_OK &&
	       libarchive.archive_write_open_fd(self->archive, out) == ARCHIVE_OK &&
	       libarchive.archive_write_header(self->archive, whole) == ARCHIVE_OK;
	libarchive.archive_entry_free(whole);
	if (!done) {
		packer_failed(self, err);
		return NULL;
	}
	return pass_ptr(self);
}

int packer_write(void *context, struct slice bytes, rkt_error **err)
{
	const packer *self = context;

	while (bytes.len) {
		la_ssize_t put =
			libarchive.archive_write_data(self->archive, bytes.data, bytes.len);

		if (put <= 0)
			return packer_failed(self, err);
		bytes.data += put;
		bytes.len -= (size_t)put;
	}
	return 0;
}

int packer_finish(packer *self, rkt_error **err)
{
	return libarchive.archive_write_close(self->archive) == ARCHIVE_OK
		       ? 0
		       : packer_failed(self, err);
}

void packer_free(packer *self)
{
	if (!self)
		return;
	if (self->archive)
		libarchive.archive_write_free(self->archive);
	free(self);
}
