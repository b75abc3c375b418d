/*
 * The one error object of Rocket's libraries.
 *
 * Every function that can fail takes `rkt_error **err` last and returns -1 (or NULL) on failure.
 * On failure, and only then, *err is set to a new object which the caller owns and frees with
 * rkt_error_free(). err may be NULL when the caller does not care why; *err must be NULL on entry.
 *
 * An error is a chain: the innermost text names the system call or the rule that was broken, outer
 * texts name the object in the caller's hands. rkt_error_message() joins them with ": ".
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#define RKT_PUBLIC __attribute__((visibility("default")))

typedef struct rkt_error rkt_error;

/* What went wrong, by what the caller can do about it. The values are exit statuses of programs. */
enum rkt_error_kind {
	RKT_FAILED = 1,    /* the system refused: I/O, permission, space */
	RKT_USAGE = 2,     /* the caller asked for something that makes no sense */
	RKT_MISSING = 3,   /* what was named does not exist */
	RKT_INVALID = 4,   /* bytes from outside break a rule */
	RKT_UNTRUSTED = 5, /* no trusted key speaks for it */
};

/* The whole chain on one line without a newline, e.g. "importing a.aci: tar: truncated header".
 * Bytes from outside are escaped: the text is printable UTF-8 whatever it quotes. Never NULL.
 * The string belongs to ERROR and lives as long as it does. */
RKT_PUBLIC const char *rkt_error_message(rkt_error *error);

/* The kind given by whoever failed first (the innermost link). */
RKT_PUBLIC enum rkt_error_kind rkt_error_kind(const rkt_error *error);

/* The errno of the failed system call, or 0 when no system call failed. */
RKT_PUBLIC int rkt_error_errno(const rkt_error *error);

/* Frees the chain. NULL is allowed. */
RKT_PUBLIC void rkt_error_free(rkt_error *error);

#ifdef __cplusplus
}
#endif
