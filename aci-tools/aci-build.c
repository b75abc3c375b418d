/* aci-build: a directory and a manifest become an image, reproducibly. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aci-tools/compose.h"
#include "aci-tools/files.h"
#include "aci/build.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/main.h"
#include "cli/out.h"

struct settings {
	const char *manifest, *from_dir;
	struct compose compose;
	struct opts_list excludes, operands;
	int compression;
	bool root_owned, overwrite;
};

static void settings_free(struct settings *s)
{
	compose_free(&s->compose);
	free(s->excludes.items);
	free(s->operands.items);
}

static const char *const compressions[] = { "gzip", "xz", "zstd", "none", NULL };
static const enum compression kinds[] = {
	COMPRESSION_GZIP,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
	COMPRESSION_NONE,
};

/* ---- what goes in ---------------------------------------------------------------------------- */

struct input {
	struct buf manifest;
	int rootfs;
};

static void input_free(struct input *in)
{
	buf_free(&in->manifest);
	scope_close(&in->rootfs);
}

static int read_manifest(const char *file, struct buf *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", file);
	auto_fd int fd = file_open(file, err);

	return fd < 0 ? -1 : fd_read_rest(fd, MANIFEST_SIZE_MAX, ret, err);
}

/* The directory a user names may be reached through symbolic links; what is below it may not. */
static int open_named_dir(const char *path, rkt_error **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "%s: no such directory", path);
	return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
}

/* DIR/manifest and DIR/rootfs. */
static int input_from_layout(struct input *in, const char *path, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", path);
	auto_fd int dir = open_named_dir(path, err);

	if (dir < 0 || fd_read_file(dir, "manifest", MANIFEST_SIZE_MAX, &in->manifest, err) < 0)
		return -1;
	in->rootfs = fd_open_dir(dir, "rootfs", err);
	return in->rootfs < 0 ? -1 : 0;
}

static int input_from_parts(struct input *in, const struct settings *s, rkt_error **err)
{
	if (s->manifest && compose_is_used(&s->compose))
		return rkt_fail(err, RKT_USAGE,
			"--manifest says it all: leave out --name and what else it holds");
	if (!s->from_dir)
		return rkt_fail(err, RKT_USAGE, "say with --from-dir where the files are");
	if (s->manifest ? read_manifest(s->manifest, &in->manifest, err)
			: compose_manifest(&s->compose, &in->manifest, err))
		return -1;
	in->rootfs = open_named_dir(s->from_dir, err);
	return in->rootfs < 0 ? -1 : 0;
}

static int input_open(struct input *in, const struct settings *s, rkt_error **err)
{
	bool parts = s->manifest || s->from_dir || compose_is_used(&s->compose);
	size_t count = s->operands.count;

	if (count > 2 || (parts && count > 1))
		return rkt_fail(
			err, RKT_USAGE, "'%s' is one name too many", s->operands.items[count - 1]);
	if (!count || (!parts && count < 2))
		return rkt_fail(err, RKT_USAGE,
			"give a directory and the image to make, or --from-dir with --manifest or --name");
	return parts ? input_from_parts(in, s, err)
		     : input_from_layout(in, s->operands.items[0], err);
}

/* ---- what comes out -------------------------------------------------------------------------- */

/* As creat(2) would have made it. */
static int set_usual_mode(int fd, rkt_error **err)
{
	mode_t mask = umask(022);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) < 0 ? rkt_fail_errno(err, "chmod") : 0;
}

/* A second name, which the rename makes the first: what was there is replaced in one step. */
static int replace(int fd, const struct place *place, rkt_error **err)
{
	uint32_t random;
	auto_free char *name = NULL;
	int linked;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return rkt_fail_errno(err, "getrandom");
	name = xasprintf(".%.*s.%08x", 240, place->name, random);
	linked = fd_link(fd, place->dir, name, err);
	if (linked < 0)
		return -1;
	if (linked || renameat(place->dir, name, place->dir, place->name) < 0) {
		rkt_fail_errno(err, "rename");
		if (!linked)
			unlinkat(place->dir, name, 0);
		return -1;
	}
	return 0;
}

/* Everything is on the disk before the name is. */
static int appear(int fd, const struct place *place, const struct settings *s, rkt_error **err)
{
	int linked;

	if (set_usual_mode(fd, err) < 0)
		return -1;
	if (fdatasync(fd) < 0)
		return rkt_fail_errno(err, "sync");
	if (s->overwrite)
		return replace(fd, place, err);
	linked = fd_link(fd, place->dir, place->name, err);
	if (linked > 0)
		return rkt_fail(err, RKT_FAILED, "it exists; --overwrite replaces it");
	return linked;
}

static int refuse_existing(const struct place *place, const struct settings *s, rkt_error **err)
{
	struct stat st;

	if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "stat");
	if (S_ISDIR(st.st_mode))
		return rkt_fail(err, RKT_FAILED, "it is a directory");
	if (!s->overwrite)
		return rkt_fail(err, RKT_FAILED, "it exists; --overwrite replaces it");
	return 0;
}

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static int source_date(int64_t *ret, rkt_error **err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t sec;

	*ret = INT64_MAX;
	if (!text)
		return 0;
	if (str_parse_u64(text, INT64_MAX, "SOURCE_DATE_EPOCH", &sec, err) < 0)
		return -1;
	*ret = (int64_t)sec;
	return 0;
}

static int build(const struct settings *s, const struct input *in, const char *out,
	rkt_image_id *ret_id, rkt_error **err)
{
	ERROR_SCOPE(err, "building", out);
	auto_place struct place place = { -1, NULL };
	auto_free const char **excludes = xcalloc(s->excludes.count + 1, sizeof *excludes);
	struct build_options options = {
		.compression = kinds[s->compression],
		.root_owned = s->root_owned,
		.excludes = excludes,
	};
	auto_fd int fd = -1;

	for (size_t i = 0; i < s->excludes.count; i++)
		excludes[i] = s->excludes.items[i];
	if (source_date(&options.mtime_max_sec, err) < 0 || place_find(&place, out, err) < 0)
		return -1;
	if (refuse_existing(&place, s, err) < 0)
		return -1;
	fd = fd_tmpfile(place.dir, err);
	if (fd < 0)
		return -1;
	if (build_image(buf_slice(&in->manifest), in->rootfs, fd, &options, ret_id, err) < 0)
		return -1;
	return appear(fd, &place, s, err);
}

static int work(const struct settings *s, rkt_error **err)
{
	__attribute__((cleanup(input_free))) struct input in = { .rootfs = -1 };
	rkt_image_id id;

	if (input_open(&in, s, err) < 0)
		return -1;
	if (build(s, &in, s->operands.items[s->operands.count - 1], &id, err) < 0)
		return -1;
	printf("%s\n", id.text);
	return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct command_example examples[] = {
	{ "aci-build nginx/ nginx.aci", "of nginx/manifest and nginx/rootfs/" },
	{ "aci-build --manifest m.json --from-dir root/ app.aci", "of a manifest and a root" },
	{ "aci-build --name example.com/hello --from-dir root/ hello.aci -- /bin/echo hi",
		"of a root and a command" },
	{ "SOURCE_DATE_EPOCH=1418290200 aci-build --root-owned nginx/ nginx.aci",
		"the same bytes for whoever builds it, whenever" },
	{ NULL, NULL },
};

static const char *const usage[] = {
	"[OPTIONS] DIR OUT.aci",
	"[OPTIONS] --manifest FILE --from-dir ROOTFS OUT.aci",
	"[OPTIONS] --name NAME ... --from-dir ROOTFS OUT.aci [-- PROGRAM ARGUMENT...]",
	NULL,
};
static const char *const see_also[] = { "aci-validate(1)", "aci-extract(1)", NULL };

static void list_add(struct opts_list *list, const char *text)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
}

static int take_operand(void *context, const char *text, bool after_dashes, rkt_error **err)
{
	struct settings *s = context;

	(void)err;
	list_add(after_dashes ? &s->compose.exec : &s->operands, text);
	return 0;
}

static enum opts_result parse(struct settings *s, int argc, char **argv, rkt_error **err)
{
	struct compose *c = &s->compose;
	struct operands none;
	const struct opt options[] = {
		{ "manifest", 0, OPT_TEXT, &s->manifest, "FILE",
			"The image manifest. - is standard "
			"input.",
			NULL, NULL },
		{ "from-dir", 0, OPT_TEXT, &s->from_dir, "DIR",
			"The root file system is what is in DIR.", NULL, NULL },
		{ "name", 0, OPT_TEXT, &c->name, "NAME",
			"The image's name, such as example.com/hello. This and the following make "
			"a manifest when there is none.",
			NULL, NULL },
		{ "label", 0, OPT_LIST, &c->labels, "NAME=VALUE",
			"A label: version, os, arch or your own. May be repeated.", NULL, NULL },
		{ "annotation", 0, OPT_LIST, &c->annotations, "NAME=VALUE",
			"An annotation. May be repeated.", NULL, NULL },
		{ "exec", 0, OPT_LIST, &c->exec, "WORD",
			"What the app executes: repeat it for each argument, or write the words "
			"after --.",
			NULL, NULL },
		{ "user", 0, OPT_TEXT, &c->user, "USER",
			"Who executes it: a name in the image, a number, or the path of a file. "
			"Default: 0.",
			NULL, NULL },
		{ "group", 0, OPT_TEXT, &c->group, "GROUP", "The same for the group.", NULL, NULL },
		{ "env", 0, OPT_LIST, &c->environment, "NAME=VALUE",
			"A variable of the app's environment. May be repeated.", NULL, NULL },
		{ "working-dir", 0, OPT_TEXT, &c->working_directory, "PATH",
			"Where the app starts. Default: /.", NULL, NULL },
		{ "port", 0, OPT_LIST, &c->ports, "NAME:PORT[/PROTOCOL]",
			"A port the app listens on, tcp by default. May be repeated.", NULL, NULL },
		{ "mount", 0, OPT_LIST, &c->mounts, "NAME:PATH[:ro]",
			"A place where the app wants a volume. May be repeated.", NULL, NULL },
		{ "compress", 0, OPT_CHOICE, &s->compression, NULL,
			"How the image is compressed. The image ID does not depend on it.",
			compressions, NULL },
		{ "root-owned", 0, OPT_FLAG, &s->root_owned, NULL,
			"Everything in the image belongs to 0:0, whoever owns it here.", NULL,
			NULL },
		{ "exclude", 0, OPT_LIST, &s->excludes, "GLOB",
			"Leave out what has this name, or this path below the root. May be "
			"repeated.",
			NULL, NULL },
		{ "overwrite", 'f', OPT_FLAG, &s->overwrite, NULL, "Replace OUT.aci if it exists.",
			NULL, NULL },
		{ NULL },
	};
	const struct command command = {
		.program = "aci-build",
		.usage = usage,
		.summary = "make an App Container image",
		.description =
			"Makes an image of a directory with `manifest` and `rootfs` in it, or of a "
			"manifest and a root file system that lie apart, and prints its image ID.\n\n"
			"The same content gives the same image: names are sorted, owners are "
			"numbers, and times after SOURCE_DATE_EPOCH, where that is set, become "
			"SOURCE_DATE_EPOCH. Extended attributes, ACLs, hard links, devices and FIFOs "
			"are kept.\n\n"
			"OUT.aci is read back and checked like any image before it appears; if "
			"anything goes wrong, it does not appear at all.",
		.options = options,
		.examples = examples,
		.see_also = see_also,
		.operand = take_operand,
		.context = s,
	};

	return opts_parse(&command, argc, argv, &none, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	__attribute__((cleanup(settings_free))) struct settings settings = { 0 };

	switch (parse(&settings, argc, argv, err)) {
	case OPTS_DONE:
		return 0;
	case OPTS_BAD:
		return -1;
	case OPTS_RUN:
		break;
	}
	return work(&settings, err);
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
