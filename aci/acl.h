/*
 * POSIX ACLs: the text that tars carry, and the bytes that the kernel reads.
 *
 * A tar has "user::rw-,user:alice:r--:1000,group::r--,mask::r--,other::---" (pax records
 * SCHILY.acl.access and SCHILY.acl.default; GNU tar leaves the number out, star and bsdtar write
 * it) or the kernel's form itself. The kernel's form is a 32-bit 2, then 8 bytes an entry: tag,
 * permissions, id, sorted. A damaged one makes its file unreadable for everybody, so all are
 * checked here.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Both replace the content of RET by the kernel's form, or by nothing when there are no entries.
 * RKT_INVALID when it is damaged: a syntax, an entry that is missing or there twice.
 *
 * In a text, entries for a user or group that has no number are left out and counted in
 * *NAMES_DROPPED: what "alice" is here says nothing about "alice" in the image. */
int acl_from_text(struct slice text, struct buf *ret, uint64_t *names_dropped, rkt_error **err);
int acl_from_kernel(struct slice bytes, struct buf *ret, rkt_error **err);

/* Replaces the content of RET by the text of an ACL in the kernel's form, with numbers in place of
 * names and after the permissions too, as star writes them; by nothing when there are no entries.
 * RKT_INVALID when it is damaged. */
int acl_to_text(struct slice bytes, struct buf *ret, rkt_error **err);

/* Of a valid access ACL in the kernel's form: the permission bits a file with it shows as its mode
 * (acl(5)), and whether it says nothing more than them. */
mode_t acl_mode(struct slice acl);
bool acl_is_mode(struct slice acl);
