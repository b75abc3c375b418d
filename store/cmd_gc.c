/* rkt-store gc: collects what nobody uses, and says why. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/out.h"
#include "store/trust/verify.h"

#define GRACE_SEC (24 * 60 * 60)
#define NO_LIMIT  UINT64_MAX

struct gc_settings {
	const char *dir;
	int64_t grace_sec;
	uint64_t keep_latest, max_size;
	bool dry_run, json;
};

struct gc_output {
	const struct gc_settings *settings;
	json *decisions; /* with --json */
	bool told;
};

/* "removed", "kept, its extracted tree removed"; in a dry run "would be removed" and so on. */
static void note(const struct gc_settings *settings, const char *what, const char *decision,
	const char *reason)
{
	const char *removed = settings->dry_run ? strstr(decision, "removed") : NULL;

	if (removed)
		out_note("%s %.*swould be removed: %s", what, (int)(removed - decision), decision,
			reason);
	else
		out_note("%s %s: %s", what, decision, reason);
}

/* IDs of what goes are the result and belong on stdout; the words about it on stderr. */
static void tell(void *context, const char *what, const char *decision, const char *reason)
{
	struct gc_output *self = context;
	json *item;

	self->told = true;
	if (!self->settings->json) {
		if (strcmp(decision, "removed") == 0)
			printf("%s\n", what);
		note(self->settings, what, decision, reason);
		return;
	}
	item = json_new_object();
	json_set(item, "what", json_new_string(what));
	json_set(item, "decision", json_new_string(decision));
	json_set(item, "reason", json_new_string(reason));
	json_append(self->decisions, item);
}

static void print_json(const struct gc_output *output, const struct rkt_gc_result *result)
{
	auto_json json *object = json_new_object();

	json_set(object, "dryRun", json_new_bool(output->settings->dry_run));
	json_set(object, "imagesRemoved", json_new_integer((int64_t)result->images_removed));
	json_set(object, "imagesKept", json_new_integer((int64_t)result->images_kept));
	json_set(object, "filesRemoved", json_new_integer((int64_t)result->files_removed));
	json_set(object, "bytesFreed", json_new_integer((int64_t)result->bytes_freed));
	json_set(object, "bytesKept", json_new_integer((int64_t)result->bytes_kept));
	json_set(object, "decisions", output->decisions);
	out_json(object);
}

static void print_words(const struct gc_settings *settings, const struct rkt_gc_result *result)
{
	uint64_t images = result->images_removed, files = result->files_removed,
		 stay = result->images_kept;
	char freed[16], kept[16];

	out_note("%s: %ju image%s and %ju left-over file%s or tree%s, %s; %ju image%s stay%s, %s",
		settings->dry_run ? "would be removed" : "removed", (uintmax_t)images,
		str_plural(images), (uintmax_t)files, str_plural(files), str_plural(files),
		str_size(result->bytes_freed, freed), (uintmax_t)stay, str_plural(stay),
		stay == 1 ? "s" : "", str_size(result->bytes_kept, kept));
}

static void warn_of_size(const struct gc_settings *settings, const struct rkt_gc_result *result)
{
	char is[16], may[16];

	if (settings->max_size && result->bytes_kept > settings->max_size)
		out_warning("the store still takes %s, more than %s: no more images may go",
			str_size(result->bytes_kept, is), str_size(settings->max_size, may));
}

static int gc(const struct gc_settings *settings, rkt_error **err)
{
	struct gc_output output = { .settings = settings };
	const struct rkt_gc_options options = { .size = sizeof options,
		.grace_sec = settings->grace_sec,
		.dry_run = settings->dry_run,
		.report = tell,
		.context = &output,
		.keep_latest = settings->keep_latest,
		.max_size = settings->max_size };
	auto_store rkt_store *store = NULL;
	struct rkt_gc_result result = { 0 };
	int done;

	store = cmd_open_existing(settings->dir, err);
	if (!store)
		return -1;
	out_debug("store %s; %s", rkt_store_path(store),
		settings->dry_run ? "nothing will be changed" : "what goes is removed");
	output.decisions = settings->json ? json_new_array() : NULL;
	done = rkt_store_gc(store, &options, &result, err);
	if (done < 0 && !output.told) { /* else what was done is told, whatever ended it */
		json_free(output.decisions);
		return -1;
	}
	if (!settings->dry_run)
		trust_homes_clear();
	if (settings->json)
		print_json(&output, &result);
	else
		print_words(settings, &result);
	if (done == 0)
		warn_of_size(settings, &result);
	return done;
}

int cmd_gc(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS]", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store gc --max-size 20G", "Makes room, when there is more than 20 GiB." },
		{ "rkt-store gc --grace-period 0s --keep-latest 2 --dry-run",
			"Says what would go if two versions of everything stayed." },
		{ NULL, NULL },
	};
	struct gc_settings settings = { .grace_sec = GRACE_SEC, .max_size = NO_LIMIT };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "grace-period",
			.kind = OPT_DURATION,
			.into = &settings.grace_sec,
			.argument = "TIME",
			.help = "Keep images imported less long ago: 90s, 30m, 12h, 7d. 24h without it." },
		{ .name = "keep-latest",
			.kind = OPT_NUMBER,
			.into = &settings.keep_latest,
			.argument = "N",
			.help = "Keep the N newest images of each name: those of the newest "
				"versions, and of one version those imported last. Images for "
				"another os or arch count apart." },
		{ .name = "max-size",
			.kind = OPT_SIZE,
			.into = &settings.max_size,
			.argument = "SIZE",
			.help = "Remove images only until the store takes at most SIZE (500M, 2G), "
				"those used longest ago first." },
		{ .name = "dry-run",
			.kind = OPT_FLAG,
			.into = &settings.dry_run,
			.help = "Say what would be done and do nothing." },
		CMD_OPTION_JSON(&settings.json), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store gc",
		.usage = usage,
		.summary = "remove images nobody uses, and left-overs",
		.description =
			"Removes the images that no pod uses and that were imported, or last used, "
			"before the grace period, trees nobody uses any more, what killed commands left "
			"behind, and downloads that nobody went on with for as long. What is removed is printed, one a line; the reasons, also for what "
			"stays, go to standard error.\n\n"
			"An image stays whatever the options say while a pod uses it, and while an "
			"image that stays depends on it. The grace period and --keep-latest keep "
			"more. Of what is left everything goes without --max-size; with it, only as "
			"much as needed, in the order of the last use: when a pod last took the "
			"image, or one that depends on it, or it was imported or fetched again. SIZE is that of the "
			"images and their EROFS indexes; extracted trees do not count. When what "
			"must stay is larger than SIZE, a warning says so.",
		.examples = examples,
		.options = options,
		.see_also = cmd_see_also };
	int got = opts_parse(&command, argc, argv, NULL, err);

	if (got <= 0)
		return got;
	if (!settings.max_size)
		return rkt_fail(
			err, RKT_USAGE, "--max-size is not 0: without it all goes that may");
	if (settings.max_size == NO_LIMIT)
		settings.max_size = 0;
	return gc(&settings, err);
}
