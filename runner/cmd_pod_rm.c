/* rkt-pod rm: removes pods that have ended. */
#include <stdio.h>

#include "base/alloc.h"
#include "cli/opts.h"
#include "runner/cmd_pod.h"
#include "runner/pod_remove.h"

static int remove_one(const struct pods *pods, const struct pod_dir_entry *entry, rkt_error **err)
{
	auto_pod_dir struct pod_dir pod = { .fd = -1 };
	auto_pod_info struct pod_info info = { 0 };
	int locked;

	if (pod_dir_open(pods->fd, entry, &pod, err) < 0)
		return -1;
	locked = pod_dir_lock(&pod, err);
	if (!locked && pod_info_read(pods->fd, entry, &info, err) < 0)
		return -1;
	if (!locked)
		return rkt_fail(
			err, RKT_FAILED, "pod %s is %s", entry->uuid, pod_state_name(info.state));
	if (locked < 0 || pod_remove(pods->store, &pod, entry, err) < 0)
		return -1;
	printf("%s\n", entry->uuid);
	return 0;
}

/* All names are looked up before the first pod goes: a slip of the pen removes nothing. */
static int remove_all(const char *dir, const struct operands *names, rkt_error **err)
{
	auto_pods struct pods pods = { .fd = -1 };
	auto_free struct pod_dir_entry *entries = xcalloc(names->count, sizeof *entries);

	if (pods_enter(dir, PODS_CHANGE, &pods, err) < 0)
		return -1;
	for (size_t i = 0; i < names->count; i++)
		if (pods_resolve(&pods, names->items[i], &entries[i], err) < 0)
			return -1;
	for (size_t i = 0; i < names->count; i++)
		if (remove_one(&pods, &entries[i], err) < 0)
			return -1;
	return 0;
}

static const char *const usage[] = { "[OPTIONS] UUID...", NULL };
static const char *const see_also[] = { "rkt-pod-gc(1)", "rkt-pod-list(1)", NULL };

int cmd_pod_rm(int argc, char **argv, rkt_error **err)
{
	const char *dir = NULL;
	const struct opt table[] = {
		OPTION_DIR(&dir),
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-pod rm",
		.usage = usage,
		.summary = "remove pods that have ended",
		.description =
			"Removes pods with all they wrote, lets go of their images, and prints "
			"their UUIDs. A pod that is running is refused; the pods before it are "
			"gone then.\n\n"
			"UUID is that of a pod, or its first eight or more characters. When one "
			"of several does not exist, none is removed.",
		.options = table,
		.see_also = see_also,
		.candidates_command = COMPLETE_PODS,
		.operands_min = 1,
		.operands_max = -1,
	};
	auto_operands struct operands operands = { NULL };
	int got = opts_parse(&command, argc, argv, &operands, err);

	return got > 0 ? remove_all(dir, &operands, err) : got;
}
