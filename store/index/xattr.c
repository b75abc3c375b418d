/* Extended attributes from a tar entry into the bytes behind an inode. */
#include "store/index/xattr.h"

#include <endian.h>
#include <limits.h>
#include <string.h>

#include "aci/entry_acls.h"
#include "aci/xattr_rules.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/index/erofs.h"

struct item {
	enum erofs_xattr_index index;
	const char *name; /* without the prefix that INDEX stands for */
	struct slice value;
};

static const struct prefix {
	const char *text;
	enum erofs_xattr_index index;
} prefixes[] = {
	{ "user.", EROFS_XATTR_USER },
	{ "trusted.", EROFS_XATTR_TRUSTED },
	{ "security.", EROFS_XATTR_SECURITY },
};

/* Finds the index for the attribute NAME of a file of TYPE; false when it cannot be shown. */
static bool classify(const char *name, enum tar_type type, struct item *ret)
{
	if (!xattr_is_portable(name))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (!str_has_prefix(name, prefixes[i].text))
			continue;
		ret->index = prefixes[i].index;
		ret->name = name + strlen(prefixes[i].text);
		if (ret->index == EROFS_XATTR_USER && type != TAR_FILE && type != TAR_DIR)
			return false;
		return *ret->name;
	}
	return false;
}

static int check_item(const struct tar_xattr *xattr, rkt_error **err)
{
	if (strlen(xattr->name) > XATTR_NAME_LEN_MAX)
		return rkt_fail(err, RKT_INVALID, "xattr name of more than %u bytes: %.60s...",
			XATTR_NAME_LEN_MAX, xattr->name);
	if (xattr->value.len > XATTR_VALUE_LEN_MAX)
		return rkt_fail(err, RKT_INVALID, "xattr %s: value of more than %u bytes",
			xattr->name, XATTR_VALUE_LEN_MAX);
	return 0;
}

/* Order on disk. */
static int by_index_and_name(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return left->index != right->index ? (int)left->index - (int)right->index
					   : strcmp(left->name, right->name);
}

static void append_item(struct buf *bytes, const struct item *item)
{
	size_t name_len = strlen(item->name);
	struct erofs_xattr head = {
		.name_len = (uint8_t)name_len,
		.index = (uint8_t)item->index,
		.value_size = htole16((uint16_t)item->value.len),
	};

	buf_append(bytes, &head, sizeof head);
	buf_append(bytes, item->name, name_len);
	buf_append(bytes, item->value.data, item->value.len);
	buf_append_zeros(bytes, -bytes->len % 4);
}

/* Collects what is to be stored in ITEMS, which has room for all, and returns how many, or -1. */
static ssize_t collect(const struct tar_entry *entry, struct xattr_body *body,
	const struct entry_acls *acls, struct item *items, rkt_error **err)
{
	size_t count = 0, list_len = 0;

	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];

		if (entry_acls_has(xattr->name))
			continue;
		items[count].value = xattr->value;
		if (!classify(xattr->name, entry->type, &items[count])) {
			body->dropped++;
			continue;
		}
		if (check_item(xattr, err) < 0)
			return -1;
		list_len += strlen(xattr->name) + 1;
		count++;
	}
	if (acls->access.len)
		items[count++] =
			(struct item){ EROFS_XATTR_ACL_ACCESS, "", buf_slice(&acls->access) };
	if (acls->by_default.len)
		items[count++] =
			(struct item){ EROFS_XATTR_ACL_DEFAULT, "", buf_slice(&acls->by_default) };
	if (list_len + sizeof ACL_ACCESS_XATTR + sizeof ACL_DEFAULT_XATTR > XATTR_LIST_LEN_MAX)
		return rkt_fail(
			err, RKT_INVALID, "xattr names of more than %u bytes", XATTR_LIST_LEN_MAX);
	return (ssize_t)count;
}

int xattr_body_make(struct xattr_body *body, const struct tar_entry *entry, rkt_error **err)
{
	static const struct erofs_xattr_header header;
	auto_entry_acls struct entry_acls acls = { 0 };
	auto_free struct item *items = NULL;
	size_t icount;
	ssize_t count;

	body->bytes.len = 0;
	body->icount = 0;
	body->mode = entry->mode;
	if (!entry->xattr_count)
		return 0;
	items = xcalloc(entry->xattr_count + 2, sizeof *items);
	if (entry_acls_read(entry, &acls, err) < 0)
		return -1;
	body->mode = acls.mode;
	body->dropped += acls.misplaced;
	body->acl_names_dropped += acls.names_dropped;
	count = collect(entry, body, &acls, items, err);
	if (count <= 0)
		return (int)count;
	qsort(items, (size_t)count, sizeof *items, by_index_and_name);
	buf_append(&body->bytes, &header, sizeof header);
	for (ssize_t i = 0; i < count; i++)
		append_item(&body->bytes, &items[i]);
	icount = 1 + (body->bytes.len - sizeof header) / 4;
	if (icount > EROFS_XATTR_ICOUNT_MAX)
		return rkt_fail(
			err, RKT_INVALID, "xattrs of %zu bytes are too many", body->bytes.len);
	body->icount = (uint16_t)icount;
	return 0;
}

void xattr_body_free(struct xattr_body *body)
{
	buf_free(&body->bytes);
}
