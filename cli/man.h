/* The man page of a command, from the same table as its help: man(7) macros, to standard output. */
#pragma once

#include "cli/help.h"

void man_print(const struct manual *manual);
