/* Programs with commands: finding the one that was named. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/main.h"
#include "cli/man.h"
#include "cli/nearest.h"
#include "cli/opts_scan.h"
#include "cli/out.h"

static const struct cli_command *find(const struct cli_program *program, const char *name)
{
	for (const struct cli_command *at = program->commands; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return at;
	return NULL;
}

static int fail_unknown(const struct cli_program *program, const char *name, rkt_error **err)
{
	struct nearest near = { .word = name };
	const char *best = NULL;

	for (const struct cli_command *at = program->commands; at->name; at++) {
		nearest_consider(&near, at->name);
		if (at->slip && strcmp(at->slip, name) == 0)
			best = at->name;
	}
	best = best ?: near.best;
	if (!best)
		return rkt_fail(err, RKT_USAGE, "unknown command \"%s\"", name);
	return rkt_fail(err, RKT_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", name, best);
}

/* A script of what each command completes, and of how to find them. */
static int print_completion(const struct cli_program *program, enum complete_shell shell,
	const struct command *front, rkt_error **err)
{
	auto_free struct complete_item *items = NULL;
	static const char *const names[] = {
		[COMPLETE_BASH] = "--print-completion=bash",
		[COMPLETE_ZSH] = "--print-completion=zsh",
		[COMPLETE_FISH] = "--print-completion=fish",
	};
	size_t count = 0;

	complete_start(shell, program->name);
	for (const struct cli_command *at = program->commands; at->name; at++) {
		auto_free char *title = xasprintf("%s %s", program->name, at->name);
		auto_free char *option = xstrdup(names[shell]);

		if (at->run(2, (char *[]){ title, option, NULL }, err) < 0)
			return -1;
		count++;
	}
	items = xcalloc(count + 2, sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct complete_item){ program->commands[i].name,
			program->commands[i].summary, NULL, NULL };
	items[count] = (struct complete_item){ "help", "show the help of a command", "", NULL };
	complete_print(shell, front, items);
	return 0;
}

static int answer(const struct cli_program *program, enum opts_request request, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] COMMAND [ARGUMENTS]", "help COMMAND",
		NULL };
	struct command command = {
		.program = program->name,
		.usage = usage,
		.summary = program->summary,
		.description = program->description,
		.options = program->options,
		.see_also = program->see_also,
	};
	struct manual_section sections[2] = { { .title = "Commands", .pages = program->name } };
	auto_free struct manual_item *items = NULL;
	size_t count = 0;

	if (request >= REQUEST_COMPLETION)
		return print_completion(program,
			(enum complete_shell)(request - REQUEST_COMPLETION), &command, err);
	while (program->commands[count].name)
		count++;
	items = xcalloc(count + 1, sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct manual_item){ program->commands[i].name,
			program->commands[i].summary };
	sections[0].items = items;
	if (request == REQUEST_VERSION)
		help_print_version(program->name);
	else if (request == REQUEST_PRINT_MAN)
		man_print(&(struct manual){ &command, sections });
	else
		help_print(&(struct manual){ &command, sections });
	return 0;
}

/* "help" and "help COMMAND". */
static int help(const struct cli_program *program, const char *name, rkt_error **err)
{
	const struct cli_command *command = name ? find(program, name) : NULL;
	char option[] = "--help";
	auto_free char *title = NULL;

	if (!name)
		return answer(program, REQUEST_HELP, err);
	if (!command)
		return fail_unknown(program, name, err);
	title = xasprintf("%s %s", program->name, name);
	return command->run(2, (char *[]){ title, option, NULL }, err);
}

/* Runs the command at ARGV[AT] with what came before it put after its name. */
static int run(const struct cli_program *program, int argc, char **argv, int at, rkt_error **err)
{
	const struct cli_command *command = find(program, argv[at]);
	auto_free char *title = NULL;
	auto_free char **moved = NULL;

	if (!command && strcmp(argv[at], "help") == 0)
		return help(program, argv[at + 1], err);
	if (!command)
		return fail_unknown(program, argv[at], err);
	title = xasprintf("%s %s", program->name, command->name);
	moved = xcalloc((size_t)argc + 1, sizeof *moved);
	moved[0] = title;
	for (int i = 1, to = 1; i < argc; i++)
		if (i != at)
			moved[to++] = argv[i];
	return command->run(argc - 1, moved, err);
}

int cli_dispatch(const struct cli_program *program, int argc, char **argv, rkt_error **err)
{
	enum opts_request request = REQUEST_NONE;
	auto_free struct opt *table = opts_table(program->options, &request);
	struct scan scan = { .table = table, .argc = argc, .argv = argv, .index = 1 };
	int found;

	out_set_program(program->name);
	while ((found = scan_next(&scan, err)) > 0) {
		if (!scan.opt)
			return run(program, argc, argv, scan.index - 1, err);
		/* only the standard options that ask something are answered here */
		if (scan.opt->into == &request && scan.opt->call(&request, scan.text, err) < 0)
			return -1;
		if (request)
			return answer(program, request, err);
	}
	return found < 0 ? -1 : answer(program, REQUEST_HELP, err);
}
