/* rkt-store import and fetch: image files into the store, their IDs to stdout. */
#include "store/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/out.h"
#include "cli/progress.h"

struct import_settings {
	const char *dir, *verify_with, *name_check;
};

static int open_file(const char *name, rkt_error **err)
{
	int fd;

	if (strcmp(name, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	return fd < 0 ? rkt_fail_errno(err, "open") : fd;
}

static int import_one(rkt_store *store, const char *name, const struct import_settings *settings,
	const rkt_image_id *expect, rkt_error **err)
{
	ERROR_SCOPE(err, "importing", name);
	auto_fd int fd = open_file(name, err);
	struct rkt_import_options options = { .size = sizeof options,
		.expect = expect,
		.name = settings->name_check,
		.progress = progress_callback };
	struct stat st;
	rkt_image_id id;
	int result;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	options.context = progress_start(name, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0);
	result = rkt_store_import(store, fd, &options, &id, err);
	progress_end(options.context);
	if (result == 0)
		printf("%s\n", id.text);
	return result;
}

static int import_all(
	const struct import_settings *settings, const struct operands *files, rkt_error **err)
{
	auto_store rkt_store *store = NULL;
	rkt_image_id expect;

	if (settings->verify_with && rkt_image_id_parse(settings->verify_with, &expect, err) < 0)
		return -1;
	if (settings->verify_with && files->count > 1)
		return rkt_fail(err, RKT_USAGE, "--verify-with is for one FILE");
	store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	if (!store)
		return -1;
	for (size_t i = 0; i < files->count; i++) {
		if (import_one(store, files->items[i], settings,
			    settings->verify_with ? &expect : NULL, err) < 0)
			return -1;
		/* what is printed is durable, whatever becomes of the next one */
		if (out_flush(err) < 0)
			return -1;
	}
	return 0;
}

int cmd_import(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] FILE...", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store import app.aci", "Prints sha256-f9215c3b… when the image is stored." },
		{ "curl -s https://example.com/app.aci | rkt-store import -",
			"Reads standard input." },
		{ NULL, NULL },
	};
	struct import_settings settings = { NULL };
	const struct opt options[] = {
		CMD_OPTION_DIR(&settings.dir),
		{ .name = "verify-with",
			.kind = OPT_TEXT,
			.into = &settings.verify_with,
			.argument = "ID",
			.help = "Refuse the image unless it has this ID." },
		{ .name = "name-check",
			.kind = OPT_TEXT,
			.into = &settings.name_check,
			.argument = "NAME[:VERSION][,LABEL=VALUE...]",
			.help = "Refuse images of another name, or without these labels." },
		CMD_OPTIONS_END,
	};
	const struct command command = { .program = "rkt-store import",
		.usage = usage,
		.summary = "bring image files into the store",
		.description =
			"Reads each FILE (- is standard input), checks it, stores it, and prints "
			"its ID, one a line. Compression is found out by content: none, gzip, bzip2, "
			"xz and zstd are understood.\n\n"
			"When the ID is printed the image is on the disk, whole; before that it does "
			"not exist. An image that is in the store already is success. The first FILE "
			"that cannot be imported ends the work; those before it stay.\n\n"
			"A file that was imported before is known by its bytes and not unpacked "
			"again.",
		.options = options,
		.examples = examples,
		.see_also = cmd_see_also,
		.operands_min = 1,
		.operands_max = -1 };
	struct operands files;
	enum opts_result got = opts_parse(&command, argc, argv, &files, err);
	int result;

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	result = import_all(&settings, &files, err);
	free(files.items);
	return result;
}

/* Names and URLs are found by what they are not: a file. */
static int check_files(const struct operands *files, rkt_error **err)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->items[i], "-") != 0 && access(files->items[i], F_OK) < 0)
			return rkt_fail(err, RKT_USAGE,
				"%s is no file here: names and URLs are not fetched yet, give a file",
				files->items[i]);
	return 0;
}

int cmd_fetch(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] FILE...", NULL };
	struct import_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store fetch",
		.usage = usage,
		.summary = "bring images into the store",
		.description =
			"Brings each FILE into the store as rkt-store import does, and prints its "
			"ID. Names and URLs are not fetched yet.",
		.options = options,
		.see_also = cmd_see_also,
		.operands_min = 1,
		.operands_max = -1 };
	struct operands files;
	enum opts_result got = opts_parse(&command, argc, argv, &files, err);
	int result;

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	result = check_files(&files, err) < 0 ? -1 : import_all(&settings, &files, err);
	free(files.items);
	return result;
}
