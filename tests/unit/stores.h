/* Images made in memory, and pods that are folders, for a store of the test's own. */
#pragma once

#include "tests/unit/store_fixture.h"

/* An image called NAME with VERSION (NULL: no label); CONTENT makes it one of its kind. */
static inline struct buf image_tar(const char *name, const char *version, const char *content)
{
	struct buf tar = { 0 }, manifest = { 0 };

	buf_printf(&manifest,
		"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", \"name\": \"%s\"",
		name);
	if (version)
		buf_printf(&manifest, ", \"labels\": [{\"name\": \"version\", \"value\": \"%s\"}]",
			version);
	buf_append_text(&manifest, "}");
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&manifest));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_add(&tar, TAR_FILE, "rootfs/content", content);
	tars_end(&tar);
	buf_free(&manifest);
	return tar;
}

static inline rkt_image_id add(
	rkt_store *store, const char *name, const char *version, const char *content)
{
	struct buf tar = image_tar(name, version, content);
	int fd = file_of(&tar);
	rkt_image_id id;
	rkt_error *err = NULL;

	assert_ok(rkt_store_import(store, fd, NULL, &id, &err), err);
	close(fd);
	buf_free(&tar);
	return id;
}

static inline bool exists(const struct fixture *self, const char *folder, const rkt_image_id *id)
{
	char path[200];

	snprintf(path, sizeof path, "cas/%s/sha256/%.2s/%s", folder, id->text + 7, id->text);
	return faccessat(self->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline bool is_found(rkt_store *store, const char *reference)
{
	rkt_image_record *record = NULL;
	bool found = rkt_store_find(store, reference, &record, NULL) == 0;

	rkt_image_record_free(record);
	return found;
}

static inline void make_pod(const struct fixture *self, const char *uuid)
{
	char path[64];

	snprintf(path, sizeof path, "containers/%s", uuid);
	assert_int_equal(mkdirat(self->dir, path, 0700), 0);
}

static inline void end_pod(const struct fixture *self, const char *uuid)
{
	char path[64];

	snprintf(path, sizeof path, "containers/%s", uuid);
	assert_int_equal(unlinkat(self->dir, path, AT_REMOVEDIR), 0);
}

static inline struct rkt_gc_result collect(rkt_store *store, int64_t grace_sec)
{
	const struct rkt_gc_options options = { .size = sizeof options, .grace_sec = grace_sec };
	struct rkt_gc_result result;
	rkt_error *err = NULL;

	assert_ok(rkt_store_gc(store, &options, &result, &err), err);
	return result;
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, store_setup, store_teardown)
