/*
 * Shared libraries that few runs of a program need, loaded when one does (dlopen(3)). What is
 * linked is loaded and relocated at every start, also by a command that is over before that would
 * be paid back.
 *
 * Which functions a file calls stands in a list, from which come pointers of the right types:
 *
 *	#define BZIP2_CALLS(CALL, of) CALL(of, BZ2_bzDecompress) CALL(of, BZ2_bzDecompressEnd)
 *	static LIBRARY_STRUCT(bzip2, BZIP2_CALLS) bzip2;
 *	static LIBRARY_DEFINE(bzip2, "libbz2.so.1.0", BZIP2_CALLS);
 *
 *	if (library_load(&bzip2_library, err) < 0)
 *		return -1;
 *	bzip2.BZ2_bzDecompress(stream);
 */
#pragma once

#include <stdatomic.h>

#include "base/error.h"

struct library_call {
	const char *name;
	void *into; /* the pointer to the function, filled in by library_load() */
};

struct library {
	const char *file; /* its soname: searched for as what is linked is (ld.so(8)) */
	const struct library_call *calls; /* ends with a NULL name */
	atomic_bool loaded;
};

/* Loads SELF and fills in its calls, the first time. Threads may come at once. What is loaded stays
 * until the process ends. Fails with RKT_FAILED. */
int library_load(struct library *self, rkt_error **err);

#define LIBRARY_STRUCT(tag, CALLS)                \
	struct tag##_calls {                      \
		CALLS(LIBRARY_CALL_POINTER_, tag) \
	}
/* Makes NAME_library, which fills in the variable NAME. */
#define LIBRARY_DEFINE(name, soname, CALLS)                                                      \
	struct library name##_library = {                                                        \
		.file = (soname),                                                                \
		.calls = (const struct library_call[]){ CALLS(LIBRARY_CALL_ENTRY_, name){ 0 } }, \
	}
#define LIBRARY_CALL_POINTER_(of, call) __typeof__(call) *call;
#define LIBRARY_CALL_ENTRY_(of, call)   { #call, &(of).call },
