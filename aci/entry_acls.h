/* The ACLs that an entry of a tar brings along, and what they do to its mode. */
#pragma once

#include "aci/acl.h"
#include "aci/tar.h"

/* The kernel's names of the two. */
#define ACL_ACCESS_XATTR  "system.posix_acl_access"
#define ACL_DEFAULT_XATTR "system.posix_acl_default"
/* Those of star, for their texts. */
#define ACL_ACCESS_TEXT  "SCHILY.acl.access"
#define ACL_DEFAULT_TEXT "SCHILY.acl.default"

struct entry_acls {
	struct buf access, by_default; /* in the kernel's form; empty: none to be kept */
	mode_t mode;                   /* the entry's, with the permissions that ACCESS gives */
	uint64_t misplaced;     /* ACLs left out: of symlinks; by default, but no directory */
	uint64_t names_dropped; /* entries left out, as acl_from_text() says */
};

/* Reads the ACLs of ENTRY into RET, which is all zero. An access ACL sets the mode, as it does when
 * it is set on a file; one that says no more than the mode is left out. Where the kernel's form is
 * given, it wins over the text: it has numbers. RKT_INVALID when one is damaged. The caller calls
 * entry_acls_free() either way. */
int entry_acls_read(const struct tar_entry *entry, struct entry_acls *ret, rkt_error **err);
void entry_acls_free(struct entry_acls *acls);

/* Whether the attribute NAME of an entry is one of those that entry_acls_read() reads. */
bool entry_acls_has(const char *name);

#define auto_entry_acls __attribute__((cleanup(entry_acls_free)))
