/* The spelling of options, and the table of those that every command has. */
#include "cli/opts_scan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/nearest.h"
#include "cli/out.h"

static int set_debug(void *into, const char *value, rkt_error **err)
{
	(void)into, (void)value, (void)err;
	out_set_debug(true);
	return 0;
}

static int set_quiet(void *into, const char *value, rkt_error **err)
{
	(void)into, (void)value, (void)err;
	out_set_quiet(true);
	return 0;
}

static int set_plain(void *into, const char *value, rkt_error **err)
{
	(void)into, (void)value, (void)err;
	out_set_plain();
	return 0;
}

static int ask_help(void *into, const char *value, rkt_error **err)
{
	(void)value, (void)err;
	*(enum opts_request *)into = REQUEST_HELP;
	return 0;
}

static int ask_version(void *into, const char *value, rkt_error **err)
{
	(void)value, (void)err;
	*(enum opts_request *)into = REQUEST_VERSION;
	return 0;
}

static int ask_man(void *into, const char *value, rkt_error **err)
{
	(void)value, (void)err;
	*(enum opts_request *)into = REQUEST_PRINT_MAN;
	return 0;
}

static int ask_completion(void *into, const char *value, rkt_error **err)
{
	enum complete_shell shell;

	if (complete_find(value, &shell, err) < 0)
		return -1;
	*(enum opts_request *)into = (enum opts_request)(REQUEST_COMPLETION + (int)shell);
	return 0;
}

#define STANDARD(name_, letter_, call_, help_)                                                   \
	{                                                                                        \
		.name = name_, .letter = letter_, .kind = OPT_CALL, .call = call_, .help = help_ \
	}

static const struct opt standard[] = {
	STANDARD("quiet", 'q', set_quiet, "Say nothing but results, warnings and errors."),
	STANDARD("debug", 0, set_debug, "Say on standard error what is being done."),
	STANDARD("no-color", 0, set_plain, "Use no colour; nor with NO_COLOR in the environment."),
	STANDARD("help", 'h', ask_help, "Print this help and exit."),
	STANDARD("version", 0, ask_version, "Print the version and exit."),
	STANDARD("print-man", 0, ask_man, NULL), /* hidden, with the next: for the build */
	{ .name = "print-completion",
		.kind = OPT_CALL,
		.call = ask_completion,
		.argument = "SHELL" },
};

static const struct opt *find_long(const struct opt *table, const char *name, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && memcmp(table->name, name, len) == 0)
			return table;
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (; table->name; table++)
		if (letter && table->letter == letter)
			return table;
	return NULL;
}

struct opt *opts_table(const struct opt *own, enum opts_request *request)
{
	size_t count = 0;
	struct opt *table;

	while (own && own[count].name)
		count++;
	table = xcalloc(count + ARRAY_LEN(standard) + 1, sizeof *table);
	if (count)
		memcpy(table, own, count * sizeof *table);
	for (size_t i = 0; i < ARRAY_LEN(standard); i++) {
		struct opt more = standard[i];

		if (find_long(table, more.name, strlen(more.name)))
			continue;
		more.into = request;
		if (find_letter(table, more.letter))
			more.letter = 0;
		table[count++] = more;
	}
	return table;
}

bool opts_takes_value(const struct opt *opt)
{
	return opt->kind != OPT_FLAG && (opt->kind != OPT_CALL || opt->argument);
}

static int fail_unknown(const struct scan *self, const char *argument, rkt_error **err)
{
	int len = (int)strcspn(argument, "=");
	auto_free char *word = xmemdup(argument, (size_t)len);
	struct nearest near = { .word = word + strspn(word, "-") };

	for (const struct opt *opt = self->table; opt->name; opt++)
		if (opt->help)
			nearest_consider(&near, opt->name);
	if (!near.best)
		return rkt_fail(err, RKT_USAGE, "unknown option '%s'", word);
	return rkt_fail(
		err, RKT_USAGE, "unknown option '%s'; did you mean '--%s'?", word, near.best);
}

/* Takes the value of the option just found: what is ATTACHED to it, or the next argument. */
static int take_value(struct scan *self, const char *attached, rkt_error **err)
{
	const struct opt *opt = self->opt;

	self->text = attached;
	if (!opts_takes_value(opt))
		return attached
			       ? rkt_fail(err, RKT_USAGE, "option '--%s' takes no value", opt->name)
			       : 1;
	if (attached)
		return 1;
	if (self->index >= self->argc)
		return rkt_fail(err, RKT_USAGE, "option '--%s' needs a value%s%s", opt->name,
			opt->argument ? ": " : "", opt->argument ?: "");
	self->text = self->argv[self->index++];
	return 1;
}

static int next_of_cluster(struct scan *self, rkt_error **err)
{
	char letter = *self->cluster++;
	const char *rest = *self->cluster ? self->cluster : NULL;

	self->opt = find_letter(self->table, letter);
	if (!self->opt)
		abort(); /* is_cluster() has seen all letters */
	if (!rest || opts_takes_value(self->opt))
		self->cluster = NULL;
	return take_value(self, opts_takes_value(self->opt) ? rest : NULL, err);
}

/* Whether all of "abc" in "-abc" makes sense: flags, perhaps ended by one option and its value. */
static bool is_cluster(const struct opt *table, const char *letters)
{
	for (; *letters; letters++) {
		const struct opt *opt = find_letter(table, *letters);

		if (!opt)
			return false;
		if (opts_takes_value(opt))
			return true;
	}
	return true;
}

static int take_option(struct scan *self, const char *argument, rkt_error **err)
{
	bool two_dashes = argument[1] == '-';
	const char *name = argument + 1 + two_dashes;
	size_t len = strcspn(name, "=");

	self->opt = NULL;
	if (two_dashes || len >= SINGLE_DASH_MIN)
		self->opt = find_long(self->table, name, len);
	if (self->opt)
		return take_value(self, name[len] ? name + len + 1 : NULL, err);
	if (two_dashes || !is_cluster(self->table, name))
		return fail_unknown(self, argument, err);
	self->cluster = name;
	return next_of_cluster(self, err);
}

static int take_operand(struct scan *self, const char *argument)
{
	self->opt = NULL;
	self->text = argument;
	return 1;
}

int scan_next(struct scan *self, rkt_error **err)
{
	bool resumes = self->dashes == SCAN_TO_DASHES;

	if (self->cluster)
		return next_of_cluster(self, err);
	while (self->index < self->argc) {
		const char *argument = self->argv[self->index++];

		if (resumes && strcmp(argument, "---") == 0)
			self->after_dashes = false;
		else if (self->after_dashes || argument[0] != '-' || !argument[1])
			return take_operand(self, argument);
		else if (strcmp(argument, "--") != 0)
			return take_option(self, argument, err);
		else
			self->after_dashes = true;
	}
	return 0;
}
