/*
 * Making and passing errors. include/rkt/error.h has the contract that callers see.
 *
 * A failing call is one line:	return rkt_fail_errno(err, "open %s", name);
 * Context is one line at the top of a function that knows the user's object:
 *				ERROR_SCOPE(err, "importing", path);
 * which prefixes whatever error leaves the function with "importing PATH: ".
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "rkt/error.h"
#include "base/scope.h"

/* Sets a new error of KIND and returns -1. ERR may be NULL. rkt_error_message() escapes the text
 * for display, so format arguments may be raw bytes from outside (as NUL-terminated strings). */
int rkt_fail(rkt_error **err, enum rkt_error_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));

/* The same for a failed system call: appends ": " and the text of errno, keeps errno's number.
 * The kind is RKT_FAILED. errno is unchanged on return. */
int rkt_fail_errno(rkt_error **err, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* Fails with what another program of ours has told on standard error already: the message is empty,
 * stays so whatever it is wrapped into, and is not printed. */
int rkt_fail_told(rkt_error **err, enum rkt_error_kind kind);
bool rkt_error_is_told(const rkt_error *error);

/* Wraps *ERR (which is set) into an outer link and returns -1. */
int rkt_fail_outer(rkt_error **err, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* Moves FROM into *ERR (freed when ERR is NULL) and returns -1. For results of threads. */
int rkt_fail_with(rkt_error **err, rkt_error *from);

/* The whole chain as rkt_error_message() has it, but not escaped: to become a part of another text,
 * which is escaped as a whole. It belongs to ERROR. */
const char *rkt_error_raw(rkt_error *error);

SCOPE_DEFINE(error, rkt_error *, rkt_error_free)
#define auto_error __attribute__((cleanup(scope_error)))

struct error_scope {
	rkt_error **err;
	const char *doing, *object;
};

void error_scope_leave(struct error_scope *scope);

/* From here to the end of the block: an error in *ERR gets the prefix "DOING OBJECT: ". DOING is a
 * present participle, OBJECT is what the user knows; both must outlive the block. OBJECT may be
 * NULL. One per function. */
#define ERROR_SCOPE(err, doing, object)            \
	__attribute__((cleanup(error_scope_leave), \
		unused)) struct error_scope error_scope_ = { (err), (doing), (object) }
