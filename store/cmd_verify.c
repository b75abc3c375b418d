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
	struct progress *progress;
	json *images, *trees; /* with --json */
	size_t images_unknown, trees_unknown;
};

static const char *verdict_name(enum rkt_verdict verdict)
{
	static const char *const names[] = {
		[RKT_VERDICT_GOOD] = "good",
		[RKT_VERDICT_DAMAGED] = "damaged",
		[RKT_VERDICT_REPAIRED] = "repaired",
		[RKT_VERDICT_UNKNOWN] = "unknown",
	};

	return names[verdict];
}

static void start(void *context, uint64_t bytes)
{
	struct verify_output *self = context;

	out_debug("%llu bytes of blobs are to be read", (unsigned long long)bytes);
	self->progress = progress_start("verify", bytes);
}

static void read_on(void *context, uint64_t bytes)
{
	struct verify_output *self = context;

	progress_now(self->progress, bytes);
}

static void add_to(json *list, const rkt_image_id *id, enum rkt_verdict verdict, const char *what)
{
	json *item = json_new_object();

	json_set(item, "id", json_new_string(id->text));
	json_set(item, "verdict", json_new_string(verdict_name(verdict)));
	json_set(item, "what", json_new_string(what));
	json_append(list, item);
}

/* At once: the next one may take long. */
static void print_verdict(const rkt_image_id *id, enum rkt_verdict verdict, const char *of)
{
	out_transient(NULL);
	printf("%s %s%s\n", id->text, verdict_name(verdict), of);
	(void)out_flush(NULL); /* remembers why, for the end */
}

static void tell(void *context, const rkt_image_id *id, enum rkt_verdict verdict, const char *what)
{
	struct verify_output *self = context;

	self->images_unknown += verdict == RKT_VERDICT_UNKNOWN;
	if (self->images) {
		add_to(self->images, id, verdict, what);
		return;
	}
	print_verdict(id, verdict, "");
	if (verdict != RKT_VERDICT_GOOD)
		out_note("%s: %s", id->text, what);
}

static void tell_tree(
	void *context, const rkt_image_id *id, enum rkt_verdict verdict, const char *what)
{
	struct verify_output *self = context;

	self->trees_unknown += verdict == RKT_VERDICT_UNKNOWN;
	if (self->trees) {
		add_to(self->trees, id, verdict, what);
		return;
	}
	print_verdict(id, verdict, " tree");
	if (verdict != RKT_VERDICT_GOOD)
		out_note("the tree %s: %s", id->text, what);
}

/* Prints what was told, which goes with it. */
static void print_json(struct verify_output *self, const struct rkt_verify_result *result)
{
	auto_json json *object = json_new_object();

	json_set(object, "good", json_new_integer((int64_t)result->good));
	json_set(object, "damaged", json_new_integer((int64_t)result->damaged));
	json_set(object, "repaired", json_new_integer((int64_t)result->repaired));
	json_set(object, "unknown", json_new_integer((int64_t)self->images_unknown));
	json_set(object, "treesGood", json_new_integer((int64_t)result->trees_good));
	json_set(object, "treesDamaged", json_new_integer((int64_t)result->trees_damaged));
	json_set(object, "treesRepaired", json_new_integer((int64_t)result->trees_repaired));
	json_set(object, "treesUnknown", json_new_integer((int64_t)self->trees_unknown));
	json_set(object, "images", pass_ptr(self->images));
	json_set(object, "trees", pass_ptr(self->trees));
	out_json(object);
}

/* The images to look at; none: all. */
static int choose(rkt_store *store, const struct operands *references, rkt_image_id **ret_ids,
	rkt_error **err)
{
	for (size_t i = 0; i < references->count; i++) {
		auto_image_record rkt_image_record *image = NULL;

		if (cmd_find_in(store, references->items[i], &image, err) < 0)
			return -1;
		*ret_ids = xreallocarray(*ret_ids, i + 1, sizeof **ret_ids);
		(*ret_ids)[i] = image->id;
	}
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

/* "1 of 3 images and 1 of 2 trees". */
static void count_bad(struct buf *words, const struct verify_output *output,
	const struct rkt_verify_result *result, uint64_t bad_images, uint64_t bad_trees)
{
	uint64_t images =
			 result->good + result->damaged + result->repaired + output->images_unknown,
		 trees = result->trees_good + result->trees_damaged + result->trees_repaired +
			 output->trees_unknown;

	if (bad_images)
		buf_printf(words, "%ju of %ju images", (uintmax_t)bad_images, (uintmax_t)images);
	if (bad_trees)
		buf_printf(words, "%s%ju of %ju trees", bad_images ? " and " : "",
			(uintmax_t)bad_trees, (uintmax_t)trees);
}

/* Fails unless all is right, or was made so. */
static int check_result(const struct verify_output *output, const struct rkt_verify_result *result,
	const char *advice, rkt_error **err)
{
	auto_buf struct buf damaged = { 0 }, unknown = { 0 };

	count_bad(&damaged, output, result, result->damaged, result->trees_damaged);
	count_bad(&unknown, output, result, output->images_unknown, output->trees_unknown);
	if (damaged.len)
		return rkt_fail(err, RKT_INVALID, "%s are damaged%s%s%s", buf_text(&damaged),
			unknown.len ? ", " : "", unknown.len ? buf_text(&unknown) : "",
			unknown.len ? " could not be looked at" : advice);
	if (unknown.len)
		return rkt_fail(err, RKT_FAILED, "%s could not be looked at", buf_text(&unknown));
	return 0;
}

static int verify(
	const struct verify_settings *settings, const struct operands *references, rkt_error **err)
{
	auto_store rkt_store *store = may_write(settings, references)
					      ? cmd_open_existing(settings->dir, err)
					      : rkt_store_open(settings->dir, RKT_STORE_READ, err);
	struct verify_output output = { .progress = NULL };
	auto_free rkt_image_id *ids = NULL;
	struct rkt_verify_result result = { 0 };
	struct rkt_verify_options options = { .size = sizeof options,
		.repair = settings->repair,
		.jobs = (unsigned)settings->jobs,
		.begin = start,
		.progress = read_on,
		.report = tell,
		.report_tree = tell_tree,
		.context = &output };
	int done;

	if (!store || choose(store, references, &ids, err) < 0)
		return -1;
	options.ids = ids;
	options.count = references->count;
	output.images = settings->json ? json_new_array() : NULL;
	output.trees = settings->json ? json_new_array() : NULL;
	done = rkt_store_verify(store, &options, &result, err);
	progress_end(output.progress);
	if (done == 0 && settings->json)
		print_json(&output, &result);
	json_free(output.images);
	json_free(output.trees);
	if (done < 0)
		return -1;
	return check_result(&output, &result,
		settings->repair ? "" : "; --repair puts away what cannot be made anew", err);
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
			"for each image: good, damaged, repaired, or unknown when it could not be looked at; then one for each tree of several layers "
			"that has an EROFS index, of the images asked for, which must be what the blobs of "
			"all its layers give.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_max = -1 };
	auto_operands struct operands images = { NULL };
	int got = opts_parse(&command, argc, argv, &images, err);

	if (got <= 0)
		return got;
	if (!settings.jobs || settings.jobs > JOBS_MAX)
		return rkt_fail(err, RKT_USAGE, "--jobs is from 1 to %d", JOBS_MAX);
	return verify(&settings, &images, err);
}
