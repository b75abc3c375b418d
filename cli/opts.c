/* What options mean: values are checked and stored, operands counted, questions answered. */
#include "cli/opts.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/nearest.h"
#include "cli/opts_scan.h"
#include "cli/out.h"

void opts_list_add(struct opts_list *list, const char *text)
{
	list->items = xreallocarray(list->items, list->count + 2, sizeof *list->items);
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
}

static int fail_choice(const struct opt *opt, const char *text, rkt_error **err)
{
	struct nearest near = { .word = text };
	auto_buf struct buf known = { 0 };

	for (size_t i = 0; opt->choices[i]; i++) {
		nearest_consider(&near, opt->choices[i]);
		buf_printf(&known, "%s%s", i ? ", " : "", opt->choices[i]);
	}
	if (near.best)
		return rkt_fail(err, RKT_USAGE,
			"option '--%s': unknown value '%s'; did you mean '%s'?", opt->name, text,
			near.best);
	return rkt_fail(err, RKT_USAGE, "option '--%s': unknown value '%s'; known are %s",
		opt->name, text, buf_text(&known));
}

static int store_choice(const struct opt *opt, const char *text, rkt_error **err)
{
	for (int i = 0; opt->choices[i]; i++) {
		if (strcmp(opt->choices[i], text) != 0)
			continue;
		*(int *)opt->into = i;
		return 0;
	}
	return fail_choice(opt, text, err);
}

static int store(const struct opt *opt, const char *text, rkt_error **err)
{
	auto_free char *what = xasprintf("option '--%s'", opt->name);

	switch (opt->kind) {
	case OPT_FLAG:
		*(bool *)opt->into = true;
		return 0;
	case OPT_TEXT:
		*(const char **)opt->into = text;
		return 0;
	case OPT_LIST:
		opts_list_add(opt->into, text);
		return 0;
	case OPT_NUMBER:
		return str_parse_u64(text, UINT64_MAX, what, opt->into, err);
	case OPT_SIZE:
		return str_parse_size(text, what, opt->into, err);
	case OPT_DURATION:
		return time_parse_duration(text, what, opt->into, err);
	case OPT_CHOICE:
		return store_choice(opt, text, err);
	case OPT_CALL:
		return opt->call(opt->into, text, err);
	}
	abort();
}

/* OPERANDS holds all COUNT of them, unless the command has a callback. */
static int check_count(const struct command *command, const struct opts_list *operands,
	size_t count, rkt_error **err)
{
	if (count < (size_t)command->operands_min)
		return rkt_fail(err, RKT_USAGE, "too few operands; usage: %s %s", command->program,
			command->usage && command->usage[0] ? command->usage[0] : "");
	if (!command->operand && command->operands_max >= 0 &&
		count > (size_t)command->operands_max)
		return rkt_fail(err, RKT_USAGE, "unexpected operand '%s'",
			operands->items[command->operands_max]);
	return 0;
}

/* One operand. COUNT counts those that are not after "--" of a command with a callback. */
static int take_operand(const struct command *command, const struct scan *scan,
	struct opts_list *operands, size_t *count, rkt_error **err)
{
	if (!command->operand) {
		opts_list_add(operands, scan->text);
		*count = operands->count;
		return 0;
	}
	*count += !scan->after_dashes;
	return command->operand(command->context, scan->text, scan->after_dashes, err);
}

static void answer(const struct command *command, enum opts_request request)
{
	struct manual manual = { .command = command };

	if (request == REQUEST_HELP)
		help_print(&manual);
	else if (request == REQUEST_VERSION)
		help_print_version(command->program);
	else if (request == REQUEST_PRINT_MAN)
		man_print(&manual);
	else
		complete_print((enum complete_shell)(request - REQUEST_COMPLETION), command, NULL);
}

/* As opts_parse() returns it: -1 as soon as something is wrong. */
static int parse(const struct command *command, struct scan *scan, const enum opts_request *request,
	struct opts_list *operands, rkt_error **err)
{
	size_t count = 0;
	int found;

	while ((found = scan_next(scan, err)) > 0) {
		if (!scan->opt)
			found = take_operand(command, scan, operands, &count, err);
		else
			found = store(scan->opt, scan->text, err);
		if (found < 0)
			return -1;
		if (*request != REQUEST_NONE) {
			answer(command, *request);
			return 0;
		}
	}
	return found < 0 || check_count(command, operands, count, err) < 0 ? -1 : 1;
}

int opts_parse(const struct command *command, int argc, char **argv, struct operands *ret_operands,
	rkt_error **err)
{
	enum opts_request request = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &request);
	struct opts_list operands = { 0 };
	struct scan scan = {
		.table = table,
		.argc = argc,
		.argv = argv,
		.index = 1,
		.dashes = command->operand ? SCAN_TO_DASHES : SCAN_TO_END,
	};
	int result;

	out_set_program(command->program);
	result = parse(command, &scan, &request, &operands, err);
	if (result <= 0 || !ret_operands) {
		free(operands.items);
		operands = (struct opts_list){ 0 };
	}
	if (ret_operands)
		*ret_operands = (struct operands){ operands.items, operands.count };
	return result;
}
