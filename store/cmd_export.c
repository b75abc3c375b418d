/* rkt-store export: an image as a file, whole and verified, or no file at all. */
#include <string.h>
#include <unistd.h>

#include "aci/pack.h"
#include "base/draft.h"
#include "base/str.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "store/blob.h"
#include "store/cmd.h"

struct export_settings {
	const char *dir;
	bool overwrite;
	int compress; /* index in compressors */
	int format;   /* index in format_names */
};

/* One today; scripts may say which they mean. */
static const char *const format_names[] = { "aci", NULL };

static const char *const compressor_names[] = { "none", "gzip", "xz", "zstd", NULL };
static const enum compression compressors[] = { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_XZ,
	COMPRESSION_ZSTD };

/* Pumps IN through OUT. */
static int pump(source *in, packer *out, struct progress *progress, rkt_error **err)
{
	struct slice block;
	uint64_t done = 0;
	int got;

	while ((got = source_next(in, &block, err)) > 0) {
		if (stop_check(NULL, err) < 0 || packer_write(out, block, err) < 0)
			return -1;
		progress_at(progress, done += block.len);
	}
	return got < 0 ? -1 : packer_finish(out, err);
}

/* Writes the blob to OUT, compressed as SETTINGS say; its digest is checked at its end, before the
 * last byte of a compressed file is there (S-043). */
static int copy_blob(rkt_store *store, const rkt_image_record *image, int out,
	const struct export_settings *settings, rkt_error **err)
{
	auto_packer packer *sink = packer_open(out, compressors[settings->compress], err);
	int blob = sink ? rkt_store_open_blob(store, &image->id, err) : -1;
	struct progress *progress;
	auto_source source *in = NULL;
	int result;

	if (blob < 0)
		return -1;
	in = source_threaded(source_verified(source_from_fd(blob), &image->id));
	progress = progress_start(image->id.text, image->size);
	result = pump(in, sink, progress, err);
	progress_end(progress);
	return result;
}

static int write_file(rkt_store *store, const rkt_image_record *image, const char *path,
	const struct export_settings *settings, rkt_error **err)
{
	enum draft_over over = settings->overwrite ? DRAFT_REPLACE : DRAFT_KEEP;
	auto_draft struct draft file = DRAFT_NONE;

	if (!*path || str_has_suffix(path, "/"))
		return rkt_fail(err, RKT_USAGE, "%s is not the name of a file", path);
	if (draft_open(&file, path, over, err) < 0)
		return rkt_fail_outer(err, "%s", path);
	if (file.name) /* else a signal leaves nothing */
		stop_note();
	if (copy_blob(store, image, file.fd, settings, err) < 0)
		return -1;
	file.mode = 0644;
	stop_note(); /* between its two names */
	return draft_appear(&file, err) < 0 ? rkt_fail_outer(err, "%s", path) : 0;
}

static int export(const struct export_settings *settings, const char *reference, const char *path,
	rkt_error **err)
{
	ERROR_SCOPE(err, "exporting", reference);
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *image = NULL;

	if (cmd_find(settings->dir, reference, &store, &image, err) < 0)
		return -1;
	if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO))
		return rkt_fail(err, RKT_USAGE,
			"standard output is a terminal: name a file, or send it on");
	if (strcmp(path, "-") == 0)
		return copy_blob(store, image, STDOUT_FILENO, settings, err);
	return write_file(store, image, path, settings, err);
}

int cmd_export(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE FILE", NULL };
	struct export_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "overwrite",
			.kind = OPT_FLAG,
			.into = &settings.overwrite,
			.help = "Replace FILE when it exists." },
		{ .name = "format",
			.kind = OPT_CHOICE,
			.into = &settings.format,
			.choices = format_names,
			.help = "What FILE shall be: aci, an App Container image. There is no other yet." },
		{ .name = "compress",
			.kind = OPT_CHOICE,
			.into = &settings.compress,
			.choices = compressor_names,
			.help = "How to compress the tar. none without it." },
		CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store export",
		.usage = usage,
		.summary = "write an image to a file",
		.description =
			"Writes the image, a tar whose SHA-256 is its ID, to FILE (- is standard "
			"output), uncompressed or as --compress says: the ID stays the same. The bytes are verified on the way: of a damaged image no FILE "
			"appears, and on standard output the exit status tells.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 2,
		.operands_max = 2 };
	auto_operands struct operands operands = { NULL };
	int got = opts_parse(&command, argc, argv, &operands, err);

	return got > 0 ? export(&settings, operands.items[0], operands.items[1], err) : got;
}
