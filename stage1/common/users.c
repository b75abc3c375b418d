/* Accounts read from the image's own files; lines that are no records are skipped, as libc does. */
#include "stage1/common/users.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* Larger account files are refused rather than read. */
#define ACCOUNTS_SIZE_MAX (4u * 1024 * 1024)

/* (uid_t)-1 means "no change" to the kernel. */
#define ID_MAX (UINT32_MAX - 1)

/* passwd(5): name:password:uid:gid:gecos:home:shell. group(5): name:password:gid:members. */
enum { FIELD_NAME = 0, FIELD_ID = 2, FIELD_HOME = 5, FIELD_SHELL = 6, FIELDS_MAX = 7 };

struct record {
	char *fields[FIELDS_MAX];
	uint32_t id;
};

struct accounts {
	char *text; /* what the fields point into */
	struct record *list;
	size_t count;
};

static void accounts_free(struct accounts *accounts)
{
	free(accounts->text);
	free(accounts->list);
}

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (str_parse_u64(text, ID_MAX, "id", &value, NULL) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool parse_record(char *line, size_t field_count, struct record *ret)
{
	size_t count = 0;
	char *field;

	while ((field = strsep(&line, ":"))) {
		if (count == field_count)
			return false;
		ret->fields[count++] = field;
	}
	return count == field_count && *ret->fields[FIELD_NAME] &&
	       parse_id(ret->fields[FIELD_ID], &ret->id);
}

static void parse_lines(struct accounts *accounts, size_t field_count)
{
	char *rest = accounts->text, *line;

	while ((line = strsep(&rest, "\n"))) {
		struct record record = { 0 };

		if (!parse_record(line, field_count, &record))
			continue;
		accounts->list =
			xreallocarray(accounts->list, accounts->count + 1, sizeof *accounts->list);
		accounts->list[accounts->count++] = record;
	}
}

/* A missing file is an empty one. O_NONBLOCK: the image may have a FIFO in its place. */
static int accounts_read(
	int root, const char *path, size_t field_count, struct accounts *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", path);
	auto_fd int fd = path_open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	auto_buf struct buf text = { 0 };
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	if (!S_ISREG(st.st_mode))
		return rkt_fail(err, RKT_INVALID, "not a regular file");
	if (fd_read_rest(fd, ACCOUNTS_SIZE_MAX, &text, err) < 0)
		return -1;
	ret->text = buf_steal_text(&text);
	parse_lines(ret, field_count);
	return 0;
}

static const struct record *find_name(const struct accounts *accounts, const char *name)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (strcmp(accounts->list[i].fields[FIELD_NAME], name) == 0)
			return &accounts->list[i];
	return NULL;
}

static const struct record *find_id(const struct accounts *accounts, uint32_t id)
{
	for (size_t i = 0; i < accounts->count; i++)
		if (accounts->list[i].id == id)
			return &accounts->list[i];
	return NULL;
}

static int owner_of(int root, const char *path, struct stat *ret, rkt_error **err)
{
	auto_fd int fd = path_open_in_root(root, path, O_PATH | O_CLOEXEC);

	if (fd < 0 || fstat(fd, ret) < 0)
		return rkt_fail_errno(err, "owner of %s", path);
	return 0;
}

static int lookup(const struct accounts *accounts, const char *what, const char *name,
	uint32_t *ret, rkt_error **err)
{
	const struct record *record = find_name(accounts, name);

	if (record)
		*ret = record->id;
	else if (strcmp(name, "root") == 0)
		*ret = 0;
	else if (!parse_id(name, ret))
		return rkt_fail(err, RKT_MISSING, "the image knows no %s %s", what, name);
	return 0;
}

static int resolve_user(int root, const char *user, struct identity *ret, rkt_error **err)
{
	__attribute__((cleanup(accounts_free))) struct accounts accounts = { 0 };
	const struct record *record;
	struct stat st;

	if (accounts_read(root, "/etc/passwd", 7, &accounts, err) < 0)
		return -1;
	if (*user == '/') {
		if (owner_of(root, user, &st, err) < 0)
			return -1;
		ret->uid = st.st_uid;
	} else if (lookup(&accounts, "user", user, &ret->uid, err) < 0) {
		return -1;
	}
	/* two accounts may share a number: the one that was asked for by name wins */
	record = find_name(&accounts, user) ?: find_id(&accounts, ret->uid);
	if (record) {
		ret->name = xstrdup(record->fields[FIELD_NAME]);
		ret->home = xstrdup(record->fields[FIELD_HOME]);
		ret->shell = xstrdup(record->fields[FIELD_SHELL]);
	}
	return 0;
}

static int resolve_group(int root, const char *group, struct identity *ret, rkt_error **err)
{
	__attribute__((cleanup(accounts_free))) struct accounts accounts = { 0 };
	struct stat st;

	if (*group == '/') {
		if (owner_of(root, group, &st, err) < 0)
			return -1;
		ret->gid = st.st_gid;
		return 0;
	}
	if (accounts_read(root, "/etc/group", 4, &accounts, err) < 0)
		return -1;
	return lookup(&accounts, "group", group, &ret->gid, err);
}

int identity_resolve(
	int root, const char *user, const char *group, struct identity *ret, rkt_error **err)
{
	if (resolve_user(root, user, ret, err) < 0)
		return -1;
	return resolve_group(root, group, ret, err);
}

void identity_free(struct identity *identity)
{
	free(identity->name);
	free(identity->home);
	free(identity->shell);
	*identity = (struct identity){ 0 };
}
