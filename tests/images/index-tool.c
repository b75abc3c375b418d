/*
 * The index on any tar, for tests and measurements; not installed.
 *
 *	index-tool make TAR INDEX
 *	index-tool time TAR INDEX ROUNDS        processor time of the index alone, without the walk
 *	index-tool run INDEX DIR TAR COMMAND…   mounts on DIR in a mount namespace of its own and
 *	                                        execs COMMAND
 *	index-tool probe DIR
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/mount.h"
#include "store/index/index.h"

static double clock_msec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The entries of a tar, copied, without their attributes' values. */
struct entries {
	struct tar_entry *items;
	size_t count, room;
	uint64_t tar_size;
};

static void entries_append(struct entries *entries, const struct tar_entry *entry)
{
	struct tar_entry copy = *entry;

	copy.path = xstrdup(entry->path);
	copy.link = entry->link ? xstrdup(entry->link) : NULL;
	copy.xattr_count = 0;
	if (entries->count == entries->room) {
		entries->room = entries->room ? entries->room * 2 : 1024;
		entries->items =
			xreallocarray(entries->items, entries->room, sizeof *entries->items);
	}
	entries->items[entries->count++] = copy;
}

static void entries_free(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free((void *)(uintptr_t)entries->items[i].path);
		free((void *)(uintptr_t)entries->items[i].link);
	}
	free(entries->items);
}

static int add(index_builder *builder, const struct tar_entry *entry, rkt_error **err)
{
	struct image_entry member = { .path = entry->path, .tar = entry };

	if (entry->type == TAR_HARDLINK)
		member.hard_link = entry->link;
	return index_add(builder, &member, err);
}

static int make(const char *tar_path, const char *index_path, rkt_error **err)
{
	auto_index index_builder *builder = index_new();
	auto_fd int tar = open(tar_path, O_RDONLY | O_CLOEXEC);
	auto_fd int index = open(index_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	auto_tar tar_reader *reader = NULL;
	const struct tar_entry *entry;
	struct index_stats stats;
	int got;

	if (tar < 0 || index < 0)
		return rkt_fail_errno(err, "open");
	reader = tar_open(source_from_fd(pass_fd(tar)), NULL);
	while ((got = tar_next(reader, &entry, err)) > 0)
		if (add(builder, entry, err) < 0)
			return -1;
	if (got < 0 || index_write(builder, tar_offset(reader), index, &stats, err) < 0)
		return -1;
	printf("inodes %ju size %ju xattrs_dropped %ju acl_names_dropped %ju\n",
		(uintmax_t)stats.inodes, (uintmax_t)stats.size, (uintmax_t)stats.xattrs_dropped,
		(uintmax_t)stats.acl_names_dropped);
	return 0;
}

static int time_round(const struct entries *entries, const char *index_path, rkt_error **err)
{
	auto_fd int index = open(index_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	auto_index index_builder *builder = NULL;
	double start = clock_msec(CLOCK_PROCESS_CPUTIME_ID), added;

	if (index < 0)
		return rkt_fail_errno(err, "open");
	builder = index_new();
	for (size_t i = 0; i < entries->count; i++)
		if (add(builder, &entries->items[i], err) < 0)
			return -1;
	added = clock_msec(CLOCK_PROCESS_CPUTIME_ID);
	if (index_write(builder, entries->tar_size, index, NULL, err) < 0)
		return -1;
	printf("entries %zu add_msec %.1f write_msec %.1f\n", entries->count, added - start,
		clock_msec(CLOCK_PROCESS_CPUTIME_ID) - added);
	return 0;
}

static int time_index(char **argv, rkt_error **err)
{
	__attribute__((cleanup(entries_free))) struct entries entries = { 0 };
	auto_fd int tar = open(argv[0], O_RDONLY | O_CLOEXEC);
	auto_tar tar_reader *reader = NULL;
	const struct tar_entry *entry;
	int got;

	if (tar < 0)
		return rkt_fail_errno(err, "open %s", argv[0]);
	reader = tar_open(source_from_fd(pass_fd(tar)), NULL);
	while ((got = tar_next(reader, &entry, err)) > 0)
		entries_append(&entries, entry);
	if (got < 0)
		return -1;
	entries.tar_size = tar_offset(reader);
	for (int rounds = atoi(argv[2]); rounds > 0; rounds--)
		if (time_round(&entries, argv[1], err) < 0)
			return -1;
	return 0;
}

static int run(char **argv, rkt_error **err)
{
	auto_fd int index = open(argv[0], O_RDONLY | O_CLOEXEC);
	auto_fd int tar = open(argv[2], O_RDONLY | O_CLOEXEC);
	auto_fd int dir = -1, mnt = -1;
	double start, mounted;

	if (index < 0 || tar < 0)
		return rkt_fail_errno(err, "open");
	if (unshare(CLONE_NEWNS) < 0)
		return rkt_fail_errno(err, "unshare");
	if (mount_make_private(err) < 0)
		return -1;
	dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC); /* of the new namespace */
	if (dir < 0)
		return rkt_fail_errno(err, "open %s", argv[1]);
	start = clock_msec(CLOCK_MONOTONIC);
	mnt = index_mount(index, &tar, 1, err);
	mounted = clock_msec(CLOCK_MONOTONIC) - start;
	if (mnt < 0 || mount_attach(mnt, dir, err) < 0)
		return -1;
	if (getenv("INDEX_TOOL_VERBOSE"))
		fprintf(stderr, "mounted in %.3f ms\n", mounted);
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
	if (strcmp(what, "time") == 0 && argc == 5)
		return time_index(argv + 2, err);
	if (strcmp(what, "run") == 0 && argc > 5)
		return run(argv + 2, err);
	if (strcmp(what, "probe") == 0 && argc == 3)
		return probe(argv[2], err);
	return rkt_fail(err, RKT_USAGE,
		"make TAR INDEX | time TAR INDEX ROUNDS | run INDEX DIR TAR COMMAND... | probe DIR");
}

int main(int argc, char **argv)
{
	auto_error rkt_error *err = NULL;

	if (dispatch(argc, argv, &err) == 0)
		return 0;
	fprintf(stderr, "index-tool: %s\n", rkt_error_message(err));
	return (int)rkt_error_kind(err);
}
