/* aci-validate: everything that is wrong with an image or a manifest, for people and for CI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "aci-tools/findings.h"
#include "aci/image.h"
#include "aci/pod.h"
#include "aci/unpack.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "cli/main.h"
#include "cli/out.h"

/* What is looked at to tell a manifest from an image. */
#define START_SIZE 4096

enum type { TYPE_AUTO, TYPE_IMAGE, TYPE_IMAGE_MANIFEST, TYPE_POD_MANIFEST };

static const char *const types[] = { "auto", "image", "image-manifest", "pod-manifest", NULL };

struct settings {
	int type, format;
	bool json, strict, list_rules;
};

/* One file being looked at. */
struct subject {
	const char *file;
	enum type type;
	int fd;
	struct buf start; /* what was read to find out the type */
	check *found;
};

static void subject_free(struct subject *s)
{
	scope_close(&s->fd);
	buf_free(&s->start);
	check_free(s->found);
}

/* ---- which type ------------------------------------------------------------------------------ */

/* A manifest is a JSON object; no archive and no compressed stream begins like one. */
static bool looks_like_json(struct slice start)
{
	size_t i = 0;

	while (i < start.len && memchr(" \t\r\n", start.data[i], 4))
		i++;
	return i < start.len && start.data[i] == '{';
}

/* Text that is no JSON at all is reported by whichever schema reads it. */
static enum type manifest_type(struct slice bytes)
{
	auto_json json *root = json_parse(bytes, NULL);
	const char *kind = root ? json_string(json_get(root, "acKind")) : NULL;

	if (kind &&
		(strcmp(kind, "PodManifest") == 0 || strcmp(kind, "ContainerRuntimeManifest") == 0))
		return TYPE_POD_MANIFEST;
	return TYPE_IMAGE_MANIFEST;
}

static int read_start(struct subject *s, rkt_error **err)
{
	ssize_t got;

	s->fd = file_open(s->file, err);
	if (s->fd < 0)
		return -1;
	got = fd_read_full(s->fd, buf_reserve(&s->start, START_SIZE), START_SIZE, err);
	if (got < 0)
		return -1;
	s->start.len = (size_t)got;
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

/* An archive that is none breaks a rule of archives, wherever that came to light. */
static int note_unpack_error(struct subject *s, rkt_error **err)
{
	auto_error rkt_error *same = NULL;

	if (rkt_error_kind(*err) == RKT_INVALID)
		check_report(s->found, "tar-format", NULL, &same, "%s", rkt_error_message(*err));
	return -1;
}

static int look_at_image(struct subject *s, rkt_error **err)
{
	const struct image_options options = { .check = s->found };
	source *in = file_source_joined(buf_slice(&s->start), source_from_fd(pass_fd(s->fd)));

	in = source_unpack(in, &unpack_limits_default, NULL, err);
	if (!in)
		return note_unpack_error(s, err);
	return image_read_through(source_threaded(in), &options, err);
}

static int look_at_manifest(struct subject *s, rkt_error **err)
{
	auto_image_manifest struct image_manifest *image = NULL;
	auto_pod_manifest struct pod_manifest *pod = NULL;
	struct slice bytes;

	if (fd_read_rest(s->fd, MANIFEST_SIZE_MAX - s->start.len, &s->start, err) < 0) {
		if (rkt_error_kind(*err) == RKT_INVALID)
			check_report(s->found, "layout-manifest-size", NULL, NULL,
				"the manifest has more than %d bytes", MANIFEST_SIZE_MAX);
		return -1;
	}
	bytes = buf_slice(&s->start);
	if (s->type == TYPE_AUTO)
		s->type = manifest_type(bytes);
	if (s->type == TYPE_POD_MANIFEST)
		pod = pod_manifest_parse(bytes, s->found, err);
	else
		image = image_manifest_parse(bytes, s->found, err);
	return pod || image ? 0 : -1;
}

static int look(struct subject *s, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", s->file);

	if (read_start(s, err) < 0)
		return -1;
	if (s->type == TYPE_AUTO && !looks_like_json(buf_slice(&s->start)))
		s->type = TYPE_IMAGE;
	return s->type == TYPE_IMAGE ? look_at_image(s, err) : look_at_manifest(s, err);
}

/* Prints what is found in FILE. */
static enum outcome validate(const struct settings *settings, const char *file)
{
	__attribute__((cleanup(subject_free))) struct subject s = {
		.file = file,
		.type = (enum type)settings->type,
		.fd = -1,
		.found = check_new(CHECK_ALL),
	};
	auto_error rkt_error *error = NULL;
	struct verdict v = { .file = file, .found = s.found };
	int failed = look(&s, &error);

	/* what breaks a rule is among the findings already */
	if (failed && rkt_error_kind(error) != RKT_INVALID) {
		v.outcome = OUTCOME_UNKNOWN;
		v.unknown_why = rkt_error_message(error);
	} else if (failed || check_count(s.found, SEVERITY_ERROR)) {
		v.outcome = OUTCOME_INVALID;
	} else if (settings->strict && check_count(s.found, SEVERITY_WARNING)) {
		v.outcome = OUTCOME_INVALID;
	}
	v.type = s.type == TYPE_AUTO ? "file" : types[s.type];
	findings_print((enum format)settings->format, &v);
	return v.outcome;
}

static int validate_all(const struct settings *settings, const struct operands *files)
{
	enum outcome worst = OUTCOME_VALID;

	for (size_t i = 0; i < files->count; i++) {
		enum outcome one = validate(settings, files->items[i]);

		if (one > worst)
			worst = one;
	}
	return (int)worst;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct command_example examples[] = {
	{ "aci-validate nginx.aci", "every finding on a line, and a verdict" },
	{ "aci-validate --strict --format=github *.aci",
		"in a workflow of GitHub, warnings count" },
	{ "aci-validate --type=pod-manifest pod.json", "a pod manifest" },
	{ "aci-validate --json a.aci | jq .findings", "for programs" },
	{ "aci-validate --list-rules", "all the rules, with the text each comes from" },
	{ NULL, NULL },
};

static const char *const formats[] = { "text", "json", "github", NULL };
static const char *const usage[] = { "[OPTIONS] FILE...", "--list-rules", NULL };
static const char *const see_also[] = { "aci-hash(1)", "aci-build(1)", NULL };

static enum opts_result parse(
	struct settings *settings, int argc, char **argv, struct operands *files, rkt_error **err)
{
	const struct opt options[] = {
		{ "type", 0, OPT_CHOICE, &settings->type, NULL,
			"What the files are. `auto` tells by content.", types, NULL },
		{ "format", 0, OPT_CHOICE, &settings->format, NULL,
			"How to print findings: for people, one JSON object for each file, or "
			"annotations of a GitHub workflow.",
			formats, NULL },
		{ "json", 0, OPT_FLAG, &settings->json, NULL, "The same as --format=json.", NULL,
			NULL },
		{ "strict", 0, OPT_FLAG, &settings->strict, NULL,
			"Warnings make a file invalid too.", NULL, NULL },
		{ "list-rules", 0, OPT_FLAG, &settings->list_rules, NULL,
			"Print all rules: name, severity, what is right, where it is written.",
			NULL, NULL },
		{ NULL },
	};
	const struct command command = {
		.program = "aci-validate",
		.usage = usage,
		.summary = "say all that is wrong with App Container images and manifests",
		.description =
			"Reads images (plain or compressed by gzip, bzip2, xz or zstd), image "
			"manifests and pod manifests, and prints every breach of the App Container "
			"specification and of safety, not the first only: severity, place, what was "
			"found, and the name of the rule. - is standard input.\n\n"
			"With --quiet, only errors are printed.",
		.options = options,
		.examples = examples,
		.exit_status = "0 all files are valid, 1 at least one is not, 2 at least one could "
			       "not be judged (no such file, no permission, wrong usage).",
		.see_also = see_also,
		.operands_min = 0,
		.operands_max = -1,
	};

	return opts_parse(&command, argc, argv, files, err);
}

static int run(int argc, char **argv, rkt_error **err)
{
	struct settings settings = { 0 };
	struct operands files = { 0 };
	int status = 0;

	switch (parse(&settings, argc, argv, &files, err)) {
	case OPTS_DONE:
		return 0;
	case OPTS_BAD:
		return -1;
	case OPTS_RUN:
		break;
	}
	if (settings.json)
		settings.format = FORMAT_JSON;
	if (settings.list_rules)
		findings_list_rules((enum format)settings.format);
	else if (!files.count)
		status = rkt_fail(err, RKT_USAGE, "no file to look at");
	else
		status = validate_all(&settings, &files);
	free(files.items);
	return status;
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, OUTCOME_UNKNOWN);
}
