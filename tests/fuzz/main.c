/* Runs a fuzz target over files and directories of files, where there is no libFuzzer: every
 * compiler can see that the kept corpus is still handled. Prints TAP, a case a directory or file
 * named. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define INPUT_MAX (64u * 1024 * 1024)

static int run_file(int dir, const char *name, rkt_error **err)
{
	auto_buf struct buf bytes = { 0 };

	if (fd_read_file(dir, name, INPUT_MAX, &bytes, err) < 0)
		return -1;
	LLVMFuzzerTestOneInput(bytes.data, bytes.len);
	return 1;
}

/* Returns the number of files run, or -1. */
static int run_directory(const char *path, rkt_error **err)
{
	auto_dir DIR *dir = opendir(path);
	const struct dirent *entry;
	int count = 0;

	if (!dir)
		return rkt_fail_errno(err, "open %s", path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (run_file(dirfd(dir), entry->d_name, err) < 0)
			return -1;
		count++;
	}
	return count;
}

/* Nobody asks for changes here; the mutators are linked all the same. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	(void)data;
	return size < max_size ? size : max_size;
}

int main(int argc, char **argv)
{
	int failed = 0;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		auto_error rkt_error *err = NULL;
		struct stat status;
		bool is_dir = !stat(argv[i], &status) && S_ISDIR(status.st_mode);
		int count =
			is_dir ? run_directory(argv[i], &err) : run_file(AT_FDCWD, argv[i], &err);

		if (count < 0)
			printf("# %s\n", rkt_error_message(err));
		failed |= count <= 0;
		printf("%s %d - %s (%d inputs)\n", count > 0 ? "ok" : "not ok", i, argv[i], count);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
