/* rkt-store import: image files into the store, their IDs to stdout. */
#include "store/cmd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/str.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/secret.h"
#include "store/cmd_many.h"
#include "store/old_rkt.h"
#include "store/signed.h"

struct import_settings {
	const char *dir, *verify_with, *name_check, *from_rkt, *signature;
	uint64_t jobs;
};

static bool is_stdin(const char *name)
{
	return strcmp(name, "-") == 0;
}

static int open_file(const struct many_file *file, rkt_error **err)
{
	int fd;

	if (is_stdin(file->name))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(file->name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	return fd < 0 ? rkt_fail_errno(err, "open") : fd;
}

/* The path of NAME, for the record; NULL when it is no file with a path. The caller frees it. */
static char *source_of(const char *name)
{
	struct stat st;

	return !is_stdin(name) && stat(name, &st) == 0 && S_ISREG(st.st_mode) ? realpath(name, NULL)
									      : NULL;
}

/* PATH: what source_of() NAME returned, lent. */
static struct many_file to_file(const char *name, const char *path,
	const struct import_settings *settings, const rkt_image_id *expect)
{
	struct many_file file = { .name = name,
		.open = open_file,
		.expect = expect,
		.name_check = settings->name_check };
	struct stat st;
	bool known = (is_stdin(name) ? fstat(STDIN_FILENO, &st) : stat(name, &st)) == 0;

	file.size = known && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	file.in_turn = is_stdin(name) || (known && !S_ISREG(st.st_mode));
	file.wish.source = path;
	return file;
}

static const char *words_of(enum import_how how)
{
	static const char *const words[] = {
		[IMPORT_UNPACKED] = "read and unpacked",
		[IMPORT_KNOWN_TAR] = "read and unpacked: the image was there",
		[IMPORT_KNOWN_FILE] =
			"read: the bytes are those of a file that was imported before",
		[IMPORT_KNOWN_SEEN] = "not read: it lies there as when it was imported",
	};

	return words[how];
}

static int tell(void *context, const struct many_file *file, const rkt_image_id *id, rkt_error *why,
	rkt_error **err)
{
	rkt_store *store = context;

	if (!id)
		return rkt_fail_with(err, why);
	out_transient(NULL);
	out_debug("%s: %s", file->name, words_of(file->how));
	cmd_debug_image(store, id);
	printf("%s\n", id->text);
	/* what is printed is durable, whatever becomes of the next one */
	return out_flush(err);
}

static int check_no_url(const char *name, rkt_error **err)
{
	auto_free char *shown = NULL;

	if (!strstr(name, "://") || access(name, F_OK) == 0)
		return 0;
	shown = secret_left_out(name);
	return rkt_fail(
		err, RKT_USAGE, "%s is a URL, no file: 'rkt-store fetch' takes those", shown);
}

static int check_operands(
	const struct import_settings *settings, const struct operands *files, rkt_error **err)
{
	size_t stdins = 0;

	if (!settings->jobs || settings->jobs > MANY_JOBS_MAX)
		return rkt_fail(err, RKT_USAGE, "--jobs is from 1 to %d", MANY_JOBS_MAX);
	if (settings->verify_with && files->count > 1)
		return rkt_fail(err, RKT_USAGE, "--verify-with is for one FILE");
	for (size_t i = 0; i < files->count; i++) {
		if (check_no_url(files->items[i], err) < 0)
			return -1;
		stdins += is_stdin(files->items[i]);
	}
	return stdins > 1 ? rkt_fail(err, RKT_USAGE, "standard input (-) is there once only") : 0;
}

static int import_all(
	const struct import_settings *settings, const struct operands *operands, rkt_error **err)
{
	auto_free struct many_file *files = xcalloc(operands->count, sizeof *files);
	auto_store rkt_store *store = NULL;
	struct many many = { .files = files,
		.count = operands->count,
		.jobs = (unsigned)settings->jobs,
		.done = tell,
		.stop_at_fault = true };
	auto_names struct names paths = { 0 };
	rkt_image_id expect;

	if (settings->verify_with && rkt_image_id_parse(settings->verify_with, &expect, err) < 0)
		return -1;
	if (check_operands(settings, operands, err) < 0)
		return -1;
	for (size_t i = 0; i < operands->count; i++) {
		char *path = source_of(operands->items[i]);

		if (path)
			names_add(&paths, path);
		files[i] = to_file(
			operands->items[i], path, settings, settings->verify_with ? &expect : NULL);
	}
	many.store = many.context = store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	return store ? many_import(&many, err) : -1;
}

/* ---- with a signature ------------------------------------------------------------------------ */

static int read_signature(const char *name, struct buf *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "signature", name);
	auto_fd int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return fd_read_rest(fd, TRUST_SIGNATURE_MAX, ret, err);
}

/* FILE as it is in the call, its image and its signature still to be read. */
static int import_signed_file(struct signing *signing, rkt_store *store, struct many_file *file,
	struct signed_file *with, rkt_error **err)
{
	ERROR_SCOPE(err, "importing", file->name);
	struct rkt_import_options options = { .size = sizeof options,
		.expect = file->expect,
		.name = file->name_check,
		.progress = progress_callback };
	const struct import_wish wish = { .ret_how = &file->how };
	auto_fd int fd = file->open(file, err);
	rkt_image_id id;
	int result;

	if (fd < 0)
		return -1;
	with->fd = fd;
	with->options = &options;
	with->wish = &wish;
	options.context = progress_start(file->name, file->size);
	result = signed_import(signing, store, with, &id, err);
	progress_end(options.context);
	return result < 0 ? -1 : tell(store, file, &id, NULL, err);
}

static int import_signed(
	const struct import_settings *settings, const struct operands *operands, rkt_error **err)
{
	auto_signing struct signing signing = { 0 };
	auto_buf struct buf signature = { 0 };
	auto_free char *path = NULL;
	auto_store rkt_store *store = NULL;
	struct many_file file;
	struct signed_file with = { .fd = -1 };
	rkt_image_id expect;

	if (operands->count > 1)
		return rkt_fail(err, RKT_USAGE, "--signature is for one FILE");
	if (settings->verify_with && rkt_image_id_parse(settings->verify_with, &expect, err) < 0)
		return -1;
	path = source_of(operands->items[0]);
	file = to_file(operands->items[0], path, settings, settings->verify_with ? &expect : NULL);
	with.source = path;
	signal(SIGPIPE, SIG_IGN); /* gpg may stop reading first */
	if (read_signature(settings->signature, &signature, err) < 0 ||
		signing_open(&signing, err) < 0)
		return -1;
	for (size_t i = 0; i < signing.keys.problems.count; i++)
		out_warning("%s", signing.keys.problems.items[i]);
	with.signature = buf_slice(&signature);
	store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	return store ? import_signed_file(&signing, store, &file, &with, err) : -1;
}

/* ---- from old rkt ---------------------------------------------------------------------------- */

struct moved_file {
	const struct old_rkt *from;
	const struct old_blob *blob;
};

struct moving {
	rkt_store *store;
	size_t failed;
	enum rkt_error_kind kind; /* of the first that failed */
};

static int open_blob(const struct many_file *file, rkt_error **err)
{
	const struct moved_file *self = file->context;

	return old_rkt_open_blob(self->from, self->blob, err);
}

/* An image that does not come over leaves the others alone. */
static int tell_moved(void *context, const struct many_file *file, const rkt_image_id *id,
	rkt_error *why, rkt_error **err)
{
	auto_error rkt_error *fault = why;
	struct moving *self = context;

	if (id)
		return tell(self->store, file, id, NULL, err);
	if (!self->failed++)
		self->kind = rkt_error_kind(fault);
	out_warning("%s", rkt_error_raw(fault));
	return 0;
}

/* Brings all images of FROM over. */
static int move_all(const struct import_settings *settings, const struct old_rkt *from,
	rkt_store *store, rkt_error **err)
{
	auto_free struct moved_file *moved = xcalloc(from->count + 1, sizeof *moved);
	auto_names struct names paths = { 0 };
	auto_free struct many_file *files = xcalloc(from->count + 1, sizeof *files);
	struct moving moving = { .store = store };
	const struct many many = { .store = store,
		.files = files,
		.count = from->count,
		.jobs = (unsigned)settings->jobs,
		.done = tell_moved,
		.context = &moving };

	for (size_t i = 0; i < from->count; i++) {
		const struct old_blob *blob = &from->blobs[i];

		names_add(&paths, old_rkt_path(from, blob));
		moved[i] = (struct moved_file){ from, blob };
		files[i] = (struct many_file){ .name = blob->name,
			.context = &moved[i],
			.open = open_blob,
			.size = blob->size,
			.wish = { .source = paths.items[i], .sha512 = old_blob_digits(blob) } };
	}
	if (many_import(&many, err) < 0)
		return -1;
	if (moving.failed)
		return rkt_fail(err, moving.kind, "%zu of %zu images of %s could not be imported",
			moving.failed, from->count, settings->from_rkt);
	return 0;
}

static int import_from_rkt(
	const struct import_settings *settings, const struct operands *operands, rkt_error **err)
{
	auto_old_rkt struct old_rkt from = OLD_RKT_EMPTY;
	auto_store rkt_store *store = NULL;

	if (operands->count || settings->verify_with || settings->name_check || settings->signature)
		return rkt_fail(err, RKT_USAGE,
			"--from-rkt brings over a whole directory: no FILE, --verify-with, --name-check or --signature");
	if (check_operands(settings, operands, err) < 0 ||
		old_rkt_open(&from, settings->from_rkt, err) < 0)
		return -1;
	if (from.strangers)
		out_warning("%s: left out, as rkt made no such: %zu file%s among its images",
			settings->from_rkt, from.strangers, str_plural(from.strangers));
	if (!from.count)
		out_note("%s has no images", settings->from_rkt);
	store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	return store ? move_all(settings, &from, store, err) : -1;
}

static int import_what_is_said(
	const struct import_settings *settings, const struct operands *operands, rkt_error **err)
{
	if (settings->from_rkt)
		return import_from_rkt(settings, operands, err);
	if (!operands->count)
		return rkt_fail(
			err, RKT_USAGE, "too few operands; usage: rkt-store import FILE...");
	return settings->signature ? import_signed(settings, operands, err)
				   : import_all(settings, operands, err);
}

int cmd_import(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] FILE...", "[OPTIONS] --from-rkt=DIR",
		NULL };
	static const struct command_example examples[] = {
		{ "rkt-store import app.aci", "Prints sha256-f9215c3b… when the image is stored." },
		{ "curl -s https://example.com/app.aci | rkt-store import -",
			"Reads standard input." },
		{ "rkt-store import --signature=app.aci.asc app.aci",
			"Only if a trusted key signed it." },
		{ "rkt-store import --dir=/srv/rocket --from-rkt=/var/lib/rkt",
			"Brings the images of rkt over into another directory." },
		{ NULL, NULL },
	};
	struct import_settings settings = { .jobs = many_default_jobs() };
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
		{ .name = "signature",
			.kind = OPT_TEXT,
			.into = &settings.signature,
			.argument = "SIG",
			.help = "Refuse FILE unless this detached OpenPGP signature of it is by a key "
				"that may speak for the image (rkt-store-trust(1))." },
		{ .name = "from-rkt",
			.kind = OPT_TEXT,
			.into = &settings.from_rkt,
			.argument = "DIR",
			.help = "Bring over the images of the data directory of old rkt, which is only "
				"read." },
		{ .name = "jobs",
			.letter = 'j',
			.kind = OPT_NUMBER,
			.into = &settings.jobs,
			.argument = "N",
			.help = "Import N FILEs at a time. Default: as many as there are processors." },
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
			"not exist. An image that is in the store already is success.\n\n"
			"Several FILEs are imported side by side, in their order: IDs are printed in "
			"it, each as soon as its image and all before it are stored, and of images "
			"of one name the last is the newest. A pipe is begun when all before it are "
			"done. The first FILE that cannot be imported ends the work: those before it "
			"stay, none is begun any more, and those being read at that moment are "
			"finished and stay, though their IDs are not printed.\n\n"
			"A file that was imported before is known by its bytes and not unpacked "
			"again; one that lies there untouched since (its inode, size and times say "
			"so, on ext4, XFS, Btrfs and F2FS, and samples of it) is not read again "
			"either, unless --verify-with or --signature asks for its bytes.\n\n"
			"With --signature nothing looks into the file before gpg has judged its "
			"bytes as they are. The image's record says which key it was, as rkt-store "
			"info and list show. Exit status 5: the signature is by a key that is not "
			"trusted, or not for images of this name.\n\n"
			"--from-rkt imports every image of a data directory of rkt (its releases up "
			"to 1.30; /var/lib/rkt was its place), into another one. Each must have the "
			"SHA-512 it is named after, and is found by that name from then on. One that "
			"is damaged is named and left out; the others come over all the same, the "
			"oldest first. When and whence rkt fetched them is not known afterwards. "
			"Pods are not brought over. The keys that rkt trusts are not in DIR but in "
			"/etc/rkt/trustedkeys and /usr/lib/rkt/trustedkeys, and are trusted where "
			"they are (rkt-store-trust(1)).",
		.options = options,
		.examples = examples,
		.see_also = cmd_see_also,
		.operands_max = -1 };
	auto_operands struct operands files = { NULL };
	int got = opts_parse(&command, argc, argv, &files, err);

	return got > 0 ? import_what_is_said(&settings, &files, err) : got;
}
