/* Entries of option tables in one or two lines. */
#pragma once

#include "cli/opts.h"

#define OPTION(kind_, name_, into_, argument_, help_)                                             \
	{                                                                                         \
		.name = name_, .kind = kind_, .into = into_, .argument = argument_, .help = help_ \
	}

/* The --dir of every command of rkt-pod. */
#define OPTION_DIR(into_)                                                            \
	OPTION(OPT_TEXT, "dir", into_, "DIR",                                        \
		"The data directory, instead of $RKT_DIR, else the configured one, " \
		"else /var/lib/rkt for root and "                                    \
		"$XDG_DATA_HOME/rkt for others.")
