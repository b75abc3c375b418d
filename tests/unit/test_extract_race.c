/*
 * Claims about extraction while somebody else is at work in the same place (S-001, S-002): another
 * process swaps directories and symbolic links in the tree that is being made, and what the links
 * point at stays untouched. The canaries are checked by content, inode and all times.
 *
 * RKT_RACE_ROUNDS says how many extractions are raced; run-tests asks for 1 000, which take most of
 * a minute on a busy machine.
 */
#include "aci/extract.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/no_openat2.h"
#include "tests/unit/tars.h"
#include "base/fd.h"
#include "base/str.h"

#define ROUNDS       200
#define FILES_OF_DIR 12
#define CANARY_COUNT 4
#define CANARY_WORDS "canary"

static const char *const canaries[CANARY_COUNT] = { "canary", "canary/file", "canary/sub",
	"canary/sub/file" };

struct race {
	char path[256], canary[300];
	int dir;
	struct buf tar;
	struct stat before[CANARY_COUNT];
	uint64_t *swaps; /* shared with the other process */
	pid_t other;
};

/* ---- the other process ----------------------------------------------------------------------- */

static void exchange(const struct race *r, int dir, const char *a, const char *b)
{
	if (renameat2(dir, a, dir, b, RENAME_EXCHANGE) == 0)
		__atomic_add_fetch(r->swaps, 1, __ATOMIC_RELAXED);
}

/* A link to the canary stands where NAME stood, and after a while NAME again. */
static void flip(const struct race *r, int dir, const char *name)
{
	char evil[64];

	snprintf(evil, sizeof evil, ".evil-%s", name);
	if (symlinkat(r->canary, dir, evil) < 0 && errno != EEXIST)
		return;
	exchange(r, dir, name, evil);
	exchange(r, dir, name, evil);
}

/* A link to a canary stands where a file or link is going to be, or was. */
static void plant(const struct race *r, int dir, const char *name, const char *target)
{
	char path[400];

	snprintf(path, sizeof path, "%s/%s", r->canary, target);
	unlinkat(dir, name, 0);
	if (symlinkat(path, dir, name) == 0)
		__atomic_add_fetch(r->swaps, 1, __ATOMIC_RELAXED);
}

static void disturb(const struct race *r, const char *workshop, unsigned turn)
{
	auto_fd int work = openat(r->dir, workshop, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int root = openat(work, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int d = openat(root, "d", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	switch (turn % 6) {
	case 0:
		flip(r, root, "d");
		break;
	case 1:
		flip(r, d, "sub");
		break;
	case 2:
		exchange(r, root, "d", "e");
		break;
	case 3:
		plant(r, d, "f7", "file");
		break;
	case 4:
		plant(r, root, "missing", "sub");
		break;
	default:
		flip(r, work, "rootfs");
	}
}

static bool is_workshop(const char *name)
{
	return str_has_prefix(name, ".out.");
}

/* Never returns: it is killed. */
static void swap_forever(const struct race *r)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a test that dies too */
	for (unsigned turn = 0;;) {
		DIR *stream = fdopendir(openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		struct dirent *entry;

		while (stream && (entry = readdir(stream)))
			for (int i = 0; is_workshop(entry->d_name) && i < 24; i++)
				disturb(r, entry->d_name, turn++);
		if (stream)
			closedir(stream);
	}
}

/* ---- the canaries ---------------------------------------------------------------------------- */

static void make_canaries(struct race *r)
{
	snprintf(r->canary, sizeof r->canary, "%s/canary", r->path);
	assert_int_equal(mkdirat(r->dir, canaries[0], 0755), 0);
	assert_int_equal(mkdirat(r->dir, canaries[2], 0755), 0);
	for (int i = 1; i < CANARY_COUNT; i += 2) {
		auto_fd int fd = openat(r->dir, canaries[i], O_WRONLY | O_CREAT | O_EXCL, 0644);

		assert_int_equal(fd_write_all(fd, CANARY_WORDS, strlen(CANARY_WORDS), NULL), 0);
	}
	for (int i = 0; i < CANARY_COUNT; i++)
		assert_int_equal(fstatat(r->dir, canaries[i], &r->before[i], 0), 0);
}

static void assert_same_time(const char *name, struct timespec a, struct timespec b)
{
	if (a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec)
		fail_msg("%s was touched", name);
}

static void assert_untouched(const struct race *r)
{
	for (int i = 0; i < CANARY_COUNT; i++) {
		const struct stat *old = &r->before[i];
		struct stat now;

		assert_int_equal(fstatat(r->dir, canaries[i], &now, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(now.st_ino, old->st_ino);
		assert_int_equal(now.st_mode, old->st_mode);
		assert_int_equal(now.st_nlink, old->st_nlink);
		assert_int_equal(now.st_uid, old->st_uid);
		assert_same_time(canaries[i], now.st_mtim, old->st_mtim);
		assert_same_time(canaries[i], now.st_ctim, old->st_ctim);
	}
	for (int i = 1; i < CANARY_COUNT; i += 2) {
		auto_buf struct buf text = { 0 };

		assert_int_equal(fd_read_file(r->dir, canaries[i], 100, &text, NULL), 0);
		assert_string_equal(buf_text(&text), CANARY_WORDS);
	}
}

/* ---- the race -------------------------------------------------------------------------------- */

static void add_files(struct buf *tar, const char *dir)
{
	char path[64];

	for (int i = 0; i < FILES_OF_DIR; i++) {
		snprintf(path, sizeof path, "rootfs/%s/f%d", dir, i);
		tars_add(tar, TAR_FILE, path, "x");
	}
}

/* Directories are gone from and come back to, so that each is opened often. */
static void make_image(struct buf *tar)
{
	tars_begin(tar);
	tars_add(tar, TAR_DIR, "rootfs/d", NULL);
	tars_add(tar, TAR_DIR, "rootfs/e", NULL);
	tars_add(tar, TAR_DIR, "rootfs/d/sub", NULL);
	add_files(tar, "d");
	add_files(tar, "e");
	add_files(tar, "d/sub");
	add_files(tar, "missing/deep");
	tars_add(tar, TAR_HARDLINK, "rootfs/d/h", "rootfs/d/f7");
	tars_add(tar, TAR_HARDLINK, "rootfs/e/h", "rootfs/d/sub/f0");
	tars_add(tar, TAR_SYMLINK, "rootfs/d/file", "x");
	tars_add(tar, TAR_FILE, "rootfs/d/sub/file", "x");
	tars_add(tar, TAR_DIR, "rootfs/missing", NULL);
	tars_end(tar);
}

static int setup(void **state)
{
	struct race *r = calloc(1, sizeof *r);

	r->dir = scratch_make(r->path);
	r->swaps = mmap(
		NULL, sizeof *r->swaps, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_canaries(r);
	make_image(&r->tar);
	r->other = fork();
	if (!r->other)
		swap_forever(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct race *r = *state;

	kill(r->other, SIGKILL);
	waitpid(r->other, NULL, 0);
	scratch_remove(r->path);
	close(r->dir);
	buf_free(&r->tar);
	munmap(r->swaps, sizeof *r->swaps);
	free(r);
	return 0;
}

/* One extraction; whether it came to an end without an error. */
static bool extract(const struct race *r)
{
	const struct extract_options options = {
		.owner = geteuid() == 0 ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
	};
	auto_image image_reader *image = tars_open(&r->tar, NULL);
	auto_error rkt_error *err = NULL;

	return extract_image(image, r->dir, "out", &options, NULL, &err) == 0;
}

/* Removes what is left, while the other one is still at it. */
static void clear(const struct race *r)
{
	DIR *stream = fdopendir(openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, "out") == 0 || is_workshop(entry->d_name))
			for (int i = 0; i < 1000 && tree_remove(r->dir, entry->d_name, NULL) < 0;)
				i++;
	closedir(stream);
}

static unsigned rounds_asked_for(void)
{
	const char *text = getenv("RKT_RACE_ROUNDS");

	return text ? (unsigned)strtoul(text, NULL, 10) : ROUNDS;
}

static void canaries_survive_who_swaps_names(void **state)
{
	const struct race *r = *state;
	unsigned rounds = rounds_asked_for(), whole = 0;

	for (unsigned i = 0; i < rounds; i++) {
		whole += extract(r);
		assert_untouched(r);
		clear(r);
	}
	assert_untouched(r);
	print_message("# %u extractions, %u of them to the end, %llu names swapped\n", rounds,
		whole, (unsigned long long)*r->swaps);
	assert_true(*r->swaps >= rounds);
}

/* The walk by hand, where each step is a chance of its own for the other one. */
static void canaries_survive_without_openat2_too(void **state)
{
	no_openat2();
	canaries_survive_who_swaps_names(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(canaries_survive_who_swaps_names, setup, teardown),
		/* the last one: what it takes away stays away */
		cmocka_unit_test_setup_teardown(
			canaries_survive_without_openat2_too, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
