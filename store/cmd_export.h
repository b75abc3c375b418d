/* The command rkt-store export, in the program that has libarchive. */
#pragma once

#include "cli/main.h"

cli_run_fn export_run;
