/* Images over images, made in memory, in a store of the test's own. */
#pragma once

#include "tests/unit/store_fixture.h"

#include "aci/digest.h"

#define POD "6733c088-a507-4694-aabf-5f3bed9b8ba5"

static inline struct buf image_tar(const char *name, const char *fields)
{
	struct buf tar = { 0 }, manifest = { 0 };

	buf_printf(&manifest,
		"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", "
		"\"name\": \"example.com/%s\"%s%s}",
		name, *fields ? ", " : "", fields);
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&manifest));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_add(&tar, TAR_FILE, "rootfs/content", name);
	tars_end(&tar);
	buf_free(&manifest);
	return tar;
}

/* An image example.com/NAME with more FIELDS in its manifest. */
static inline rkt_image_id add(const struct fixture *self, const char *name, const char *fields)
{
	struct buf tar = image_tar(name, fields);
	int fd = file_of(&tar);
	rkt_error *err = NULL;
	rkt_image_id id;

	assert_ok(rkt_store_import(self->store, fd, NULL, &id, &err), err);
	close(fd);
	buf_free(&tar);
	return id;
}

/* One whose dependencies are the JSON objects in LIST. */
static inline rkt_image_id add_over(const struct fixture *self, const char *name, const char *list)
{
	struct buf fields = { 0 };
	rkt_image_id id;

	buf_printf(&fields, "\"dependencies\": [%s]", list);
	id = add(self, name, buf_text(&fields));
	buf_free(&fields);
	return id;
}

#define ON(name)          "{\"imageName\": \"example.com/" name "\"}"
#define LABELS(n, v)      "\"labels\": [{\"name\": \"" n "\", \"value\": \"" v "\"}]"
#define ON_LABEL(a, n, v) "{\"imageName\": \"example.com/" a "\", " LABELS(n, v) "}"

/* The contents of the layers, lowest first: the last parts of the images' names. */
static inline void assert_layers(
	const struct fixture *self, const rkt_image_id *id, const char *names)
{
	struct buf found = { 0 };
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_ok(rkt_store_layers(self->store, id, &layers, &err), err);
	for (size_t i = 0; i < layers->count; i++)
		buf_printf(&found, "%s%s", i ? " " : "",
			layers->items[i].name + strlen("example.com/"));
	assert_string_equal(buf_text(&found), names);
	buf_free(&found);
	rkt_layers_free(layers);
}

static inline void assert_refused(const struct fixture *self, const rkt_image_id *id,
	enum rkt_error_kind kind, const char *words)
{
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_int_equal(rkt_store_layers(self->store, id, &layers, &err), -1);
	assert_int_equal(rkt_error_kind(err), kind);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", rkt_error_message(err), words);
	rkt_error_free(err);
}

/* An image over "a", which it names by its SHA-512. */
static inline rkt_image_id add_over_sha512_of_a(const struct fixture *self)
{
	char wanted[512], hex[DIGEST_HEX_MAX + 1];
	struct buf tar = image_tar("a", "");
	digest *sum = digest_new(DIGEST_SHA512);
	rkt_error *err = NULL;

	assert_ok(digest_add(sum, buf_slice(&tar), &err), err);
	assert_ok(digest_hex(sum, hex, &err), err);
	digest_free(sum);
	buf_free(&tar);
	snprintf(wanted, sizeof wanted,
		"{\"imageName\": \"example.com/a\", \"imageID\": \"sha512-%s\"}", hex);
	return add_over(self, "top", wanted);
}
