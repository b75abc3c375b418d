/*
 * Clean-up by scope: what is acquired under an auto_* name is released when the name goes out of
 * scope, on every way out, and errno is left as it was. pass_*() hands a thing on: the name becomes
 * empty and is not released here any more.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_close(int *fd)
{
	int keep = errno;

	if (*fd >= 0)
		close(*fd);
	errno = keep;
}

static inline void scope_free(void *slot)
{
	int keep = errno;

	free(*(void **)slot);
	errno = keep;
}

/* SCOPE_DEFINE(name, type, release): makes a clean-up function that ignores NULL and keeps
 * errno. */
#define SCOPE_DEFINE(name, type, release)           \
	static inline void scope_##name(type *slot) \
	{                                           \
		int keep = errno;                   \
                                                    \
		if (*slot)                          \
			release(*slot);             \
		errno = keep;                       \
	}

SCOPE_DEFINE(fclose, FILE *, fclose)
SCOPE_DEFINE(closedir, DIR *, closedir)

#define auto_fd   __attribute__((cleanup(scope_close)))
#define auto_free __attribute__((cleanup(scope_free)))
#define auto_file __attribute__((cleanup(scope_fclose)))
#define auto_dir  __attribute__((cleanup(scope_closedir)))

#define pass_fd(fd)                 \
	({                          \
		int passed_ = (fd); \
		(fd) = -1;          \
		passed_;            \
	})

#define pass_ptr(ptr)                            \
	({                                       \
		__typeof__(ptr) passed_ = (ptr); \
		(ptr) = NULL;                    \
		passed_;                         \
	})

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
