/*
 * Allocation that cannot fail: running out of memory for our own small structures is the one
 * condition, besides our own bugs, that ends the process (abort). Sizes that come from outside are
 * checked against a limit before they get here.
 */
#pragma once

#include <stddef.h>

/* Says "PROGRAM: out of memory" on standard error, and aborts: what such functions do, and who calls
 * one of a library that failed for want of it. */
_Noreturn void out_of_memory(void);

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
/* Grows an array to hold COUNT elements of SIZE bytes; aborts when the product overflows. */
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
/* NULL of NULL. */
char *xstrdup_if(const char *text) __attribute__((malloc));
/* Frees a text after overwriting it: for passwords and the like. NULL is allowed. */
void xfree_secret(char *text);
/* Copies LEN bytes and ends them with a NUL. */
char *xmemdup(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
