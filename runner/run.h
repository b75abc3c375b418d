/* What rkt-run carries from its options to the exec of stage1. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/opts.h"
#include "runner/compose.h"
#include "runner/prepare.h"

/* What was asked for. */
struct run_options {
	const char *dir;
	struct opts_list volumes;
	int net;              /* index into run_nets */
	int pull_policy;      /* index into run_pull_policies */
	const char *insecure; /* words of --insecure-options, or NULL */
	int tree;             /* enum rkt_tree_form */
	const char *hostname, *uuid_file, *stage1_path;
	bool interactive, debug;
	struct app_request *apps;
	size_t app_count;
};

extern const char *const run_nets[], *const run_pull_policies[];

/* Reads ARGV: as opts_parse(). What OPTIONS points at is freed by run_options_free(). */
int run_options_parse(struct run_options *options, int argc, char **argv, rkt_error **err);
void run_options_free(struct run_options *options);

/* Makes the pod and executes its stage1. Returns (-1) only on failure, and then the pod is gone
 * again. */
int run_start(const struct run_options *options, rkt_error **err);
