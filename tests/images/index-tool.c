/*
 * The index on any tar, for tests and measurements; not installed.
 *
 *	index-tool make TAR INDEX               prints what it cost
 *	index-tool run INDEX DIR TAR COMMAND…   mounts on DIR in a mount namespace of its own, then
 *execs index-tool probe DIR
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mount.h"
#include "store/index/index.h"

static double cpu_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Gives every entry of TAR to BUILDER, which may be NULL: then the tar is only walked. */
static int walk(int tar, index_builder *builder, uint64_t *ret_size, rkt_error **err)
{
	auto_tar tar_reader *reader = tar_open(source_from_fd(dup(tar)), NULL);
	const struct tar_entry *entry;
	int got;

	while ((got = tar_next(reader, &entry, err)) > 0) {
		struct image_entry member = { .path = entry->path, .tar = entry };

		if (entry->type == TAR_HARDLINK)
			member.hard_link = entry->link;
		if (builder && index_add(builder, &member, err) < 0)
			return -1;
	}
	*ret_size = tar_offset(reader);
	return got;
}

static int make(const char *tar_path, const char *index_path, rkt_error **err)
{
	auto_index index_builder *builder = index_new();
	auto_fd int tar = open(tar_path, O_RDONLY | O_CLOEXEC);
	auto_fd int index = open(index_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct index_stats stats;
	struct rusage usage;
	uint64_t size;
	double start, walked, added, written;

	if (tar < 0 || index < 0)
		return rkt_fail_errno(err, "open");
	start = cpu_msec();
	if (walk(tar, NULL, &size, err) < 0)
		return -1;
	walked = cpu_msec() - start;
	if (lseek(tar, 0, SEEK_SET) < 0 || walk(tar, builder, &size, err) < 0)
		return -1;
	added = cpu_msec() - start - 2 * walked;
	start = cpu_msec();
	if (index_write(builder, size, index, &stats, err) < 0)
		return -1;
	written = cpu_msec() - start;
	getrusage(RUSAGE_SELF, &usage);
	printf("inodes %ju size %ju xattrs_dropped %ju acl_names_dropped %ju walk_msec %.1f "
	       "add_msec %.1f write_msec %.1f rss_kib %ld\n",
		(uintmax_t)stats.inodes, (uintmax_t)stats.size, (uintmax_t)stats.xattrs_dropped,
		(uintmax_t)stats.acl_names_dropped, walked, added, written, usage.ru_maxrss);
	return 0;
}

static int run(char **argv, rkt_error **err)
{
	auto_fd int index = open(argv[0], O_RDONLY | O_CLOEXEC);
	auto_fd int tar = open(argv[2], O_RDONLY | O_CLOEXEC);
	auto_fd int dir = -1, mnt = -1;
	struct timespec start, end;

	if (index < 0 || tar < 0)
		return rkt_fail_errno(err, "open");
	if (unshare(CLONE_NEWNS) < 0)
		return rkt_fail_errno(err, "unshare");
	if (mount_make_private(err) < 0)
		return -1;
	dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC); /* of the new namespace */
	if (dir < 0)
		return rkt_fail_errno(err, "open %s", argv[1]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	mnt = index_mount(index, &tar, 1, err);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (mnt < 0 || mount_attach(mnt, dir, err) < 0)
		return -1;
	if (getenv("INDEX_TOOL_VERBOSE"))
		fprintf(stderr, "mounted in %.3f ms\n",
			(double)(end.tv_sec - start.tv_sec) * 1e3 +
				(double)(end.tv_nsec - start.tv_nsec) / 1e6);
	execvp(argv[3], argv + 3);
	return rkt_fail_errno(err, "exec %s", argv[3]);
}

static int probe(const char *path, rkt_error **err)
{
	auto_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? rkt_fail_errno(err, "open %s", path) : index_probe(dir, err);
}

static int dispatch(int argc, char **argv, rkt_error **err)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "make") == 0 && argc == 4)
		return make(argv[2], argv[3], err);
	if (strcmp(what, "run") == 0 && argc > 5)
		return run(argv + 2, err);
	if (strcmp(what, "probe") == 0 && argc == 3)
		return probe(argv[2], err);
	return rkt_fail(
		err, RKT_USAGE, "make TAR INDEX | run INDEX DIR TAR COMMAND... | probe DIR");
}

int main(int argc, char **argv)
{
	auto_error rkt_error *err = NULL;

	if (dispatch(argc, argv, &err) == 0)
		return 0;
	fprintf(stderr, "index-tool: %s\n", rkt_error_message(err));
	return (int)rkt_error_kind(err);
}
