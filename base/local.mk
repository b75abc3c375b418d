# Convenience libraries hold their own objects and name the outside libraries these need. What a
# program links, in the order of the layers, stands in the *_link lists.
base_link = %D%/libbase.la

noinst_LTLIBRARIES += %D%/libbase.la
%C%_libbase_la_SOURCES = \
	%D%/alloc.c %D%/alloc.h \
	%D%/base64.c %D%/base64.h \
	%D%/buf.c %D%/buf.h \
	%D%/draft.c %D%/draft.h \
	%D%/error.c %D%/error.h \
	%D%/fd.c %D%/fd.h \
	%D%/hex.c %D%/hex.h \
	%D%/json.c %D%/json.h \
	%D%/json_check.c %D%/json_check.h \
	%D%/json_edit.c %D%/json_edit.h \
	%D%/library.c %D%/library.h \
	%D%/lock.c %D%/lock.h \
	%D%/mount.c %D%/mount.h \
	%D%/names.c %D%/names.h \
	%D%/only_calls.c %D%/only_calls.h \
	%D%/path.c %D%/path.h \
	%D%/place.c %D%/place.h \
	%D%/proc.c %D%/proc.h \
	%D%/sanitized.h \
	%D%/scope.h \
	%D%/str.c %D%/str.h \
	%D%/time.c %D%/time.h \
	%D%/tree.c %D%/tree.h \
	%D%/usage.c %D%/usage.h \
	%D%/uuid.c %D%/uuid.h
%C%_libbase_la_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
%C%_libbase_la_LIBADD = $(JSON_LIBS)
