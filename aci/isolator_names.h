/* The kernel's names that isolators use: capabilities, errors, system calls. */
#pragma once

#include <stdbool.h>

/* The number of "CAP_CHOWN", ..., or -1. */
int capability_number(const char *name);
/* The number of "ENOENT", ..., or 0. */
int errno_number(const char *name);
/* Whether Linux has or had a system call of this name on any architecture we run on. */
bool syscall_is_known(const char *name);
