/* The library compresses; the tar is ours, so to it everything is one raw file. */
#include "aci/pack.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"

struct packer {
	struct archive *archive;
};

static int packer_failed(const packer *self, rkt_error **err)
{
	const char *words = archive_error_string(self->archive);
	int number = archive_errno(self->archive);

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
		if (archive_write_add_filter_gzip(archive) != ARCHIVE_OK)
			return -1;
		return archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
	case COMPRESSION_XZ:
		return archive_write_add_filter_xz(archive);
	case COMPRESSION_ZSTD:
		return archive_write_add_filter_zstd(archive);
	case COMPRESSION_BZIP2:
	case COMPRESSION_NONE:
		break;
	}
	return archive_write_add_filter_none(archive);
}

packer *packer_open(int out, enum compression compression, rkt_error **err)
{
	auto_packer packer *self = xcalloc(1, sizeof *self);
	struct archive_entry *whole = archive_entry_new();
	int done;

	self->archive = archive_write_new();
	if (!self->archive || !whole)
		abort();
	archive_entry_set_filetype(whole, AE_IFREG);
	done = archive_write_set_format_raw(self->archive) == ARCHIVE_OK &&
	       add_filter(self->archive, compression) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(self->archive, 1) == ARCHIVE_OK &&
	       archive_write_open_fd(self->archive, out) == ARCHIVE_OK &&
	       archive_write_header(self->archive, whole) == ARCHIVE_OK;
	archive_entry_free(whole);
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
		la_ssize_t put = archive_write_data(self->archive, bytes.data, bytes.len);

		if (put <= 0)
			return packer_failed(self, err);
		bytes.data += put;
		bytes.len -= (size_t)put;
	}
	return 0;
}

int packer_finish(packer *self, rkt_error **err)
{
	return archive_write_close(self->archive) == ARCHIVE_OK ? 0 : packer_failed(self, err);
}

void packer_free(packer *self)
{
	if (!self)
		return;
	archive_write_free(self->archive);
	free(self);
}
