/*
 * The main() of programs that have passwords and tokens in their memory: as long as they run nobody
 * else gets to read that (S-029). They leave no core file, let no debugger of the same user in, and
 * the words they were started with, which /proc shows to all, are overwritten where they are
 * secret.
 */
#pragma once

#include "cli/main.h"

/* cli_main(), hidden. RUN gets a copy of ARGV, which says what it said. */
int cmd_secret_main(int argc, char **argv, cli_run_fn *run);
