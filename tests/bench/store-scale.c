/*
 * Stores of any size, and what looking things up in them costs: store-scale COMMAND DIR FROM TO
 *
 *	fill     imports the tiny images FROM up to but not TO, one after the other
 *	records  writes the records of such images, which have no files, as an import does
 *	look     looks those images up for a while and prints a line for each kind of question: its
 *		 name, microseconds of processor time, microseconds of wall time
 *
 * Image I is called example.com/app-<I / 10, six digits>, so that each name has ten versions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "aci/tar_write.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "store/import.h"

#define MANIFEST                                                                              \
	"{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"%s\",\"labels\":[" \
	"{\"name\":\"version\",\"value\":\"1.0.%u\"},{\"name\":\"os\",\"value\":\"linux\"},"  \
	"{\"name\":\"arch\",\"value\":\"amd64\"}]}"

#define BATCH 10000u /* records a transaction */

static void die(rkt_error *err)
{
	fprintf(stderr, "store-scale: %s\n", rkt_error_message(err));
	exit(1);
}

struct range {
	unsigned from, to;
};

/* ---- images ---------------------------------------------------------------------------------- */

static char *name_of(unsigned number)
{
	return xasprintf("example.com/app-%06u", number / 10);
}

static char *manifest_of(unsigned number)
{
	auto_free char *name = name_of(number);

	return xasprintf(MANIFEST, name, number % 10);
}

static int take(void *context, struct slice bytes, rkt_error **err)
{
	return fd_write_all(*(const int *)context, bytes.data, bytes.len, err);
}

static int write_image(int fd, unsigned number, rkt_error **err)
{
	const struct tar_sink sink = { take, &fd };
	auto_free char *manifest = manifest_of(number);
	struct tar_entry entry = { .path = "manifest",
		.path_len = 8,
		.type = TAR_FILE,
		.mode = 0644,
		.size = strlen(manifest) };
	const struct tar_entry root = {
		.path = "rootfs", .path_len = 6, .type = TAR_DIR, .mode = 0755
	};

	if (tar_write_header(&sink, &entry, err) < 0 ||
		fd_write_all(fd, manifest, entry.size, err) < 0 ||
		tar_write_padding(&sink, entry.size, err) < 0 ||
		tar_write_header(&sink, &root, err) < 0)
		return -1;
	return tar_write_end(&sink, err);
}

static int fill(rkt_store *store, struct range images, rkt_error **err)
{
	for (unsigned i = images.from; i < images.to; i++) {
		auto_fd int fd = memfd_create("image", MFD_CLOEXEC);

		if (fd < 0)
			return rkt_fail_errno(err, "memfd_create");
		if (write_image(fd, i, err) < 0)
			return -1;
		if (lseek(fd, 0, SEEK_SET) < 0)
			return rkt_fail_errno(err, "lseek");
		if (rkt_store_import(store, fd, NULL, NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- records --------------------------------------------------------------------------------- */

/* An ID as evenly spread as those of real images. */
static rkt_image_id id_of(unsigned number)
{
	const struct slice bytes = { (const uint8_t *)&number, sizeof number };
	digest *sum = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX + 1];
	rkt_error *err = NULL;
	rkt_image_id id;

	if (digest_add(sum, bytes, &err) < 0 || digest_hex(sum, hex, &err) < 0)
		die(err);
	digest_free(sum);
	snprintf(id.text, sizeof id.text, "sha256-%.64s", hex);
	return id;
}

static int write_batch(db_txn *txn, void *context, rkt_error **err)
{
	const struct range *batch = context;

	for (unsigned i = batch->from; i < batch->to; i++) {
		auto_free char *name = name_of(i), *manifest = manifest_of(i);
		auto_free char *version = xasprintf("1.0.%u", i % 10);
		struct import_record record = { .id = id_of(i),
			.row = { .size = 4096,
				.entries = 2,
				.imported_ns = store_now_ns(),
				.name = name,
				.version = version,
				.os = "linux",
				.arch = "amd64",
				.index_fault = "only a record" },
			.manifest = { (const uint8_t *)manifest, strlen(manifest) } };

		if (import_record_write(txn, &record, err) < 0)
			return -1;
	}
	return 0;
}

static int records(rkt_store *store, struct range images, rkt_error **err)
{
	struct range batch;

	for (batch.from = images.from; batch.from < images.to; batch.from = batch.to) {
		batch.to = images.to - batch.from > BATCH ? batch.from + BATCH : images.to;
		if (db_write(store->db, write_batch, &batch, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

enum question { BY_ID, BY_PREFIX, BY_NAME, BY_NAME_AND_VERSION, BY_LABELS, QUESTION_COUNT };
static const char *const questions[] = { "ID", "prefix", "name", "name:version", "name,label=" };

static char *ask(enum question what, unsigned number, const rkt_image_id *id)
{
	auto_free char *name = name_of(number);

	switch (what) {
	case BY_ID:
		return xstrdup(id->text);
	case BY_PREFIX:
		return xasprintf("%.16s", id->text + 7);
	case BY_NAME:
		return xstrdup(name);
	case BY_NAME_AND_VERSION:
		return xasprintf("%s:1.0.%u", name, number % 10);
	case BY_LABELS:
		return xasprintf("%s,version=1.0.%u,os=linux", name, number % 10);
	case QUESTION_COUNT:
		break;
	}
	return NULL;
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* IDs of NUMBER images spread over the store, by asking it for their names. */
static int learn(rkt_store *store, const unsigned *numbers, unsigned count, rkt_image_id *ids,
	rkt_error **err)
{
	for (unsigned i = 0; i < count; i++) {
		auto_free char *reference = ask(BY_NAME_AND_VERSION, numbers[i], NULL);
		auto_image_record rkt_image_record *record = NULL;

		if (rkt_store_find(store, reference, &record, err) < 0)
			return -1;
		ids[i] = record->id;
	}
	return 0;
}

#define ASKED 2000u

static int look(rkt_store *store, struct range images, rkt_error **err)
{
	static unsigned numbers[ASKED];
	static rkt_image_id ids[ASKED];

	for (unsigned i = 0; i < ASKED; i++)
		numbers[i] = images.from +
			     (unsigned)(i * UINT64_C(2654435761) % (images.to - images.from));
	if (learn(store, numbers, ASKED, ids, err) < 0)
		return -1;
	for (enum question what = 0; what < QUESTION_COUNT; what++) {
		double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);

		for (unsigned i = 0; i < ASKED; i++) {
			auto_free char *reference = ask(what, numbers[i], &ids[i]);
			auto_image_record rkt_image_record *record = NULL;

			if (rkt_store_find(store, reference, &record, err) < 0)
				return -1;
		}
		printf("%-14s %8.1f %8.1f\n", questions[what],
			(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / ASKED,
			(seconds(CLOCK_MONOTONIC) - wall) * 1e6 / ASKED);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(rkt_store *store, struct range images, rkt_error **err);
	} commands[] = { { "fill", fill }, { "records", records }, { "look", look } };
	auto_store rkt_store *store = NULL;
	auto_error rkt_error *err = NULL;
	struct range images;

	if (argc != 5) {
		fprintf(stderr, "usage: store-scale fill|records|look DIR FROM TO\n");
		return 2;
	}
	images.from = (unsigned)strtoul(argv[3], NULL, 10);
	images.to = (unsigned)strtoul(argv[4], NULL, 10);
	store = rkt_store_open(argv[2], RKT_STORE_WRITE, &err);
	if (!store)
		die(err);
	for (size_t i = 0; i < ARRAY_LEN(commands) && images.from < images.to; i++)
		if (strcmp(argv[1], commands[i].name) == 0 &&
			commands[i].run(store, images, &err) < 0)
			die(err);
	return 0;
}
