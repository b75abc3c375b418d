/* Archives made in memory for tests: a few members, a good manifest, an image reader over them. */
#pragma once

#include "tests/unit/scratch.h"

#include "aci/image.h"
#include "aci/tar_write.h"

#define TARS_MTIME 1418290200

static const char tars_manifest[] =
	"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", \"name\": \"example.com/a\"}";

static inline int tars_append(void *context, struct slice bytes, rkt_error **err)
{
	(void)err;
	buf_append(context, bytes.data, bytes.len);
	return 0;
}

/* Adds ENTRY, whose size is set here, with DATA (NULL: none). */
static inline void tars_add_entry(struct buf *tar, struct tar_entry entry, const char *data)
{
	const struct tar_sink sink = { tars_append, tar };

	entry.path_len = strlen(entry.path);
	entry.size = data ? strlen(data) : 0;
	assert_int_equal(tar_write_header(&sink, &entry, NULL), 0);
	if (data)
		buf_append_text(tar, data);
	assert_int_equal(tar_write_padding(&sink, entry.size, NULL), 0);
}

/* Adds a member; MORE is the data of a file or the target of a link. */
static inline void tars_add(struct buf *tar, enum tar_type type, const char *path, const char *more)
{
	struct tar_entry entry = {
		.path = path,
		.type = type,
		.mode = type == TAR_DIR ? 0755 : 0644,
		.mtime_sec = TARS_MTIME,
		.link = type == TAR_FILE ? NULL : more,
	};

	tars_add_entry(tar, entry, type == TAR_FILE ? more : NULL);
}

/* A manifest and a rootfs, which every image begins with. */
static inline void tars_begin(struct buf *tar)
{
	tars_add(tar, TAR_FILE, "manifest", tars_manifest);
	tars_add(tar, TAR_DIR, "rootfs", NULL);
}

static inline void tars_end(struct buf *tar)
{
	const struct tar_sink sink = { tars_append, tar };

	assert_int_equal(tar_write_end(&sink, NULL), 0);
}

static inline image_reader *tars_open(const struct buf *tar, check *found)
{
	const struct image_options options = { .check = found };

	return image_open(source_from_memory(buf_slice(tar)), &options);
}
