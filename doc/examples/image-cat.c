/*
 * Imports an image file and prints one file of its root file system, its dependencies under it.
 *
 *	cc image-cat.c $(pkg-config --cflags --libs librkt-store) -o image-cat
 *	./image-cat app.aci etc/os-release
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rkt/store.h>

static void show(void *context, uint64_t bytes)
{
	(void)context;
	fprintf(stderr, "\r%" PRIu64 " bytes", bytes);
}

/* Options carry their size, so that a newer library knows which of them this program has. */
static int import(rkt_store *store, const char *path, rkt_image_id *id, rkt_error **err)
{
	struct rkt_import_options options = { .size = sizeof options, .progress = show };
	int fd = open(path, O_RDONLY | O_CLOEXEC), result;

	if (fd < 0) {
		perror(path);
		return -1;
	}
	/* When this returns 0 the image is on the disk, whole; until then it does not exist. */
	result = rkt_store_import(store, fd, &options, id, err);
	fputc('\n', stderr);
	close(fd);
	return result;
}

/* An image may hold any symbolic links: RESOLVE_IN_ROOT keeps them inside its tree. */
static int print_file(int tree, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	char block[65536];
	ssize_t got;
	int fd;

	do /* it gives up where it goes up by ".." while something on the system is renamed */
		fd = (int)syscall(SYS_openat2, tree, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	if (fd < 0) {
		perror(path);
		return -1;
	}
	while ((got = read(fd, block, sizeof block)) > 0)
		fwrite(block, 1, (size_t)got, stdout);
	close(fd);
	return got < 0 || fflush(stdout) ? -1 : 0;
}

static int cat(rkt_store *store, const char *file, const char *path, rkt_error **err)
{
	rkt_image_id id;
	int tree, result;

	if (import(store, file, &id, err) < 0)
		return -1;
	/* A mount where the kernel can, else an extracted tree: a descriptor is all one needs. */
	tree = rkt_store_open_tree(store, &id, RKT_TREE_AUTO, NULL, err);
	if (tree < 0)
		return -1;
	result = print_file(tree, path);
	close(tree);
	return result;
}

int main(int argc, char **argv)
{
	rkt_error *err = NULL;
	rkt_store *store;
	int status = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: image-cat FILE PATH\n");
		return RKT_USAGE;
	}
	store = rkt_store_open(NULL, RKT_STORE_WRITE, &err);
	if (!store || cat(store, argv[1], argv[2], &err) < 0)
		status = RKT_FAILED;
	if (err) {
		fprintf(stderr, "image-cat: %s\n", rkt_error_message(err));
		status = rkt_error_kind(err);
	}
	rkt_error_free(err);
	rkt_store_close(store);
	return status;
}
