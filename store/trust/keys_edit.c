/* Writing and removing key files. */
#include "store/trust/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

#define TRIES_MAX 10

/* Opens the configuration directory, and makes it and what leads to it: the administrator's with
 * the mode that lets everybody judge signatures, whatever the umask is. The caller frees *RET. */
static int open_config(char **ret, rkt_error **err)
{
	enum config_level level = config_own_level();
	auto_free char *path = config_dir(level);
	auto_fd int fd = -1;
	bool made;

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return rkt_fail_errno(err, "make %s", path);
		*slash = '/';
	}
	made = mkdir(path, 0755) == 0;
	if (!made && errno != EEXIST)
		return rkt_fail_errno(err, "make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return rkt_fail_errno(err, "open %s", path);
	if (made && level == CONFIG_LOCAL && fchmod(fd, 0755) < 0)
		return rkt_fail_errno(err, "chmod %s", path);
	*ret = pass_ptr(path);
	return pass_fd(fd);
}

/* Where the keys for PREFIX are, below the configuration directory. The caller frees it. */
static char *folder_of(const char *prefix)
{
	return prefix ? xasprintf("trustedkeys/prefix.d/%s", prefix)
		      : xstrdup("trustedkeys/root.d");
}

/* Opens NAME below DIR, which it takes over, and makes it durably when it is not there. */
static int step_into(int dir, const char *name, rkt_error **err)
{
	auto_fd int parent = dir;
	bool made;
	int below = fd_make_dir(parent, name, 0755, &made, err);

	if (below >= 0 && made && fsync(parent) < 0) {
		rkt_fail_errno(err, "fsync");
		close(below);
		return -1;
	}
	return below;
}

static int make_folder(const char *prefix, char **ret_path, rkt_error **err)
{
	auto_free char *config = NULL;
	auto_free char *folder = folder_of(prefix);
	auto_free char *path = NULL;
	char *rest = folder, *name;
	int fd = open_config(&config, err);

	if (fd < 0)
		return -1;
	path = xasprintf("%s/%s", config, folder);
	while (fd >= 0 && (name = strsep(&rest, "/")))
		fd = step_into(fd, name, err);
	if (fd < 0)
		return rkt_fail_outer(err, "%s", path);
	*ret_path = pass_ptr(path);
	return fd;
}

/* The bytes under a name that readers pass over, durable. */
static int write_aside(int dir, const char *name, struct slice bytes, rkt_error **err)
{
	auto_fd int fd = -1;

	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) /* of one who was killed */
		return rkt_fail_errno(err, "remove %s", name);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return rkt_fail_errno(err, "make %s", name);
	if (fd_write_all(fd, bytes.data, bytes.len, err) < 0)
		return -1;
	if (fchmod(fd, 0644) < 0)
		return rkt_fail_errno(err, "chmod %s", name);
	return fsync(fd) < 0 ? rkt_fail_errno(err, "fsync %s", name) : 0;
}

static int write_once(const char *prefix, const char *fingerprint, struct slice bytes,
	char **ret_path, rkt_error **err)
{
	auto_free char *folder = NULL;
	auto_free char *aside = xasprintf(".%s.%ld", fingerprint, (long)getpid());
	auto_fd int dir = make_folder(prefix, &folder, err);

	if (dir < 0)
		return -1;
	if (write_aside(dir, aside, bytes, err) < 0) {
		(void)unlinkat(dir, aside, 0);
		return rkt_fail_outer(err, "%s", folder);
	}
	if (renameat(dir, aside, dir, fingerprint) < 0) {
		rkt_fail_errno(err, "rename %s/%s", folder, aside);
		(void)unlinkat(dir, aside, 0);
		return -1;
	}
	if (fsync(dir) < 0)
		return rkt_fail_errno(err, "fsync %s", folder);
	*ret_path = xasprintf("%s/%s", folder, fingerprint);
	return 0;
}

/* What would be left out where keys are read is not written. */
static int check_parts(const char *prefix, rkt_error **err)
{
	size_t parts = 1;

	for (const char *slash = prefix; slash && (slash = strchr(slash, '/')); slash++)
		parts++;
	return parts <= KEYS_PARTS_MAX
		       ? 0
		       : rkt_fail(err, RKT_USAGE,
				 "the prefix has %zu parts between slashes; at most %d are read",
				 parts, KEYS_PARTS_MAX);
}

/* Who removes the last key of a folder removes the folder too, perhaps while we go into it. */
int keys_write(const char *prefix, const char *fingerprint, struct slice bytes, char **ret_path,
	rkt_error **err)
{
	if (check_parts(prefix, err) < 0)
		return -1;
	for (int tries = 1;; tries++) {
		auto_error rkt_error *why = NULL;
		bool gone;

		if (write_once(prefix, fingerprint, bytes, ret_path, &why) == 0)
			return 0;
		gone = rkt_error_kind(why) == RKT_MISSING || rkt_error_errno(why) == ENOENT;
		if (!gone || tries == TRIES_MAX)
			return rkt_fail_with(err, pass_ptr(why));
	}
}

/* Removes what is empty of PATH, below ROOT, upwards, but for its first two folders. */
static void remove_empty(int root, char *path)
{
	size_t stem = strlen("trustedkeys/prefix.d");

	while (strlen(path) > stem && unlinkat(root, path, AT_REMOVEDIR) == 0)
		*strrchr(path, '/') = '\0';
}

int keys_remove(const char *prefix, const char *fingerprint, char **ret_path, rkt_error **err)
{
	auto_free char *config = config_dir(config_own_level());
	auto_free char *folder = folder_of(prefix);
	auto_free char *path = xasprintf("%s/%s/%s", config, folder, fingerprint);
	auto_fd int root = open(config, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -1;

	if (root >= 0)
		dir = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || unlinkat(dir, fingerprint, 0) < 0)
		return errno == ENOENT ? rkt_fail(err, RKT_MISSING, "there is no %s", path)
				       : rkt_fail_errno(err, "remove %s", path);
	if (fsync(dir) < 0)
		return rkt_fail_errno(err, "fsync %s/%s", config, folder);
	remove_empty(root, folder);
	*ret_path = pass_ptr(path);
	return 0;
}
