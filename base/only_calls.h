/* A process that does a few system calls from here on, and is killed when it tries another one. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Whether only_calls() knows by which name the kernel calls this machine: x86_64 and aarch64. */
#if defined __x86_64__ || defined __aarch64__
#define ONLY_CALLS_KNOWS_MACHINE 1
#else
#define ONLY_CALLS_KNOWS_MACHINE 0
#endif

#define ONLY_CALLS_MAX 64

/* Leaves this thread, and those it would start, the COUNT (at most ONLY_CALLS_MAX) calls NUMBERS
 * (__NR_read, ...) by seccomp(2), with any arguments; any other, or one by the numbers of another
 * machine (int 0x80), kills the process by SIGSYS. There is no way back. The process has said
 * PR_SET_NO_NEW_PRIVS, or is privileged. Returns 1, and changes nothing, where the kernel has no
 * filters or the machine is another one. */
int only_calls(const int *numbers, size_t count, rkt_error **err);
