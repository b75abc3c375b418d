/* Extended attributes and ACLs, from the kernel's form to that of a tar. */
#include "aci/build_attrs.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "aci/entry_acls.h"
#include "aci/xattr_rules.h"
#include "base/alloc.h"

static void free_item(struct tar_xattr *item)
{
	free((char *)(uintptr_t)item->name);
	free((uint8_t *)(uintptr_t)item->value.data);
}

void build_attrs_free(struct build_attrs *attrs)
{
	for (size_t i = 0; i < attrs->count; i++)
		free_item(&attrs->items[i]);
	free(attrs->items);
	*attrs = (struct build_attrs){ 0 };
}

static void add(struct build_attrs *attrs, const char *name, struct buf *value)
{
	attrs->items = xreallocarray(attrs->items, attrs->count + 1, sizeof *attrs->items);
	attrs->items[attrs->count++] = (struct tar_xattr){
		.name = xstrdup(name),
		.value = buf_slice(value),
	};
	*value = (struct buf){ 0 };
}

/* A file by its descriptor, or, where that is one of O_PATH, by its name in /proc, which leads to
 * the file itself, be it a symbolic link. */
struct file {
	int fd;
	char path[32]; /* "": FD will do */
};

static ssize_t get_value(const struct file *file, const char *name, void *value, size_t size)
{
	return *file->path ? getxattr(file->path, name, value, size)
			   : fgetxattr(file->fd, name, value, size);
}

/* Sets *RET to the names, each with its NUL. Returns their length, 0 where there are no attributes,
 * or -1. */
static ssize_t list_names(struct file *file, char **ret, rkt_error **err)
{
	ssize_t len = flistxattr(file->fd, NULL, 0);

	if (len < 0 && errno == EBADF) {
		snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
		len = listxattr(file->path, NULL, 0);
	}
	if (len > 0) {
		*ret = xmalloc((size_t)len);
		len = *file->path ? listxattr(file->path, *ret, (size_t)len)
				  : flistxattr(file->fd, *ret, (size_t)len);
	}
	if (len < 0 && errno == ENOTSUP)
		return 0;
	if (len < 0 && errno == ENOENT && *file->path)
		return rkt_fail(err, RKT_FAILED, "list attributes: /proc is not mounted");
	return len < 0 ? rkt_fail_errno(err, "list attributes") : len;
}

/* Reads one attribute into VALUE; one that is gone meanwhile is an error like any other. */
static int read_value(const struct file *file, const char *name, struct buf *value, rkt_error **err)
{
	ssize_t len = get_value(file, name, NULL, 0);

	if (len > 0)
		len = get_value(file, name, buf_reserve(value, (size_t)len), (size_t)len);
	if (len < 0)
		return rkt_fail_errno(err, "read attribute %s", name);
	value->len = (size_t)len;
	return 0;
}

static int add_one(
	const struct file *file, const char *name, struct build_attrs *attrs, rkt_error **err)
{
	bool is_access = strcmp(name, ACL_ACCESS_XATTR) == 0;
	bool is_acl = is_access || strcmp(name, ACL_DEFAULT_XATTR) == 0;
	auto_buf struct buf value = { 0 }, text = { 0 };

	if (!is_acl && !xattr_is_portable(name))
		return 0;
	if (read_value(file, name, &value, err) < 0)
		return -1;
	if (is_acl && acl_to_text(buf_slice(&value), &text, err) < 0)
		return -1;
	if (is_acl)
		add(attrs, is_access ? ACL_ACCESS_TEXT : ACL_DEFAULT_TEXT, &text);
	else
		add(attrs, name, &value);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

int build_attrs_read(int fd, struct build_attrs *attrs, rkt_error **err)
{
	auto_free char *names = NULL;
	struct file file = { .fd = fd };
	ssize_t len = list_names(&file, &names, err);

	if (len < 0)
		return -1;
	for (const char *name = names; name && name < names + len; name += strlen(name) + 1)
		if (add_one(&file, name, attrs, err) < 0)
			return -1;
	if (attrs->count)
		qsort(attrs->items, attrs->count, sizeof *attrs->items, by_name);
	return 0;
}
