/*
 * Extended headers (POSIX.1-2001, pax Extended Header): records "LENGTH KEY=VALUE\n".
 *
 * Understood are path, linkpath, size, uid, gid, mtime and extended attributes: SCHILY.xattr.NAME
 * (raw value; of the name, %3D is "=" and %25 is "%", as GNU tar writes them),
 * LIBARCHIVE.xattr.NAME (name percent-encoded, value in base64), SCHILY.acl.access and .default
 * (text forms, given as attributes of exactly these names); what makes a member sparse
 * (tar_sparse.h). All other keys say nothing about what a member is, and are ignored.
 *
 * Stricter than POSIX, where tools disagree: a key given twice in one header is refused (POSIX: the
 * last one counts); a global header may set mtime, uid and gid only. An attribute given both the
 * SCHILY and the LIBARCHIVE way (bsdtar does) must have one value.
 */
#pragma once

#include "aci/tar.h"
#include "aci/tar_sparse.h"

enum pax_key { PAX_PATH, PAX_LINKPATH, PAX_SIZE, PAX_UID, PAX_GID, PAX_MTIME };

enum pax_scope { PAX_MEMBER, PAX_GLOBAL };

struct pax_xattr;

struct tar_pax {
	unsigned given; /* bits 1 << pax_key: the header has this key ... */
	unsigned
		valued; /* ... and the value is not empty (empty: what other headers say is void) */
	struct slice path, linkpath; /* lent by the bytes parsed */
	uint64_t size;
	uint32_t uid, gid;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	struct tar_sparse sparse; /* as far as a pax header says */

	struct tar_xattr *xattrs; /* sorted, unique; names and values lent by the bytes parsed */
	size_t xattr_count;

	struct pax_xattr *found; /* while reading */
	size_t found_count, found_capacity;
};

/* Forgets what an earlier header said; memory is kept for the next. */
void tar_pax_reset(struct tar_pax *self);
void tar_pax_free(struct tar_pax *self);

static inline bool tar_pax_has(const struct tar_pax *self, enum pax_key key)
{
	return self->valued & 1u << key;
}

/* Reads the records in BYTES, which it rewrites in place (names are decoded and terminated) and
 * which must outlive the use of SELF. XATTRS_MAX as in struct tar_limits. RKT_INVALID. */
int tar_pax_read(struct tar_pax *self, struct buf *bytes, enum pax_scope scope, uint64_t xattrs_max,
	rkt_error **err);

/* Takes over what the global header LATER says, key by key. */
void tar_pax_merge_global(struct tar_pax *self, const struct tar_pax *later);
