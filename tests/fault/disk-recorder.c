/*
 * A disk that remembers in which order it was written: a loop device over IMAGE, once this has
 * mounted itself over it, writes into LOG.
 *
 *	disk-recorder IMAGE LOG
 *		serves until IMAGE is unmounted; prints a line when it is ready
 *
 * A file system of one file (FUSE, whose root may be a regular file), so that it works on every
 * kernel that has FUSE and loop devices; dm-log-writes and network block devices are seldom there.
 * A loop device turns a flush of the disk into fsync(2) of its file, and the one thread here
 * answers one request after the other: writes before a flush in LOG are what it makes durable.
 *
 * LOG is a sequence of records: u32 kind ('W', 'F'), u32 length, u64 offset, then LENGTH bytes.
 * Every record is one append, so that others may append records of their own to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define WRITE_MAX (128u * 1024)

struct record {
	uint32_t kind, length;
	uint64_t offset;
};

static int device, image, record_log;
static uint64_t image_size;
static _Alignas(8) char request[WRITE_MAX + 4096];

static void die(const char *what)
{
	fprintf(stderr, "disk-recorder: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void record(uint32_t kind, uint64_t offset, const void *bytes, uint32_t length)
{
	struct record head = { kind, length, offset };
	struct iovec parts[] = { { &head, sizeof head }, { (void *)(uintptr_t)bytes, length } };

	if (writev(record_log, parts, 2) != (ssize_t)(sizeof head + length))
		die("write the log");
}

static void answer(uint64_t unique, int error, const void *bytes, size_t length)
{
	struct fuse_out_header head = { (uint32_t)(sizeof head + length), -error, unique };
	struct iovec parts[] = { { &head, sizeof head }, { (void *)(uintptr_t)bytes, length } };

	/* ENOENT: nobody waits for it any more */
	if (writev(device, parts, 2) < 0 && errno != ENOENT)
		die("answer");
}

static void answer_init(uint64_t unique, const struct fuse_init_in *in)
{
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
		.minor = in->minor < 31 ? in->minor : 31,
		.max_readahead = in->max_readahead,
		.flags = FUSE_BIG_WRITES,
		.max_background = 16,
		.congestion_threshold = 12,
		.max_write = WRITE_MAX };

	answer(unique, 0, &out, sizeof out);
}

static void answer_attributes(uint64_t unique)
{
	struct fuse_attr_out out = { .attr_valid = 3600,
		.attr = { .ino = FUSE_ROOT_ID,
			.size = image_size,
			.blocks = image_size / 512,
			.mode = S_IFREG | 0600,
			.nlink = 1,
			.blksize = 4096 } };

	answer(unique, 0, &out, sizeof out);
}

static void answer_read(uint64_t unique, const struct fuse_read_in *in)
{
	static char bytes[WRITE_MAX];
	ssize_t got = pread(
		image, bytes, in->size < sizeof bytes ? in->size : sizeof bytes, (off_t)in->offset);

	answer(unique, got < 0 ? errno : 0, bytes, got < 0 ? 0 : (size_t)got);
}

static void answer_write(uint64_t unique, const struct fuse_write_in *in)
{
	struct fuse_write_out out = { .size = in->size };

	if (pwrite(image, in + 1, in->size, (off_t)in->offset) != (ssize_t)in->size)
		die("write the image");
	record('W', in->offset, in + 1, in->size);
	answer(unique, 0, &out, sizeof out);
}

static void serve(const struct fuse_in_header *head)
{
	const void *in = head + 1;
	const struct fuse_open_out opened = { .fh = 0 };

	switch (head->opcode) {
	case FUSE_INIT:
		answer_init(head->unique, in);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR: /* its times: nobody asks for them */
		answer_attributes(head->unique);
		break;
	case FUSE_OPEN:
		answer(head->unique, 0, &opened, sizeof opened);
		break;
	case FUSE_READ:
		answer_read(head->unique, in);
		break;
	case FUSE_WRITE:
		answer_write(head->unique, in);
		break;
	case FUSE_FSYNC:
		record('F', 0, "", 0);
		answer(head->unique, 0, NULL, 0);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_DESTROY:
		answer(head->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* these have no answer */
	default:
		answer(head->unique, ENOSYS, NULL, 0);
	}
}

static void mount_over(const char *path)
{
	char options[128];

	snprintf(options, sizeof options, "fd=%d,rootmode=100600,user_id=0,group_id=0", device);
	if (mount("disk-recorder", path, "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		die("mount");
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc != 3) {
		fputs("usage: disk-recorder IMAGE LOG\n", stderr);
		return 2;
	}
	image = open(argv[1], O_RDWR | O_CLOEXEC);
	if (image < 0 || fstat(image, &st) < 0)
		die(argv[1]);
	image_size = (uint64_t)st.st_size;
	record_log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (record_log < 0)
		die(argv[2]);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/fuse");
	mount_over(argv[1]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t got = read(device, request, sizeof request);

		if (got < 0 && errno == ENODEV)
			return 0; /* unmounted */
		if (got < 0 && errno != EINTR && errno != ENOENT && errno != EAGAIN)
			die("read a request");
		if (got >= (ssize_t)sizeof(struct fuse_in_header))
			serve((const struct fuse_in_header *)request);
	}
}
