/* rkt-pod gc: removes pods that ended some time ago, and what interrupted starts and removals
 * left. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/opts.h"
#include "cli/out.h"
#include "runner/cmd_pod.h"
#include "runner/pod_remove.h"

#define GRACE_SEC (30 * 60)

struct gc_options {
	const char *dir;
	int64_t grace_sec;
	bool dry_run;
};

/* Why the pod goes, in words; NULL when it stays. */
static const char *reason(const struct gc_options *options, const struct pod_info *info,
	char text[static TIME_TEXT_SIZE])
{
	int64_t now = time_now_sec();

	if (info->state == POD_GARBAGE)
		return "was not finished";
	if (info->state != POD_EXITED || now - info->ended_sec < options->grace_sec)
		return NULL;
	return time_ago(info->ended_sec, now, text);
}

static void say(const struct gc_options *options, const struct pod_info *info, const char *why)
{
	printf("%s %s: %s%s\n", options->dry_run ? "would remove" : "removed", info->uuid,
		info->state == POD_EXITED ? "exited " : "", why);
}

/* A pod that looks as if it should go: looks again under the lock, and removes it. Somebody else at
 * work on it, or quicker than us, is no error. */
static int collect(const struct pods *pods, const struct gc_options *options,
	const struct pod_dir_entry *entry, rkt_error **err)
{
	auto_pod_dir struct pod_dir pod = { .fd = -1 };
	auto_pod_info struct pod_info info = { 0 };
	char text[TIME_TEXT_SIZE];
	const char *why;
	int locked;

	if (pod_dir_open(pods->fd, entry, &pod, err) < 0)
		return -1;
	locked = pod_dir_lock(&pod, err);
	if (locked <= 0)
		return locked;
	if (pod_info_read_locked(&pod, entry->kind, &info, err) < 0)
		return -1;
	why = reason(options, &info, text);
	if (!why)
		return 0;
	if (pod_remove(pods->store, &pod, entry, err) < 0)
		return -1;
	say(options, &info, why);
	return 0;
}

static int consider(const struct pods *pods, const struct gc_options *options,
	const struct pod_dir_entry *entry, rkt_error **err)
{
	auto_pod_info struct pod_info info = { 0 };
	char text[TIME_TEXT_SIZE];
	const char *why;

	/* a look at an embryo may meet its maker, who then starts again under another name */
	if (pod_info_read(pods->fd, entry, &info, err) < 0)
		return -1;
	why = reason(options, &info, text);
	if (!why) {
		out_debug("%s stays: it is %s", info.uuid, pod_state_name(info.state));
		return 0;
	}
	if (!options->dry_run)
		return collect(pods, options, entry, err);
	say(options, &info, why);
	return 0;
}

static int gc(const struct gc_options *options, rkt_error **err)
{
	auto_pods struct pods pods = { .fd = -1 };
	auto_free struct pod_dir_entry *entries = NULL;
	size_t count = 0;

	if (pods_enter(options->dir, options->dry_run ? PODS_LOOK : PODS_CHANGE, &pods, err) < 0)
		return -1;
	if (pods.fd >= 0 && pod_dir_list(pods.fd, &entries, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		auto_error rkt_error *failed = NULL;

		if (consider(&pods, options, &entries[i], &failed) < 0 &&
			rkt_error_kind(failed) != RKT_MISSING)
			return rkt_fail_with(err, pass_ptr(failed));
	}
	return 0;
}

static const char *const usage[] = { "[OPTIONS]", NULL };
static const char *const see_also[] = { "rkt-pod-rm(1)", "rkt-store-gc(1)", NULL };

int cmd_pod_gc(int argc, char **argv, rkt_error **err)
{
	struct gc_options options = { .grace_sec = GRACE_SEC };
	const struct opt table[] = {
		OPTION_DIR(&options.dir),
		OPTION(OPT_DURATION, "grace-period", &options.grace_sec, "TIME",
			"How long a pod stays after its end: 90s, 30m (the default), 12h, 7d."),
		OPTION(OPT_FLAG, "dry-run", &options.dry_run, NULL,
			"Say what would be removed, and remove nothing."),
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-pod gc",
		.usage = usage,
		.summary = "remove pods that ended some time ago",
		.description =
			"Removes pods that ended longer ago than the grace period, and at once "
			"whatever an interrupted start or removal left behind. Their images are "
			"let go; rkt-store gc removes those that nobody uses any more. Says what "
			"it removed and why; with --debug also what stays.",
		.options = table,
		.see_also = see_also,
	};
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? gc(&options, err) : got;
}
