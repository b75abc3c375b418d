/* Keeping our own program out of the apps' hands (S-062, CVE-2019-5736). */
#pragma once

#include "base/error.h"

/* Makes sure that this process runs from a read-only mount, so that whoever gets hold of its
 * /proc/PID/exe cannot open it for writing. Where it does not, the program is executed again, with
 * the same arguments and environment, from a read-only clone of its mount, and this does not
 * return. */
int seal_program(char *const argv[], rkt_error **err);
