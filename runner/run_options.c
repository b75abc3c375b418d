/* The options of rkt-run: those of the pod, and those of the app whose image stands before them. */
#include "runner/run.h"

#include <stdlib.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/str.h"
#include "cli/complete.h"
#include "runner/option.h"

const char *const run_nets[] = { "none", "host", NULL };
const char *const run_pull_policies[] = { "new", "update", "never", NULL };

static const char *const tree_forms[] = { "auto", "erofs", "extracted", NULL };

/* ---- options of one app: they belong to the image before them -------------------------------- */

static struct app_request *last_app(struct run_options *run, const char *what, rkt_error **err)
{
	if (run->app_count)
		return &run->apps[run->app_count - 1];
	rkt_fail(err, RKT_USAGE, "%s: belongs behind the image it is meant for", what);
	return NULL;
}

static void add_text(const char ***list, size_t *count, const char *text)
{
	*list = xreallocarray(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = text;
}

static int take_operand(void *context, const char *text, bool after_dashes, rkt_error **err)
{
	struct run_options *run = context;
	struct app_request *app;

	if (!after_dashes) {
		run->apps = xreallocarray(run->apps, run->app_count + 1, sizeof *run->apps);
		run->apps[run->app_count++] = (struct app_request){ .image = text };
		return 0;
	}
	app = last_app(run, text, err);
	if (!app || str_check_utf8(text, err) < 0)
		return -1;
	add_text(&app->args, &app->arg_count, text);
	return 0;
}

static int take_name(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--name", err);
	const char *why = NULL;

	if (!app)
		return -1;
	if (!ac_name_is(value, &why))
		return rkt_fail(err, RKT_USAGE, "app name \"%s\": %s", value, why);
	app->name = value;
	return 0;
}

static int take_exec(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--exec", err);

	if (!app)
		return -1;
	if (!*value)
		return rkt_fail(err, RKT_USAGE, "--exec: must not be empty");
	if (str_check_utf8(value, err) < 0)
		return -1;
	app->exec = value;
	return 0;
}

/* An empty one, as of a variable that is not set, is none, and not the same as none given. */
static int check_account(const char *option, const char *value, rkt_error **err)
{
	return *value ? str_check_utf8(value, err)
		      : rkt_fail(err, RKT_USAGE, "%s: must not be empty", option);
}

static int take_user(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--user", err);

	if (!app || check_account("--user", value, err) < 0)
		return -1;
	app->user = value;
	return 0;
}

static int take_group(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--group", err);

	if (!app || check_account("--group", value, err) < 0)
		return -1;
	app->group = value;
	return 0;
}

static int take_working_dir(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--working-dir", err);

	if (!app)
		return -1;
	if (value[0] != '/')
		return rkt_fail(err, RKT_USAGE, "--working-dir: %s is not an absolute path", value);
	if (str_check_utf8(value, err) < 0)
		return -1;
	app->working_dir = value;
	return 0;
}

static int take_environment(void *into, const char *value, rkt_error **err)
{
	struct app_request *app = last_app(into, "--environment", err);

	if (!app || compose_check_environment(value, err) < 0)
		return -1;
	add_text(&app->environment, &app->environment_count, value);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const char *const usage[] = {
	"[POD OPTIONS] IMAGE [APP OPTIONS] [-- ARGS...]",
	"[POD OPTIONS] IMAGE [APP OPTIONS] [-- ARGS...] [--- IMAGE ...]",
	NULL,
};

static const char description[] =
	"Makes a pod of one or more images and runs it until its apps have ended.\n\n"
	"IMAGE is an image ID, the first eight or more digits of one, a file, which is imported "
	"first, a URL, or the name of an image: one in the store, else one that is fetched, as "
	"rkt-store fetch does. What follows \"--\" is added to the "
	"arguments of the image before it; \"---\" ends that, and the next image may follow.\n\n"
	"App options (--name, --exec, --user, --group, --working-dir, --environment) belong to "
	"the image before them. All others are for the pod and may stand anywhere before "
	"\"--\".\n\n"
	"Needs root: pods are made of mounts and namespaces.";

static const char exit_status[] =
	"That of the first app that failed, else 0; 128 and the number of the signal for an app "
	"that was killed by one; 127 when the program of an app does not exist, 126 when it cannot be "
	"executed; 254 when the pod could not be made or run; 2 for wrong usage.";

static const struct command_example examples[] = {
	{ "rkt-run sha256-f9215c3b",
		"Runs an image of the store, named by the beginning of its ID." },
	{ "rkt-run app.aci --environment MODE=test -- --verbose",
		"Imports a file and runs it with a variable and an argument of your own." },
	{ "rkt-run -volume database:/tmp main.aci sidekick.aci",
		"Runs two images in one pod; both see /tmp of the host as their volume database." },
	{ 0 },
};

#define CHOICE(name_, into_, choices_, help_)                                          \
	{                                                                              \
		.name = name_, .kind = OPT_CHOICE, .into = into_, .choices = choices_, \
		.help = help_                                                          \
	}
#define APP(name_, call_, argument_, help_)                                      \
	{                                                                        \
		.name = name_, .kind = OPT_CALL, .into = options, .call = call_, \
		.argument = argument_, .help = help_                             \
	}

static const char *const insecure_words[] = { "image", "tls", "http", "all-fetch", "none", NULL };

int run_options_parse(struct run_options *options, int argc, char **argv, rkt_error **err)
{
	const struct opt table[] = {
		OPTION(OPT_TEXT, "dir", &options->dir, "DIR",
			"The data directory, instead of $RKT_DIR, else the configured one, else /var/lib/rkt."),
		OPTION(OPT_LIST, "volume", &options->volumes, "VOLUME",
			"A volume for the mount points of its name: NAME:PATH, or "
			"NAME,kind=host,source=PATH[,readOnly=true][,recursive=false], or "
			"NAME,kind=empty[,mode=0755][,uid=N][,gid=N]. May be repeated."),
		CHOICE("pull-policy", &options->pull_policy, run_pull_policies,
			"When the web is asked for images: new, for what is not in the store; update, "
			"whether there is something newer; never. new without it."),
		{ .name = "insecure-options",
			.kind = OPT_TEXT,
			.into = &options->insecure,
			.argument = "WORD,...",
			.choices = insecure_words,
			.help = "What rkt-store fetch may do without: image, tls, http, all-fetch; none." },
		CHOICE("net", &options->net, run_nets,
			"The network of the pod: its own with nothing but a loopback device, or "
			"the host's."),
		OPTION(OPT_TEXT, "hostname", &options->hostname, "NAME",
			"The host name of the pod."),
		OPTION(OPT_FLAG, "interactive", &options->interactive, NULL,
			"Give the app, of which there must be one, a terminal and standard input."),
		OPTION(OPT_TEXT, "uuid-file-save", &options->uuid_file, "FILE",
			"Write the UUID of the pod to FILE before it starts."),
		OPTION(OPT_TEXT, "stage1-path", &options->stage1_path, "FILE",
			"The stage1 image, instead of $RKT_STAGE1_PATH, else the one installed."),
		CHOICE("tree", &options->tree, tree_forms,
			"How images become file systems: by EROFS where the kernel can, always by "
			"EROFS, or extracted."),
		APP("name", take_name, "NAME",
			"App: its name, instead of one made from the image's."),
		APP("exec", take_exec, "PATH",
			"App: what to execute, instead of the image's program and arguments."),
		APP("user", take_user, "USER", "App: the user, by name, number or path."),
		APP("group", take_group, "GROUP", "App: the group, by name, number or path."),
		APP("working-dir", take_working_dir, "PATH", "App: the directory it starts in."),
		APP("environment", take_environment, "NAME=VALUE",
			"App: a variable, added or in place of the image's. May be repeated."),
		OPTION(OPT_FLAG, "debug", &options->debug, NULL,
			"Say on standard error what is being done; stage1 too."),
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-run",
		.usage = usage,
		.summary = "run images as a pod",
		.description = description,
		.options = table,
		.examples = examples,
		.exit_status = exit_status,
		.see_also = (const char *const[]){ "rkt-pod(1)", "rkt-store(1)", NULL },
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 1,
		.operands_max = -1,
		.operand = take_operand,
		.context = options,
	};
	struct operands none;

	return opts_parse(&command, argc, argv, &none, err);
}

void run_options_free(struct run_options *options)
{
	for (size_t i = 0; i < options->app_count; i++) {
		free(options->apps[i].args);
		free(options->apps[i].environment);
	}
	free(options->apps);
	free(options->volumes.items);
	*options = (struct run_options){ 0 };
}
