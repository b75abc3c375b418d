/* aci-build: a manifest and files become an image, reproducibly; or an image gets another
 * manifest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "aci-tools/job.h"
#include "aci-tools/limits.h"
#include "aci-tools/sign.h"
#include "aci/image.h"
#include "base/alloc.h"
#include "base/draft.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/main.h"
#include "cli/out.h"

/* Both ways a program can be asked to work. */
struct request {
	struct settings settings;
	int compression; /* an index into COMPRESSIONS */
	bool extract_manifest;
};

static void request_free(struct request *r)
{
	compose_free(&r->settings.compose);
	free(r->settings.excludes.items);
	free(r->settings.operands.items);
}

static const char *const compressions[] = { "gzip", "xz", "zstd", "none", NULL };
static const enum compression kinds[] = {
	COMPRESSION_GZIP,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
	COMPRESSION_NONE,
};

/* ---- what is made ---------------------------------------------------------------------------- */

static int build_again(const struct job *job, int first, rkt_error **err)
{
	auto_fd int second = file_nameless(err);
	rkt_image_id id;
	uint64_t at;
	int same;

	if (second < 0 || job_build(job, second, &id, err) < 0)
		return -1;
	same = fd_same(first, second, &at, err);
	if (!same)
		return rkt_fail(err, RKT_FAILED,
			"not reproducible: two builds differ after %llu bytes",
			(unsigned long long)at);
	return same < 0 ? -1 : 0;
}

/* All that can be asked of an image before anybody sees it. */
static int build(const struct job *job, int fd, rkt_image_id *ret_id, rkt_error **err)
{
	if (job->settings->verify_reproducible && job_is_once(job))
		return rkt_fail(err, RKT_USAGE,
			"--verify-reproducible builds twice, and standard input can be read once");
	if (job_build(job, fd, ret_id, err) < 0)
		return -1;
	return job->settings->verify_reproducible ? build_again(job, fd, err) : 0;
}

/* The image or nothing: what cannot be called back is sent when it is known to be good. */
static int build_to_stdout(const struct job *job, rkt_error **err)
{
	ERROR_SCOPE(err, "building", "to standard output");
	auto_fd int fd = -1;
	rkt_image_id id;

	if (job->settings->sign)
		return rkt_fail(
			err, RKT_USAGE, "--sign needs a name: OUT.aci.asc stands beside it");
	fd = file_nameless(err);
	if (fd < 0 || build(job, fd, &id, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	if (fd_copy(fd, STDOUT_FILENO, err) < 0)
		return -1;
	out_note("%s", id.text);
	return 0;
}

/* The signature appears first: who sees the image finds it. */
static int appear_signed(
	struct draft *image, const struct job *job, enum draft_over over, rkt_error **err)
{
	auto_free char *path = xasprintf("%s.asc", job->out);
	auto_draft struct draft signature = DRAFT_NONE;
	auto_buf struct buf armour = { 0 };

	if (sign_file(image->fd, job->settings->sign, &armour, err) < 0)
		return -1;
	if (draft_open(&signature, path, over, err) < 0 ||
		fd_write_all(signature.fd, armour.data, armour.len, err) < 0 ||
		draft_sync(&signature, err) < 0 || draft_appear(&signature, err) < 0)
		return rkt_fail_outer(err, "%s", path);
	if (draft_appear(image, err) < 0) {
		draft_withdraw(&signature);
		return -1;
	}
	return 0;
}

static int build_to_file(const struct job *job, rkt_error **err)
{
	ERROR_SCOPE(err, "building", job->out);
	enum draft_over over = job->settings->overwrite ? DRAFT_REPLACE : DRAFT_KEEP;
	auto_draft struct draft image = DRAFT_NONE;
	rkt_image_id id;

	if (draft_open(&image, job->out, over, err) < 0 || build(job, image.fd, &id, err) < 0 ||
		draft_sync(&image, err) < 0)
		return -1;
	if (job->settings->sign ? appear_signed(&image, job, over, err) : draft_appear(&image, err))
		return -1;
	printf("%s\n", id.text);
	return 0;
}

/* The bytes of the manifest, if the image is a good one. */
static int extract_manifest(const struct settings *s, rkt_error **err)
{
	const char *file = s->operands.count ? s->operands.items[0] : "-";
	ERROR_SCOPE(err, "reading", file);
	const struct image_options options = { .limits = &s->limits };
	const struct image_entry *entry;
	auto_image image_reader *image = NULL;
	struct slice manifest;
	source *in;
	int fd, more;

	if (s->operands.count != 1)
		return rkt_fail(err, RKT_USAGE, "--extract-manifest wants one image");
	fd = file_open(file, err);
	in = fd < 0 ? NULL : file_unpack(fd, &s->limits.unpack, err);
	if (!in)
		return -1;
	image = image_open(in, &options);
	while ((more = image_next(image, &entry, err)) > 0)
		;
	if (more < 0)
		return -1;
	manifest = image_manifest_bytes(image);
	fwrite(manifest.data, 1, manifest.len, stdout);
	return 0;
}

static int work(struct request *r, rkt_error **err)
{
	__attribute__((cleanup(job_free))) struct job job = { .rootfs = -1 };

	r->settings.compression = kinds[r->compression];
	if (r->extract_manifest)
		return extract_manifest(&r->settings, err);
	if (job_open(&job, &r->settings, err) < 0)
		return -1;
	return strcmp(job.out, "-") == 0 ? build_to_stdout(&job, err) : build_to_file(&job, err);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct command_example examples[] = {
	{ "aci-build nginx/ nginx.aci", "of nginx/manifest and nginx/rootfs/" },
	{ "aci-build --manifest m.json --from-dir root/ app.aci", "of a manifest and a root" },
	{ "aci-build --name example.com/hello --from-dir root/ hello.aci -- /bin/echo hi",
		"of a root and a command" },
	{ "docker export c1 | aci-build --from-tar - --name example.com/c1 c1.aci",
		"of a tar of a root, without unpacking it" },
	{ "aci-build --patch --label version=2 nginx.aci nginx2.aci",
		"the same files, one label changed" },
	{ "SOURCE_DATE_EPOCH=1418290200 aci-build --root-owned nginx/ nginx.aci",
		"the same bytes for whoever builds it, whenever" },
	{ NULL, NULL },
};

static const char *const usage[] = {
	"[OPTIONS] DIR OUT.aci",
	"[OPTIONS] --manifest FILE --from-dir ROOTFS OUT.aci",
	"[OPTIONS] --name NAME ... --from-dir ROOTFS OUT.aci [-- PROGRAM ARGUMENT...]",
	"[OPTIONS] --manifest FILE | --name NAME ... --from-tar FILE OUT.aci",
	"--patch [--manifest FILE | --label NAME=VALUE ...] IN.aci OUT.aci",
	"--extract-manifest IN.aci",
	NULL,
};
static const char *const see_also[] = { "aci-validate(1)", "aci-extract(1)", NULL };

static int take_operand(void *context, const char *text, bool after_dashes, rkt_error **err)
{
	struct request *r = context;

	(void)err;
	opts_list_add(after_dashes ? &r->settings.compose.exec : &r->settings.operands, text);
	return 0;
}

static int parse(struct request *r, int argc, char **argv, rkt_error **err)
{
	struct settings *s = &r->settings;
	struct compose *c = &s->compose;
	struct operands none;
	const struct opt options[] = {
		{ "manifest", 0, OPT_TEXT, &s->manifest, "FILE",
			"The image manifest. - is standard "
			"input.",
			NULL, NULL },
		{ "from-dir", 0, OPT_TEXT, &s->from_dir, "DIR",
			"The root file system is what is in DIR.", NULL, NULL },
		{ "from-tar", 0, OPT_TEXT, &s->from_tar, "FILE",
			"The root file system is what is in this tar, compressed or not, in the "
			"order it has there. - is standard input.",
			NULL, NULL },
		{ "patch", 0, OPT_FLAG, &s->patch, NULL,
			"Copy the image IN.aci with another manifest: that of --manifest, or its "
			"own with the fields changed or added that --name and the like give. "
			"Everything else stays byte for byte what it was.",
			NULL, NULL },
		{ "extract-manifest", 0, OPT_FLAG, &r->extract_manifest, NULL,
			"Print the manifest of the image IN.aci as it stands there, and make "
			"nothing.",
			NULL, NULL },
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
		{ "isolator", 0, OPT_LIST, &c->isolators, "NAME=JSON",
			"An isolator of the app, such as resource/memory={\"limit\":\"1G\"}. May be "
			"repeated.",
			NULL, NULL },
		{ "dependency", 0, OPT_LIST, &c->dependencies, "IMAGE",
			"An image whose files come below those of this one: "
			"NAME[:VERSION][,LABEL=VALUE...][@ID]. May be repeated, the lowest first.",
			NULL, NULL },
		{ "base", 0, OPT_LIST, &c->dependencies, "IMAGE", "The same as --dependency.", NULL,
			NULL },
		{ "compress", 0, OPT_CHOICE, &r->compression, NULL,
			"How the image is compressed. The image ID does not depend on it.",
			compressions, NULL },
		{ "root-owned", 0, OPT_FLAG, &s->root_owned, NULL,
			"Everything in the image belongs to 0:0, whoever owns it here.", NULL,
			NULL },
		{ "exclude", 0, OPT_LIST, &s->excludes, "GLOB",
			"Leave out what has this name, or this path below the root. May be "
			"repeated.",
			NULL, NULL },
		{ "sign", 0, OPT_TEXT, &s->sign, "KEY",
			"Write OUT.aci.asc too, a signature of OUT.aci by this key of yours. gpg "
			"makes it.",
			NULL, NULL },
		{ "verify-reproducible", 0, OPT_FLAG, &s->verify_reproducible, NULL,
			"Build twice and fail unless both images are the same.", NULL, NULL },
		{ "overwrite", 'f', OPT_FLAG, &s->overwrite, NULL, "Replace OUT.aci if it exists.",
			NULL, NULL },
		LIMIT_OPTIONS(s->limits),
		{ NULL },
	};
	const struct command command = {
		.program = "aci-build",
		.usage = usage,
		.summary = "make an App Container image",
		.description =
			"Makes an image of a directory with `manifest` and `rootfs` in it, or of a "
			"manifest and a root file system that lie apart, and prints its image ID. "
			"OUT.aci may be - for standard output; the ID is then told on standard "
			"error.\n\n"
			"The same content gives the same image: names are sorted, owners are "
			"numbers, and times after SOURCE_DATE_EPOCH, where that is set, become "
			"SOURCE_DATE_EPOCH. Extended attributes, ACLs, hard links, devices and FIFOs "
			"are kept. Zeros, 64 KiB and more of them, are holes in the image, whether "
			"or not they are on disk.\n\n"
			"OUT.aci is read back and checked like any image before it appears; if "
			"anything goes wrong, it does not appear at all.",
		.options = options,
		.examples = examples,
		.see_also = see_also,
		.operand = take_operand,
		.context = r,
	};

	return opts_parse(&command, argc, argv, &none, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	__attribute__((cleanup(request_free))) struct request request = {
		.settings.limits = image_limits_default(),
	};
	int got = parse(&request, argc, argv, err);

	return got > 0 ? work(&request, err) : got;
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
