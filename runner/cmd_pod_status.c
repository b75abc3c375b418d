/* rkt-pod status: one pod, as lines of KEY=VALUE. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/time.h"
#include "cli/out.h"
#include "runner/cmd_pod.h"

struct status_options {
	const char *dir;
	bool json, wait;
};

static void print_time(const char *key, int64_t sec)
{
	char text[TIME_TEXT_SIZE];

	if (sec)
		printf("%s=%s\n", key, time_rfc3339(sec, text));
}

static void print(const struct pod_info *info)
{
	printf("uuid=%s\nstate=%s\n", info->uuid, pod_state_name(info->state));
	print_time("created", info->created_sec);
	print_time("started", info->started_sec);
	print_time("ended", info->ended_sec);
	if (info->pid && info->state == POD_RUNNING)
		printf("pid=%d\n", (int)info->pid);
	for (size_t i = 0; info->manifest && i < info->manifest->app_count; i++)
		if (info->statuses[i] !=
			POD_APP_NO_STATUS) /* names are AC Names: nothing to escape */
			printf("app-%s=%d\n", info->manifest->apps[i].name, info->statuses[i]);
}

static int status(const struct status_options *options, const char *text, rkt_error **err)
{
	auto_pods struct pods pods = { .fd = -1 };
	auto_pod_info struct pod_info info = { 0 };
	struct pod_dir_entry entry;

	if (pods_enter(options->dir, PODS_LOOK, &pods, err) < 0 ||
		pods_resolve(&pods, text, &entry, err) < 0)
		return -1;
	if (options->wait && pod_wait(pods.fd, &entry, err) < 0)
		return -1;
	if (pod_info_read(pods.fd, &entry, &info, err) < 0)
		return -1;
	if (options->json) {
		auto_json json *object = pod_info_to_json(&info);

		out_json(object);
	} else {
		print(&info);
	}
	return 0;
}

static const char *const usage[] = { "[OPTIONS] UUID", NULL };
static const char *const see_also[] = { "rkt-pod-list(1)", NULL };

int cmd_pod_status(int argc, char **argv, rkt_error **err)
{
	struct status_options options = { 0 };
	const struct opt table[] = {
		OPTION_DIR(&options.dir),
		OPTION(OPT_FLAG, "json", &options.json, NULL, "Print an object."),
		OPTION(OPT_FLAG, "wait", &options.wait, NULL, "Wait until the pod has ended."),
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-pod status",
		.usage = usage,
		.summary = "show the state of a pod and how its apps ended",
		.description =
			"Prints what is known of a pod as lines of KEY=VALUE: uuid, state, "
			"created, started, ended, pid (the pod's first process, while it runs), "
			"and app-NAME, the exit status of each app that has ended.\n\n"
			"UUID is that of a pod, or its first eight or more characters.",
		.options = table,
		.see_also = see_also,
		.candidates_command = COMPLETE_PODS,
		.operands_min = 1,
		.operands_max = 1,
	};
	auto_operands struct operands operands = { NULL };
	int got = opts_parse(&command, argc, argv, &operands, err);

	return got > 0 ? status(&options, operands.items[0], err) : got;
}
