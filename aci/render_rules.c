/* The rules of trees, entry by entry. */
#include "aci/render_rules.h"

#include <string.h>

#include "aci/chunking.h"
#include "aci/entry_acls.h"
#include "aci/layout.h"
#include "aci/xattr_rules.h"
#include "base/str.h"

/* An entry and who wants to know of it. */
struct looking {
	struct render_rules *rules;
	const struct tar_entry *tar;
};

#define BREACH(l, err, rule, ...)                                                                 \
	((l)->tar->header_offset == LAYOUT_NO_OFFSET                                              \
			? check_report((l)->rules->found, rule, (l)->tar->path, err, __VA_ARGS__) \
			: check_report_at((l)->rules->found, rule, (l)->tar->path,                \
				  (l)->tar->header_offset, err, __VA_ARGS__))

/* ---- data ------------------------------------------------------------------------------------ */

static int check_sparse(const struct looking *l, rkt_error **err)
{
	unsigned bits;

	if (!l->tar->sparse || !l->tar->size)
		return 0;
	if (!chunking_sparse_bits(l->tar, &bits))
		return BREACH(l, err, "render-sparse",
			"has runs of data that do not begin on multiples of %u bytes", CHUNK_BLOCK);
	l->rules->sparse_chunks += chunking_count(l->tar->size, bits);
	if (l->rules->sparse_chunks > CHUNKS_SPARSE_MAX)
		return BREACH(l, err, "render-sparse",
			"has runs of data so small that all sparse files are more than %u pieces",
			CHUNKS_SPARSE_MAX);
	return 0;
}

static int check_data(const struct looking *l, rkt_error **err)
{
	const uint64_t end_max = (uint64_t)CHUNK_BLOCKS_MAX * CHUNK_BLOCK;
	const struct tar_entry *tar = l->tar;
	uint64_t size = tar->sparse ? tar->stored : tar->size;

	if (tar->size && (tar->data_offset > end_max || size > end_max - tar->data_offset))
		return BREACH(l, err, "render-data-end", "has data beyond 2 TiB");
	return check_sparse(l, err);
}

static int check_device(const struct looking *l, rkt_error **err)
{
	if (l->tar->type == TAR_CHAR && !l->tar->major && !l->tar->minor)
		return BREACH(l, err, "render-device", "is the character device 0:0");
	return 0;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* Whether a file of TYPE in a tree has the attribute NAME. */
static bool is_shown(const char *name, enum tar_type type)
{
	if (!xattr_is_portable(name) || !strchr(name, '.')[1])
		return false;
	return !str_has_prefix(name, "user.") || type == TAR_FILE || type == TAR_DIR;
}

static int check_xattr(const struct looking *l, const struct tar_xattr *xattr, rkt_error **err)
{
	if (!is_shown(xattr->name, l->tar->type))
		return BREACH(l, err, "render-attribute-lost", "attribute %.300s is left out",
			xattr->name);
	if (strlen(xattr->name) > XATTR_NAME_LEN_MAX)
		return BREACH(l, err, "render-xattr",
			"the name of an attribute has more than %u bytes: %.60s...",
			XATTR_NAME_LEN_MAX, xattr->name);
	if (xattr->value.len > XATTR_VALUE_LEN_MAX)
		return BREACH(l, err, "render-xattr", "attribute %s has more than %u bytes",
			xattr->name, XATTR_VALUE_LEN_MAX);
	return 0;
}

static int check_xattrs(const struct looking *l, rkt_error **err)
{
	/* there must be room for the names of both ACLs too */
	size_t list_len = sizeof ACL_ACCESS_XATTR + sizeof ACL_DEFAULT_XATTR;

	for (size_t i = 0; i < l->tar->xattr_count; i++) {
		const struct tar_xattr *xattr = &l->tar->xattrs[i];

		if (entry_acls_has(xattr->name))
			continue;
		if (check_xattr(l, xattr, err) < 0)
			return -1;
		if (is_shown(xattr->name, l->tar->type))
			list_len += strlen(xattr->name) + 1;
	}
	if (list_len > XATTR_LIST_LEN_MAX)
		return BREACH(l, err, "render-xattr",
			"the names of its attributes have more than %u bytes", XATTR_LIST_LEN_MAX);
	return 0;
}

static int check_acls(const struct looking *l, rkt_error **err)
{
	auto_entry_acls struct entry_acls acls = { 0 };
	auto_error rkt_error *error = NULL;

	if (entry_acls_read(l->tar, &acls, &error) < 0)
		return BREACH(l, err, "render-acl", "%s", rkt_error_raw(error));
	if (acls.misplaced && BREACH(l, err, "render-attribute-lost",
				      "an ACL is left out that such a file cannot have") < 0)
		return -1;
	if (acls.names_dropped)
		return BREACH(l, err, "render-attribute-lost",
			"%llu users or groups in its ACLs have no number and are left out",
			(unsigned long long)acls.names_dropped);
	return 0;
}

int render_rules_entry(struct render_rules *self, const struct image_entry *entry, rkt_error **err)
{
	const struct looking looking = { self, entry->tar };

	if (entry->hard_link) /* what it shows is the other entry's */
		return 0;
	if (check_data(&looking, err) < 0 || check_device(&looking, err) < 0)
		return -1;
	return check_acls(&looking, err) < 0 ? -1 : check_xattrs(&looking, err);
}
