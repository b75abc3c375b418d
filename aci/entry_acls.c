/* ACLs of tar entries: four names for two things. */
#include "aci/entry_acls.h"

#include <string.h>

#include "base/str.h"

/* An ACL as tars name it. */
struct acl_names {
	const char *kernel, *text;
};
static const struct acl_names access_names = { ACL_ACCESS_XATTR, ACL_ACCESS_TEXT };
static const struct acl_names default_names = { ACL_DEFAULT_XATTR, ACL_DEFAULT_TEXT };

bool entry_acls_has(const char *name)
{
	return strcmp(name, ACL_ACCESS_XATTR) == 0 || strcmp(name, ACL_DEFAULT_XATTR) == 0 ||
	       str_has_prefix(name, "SCHILY.acl.");
}

static const struct tar_xattr *find(const struct tar_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->xattr_count; i++)
		if (strcmp(entry->xattrs[i].name, name) == 0)
			return &entry->xattrs[i];
	return NULL;
}

static int read_one(const struct tar_entry *entry, const struct acl_names *names, struct buf *ret,
	uint64_t *names_dropped, rkt_error **err)
{
	const struct tar_xattr *kernel = find(entry, names->kernel),
			       *text = find(entry, names->text);

	if (kernel)
		return acl_from_kernel(kernel->value, ret, err);
	return text ? acl_from_text(text->value, ret, names_dropped, err) : 0;
}

int entry_acls_read(const struct tar_entry *entry, struct entry_acls *ret, rkt_error **err)
{
	ret->mode = entry->mode;
	if (!entry->xattr_count)
		return 0;
	if (read_one(entry, &access_names, &ret->access, &ret->names_dropped, err) < 0 ||
		read_one(entry, &default_names, &ret->by_default, &ret->names_dropped, err) < 0)
		return -1;
	if (ret->access.len && entry->type == TAR_SYMLINK) {
		ret->misplaced++;
		ret->access.len = 0;
	}
	if (ret->by_default.len && entry->type != TAR_DIR) {
		ret->misplaced++;
		ret->by_default.len = 0;
	}
	if (!ret->access.len)
		return 0;
	ret->mode = (ret->mode & ~(mode_t)0777) | acl_mode(buf_slice(&ret->access));
	if (acl_is_mode(buf_slice(&ret->access)))
		ret->access.len = 0;
	return 0;
}

void entry_acls_free(struct entry_acls *acls)
{
	buf_free(&acls->access);
	buf_free(&acls->by_default);
}
