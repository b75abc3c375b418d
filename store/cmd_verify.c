/* rkt-store verify: reads images wholly and says which are damaged. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aci/id.h"
#include "base/alloc.h"
#include "cli/out.h"
#include "cli/progress.h"

#define JOBS_MAX 256

struct verify_settings {
	const char *dir;
	uint64_t jobs;
	bool repair, json;
};

struct verify_output {
	const struct verify_settings *settings;
	struct progress *progress;
	json *images; /* with --json */
};

static const char *verdict_name(enum rkt_verdict verdict)
{
	static const char *const names[] = {
		[RKT_VERDICT_GOOD] = "good",
		[RKT_VERDICT_DAMAGED] = "damaged",
		[RKT_VERDICT_REPAIRED] = "repaired",
	};

	return names[verdict];
}

static void read_on(void *context, uint64_t bytes)
{
	struct verify_output *self = context;

	progress_now(self->progress, bytes);
}

static void tell(void *context, const rkt_image_id *id, enum rkt_verdict verdict, const char *what)
{
	struct verify_output *self = context;
	json *item;

	progress_end(self->progress);
	self->progress = NULL;
	if (!self->settings->json) {
		printf("%s %s\n", id->text, verdict_name(verdict));
		if (verdict != RKT_VERDICT_GOOD)
			out_note("%s: %s", id->text, what);
		return;
	}
	item = json_new_object();
	json_set(item, "id", json_new_string(id->text));
	json_set(item, "verdict", json_new_string(verdict_name(verdict)));
	json_set(item, "what", json_new_string(what));
	json_append(self->images, item);
}

static void print_json(json *images, const struct rkt_verify_result *result)
{
	auto_json json *object = json_new_object();

	json_set(object, "good", json_new_integer((int64_t)result->good));
	json_set(object, "damaged", json_new_integer((int64_t)result->damaged));
	json_set(object, "repaired", json_new_integer((int64_t)result->repaired));
	json_set(object, "images", images);
	out_json(object);
}

/* The images to look at and how many bytes they have, for the progress line. */
static int choose(rkt_store *store, const struct operands *references, rkt_image_id **ret_ids,
	uint64_t *ret_bytes, rkt_error **err)
{
	rkt_image_record **all = NULL;
	size_t count = 0;

	*ret_bytes = 0;
	for (size_t i = 0; i < references->count; i++) {
		auto_image_record rkt_image_record *image = NULL;

		if (cmd_find_in(store, references->items[i], &image, err) < 0)
			return -1;
		*ret_ids = xreallocarray(*ret_ids, i + 1, sizeof **ret_ids);
		(*ret_ids)[i] = image->id;
		*ret_bytes += image->size;
	}
	if (references->count)
		return 0;
	if (rkt_store_list(store, &all, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		*ret_bytes += all[i]->size;
	rkt_store_list_free(all, count);
	return 0;
}

/* Finding an image by its SHA-512 may mean to note it in the index. */
static bool may_write(const struct verify_settings *settings, const struct operands *references)
{
	bool may = settings->repair;

	for (size_t i = 0; i < references->count; i++)
		may = may || id_form_of(references->items[i], NULL) == ID_SHA512;
	return may;
}

static int verify(
	const struct verify_settings *settings, const struct operands *references, rkt_error **err)
{
	auto_store rkt_store *store = may_write(settings, references)
					      ? cmd_open_existing(settings->dir, err)
					      : rkt_store_open(settings->dir, RKT_STORE_READ, err);
	struct verify_output output = { .settings = settings };
	auto_free rkt_image_id *ids = NULL;
	struct rkt_verify_result result = { 0 };
	struct rkt_verify_options options = { .size = sizeof options,
		.repair = settings->repair,
		.jobs = (unsigned)settings->jobs,
		.progress = read_on,
		.report = tell,
		.context = &output };
	uint64_t bytes;
	int done;

	if (!store || choose(store, references, &ids, &bytes, err) < 0)
		return -1;
	options.ids = ids;
	options.count = references->count;
	output.images = settings->json ? json_new_array() : NULL;
	output.progress = progress_start("verify", bytes);
	done = rkt_store_verify(store, &options, &result, err);
	progress_end(output.progress);
	if (done < 0) {
		json_free(output.images);
		return -1;
	}
	if (settings->json)
		print_json(output.images, &result);
	if (!result.damaged)
		return 0;
	return rkt_fail(err, RKT_INVALID, "%ju of %ju images are damaged%s",
		(uintmax_t)result.damaged,
		(uintmax_t)(result.good + result.damaged + result.repaired),
		settings->repair ? "" : "; --repair puts away what cannot be made anew");
}

int cmd_verify(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] [IMAGE...]", NULL };
	struct verify_settings settings = { .jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN) };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "repair",
			.kind = OPT_FLAG,
			.into = &settings.repair,
			.help = "Make a damaged EROFS index anew; take an image whose blob is damaged out "
				"of the store, unless a pod uses it, and move the blob to "
				"cas/quarantine." },
		{ .name = "jobs",
			.letter = 'j',
			.kind = OPT_NUMBER,
			.into = &settings.jobs,
			.argument = "N",
			.help = "Look at N images at a time. Default: as many as there are processors." },
		CMD_OPTION_JSON(&settings.json), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store verify",
		.usage = usage,
		.summary = "look for damaged images",
		.description =
			"Reads each IMAGE (without one: all) wholly. A blob must have the digest that is its "
			"ID, and its EROFS index must be, byte for byte, what the blob gives. Prints a line "
			"for each image: good, damaged or repaired.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.operands_max = -1 };
	struct operands images;
	enum opts_result got = opts_parse(&command, argc, argv, &images, err);
	int result;

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	if (!settings.jobs || settings.jobs > JOBS_MAX) {
		free(images.items);
		return rkt_fail(err, RKT_USAGE, "--jobs is from 1 to %d", JOBS_MAX);
	}
	result = verify(&settings, &images, err);
	free(images.items);
	return result;
}
