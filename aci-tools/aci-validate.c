/* aci-validate: everything that is wrong with an image or a manifest, for people and for CI. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aci-tools/findings.h"
#include "aci-tools/limits.h"
#include "aci-tools/subject.h"
#include "base/alloc.h"
#include "cli/main.h"
#include "cli/out.h"

struct settings {
	int type, format;
	bool json, strict, list_rules, render;
	const char *signature_file;
	struct opts_list keyrings;
	struct signature signature; /* made of both */
	struct image_limits limits;
};

/* Reports what is found in FILE. */
static enum outcome validate(
	const struct settings *settings, struct report *report, const char *file)
{
	__attribute__((cleanup(subject_free))) struct subject s = {
		.file = file,
		.type = (enum subject_type)settings->type,
		.render = settings->render,
		.limits = &settings->limits,
		.signature = settings->signature_file ? &settings->signature : NULL,
		.fd = -1,
		.found = check_new(CHECK_ALL),
	};
	auto_error rkt_error *error = NULL;
	struct verdict v = { .file = file, .found = s.found, .strict = settings->strict };
	int failed = subject_look(&s, &error);

	/* what breaks a rule is among the findings already */
	if (failed && rkt_error_kind(error) != RKT_INVALID) {
		v.outcome = OUTCOME_UNKNOWN;
		v.unknown_why = rkt_error_message(error);
	} else if (failed || check_count(s.found, SEVERITY_ERROR)) {
		v.outcome = OUTCOME_INVALID;
	} else if (settings->strict && check_count(s.found, SEVERITY_WARNING)) {
		v.outcome = OUTCOME_INVALID;
	}
	v.type = s.type == SUBJECT_AUTO ? "file" : subject_types[s.type];
	report_add(report, &v);
	return v.outcome;
}

static int validate_all(const struct settings *settings, const struct operands *files)
{
	enum outcome worst = OUTCOME_VALID;
	struct report report;

	report_start(&report, (enum format)settings->format);
	for (size_t i = 0; i < files->count; i++) {
		enum outcome one = validate(settings, &report, files->items[i]);

		if (one > worst)
			worst = one;
	}
	report_end(&report);
	return (int)worst;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct command_example examples[] = {
	{ "aci-validate nginx.aci", "every finding on a line, and a verdict" },
	{ "aci-validate --strict --format=github *.aci",
		"in a workflow of GitHub, warnings count" },
	{ "aci-validate --type=pod-manifest pod.json", "a pod manifest" },
	{ "aci-validate --json a.aci | jq .findings", "for programs" },
	{ "aci-validate --signature a.aci.asc --keyring keys.asc a.aci",
		"also whether one of these keys signed it" },
	{ "aci-validate nginx/", "a directory with a manifest and a rootfs" },
	{ "aci-validate --list-rules", "all the rules, with the text each comes from" },
	{ NULL, NULL },
};

static const char *const formats[] = { "text", "json", "github", "junit", "sarif", NULL };
static const char *const usage[] = { "[OPTIONS] FILE...", "--list-rules", NULL };
static const char *const see_also[] = { "aci-hash(1)", "aci-build(1)", NULL };

static int parse(
	struct settings *settings, int argc, char **argv, struct operands *files, rkt_error **err)
{
	const struct opt options[] = {
		{ "type", 0, OPT_CHOICE, &settings->type, NULL,
			"What the files are. `auto` tells by content; a directory is a layout.",
			subject_types, NULL },
		{ "format", 0, OPT_CHOICE, &settings->format, NULL,
			"How to print findings: for people, one JSON object for each file, "
			"annotations of a GitHub workflow, JUnit's XML, or SARIF 2.1.0.",
			formats, NULL },
		{ "json", 0, OPT_FLAG, &settings->json, NULL, "The same as --format=json.", NULL,
			NULL },
		{ "strict", 0, OPT_FLAG, &settings->strict, NULL,
			"Warnings make a file invalid too.", NULL, NULL },
		{ "render-check", 0, OPT_FLAG, &settings->render, NULL,
			"Also look whether a tree could be made of the image: device numbers, "
			"sizes, attributes and ACLs that the store's index can show.",
			NULL, NULL },
		{ "signature", 0, OPT_TEXT, &settings->signature_file, "SIG",
			"Also check that SIG is a detached signature of the file by a key of "
			"--keyring. For one file at a time.",
			NULL, NULL },
		{ "keyring", 0, OPT_LIST, &settings->keyrings, "KEYS",
			"A file with OpenPGP public keys, armored or not. May be repeated.", NULL,
			NULL },
		{ "list-rules", 0, OPT_FLAG, &settings->list_rules, NULL,
			"Print all rules: name, severity, what is right, where it is written.",
			NULL, NULL },
		LIMIT_OPTIONS(settings->limits),
		{ NULL },
	};
	const struct command command = {
		.program = "aci-validate",
		.usage = usage,
		.summary = "say all that is wrong with App Container images and manifests",
		.description =
			"Reads images (plain or compressed by gzip, bzip2, xz or zstd), image "
			"manifests, pod manifests and image layouts (directories), and prints every "
			"breach of the App Container specification and of safety, not the first "
			"only: severity, place, what was found, the name of the rule, and what "
			"would be right. - is standard input.\n\n"
			"With --quiet, only errors are printed, and without what would be right.",
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

/* --signature and --keyring make sense only together, and for one file. */
static int check_signature_options(
	struct settings *settings, const struct operands *files, rkt_error **err)
{
	if (!settings->signature_file != !settings->keyrings.count)
		return rkt_fail(err, RKT_USAGE, "--signature and --keyring go together");
	if (settings->signature_file && files->count > 1)
		return rkt_fail(err, RKT_USAGE, "a signature is one of one file");
	settings->signature =
		(struct signature){ settings->signature_file, settings->keyrings.items };
	return 0;
}

static int work(struct settings *settings, const struct operands *files, rkt_error **err)
{
	if (settings->json)
		settings->format = FORMAT_JSON;
	if (settings->list_rules && files->count)
		return rkt_fail(err, RKT_USAGE, "--list-rules looks at no file: leave out '%s'",
			files->items[0]);
	if (settings->list_rules) {
		findings_list_rules((enum format)settings->format);
		return 0;
	}
	if (!files->count)
		return rkt_fail(err, RKT_USAGE, "no file to look at");
	if (check_signature_options(settings, files, err) < 0)
		return -1;
	return validate_all(settings, files);
}

static int run(int argc, char **argv, rkt_error **err)
{
	struct settings settings = { .limits = image_limits_default() };
	auto_operands struct operands files = { NULL };
	int result = parse(&settings, argc, argv, &files, err);

	if (result > 0)
		result = work(&settings, &files, err);
	free(settings.keyrings.items);
	return result;
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, OUTCOME_UNKNOWN);
}
