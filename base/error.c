/* The error object: a chain of texts, outermost first; kind and errno come from the innermost. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

struct rkt_error {
	rkt_error *cause; /* owned; NULL in the innermost link */
	char *text;       /* as it was given */
	char *raw;        /* the whole chain, made when first asked for */
	char *shown;      /* the same, escaped */
	enum rkt_error_kind kind;
	int errnum;
};

__attribute__((format(printf, 2, 0))) static rkt_error *error_new(
	rkt_error *cause, const char *format, va_list args)
{
	rkt_error *error = xcalloc(1, sizeof *error);

	if (vasprintf(&error->text, format, args) < 0)
		out_of_memory();
	error->cause = cause;
	error->kind = cause ? cause->kind : RKT_FAILED;
	error->errnum = cause ? cause->errnum : 0;
	return error;
}

int rkt_fail(rkt_error **err, enum rkt_error_kind kind, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	*err = error_new(NULL, format, args);
	va_end(args);
	(*err)->kind = kind;
	return -1;
}

int rkt_fail_errno(rkt_error **err, const char *format, ...)
{
	int errnum = errno;
	va_list args;

	if (err) {
		rkt_error *error;
		char *text;

		va_start(args, format);
		error = error_new(NULL, format, args);
		va_end(args);
		text = xasprintf("%s: %s", error->text, strerrordesc_np(errnum) ?: "unknown error");
		free(error->text);
		error->text = text;
		error->errnum = errnum;
		*err = error;
	}
	errno = errnum;
	return -1;
}

int rkt_fail_told(rkt_error **err, enum rkt_error_kind kind)
{
	return rkt_fail(err, kind, "%s", "");
}

bool rkt_error_is_told(const rkt_error *error)
{
	return !error->cause && !*error->text;
}

int rkt_fail_outer(rkt_error **err, const char *format, ...)
{
	va_list args;

	if (!err || !*err || rkt_error_is_told(*err))
		return -1;
	va_start(args, format);
	*err = error_new(*err, format, args);
	va_end(args);
	return -1;
}

int rkt_fail_with(rkt_error **err, rkt_error *from)
{
	if (err)
		*err = from;
	else
		rkt_error_free(from);
	return -1;
}

void error_scope_leave(struct error_scope *scope)
{
	int keep = errno;

	if (scope->err && *scope->err) {
		if (scope->object)
			rkt_fail_outer(scope->err, "%s %s", scope->doing, scope->object);
		else
			rkt_fail_outer(scope->err, "%s", scope->doing);
	}
	errno = keep;
}

const char *rkt_error_raw(rkt_error *error)
{
	struct buf joined = { 0 };

	if (error->raw)
		return error->raw;
	for (const rkt_error *link = error; link; link = link->cause)
		buf_printf(&joined, "%s%s", link == error ? "" : ": ", link->text);
	return error->raw = buf_steal_text(&joined);
}

const char *rkt_error_message(rkt_error *error)
{
	const char *raw = rkt_error_raw(error);

	if (!error->shown)
		error->shown = str_escape(raw, strlen(raw));
	return error->shown;
}

enum rkt_error_kind rkt_error_kind(const rkt_error *error)
{
	return error->kind;
}

int rkt_error_errno(const rkt_error *error)
{
	return error->errnum;
}

void rkt_error_free(rkt_error *error)
{
	while (error) {
		rkt_error *cause = error->cause;

		free(error->text);
		free(error->raw);
		free(error->shown);
		free(error);
		error = cause;
	}
}
