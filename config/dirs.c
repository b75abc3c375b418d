/* Going through the configuration directories. */
#include "config/dirs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/str.h"

#define FILE_SIZE_MAX (1024 * 1024)
#define VERSION       "v1"

static char *user_dir(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (geteuid() == 0) /* HOME may be that of who became root */
		return NULL;
	if (config && *config == '/') /* the XDG text: relative ones are to be ignored */
		return xasprintf("%s/rkt", config);
	return home && *home == '/' ? xasprintf("%s/.config/rkt", home) : NULL;
}

char *config_dir(enum config_level level)
{
	static const struct {
		const char *variable, *usual;
	} dirs[CONFIG_LEVEL_COUNT] = {
		[CONFIG_SYSTEM] = { "RKT_SYSTEM_CONFIG", "/usr/lib/rkt" },
		[CONFIG_LOCAL] = { "RKT_LOCAL_CONFIG", "/etc/rkt" },
		[CONFIG_USER] = { "RKT_USER_CONFIG", NULL },
	};
	const char *given = getenv(dirs[level].variable);

	if (given && *given)
		return xstrdup(given);
	return level == CONFIG_USER ? user_dir() : xstrdup(dirs[level].usual);
}

enum config_level config_own_level(void)
{
	auto_free char *user = config_dir(CONFIG_USER);

	return user ? CONFIG_USER : CONFIG_LOCAL;
}

const char *config_level_name(enum config_level level)
{
	static const char *const names[CONFIG_LEVEL_COUNT] = {
		[CONFIG_SYSTEM] = "system",
		[CONFIG_LOCAL] = "local",
		[CONFIG_USER] = "user",
	};

	return names[level];
}

static int text_of(const json *root, const char *key, const char **ret, rkt_error **err)
{
	*ret = json_string(json_get(root, key));
	return *ret ? 0 : rkt_fail(err, RKT_INVALID, "%s is missing or no string", key);
}

static int read_file(int folder, const char *name, json **ret, bool *ret_is_open, rkt_error **err)
{
	auto_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_buf struct buf text = { 0 };
	struct stat status;

	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (fstat(fd, &status) < 0)
		return rkt_fail_errno(err, "stat");
	*ret_is_open = status.st_mode & S_IROTH;
	if (fd_read_rest(fd, FILE_SIZE_MAX, &text, err) < 0)
		return -1;
	*ret = json_parse(buf_slice(&text), err);
	return *ret ? 0 : -1;
}

static int visit_file(int folder, const char *name, struct config_file *file, config_visit *visit,
	void *context, rkt_error **err)
{
	ERROR_SCOPE(err, "configuration", file->path);
	auto_json json *root = NULL;
	const char *version;

	if (read_file(folder, name, &root, &file->is_open, err) < 0)
		return -1;
	if (json_kind_of(root) != JSON_OBJECT)
		return rkt_fail(err, RKT_INVALID, "is no JSON object");
	if (text_of(root, "rktKind", &file->kind, err) < 0 ||
		text_of(root, "rktVersion", &version, err) < 0)
		return -1;
	if (strcmp(version, VERSION) != 0)
		return rkt_fail(err, RKT_INVALID, "has rktVersion %s; this program knows " VERSION,
			version);
	file->root = root;
	return visit(context, file, err);
}

static bool is_gone(int folder, const char *name)
{
	struct stat status;

	return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int visit_folder(int folder, const char *path, enum config_level level, config_visit *visit,
	void *context, rkt_error **err)
{
	auto_names struct names names = { 0 };
	auto_fd int own = fcntl(folder, F_DUPFD_CLOEXEC, 3);

	if (own < 0)
		return rkt_fail_errno(err, "dup");
	if (names_of_dir(pass_fd(own), &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		auto_free char *whole = xasprintf("%s/%s", path, names.items[i]);
		struct config_file file = { .level = level, .path = whole };
		auto_error rkt_error *why = NULL;

		if (!str_has_suffix(whole, ".json"))
			continue;
		/* removed since the folder was read; a link to nothing is there, and an error */
		if (visit_file(folder, names.items[i], &file, visit, context, &why) < 0 &&
			!(rkt_error_errno(why) == ENOENT && is_gone(folder, names.items[i])))
			return rkt_fail_with(err, pass_ptr(why));
	}
	return 0;
}

int config_each(const char *folder, config_visit *visit, void *context, rkt_error **err)
{
	for (enum config_level level = 0; level < CONFIG_LEVEL_COUNT; level++) {
		auto_free char *dir = config_dir(level);
		auto_free char *path = dir ? xasprintf("%s/%s", dir, folder) : NULL;
		auto_fd int fd = -1;

		if (!path)
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return rkt_fail_errno(err, "open %s", path);
		if (visit_folder(fd, path, level, visit, context, err) < 0)
			return -1;
	}
	return 0;
}
