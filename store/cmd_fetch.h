/* The command rkt-store fetch, in the program that has libcurl. */
#pragma once

#include "cli/main.h"

cli_run_fn fetch_run;
