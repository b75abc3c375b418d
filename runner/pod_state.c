/* The state of a pod, derived from its directory and lock. */
#include "runner/pod_state.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/str.h"
#include "stage1/contract.h"

/* "4194304\n" is the longest pid there is; statuses are shorter. */
#define NUMBER_FILE_MAX 32

const char *pod_state_name(enum pod_state state)
{
	static const char *const names[] = {
		[POD_EMBRYO] = "embryo",
		[POD_PREPARING] = "preparing",
		[POD_PREPARED] = "prepared",
		[POD_RUNNING] = "running",
		[POD_EXITED] = "exited",
		[POD_GARBAGE] = "garbage",
	};

	return names[state];
}

enum pod_state pod_state_of(const struct pod_facts *facts)
{
	if (facts->kind == POD_DIR_GARBAGE)
		return POD_GARBAGE;
	if (facts->kind == POD_DIR_EMBRYO)
		return facts->locked ? POD_EMBRYO : POD_GARBAGE;
	if (!facts->locked)
		return facts->has_manifest && facts->has_pid ? POD_EXITED : POD_GARBAGE;
	if (!facts->has_manifest)
		return POD_PREPARING;
	return facts->has_pid ? POD_RUNNING : POD_PREPARED;
}

/* When NAME below DIR last changed, in seconds since the epoch; 0 when it is not there. */
static int64_t changed_sec(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (int64_t)st.st_mtime;
}

/* The decimal number and newline that are all of the file NAME; UNKNOWN when it holds anything
 * else. */
static int number_file(int dir, const char *name, int unknown)
{
	auto_buf struct buf text = { 0 };
	uint64_t number;

	if (fd_read_file(dir, name, NUMBER_FILE_MAX, &text, NULL) < 0)
		return unknown;
	if (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	if (str_parse_u64(buf_text(&text), INT_MAX, name, &number, NULL) < 0)
		return unknown;
	return (int)number;
}

static void read_statuses(int dir, struct pod_info *info)
{
	auto_fd int shelf = fd_open_dir(dir, STAGE1_STATUS, NULL);

	info->statuses = xcalloc(info->manifest->app_count + 1, sizeof *info->statuses);
	for (size_t i = 0; i < info->manifest->app_count; i++)
		info->statuses[i] = shelf < 0 ? POD_APP_NO_STATUS
					      : number_file(shelf, info->manifest->apps[i].name,
							POD_APP_NO_STATUS);
}

static void read_manifest(int dir, struct pod_info *info)
{
	auto_buf struct buf text = { 0 };

	if (fd_read_file(dir, STAGE1_POD_MANIFEST, MANIFEST_SIZE_MAX, &text, NULL) == 0)
		info->manifest = pod_manifest_parse(buf_slice(&text), NULL, NULL);
}

static void read_all(const struct pod_dir *self, struct pod_facts *facts, struct pod_info *ret)
{
	struct pod_info info = { 0 };

	memcpy(info.uuid, self->uuid, sizeof info.uuid);
	info.created_sec = changed_sec(self->fd, STAGE1_POD_MANIFEST);
	info.started_sec = changed_sec(self->fd, STAGE1_PID);
	facts->has_manifest = info.created_sec != 0;
	facts->has_pid = info.started_sec != 0;
	info.state = pod_state_of(facts);
	read_manifest(self->fd, &info);
	if (info.manifest)
		read_statuses(self->fd, &info);
	if (facts->has_pid)
		info.pid = number_file(self->fd, STAGE1_PID, 0);
	if (info.state == POD_EXITED) {
		int64_t last = changed_sec(self->fd, STAGE1_STATUS);

		info.ended_sec = last > info.started_sec ? last : info.started_sec;
	}
	*ret = info;
}

int pod_info_read(
	int pods, const struct pod_dir_entry *entry, struct pod_info *ret, rkt_error **err)
{
	struct pod_facts facts = { .kind = entry->kind };
	auto_pod_dir struct pod_dir self = { .fd = -1 };
	int free_now;

	if (pod_dir_open(pods, entry, &self, err) < 0)
		return -1;
	free_now = lock_try(self.fd, LOCK_SHARED, err);
	if (free_now < 0)
		return -1;
	facts.locked = !free_now;
	read_all(&self, &facts, ret);
	return 0;
}

int pod_info_read_locked(
	const struct pod_dir *self, enum pod_dir_kind kind, struct pod_info *ret, rkt_error **err)
{
	struct pod_facts facts = { .kind = kind };
	struct stat st;

	/* the lock may be on a directory somebody removed before we had it */
	if (fstat(self->fd, &st) < 0)
		return rkt_fail_errno(err, "stat %s", self->uuid);
	if (!st.st_nlink)
		return rkt_fail(err, RKT_MISSING, "no pod %s", self->uuid);
	read_all(self, &facts, ret);
	return 0;
}

void pod_info_clear(struct pod_info *info)
{
	if (info->manifest)
		pod_manifest_free(info->manifest);
	free(info->statuses);
	*info = (struct pod_info){ 0 };
}

int pod_wait(int pods, const struct pod_dir_entry *entry, rkt_error **err)
{
	auto_pod_dir struct pod_dir self = { .fd = -1 };

	if (pod_dir_open(pods, entry, &self, err) < 0)
		return -1;
	return lock_wait(self.fd, LOCK_SHARED, err);
}
