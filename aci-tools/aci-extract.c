/* aci-extract: an image into a directory, whole or not at all; or only a look into it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "aci-tools/limits.h"
#include "aci/extract.h"
#include "aci/id.h"
#include "base/alloc.h"
#include "base/place.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/main.h"
#include "cli/out.h"
#include "cli/stop.h"

struct settings {
	bool rootfs_only, manifest, list, no_same_owner, devices;
	const char *verify;
	struct opts_list includes, excludes;
	struct image_limits limits;
};

static void settings_free(struct settings *s)
{
	free(s->includes.items);
	free(s->excludes.items);
}

/* The digest an image must have, computed while it streams by. */
struct expected {
	digest *sum; /* NULL: anything will do */
	const char *digits;
};

static void expected_free(struct expected *e)
{
	digest_free(e->sum);
}

/* Only a whole ID says which image it is: others can be made that share its beginning. */
static int expect(struct expected *e, const char *id, rkt_error **err)
{
	enum id_form form;

	if (!id)
		return 0;
	form = id_form_of(id, &e->digits);
	if (form == ID_SHA256)
		e->sum = digest_new(DIGEST_SHA256);
	else if (form == ID_SHA512 && strlen(e->digits) == digest_hex_len(DIGEST_SHA512))
		e->sum = digest_new(DIGEST_SHA512);
	else
		return rkt_fail(err, RKT_USAGE,
			"--verify needs a whole image ID, sha256- and 64 digits or sha512- and 128, "
			"not '%s'",
			id);
	return 0;
}

/* The last word of an extraction: extract_options.approve. */
static int approve(void *context, rkt_error **err)
{
	struct expected *e = context;
	char hex[DIGEST_HEX_MAX + 1];

	if (!e->sum)
		return 0;
	if (digest_hex(e->sum, hex, err) < 0)
		return -1;
	if (strcmp(hex, e->digits) != 0)
		return rkt_fail(err, RKT_INVALID, "its digest is %s, not that of --verify", hex);
	return 0;
}

/* Takes over FD; is not waited for once WAKE can be read from. */
static image_reader *open_image(int fd, int wake, const struct image_limits *limits,
	const struct expected *e, rkt_error **err)
{
	const struct image_options options = { .limits = limits };
	source *in =
		source_unpack_threaded(source_from_fd_until(fd, wake), &limits->unpack, NULL, err);

	if (in && e->sum)
		in = source_tap(in, digest_tap, e->sum);
	return in ? image_open(in, &options) : NULL;
}

/* ---- only looking ---------------------------------------------------------------------------- */

static void list_mode(const struct tar_entry *tar, char out[static 11])
{
	static const char letters[] = {
		[TAR_FILE] = '-',
		[TAR_HARDLINK] = 'h',
		[TAR_SYMLINK] = 'l',
		[TAR_CHAR] = 'c',
		[TAR_BLOCKDEV] = 'b',
		[TAR_DIR] = 'd',
		[TAR_FIFO] = 'p',
	};
	static const char bits[] = "rwxrwxrwx";

	out[0] = letters[tar->type];
	for (int i = 0; i < 9; i++)
		out[1 + i] = tar->mode & (0400u >> i) ? bits[i] : '-';
	if (tar->mode & 04000)
		out[3] = tar->mode & 0100 ? 's' : 'S';
	if (tar->mode & 02000)
		out[6] = tar->mode & 010 ? 's' : 'S';
	if (tar->mode & 01000)
		out[9] = tar->mode & 01 ? 't' : 'T';
	out[10] = '\0';
}

static void list_entry(const struct image_entry *entry)
{
	const struct tar_entry *tar = entry->tar;
	char mode[11], when[TIME_TEXT_SIZE], size[24];

	list_mode(tar, mode);
	if (tar->type == TAR_CHAR || tar->type == TAR_BLOCKDEV)
		snprintf(size, sizeof size, "%u,%u", tar->major, tar->minor);
	else
		snprintf(size, sizeof size, "%" PRIu64, tar->size);
	printf("%s %u/%u %10s %s ", mode, tar->uid, tar->gid, size,
		time_rfc3339(tar->mtime_sec, when));
	out_escaped(*entry->path ? entry->path : ".");
	if (tar->type == TAR_SYMLINK || tar->type == TAR_HARDLINK) {
		printf(tar->type == TAR_SYMLINK ? " -> " : " link to ");
		out_escaped(tar->type == TAR_SYMLINK ? tar->link : entry->hard_link);
	}
	putchar('\n');
}

/* Prints the list, the manifest, or nothing, having seen the whole image. */
static int look(
	const struct settings *settings, image_reader *image, struct expected *e, rkt_error **err)
{
	const struct extract_options choice = {
		.includes = settings->includes.items,
		.excludes = settings->excludes.items,
	};
	const struct image_entry *entry;
	struct slice manifest;
	int more;

	while ((more = image_next(image, &entry, err)) > 0)
		if (settings->list && extract_chooses(&choice, entry->path))
			list_entry(entry);
	if (more < 0 || approve(e, err) < 0)
		return -1;
	manifest = image_manifest_bytes(image);
	if (settings->manifest)
		fwrite(manifest.data, 1, manifest.len, stdout);
	return 0;
}

/* ---- extracting ------------------------------------------------------------------------------ */

static void tell_losses(const struct extract_report *report)
{
	if (report->owners_lost)
		out_note("%" PRIu64 " of %" PRIu64 " entries belong to you, not to the owner in "
			 "the image",
			report->owners_lost, report->entries);
	if (report->xattrs_lost)
		out_note("%" PRIu64 " extended attribute%s or ACL%s could not be kept",
			report->xattrs_lost, str_plural(report->xattrs_lost),
			str_plural(report->xattrs_lost));
	if (report->times_lost)
		out_note("this file system has no number for the times of %" PRIu64
			 " file%s, which "
			 "got others",
			report->times_lost, str_plural(report->times_lost));
	if (report->acl_names_lost)
		out_note("%" PRIu64 " entries of ACLs name a user or group without a number and "
			 "could not be kept",
			report->acl_names_lost);
}

static int extract(const struct settings *settings, image_reader *image, struct expected *e,
	const char *to, rkt_error **err)
{
	bool keep = geteuid() == 0 && !settings->no_same_owner;
	const struct extract_options options = {
		.what = settings->rootfs_only ? EXTRACT_ROOTFS : EXTRACT_IMAGE,
		.owner = keep ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
		.devices = settings->devices ? EXTRACT_DEVICES_MAKE : EXTRACT_DEVICES_REFUSE,
		.includes = settings->includes.items,
		.excludes = settings->excludes.items,
		.approve = approve,
		.context = e,
		.go_on = stop_check,
	};
	auto_place struct place place = { -1, NULL };
	struct extract_report report;

	if (place_find(&place, to, err) < 0)
		return -1;
	if (extract_image(image, place.dir, place.name, &options, &report, err) < 0)
		return -1;
	tell_losses(&report);
	return 0;
}

static int work(const struct settings *settings, const struct operands *operands, rkt_error **err)
{
	__attribute__((cleanup(expected_free))) struct expected e = { NULL, NULL };
	const char *file = operands->items[0];
	bool looks = settings->list || settings->manifest;
	auto_image image_reader *image = NULL;
	int fd;

	if (looks && operands->count > 1)
		return rkt_fail(err, RKT_USAGE,
			"--list and --manifest extract nothing: leave out '%s'",
			operands->items[1]);
	if (settings->list && settings->manifest)
		return rkt_fail(err, RKT_USAGE, "choose one of --list and --manifest");
	if (!looks && operands->count < 2)
		return rkt_fail(err, RKT_USAGE, "the directory to make is missing");
	if (expect(&e, settings->verify, err) < 0)
		return -1;
	fd = file_open(file, err);
	if (fd >= 0) /* only now: a FIFO keeps us waiting for who writes to it */
		image = open_image(fd, looks ? -1 : stop_note(), &settings->limits, &e, err);
	if (!image)
		return rkt_fail_outer(err, "reading %s", file);
	if (looks)
		return look(settings, image, &e, err) < 0 ? rkt_fail_outer(err, "reading %s", file)
							  : 0;
	return extract(settings, image, &e, operands->items[1], err);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct command_example examples[] = {
	{ "aci-extract nginx.aci nginx", "makes nginx/manifest and nginx/rootfs/" },
	{ "aci-extract --rootfs-only nginx.aci root", "only the files, directly in root/" },
	{ "aci-extract --rootfs-only --include etc --exclude '*.bak' nginx.aci conf",
		"only a part of the files" },
	{ "aci-extract --verify sha256-f921... a.aci a",
		"nothing appears unless it is that image" },
	{ "aci-extract --manifest nginx.aci | jq .app.exec", "look at the manifest" },
	{ "aci-extract --list nginx.aci", "look at the files" },
	{ NULL, NULL },
};

static const char *const usage[] = {
	"[OPTIONS] FILE DIR",
	"--list | --manifest FILE",
	NULL,
};
static const char *const see_also[] = { "aci-build(1)", "aci-validate(1)", "rkt-store(1)", NULL };

static int parse(struct settings *settings, int argc, char **argv, struct operands *operands,
	rkt_error **err)
{
	const struct opt options[] = {
		{ "rootfs-only", 0, OPT_FLAG, &settings->rootfs_only, NULL,
			"Leave the manifest out and put the files directly into DIR.", NULL, NULL },
		{ "verify", 0, OPT_TEXT, &settings->verify, "ID",
			"Extract only if the image has this ID.", NULL, NULL },
		{ "no-same-owner", 0, OPT_FLAG, &settings->no_same_owner, NULL,
			"Everything belongs to you; setuid and setgid bits and file capabilities "
			"are dropped. Always so for ordinary users.",
			NULL, NULL },
		{ "devices", 0, OPT_FLAG, &settings->devices, NULL,
			"Make device nodes and FIFOs. Without this an image with one is refused.",
			NULL, NULL },
		{ "include", 0, OPT_LIST, &settings->includes, "GLOB",
			"Extract only what has this name, or this path below the root, and what "
			"is below it. May be repeated.",
			NULL, NULL },
		{ "exclude", 0, OPT_LIST, &settings->excludes, "GLOB",
			"Leave out what has this name or path, and what is below it. May be "
			"repeated.",
			NULL, NULL },
		{ "manifest", 0, OPT_FLAG, &settings->manifest, NULL,
			"Print the manifest, as it stands in the image, and extract nothing.", NULL,
			NULL },
		{ "list", 't', OPT_FLAG, &settings->list, NULL,
			"Print a line for each file, and extract nothing.", NULL, NULL },
		LIMIT_OPTIONS(settings->limits),
		{ NULL },
	};
	const struct command command = {
		.program = "aci-extract",
		.usage = usage,
		.summary = "unpack an App Container image into a directory",
		.description =
			"Unpacks the image FILE (- is standard input) into DIR, which must not exist "
			"or be empty. Everything is kept: owners (as root), modes, times to the "
			"nanosecond, extended attributes, ACLs, hard links.\n\n"
			"The image is checked on the way. DIR appears when everything is there, or, "
			"if anything is wrong, not at all. Nothing is ever written outside it, "
			"whatever names and links the image holds.\n\n"
			"With --include or --exclude the whole image is checked all the same.\n\n"
			"An existing empty DIR is replaced by a new directory, so it can be no mount "
			"point. Killed by SIGKILL, the work so far stays beside it as .DIR.xxxxxx "
			"and may be removed.",
		.options = options,
		.examples = examples,
		.see_also = see_also,
		.operands_min = 1,
		.operands_max = 2,
	};

	return opts_parse(&command, argc, argv, operands, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	__attribute__((cleanup(settings_free))) struct settings settings = {
		.limits = image_limits_default(),
	};
	auto_operands struct operands operands = { NULL };
	int got = parse(&settings, argc, argv, &operands, err);

	return got > 0 ? work(&settings, &operands, err) : got;
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
