/* rkt-pod list: a table of pods, one line an app. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/out.h"
#include "runner/cmd_pod.h"

struct list_options {
	const char *dir;
	bool json, no_legend, full;
};

static const char *const headings[] = { "UUID", "APP", "IMAGE", "STATE", "CREATED", "STARTED",
	NULL };

/* Digits of a UUID that tell pods apart in a table; rkt-pod takes them back. */
#define SHORT_UUID POD_UUID_PREFIX_MIN

static void time_cell(struct out_table *table, const struct list_options *options, int64_t sec)
{
	char text[TIME_TEXT_SIZE] = "";

	if (sec && options->full)
		time_rfc3339(sec, text);
	else if (sec)
		time_ago(sec, time_now_sec(), text);
	out_table_cell(table, text);
}

/* The line of one app; the pod is named on the first only. APP may be NULL. */
static void add_line(struct out_table *table, const struct list_options *options,
	const struct pod_info *info, const struct pod_app *app)
{
	bool first = !app || app == info->manifest->apps;
	auto_free char *uuid =
		xasprintf("%.*s", options->full ? UUID_TEXT_LEN : SHORT_UUID, info->uuid);

	out_table_cell(table, first ? uuid : "");
	out_table_cell(table, app ? app->name : "-");
	out_table_cell(table, !app                                ? "-"
			      : app->image_name && !options->full ? app->image_name
								  : app->image_id);
	out_table_cell(table, first ? pod_state_name(info->state) : "");
	time_cell(table, options, first ? info->created_sec : 0);
	time_cell(table, options, first ? info->started_sec : 0);
}

static void add_lines(
	struct out_table *table, const struct list_options *options, const struct pod_info *info)
{
	size_t count = info->manifest ? info->manifest->app_count : 0;

	if (!count)
		add_line(table, options, info, NULL);
	for (size_t i = 0; i < count; i++)
		add_line(table, options, info, &info->manifest->apps[i]);
}

/* Calls either ADD for every pod there is. */
static int collect(const struct pods *pods, const struct list_options *options,
	struct out_table *table, json *array, rkt_error **err)
{
	auto_free struct pod_dir_entry *entries = NULL;
	size_t count = 0;

	if (pods->fd >= 0 && pod_dir_list(pods->fd, &entries, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		auto_pod_info struct pod_info info = { 0 };
		auto_error rkt_error *gone = NULL;

		if (entries[i].kind == POD_DIR_EMBRYO)
			continue; /* no pod yet, and its maker must find the lock free */
		if (pod_info_read(pods->fd, &entries[i], &info, &gone) < 0) {
			if (rkt_error_kind(gone) != RKT_MISSING)
				return rkt_fail_with(err, pass_ptr(gone));
			continue;
		}
		if (array)
			json_append(array, pod_info_to_json(&info));
		else
			add_lines(table, options, &info);
	}
	return 0;
}

static int list(const struct list_options *options, rkt_error **err)
{
	auto_pods struct pods pods = { .fd = -1 };
	auto_json json *array = options->json ? json_new_array() : NULL;
	struct out_table *table;
	int result;

	if (pods_enter(options->dir, PODS_LOOK, &pods, err) < 0)
		return -1;
	if (options->json) {
		if (collect(&pods, options, NULL, array, err) < 0)
			return -1;
		out_json(array);
		return 0;
	}
	table = out_table_new(headings);
	if (options->no_legend)
		out_table_hide_head(table);
	result = collect(&pods, options, table, NULL, err);
	out_table_end(table);
	return result;
}

static const char *const usage[] = { "[OPTIONS]", NULL };
static const char *const see_also[] = { "rkt-pod-status(1)", "rkt-pod-gc(1)", NULL };

int cmd_pod_list(int argc, char **argv, rkt_error **err)
{
	struct list_options options = { 0 };
	const struct opt table[] = {
		OPTION_DIR(&options.dir),
		OPTION(OPT_FLAG, "json", &options.json, NULL, "Print an array of objects."),
		OPTION(OPT_FLAG, "full", &options.full, NULL,
			"Do not shorten UUIDs; image IDs instead of names; points in time instead "
			"of ages."),
		OPTION(OPT_FLAG, "no-legend", &options.no_legend, NULL,
			"Leave the line of headings out."),
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-pod list",
		.usage = usage,
		.summary = "list pods",
		.description =
			"Lists all pods, a line for each app. The state of a pod is preparing, "
			"prepared (made, about to start), running, exited, or garbage: left over "
			"by a start or a removal that was cut short, and removed by the next "
			"rkt-pod gc.",
		.options = table,
		.see_also = see_also,
	};
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? list(&options, err) : got;
}
