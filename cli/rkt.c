/* rkt, the front command: a table that says which program does what, and the way there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/main.h"
#include "cli/man.h"
#include "cli/nearest.h"
#include "cli/opts_scan.h"
#include "cli/out.h"

#define APPC_VERSION "0.8.11"

struct front_command {
	const char *name;       /* one word, or two: "image list" */
	const char *program;    /* NULL: answered here */
	const char *subcommand; /* of PROGRAM, or NULL */
	const char *summary;
};

struct front_group {
	const char *title;
	const struct front_command *commands;
};

static const struct front_command pods[] = {
	{ "run", "rkt-run", NULL, "run images as a pod" },
	{ "list", "rkt-pod", "list", "list pods" },
	{ "status", "rkt-pod", "status", "show the state of a pod and how its apps ended" },
	{ "rm", "rkt-pod", "rm", "remove pods that have ended" },
	{ "gc", "rkt-pod", "gc", "remove pods that ended some time ago" },
	{ 0 },
};

static const struct front_command images[] = {
	{ "fetch", "rkt-store", "fetch", "bring images into the store and print their IDs" },
	{ "import", "rkt-store", "import", "bring image files into the store" },
	{ "image list", "rkt-store", "list", "list the images in the store" },
	{ "image info", "rkt-store", "info", "show what the store knows of an image" },
	{ "image cat-manifest", "rkt-store", "cat-manifest", "print the manifest of an image" },
	{ "image export", "rkt-store", "export", "write an image from the store to a file" },
	{ "image extract", "rkt-store", "extract", "unpack an image into a directory" },
	{ "image render", "rkt-store", "render", "make the root file system of an image" },
	{ "image rm", "rkt-store", "rm", "remove images from the store" },
	{ "image gc", "rkt-store", "gc", "remove images nobody uses" },
	{ "image stat", "rkt-store", "stat", "show what the store takes" },
	{ "image verify", "rkt-store", "verify", "look for damaged images" },
	{ 0 },
};

static const struct front_command others[] = {
	{ "init", "rkt-store", "init", "make the store, or share it with a group" },
	{ "trust", "rkt-store", "trust", "say whose signatures count" },
	{ "config", "rkt-store", "config", "print the configuration in effect" },
	{ "help", NULL, NULL, "list all commands, or show the help of one" },
	{ "version", NULL, NULL, "print the versions of rkt and of App Container" },
	{ 0 },
};

static const struct front_group groups[] = {
	{ "Pods", pods },
	{ "Images", images },
	{ "Other", others },
	{ 0 },
};

/* The options are handed on by the environment, which all our programs read. */
static int set_variable(
	const char *variable, const char *option, const char *value, rkt_error **err)
{
	if (!*value)
		return rkt_fail(
			err, RKT_USAGE, "option '%s' needs the name of a directory", option);
	if (setenv(variable, value, 1) < 0)
		return rkt_fail_errno(err, "set %s", variable);
	return 0;
}

static int set_dir(void *into, const char *value, rkt_error **err)
{
	(void)into;
	return set_variable("RKT_DIR", "--dir", value, err);
}

static int set_system_config(void *into, const char *value, rkt_error **err)
{
	(void)into;
	return set_variable("RKT_SYSTEM_CONFIG", "--system-config", value, err);
}

static int set_local_config(void *into, const char *value, rkt_error **err)
{
	(void)into;
	return set_variable("RKT_LOCAL_CONFIG", "--local-config", value, err);
}

static int set_user_config(void *into, const char *value, rkt_error **err)
{
	(void)into;
	return set_variable("RKT_USER_CONFIG", "--user-config", value, err);
}

static const struct opt options[] = {
	{ .name = "dir",
		.kind = OPT_CALL,
		.call = set_dir,
		.argument = "DIR",
		.help = "The data directory, instead of $RKT_DIR, else the configured one, else "
			"/var/lib/rkt for root and $XDG_DATA_HOME/rkt for others." },
	{ .name = "system-config",
		.kind = OPT_CALL,
		.call = set_system_config,
		.argument = "DIR",
		.help = "Configuration of the system, instead of $RKT_SYSTEM_CONFIG, else "
			"/usr/lib/rkt." },
	{ .name = "local-config",
		.kind = OPT_CALL,
		.call = set_local_config,
		.argument = "DIR",
		.help = "Configuration of the administrator, instead of $RKT_LOCAL_CONFIG, else "
			"/etc/rkt." },
	{ .name = "user-config",
		.kind = OPT_CALL,
		.call = set_user_config,
		.argument = "DIR",
		.help = "Configuration of the user, instead of $RKT_USER_CONFIG, else for ordinary "
			"users $XDG_CONFIG_HOME/rkt or ~/.config/rkt." },
	{ 0 },
};

static const char *const usage[] = { "[OPTIONS] COMMAND [ARGUMENTS]", "help COMMAND", NULL };
static const char *const image_usage[] = { "[OPTIONS] image COMMAND [ARGUMENTS]", NULL };
static const char *const see_also[] = { "rkt-run(1)", "rkt-pod(1)", "rkt-store(1)", "aci-hash(1)",
	"aci-validate(1)", "aci-extract(1)", "aci-build(1)", NULL };
static const char exit_status[] =
	"That of the command. Of rkt's own: 1 when the program cannot be run, 2 for an unknown "
	"command or option.";

static const struct command_example examples[] = {
	{ "rkt fetch app.aci", "Brings an image into the store and prints its ID." },
	{ "rkt run sha256-f9215c3b", "Runs it; the exit status is the app's." },
	{ "rkt -dir /srv/rkt image list", "Lists the images of another store." },
	{ 0 },
};

static const struct command front = {
	.program = "rkt",
	.usage = usage,
	.summary = "run App Container images and look after them",
	.description =
		"rkt is the one name for all of Rocket: it finds the program that does what COMMAND "
		"says, beside itself first, and becomes it.\n\n"
		"Options before COMMAND hold for any command. The others are those of the program: "
		"'rkt help COMMAND' shows them. A long option may be written with one dash, as in "
		"-volume database:/tmp.",
	.options = options,
	.examples = examples,
	.exit_status = exit_status,
	.see_also = see_also,
};

static const struct command front_image = {
	.program = "rkt",
	.usage = image_usage,
	.description = "What can be done with the images in the store. 'rkt help image COMMAND' "
		       "shows more of each.",
	.options = options,
};

/* ---- help ----------------------------------------------------------------------------------- */

static struct manual_item *list_items(const struct front_command *commands, const char *prefix)
{
	struct manual_item *items;
	size_t count = 0, kept = 0;

	while (commands[count].name)
		count++;
	items = xcalloc(count + 1, sizeof *items);
	for (; commands->name; commands++)
		if (strncmp(commands->name, prefix, strlen(prefix)) == 0)
			items[kept++] = (struct manual_item){ commands->name, commands->summary };
	return items;
}

static int print_completion(enum complete_shell shell)
{
	auto_free struct complete_item *items = NULL;
	size_t count = 0;

	for (const struct front_group *group = groups; group->title; group++)
		for (const struct front_command *at = group->commands; at->name; at++) {
			items = xreallocarray(items, count + 2, sizeof *items);
			items[count++] = (struct complete_item){ at->name, at->summary,
				at->program ?: "", at->subcommand };
			items[count] = (struct complete_item){ 0 };
		}
	complete_start(shell, front.program);
	complete_print(shell, &front, items);
	return 0;
}

/* Answers for rkt itself, or for a part of it: the commands whose name begins with PREFIX. */
static int answer(const struct command *command, const char *prefix, enum opts_request request)
{
	struct manual_section sections[ARRAY_LEN(groups)] = { 0 };
	struct manual_item *lists[ARRAY_LEN(groups)] = { 0 };
	struct manual manual = { command, sections };
	size_t shown = 0;

	if (request >= REQUEST_COMPLETION)
		return print_completion((enum complete_shell)(request - REQUEST_COMPLETION));
	for (size_t i = 0; groups[i].title; i++) {
		lists[i] = list_items(groups[i].commands, prefix);
		if (lists[i]->name)
			sections[shown++] =
				(struct manual_section){ groups[i].title, lists[i], NULL };
	}
	if (request == REQUEST_VERSION)
		help_print_version("rkt");
	else if (request == REQUEST_PRINT_MAN)
		man_print(&manual);
	else
		help_print(&manual);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		free(lists[i]);
	return 0;
}

/* ---- finding and running -------------------------------------------------------------------- */

/* Replaces this process by PROGRAM: the one beside this file, the installed one, or that in
 * PATH. */
static int exec_program(const char *program, char **argv, rkt_error **err)
{
	auto_free char *self = proc_self_path(err);
	auto_free char *beside = NULL, *installed = xasprintf("%s/%s", RKT_BINDIR, program);
	char *slash = self ? strrchr(self, '/') : NULL;

	if (!slash)
		return -1;
	beside = xasprintf("%.*s/%s", (int)(slash - self), self, program);
	execv(beside, argv);
	if (errno == ENOENT)
		execv(installed, argv);
	if (errno == ENOENT)
		execvp(program, argv);
	return rkt_fail_errno(
		err, "run %s (looked for beside rkt, in %s and in PATH)", program, RKT_BINDIR);
}

/* What was given to rkt: options to hand on, then the words of the command and its arguments. */
struct request {
	char **passed;
	size_t passed_count;
	char **words; /* NULL-terminated; lent by argv */
};

static int exec_command(
	const struct front_command *command, const struct request *request, rkt_error **err)
{
	char **words = request->words + (strchr(command->name, ' ') ? 2 : 1);
	auto_free char **argv = NULL;
	auto_free char *program = xstrdup(command->program);
	auto_free char *subcommand = xstrdup_if(command->subcommand);
	size_t count = 0, to = 0;

	while (words[count])
		count++;
	argv = xcalloc(count + request->passed_count + 3, sizeof *argv);
	argv[to++] = program;
	if (subcommand)
		argv[to++] = subcommand;
	for (size_t i = 0; i < request->passed_count; i++)
		argv[to++] = request->passed[i];
	memcpy(argv + to, words, count * sizeof *argv);
	return exec_program(command->program, argv, err);
}

/* Whether the first words of WORDS are NAME, which has one or two. */
static bool is_named(const char *name, char **words)
{
	const char *space = strchrnul(name, ' ');
	size_t len = (size_t)(space - name);

	if (strlen(words[0]) != len || memcmp(words[0], name, len) != 0)
		return false;
	return !*space || (words[1] && strcmp(words[1], space + 1) == 0);
}

/* Whether NAME is WORD, with or without "image" before it. */
static bool is_about(const char *name, const char *word)
{
	const char *space = strchr(name, ' ');

	return strcmp(space ? space + 1 : name, word) == 0;
}

/* Returns NULL with *ERR set, and the nearest known command in it, when there is none. */
static const struct front_command *find(char **words, rkt_error **err)
{
	bool two = strcmp(words[0], "image") == 0 && words[1];
	auto_free char *name = xasprintf("%s%s%s", words[0], two ? " " : "", two ? words[1] : "");
	struct nearest near = { .word = name };
	const char *best = NULL;

	nearest_consider(&near, "image");
	for (const struct front_group *group = groups; group->title; group++)
		for (const struct front_command *at = group->commands; at->name; at++) {
			if (is_named(at->name, words))
				return at;
			if (is_about(at->name, words[two]))
				best = at->name;
			nearest_consider(&near, at->name);
		}
	best = best ?: near.best;
	if (best)
		rkt_fail(
			err, RKT_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", name, best);
	else
		rkt_fail(err, RKT_USAGE, "unknown command \"%s\"", name);
	return NULL;
}

/* "image" alone, or with a question: the list of its commands. */
static bool asks_for_image_help(char **words)
{
	return strcmp(words[0], "image") == 0 &&
	       (!words[1] || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
		       strcmp(words[1], "-help") == 0 || strcmp(words[1], "help") == 0);
}

static int print_version(void)
{
	printf("rkt version %s\nappc version %s\n", PACKAGE_VERSION, APPC_VERSION);
	return 0;
}

/* "help", "help run", "help image list": WORDS are those after "help". */
static int help(char **words, rkt_error **err)
{
	const struct front_command *command;
	char option[] = "--help";
	char *passed[] = { option };

	if (!words[0])
		return answer(&front, "", REQUEST_HELP);
	if (asks_for_image_help(words))
		return answer(&front_image, "image ", REQUEST_HELP);
	command = find(words, err);
	if (!command)
		return -1;
	if (!command->program)
		return answer(&front, "", REQUEST_HELP);
	return exec_command(command, &(struct request){ passed, 1, words }, err);
}

static int run_command(const struct request *request, rkt_error **err)
{
	const struct front_command *command;

	if (asks_for_image_help(request->words))
		return answer(&front_image, "image ", REQUEST_HELP);
	command = find(request->words, err);
	if (!command)
		return -1;
	if (command->program)
		return exec_command(command, request, err);
	if (strcmp(command->name, "help") == 0)
		return help(request->words + 1, err);
	if (request->words[1])
		return rkt_fail(err, RKT_USAGE, "unexpected operand '%s'", request->words[1]);
	return print_version();
}

/* Notes an option that the program shall get: the standard ones, as they are all spelt. */
static void pass_on(struct request *request, const struct opt *opt)
{
	request->passed =
		xreallocarray(request->passed, request->passed_count + 1, sizeof *request->passed);
	request->passed[request->passed_count++] = xasprintf("--%s", opt->name);
}

static void request_free(struct request *request)
{
	for (size_t i = 0; i < request->passed_count; i++)
		free(request->passed[i]);
	free(request->passed);
}

static int run(int argc, char **argv, rkt_error **err)
{
	enum opts_request asked = REQUEST_NONE;
	auto_free struct opt *table = opts_table(options, &asked);
	__attribute__((cleanup(request_free))) struct request request = { 0 };
	struct scan scan = { .table = table, .argc = argc, .argv = argv, .index = 1 };
	int found;

	out_set_program("rkt");
	while ((found = scan_next(&scan, err)) > 0) {
		if (!scan.opt) {
			request.words = argv + scan.index - 1;
			return run_command(&request, err);
		}
		if (scan.opt->call(scan.opt->into, scan.text, err) < 0)
			return -1;
		if (asked != REQUEST_NONE)
			return answer(&front, "", asked);
		if (scan.opt->into == &asked)
			pass_on(&request, scan.opt);
	}
	return found < 0 ? -1 : answer(&front, "", REQUEST_HELP);
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
