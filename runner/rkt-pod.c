/* rkt-pod: looks after pods. */
#include "runner/cmd_pod.h"

#include "rkt/store.h"

static const struct cli_command commands[] = {
	{ "list", "list pods", cmd_pod_list },
	{ "status", "show the state of a pod and how its apps ended", cmd_pod_status },
	{ "rm", "remove pods that have ended", cmd_pod_rm },
	{ "gc", "remove pods that ended some time ago", cmd_pod_gc },
	{ 0 },
};

static const struct cli_program program = {
	.name = "rkt-pod",
	.summary = "look after pods",
	.description =
		"Pods are directories below containers/ in the data directory. What a pod is "
		"doing is read from its directory and the lock on it; there is no daemon to ask.",
	.commands = commands,
	.see_also = (const char *const[]){ "rkt-run(1)", "rkt-store(1)", NULL },
};

static int run(int argc, char **argv, rkt_error **err)
{
	return cli_dispatch(&program, argc, argv, err);
}

int main(int argc, char **argv)
{
	rkt_store_catch_damage("rkt-pod", RKT_INVALID);
	return cli_main(argc, argv, run, 0);
}
