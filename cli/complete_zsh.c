/* zsh: _arguments(1) from zshcompsys with a specification for each option. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/opts_scan.h"

#define QUOTE "'\\''"

/* Puts the directory that the line names into RKT_DIR, which the caller has made its own; nothing
 * in it is evaluated. "-dir" becomes "--dir", since _arguments would take it for letters; what is
 * attached to "-d" must not look like the name of an option with one dash. */
static const char dir_function[] =
	"_rkt_dir()\n"
	"{\n"
	"\tlocal -i i\n"
	"\tlocal dir\n"
	"\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\t[[ $words[i] == -dir(|=*) ]] && words[i]=-$words[i]\n"
	"\t\tcase $words[i] in\n"
	"\t\t--) while ((++i < CURRENT)) && [[ $words[i] != --- ]]; do :; done ;;\n"
	"\t\t--dir=*) dir=${(Q)words[i]#*=} ;;\n"
	"\t\t-d[^-a-z=]*|-d[^=]#/*) dir=${(Q)words[i]#-d} ;;\n"
	"\t\t--dir|-d)\n"
	"\t\t\tdir=${(Q)words[++i]}\n"
	"\t\t\t[[ $words[i] == \\~/* ]] && dir=$HOME${dir#\\~} ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t[[ -z $dir ]] || RKT_DIR=$dir\n"
	"\tcompstate[restore]= # else words were as before on return\n"
	"}\n";

/* Offers its arguments, those with a ':' only where there is one. */
static const char offer_function[] = "_rkt_offer()\n"
				     "{\n"
				     "\t[[ $PREFIX == *:* ]] || set -- ${@:#*:*}\n"
				     "\tcompadd -- \"$@\"\n"
				     "}\n";

/* Of what follows "--" nothing is known; after "---" an image may stand again, and options. */
static const char dashes[] = "\tlocal -a before=(\"${(@)words[1,CURRENT-1]}\")\n"
			     "\tlocal -i at=$before[(I)---]\n"
			     "\n"
			     "\tif ((at)); then\n"
			     "\t\twords=($words[1] \"${(@)words[at+1,-1]}\")\n"
			     "\t\t((CURRENT -= at - 1))\n"
			     "\tfi\n"
			     "\t(($before[(I)--] > at)) && return 1\n";

static void print_value(const struct opt *opt)
{
	auto_free char *name = NULL;

	switch (complete_value_of(opt)) {
	case VALUE_NONE:
		return;
	case VALUE_CHOICES:
		printf(":%s:(", opt->name);
		for (size_t i = 0; opt->choices[i]; i++)
			printf("%s%s", i ? " " : "", opt->choices[i]);
		putchar(')');
		return;
	case VALUE_FILE:
		printf(":%s:_files", opt->argument);
		return;
	case VALUE_DIR:
		printf(":%s:_files -/", opt->argument);
		return;
	case VALUE_OTHER:
		name = help_value_name(opt);
		putchar(':');
		complete_quote(name, ":\\", QUOTE);
		fputs(": ", stdout); /* an action that offers nothing, and says what is wanted */
		return;
	}
}

/* One spelling of an option, as LEAD and END make it: "--dir=[The directory]:DIR:_files -/" */
static void print_spelling(const struct opt *opt, const char *spelling)
{
	auto_free char *says = complete_says(opt->help);

	fputs(" \\\n\t\t'", stdout);
	if (opt->kind == OPT_LIST || opt->kind == OPT_CALL)
		putchar('*');
	else if (opt->letter)
		printf("(-%c --%s)", opt->letter, opt->name);
	fputs(spelling, stdout);
	putchar('[');
	complete_quote(says, "[]:\\", QUOTE);
	putchar(']');
	print_value(opt);
	putchar('\'');
}

static void print_options(const struct command *command)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);

	for (const struct opt *opt = table; opt->name; opt++) {
		bool value = opts_takes_value(opt);
		auto_free char *name = xasprintf("--%s%s", opt->name, value ? "=" : "");
		char letter[] = { '-', opt->letter, value ? '+' : '\0', '\0' };

		if (!opt->help)
			continue;
		print_spelling(opt, name);
		if (opt->letter)
			print_spelling(opt, letter);
	}
}

/* ---- commands -------------------------------------------------------------------------------- */

/* The candidates of a place: 'NAME:WHAT IT DOES'. */
static void print_candidates(const struct complete_item *items, const char *first)
{
	size_t len = first ? strlen(first) : 0;

	puts("\t\tcommands=(");
	for (size_t i = 0; items[i].name; i++) {
		const char *name = items[i].name, *space = strchr(name, ' ');

		if (first ? !(str_has_prefix(name, first) && name[len] == ' ')
			  : !complete_is_first(items, i))
			continue;
		if (first)
			printf("\t\t\t'%s:", name + len + 1);
		else
			printf("\t\t\t'%.*s:", (int)strcspn(name, " "), name);
		complete_quote(!first && space ? "more commands" : items[i].says, "\\", QUOTE);
		puts("'");
	}
	puts("\t\t)\n"
	     "\t\t_describe command commands");
}

/* Inside "*::": words begin with the command. */
static void print_call(const char *program, const struct complete_item *item)
{
	auto_free char *title = xasprintf("%s %s", program, item->name);
	auto_free char *function = complete_function(title);
	int count = strchr(item->name, ' ') ? 2 : 1, others = item->subcommand ? 2 : 1;

	if (!item->program) {
		printf("%s ;;\n", function);
		return;
	}
	printf("words=(%s%s%s \"${(@)words[%d,-1]}\"); ((CURRENT += %d)); _normal ;;\n",
		item->program, item->subcommand ? " " : "", item->subcommand ?: "", count + 1,
		others - count);
}

static void print_second(const char *program, const struct complete_item *items, const char *first)
{
	size_t len = strlen(first);

	printf("\t\t%s)\n\t\tif ((CURRENT == 2)); then\n", first);
	print_candidates(items, first);
	puts("\t\telse\n\t\tcase $words[2] in");
	for (; items->name; items++)
		if (str_has_prefix(items->name, first) && items->name[len] == ' ') {
			printf("\t\t%s) ", items->name + len + 1);
			print_call(program, items);
		}
	puts("\t\tesac\n\t\tfi ;;");
}

static void print_commands(const char *program, const struct complete_item *items)
{
	fputs(" \\\n\t\t'1:command:->command' '*::argument:->argument'\n"
	      "\tcase $state in\n"
	      "\tcommand)\n",
		stdout);
	print_candidates(items, NULL);
	puts("\t\t;;\n"
	     "\targument)\n"
	     "\t\tcase $words[1] in");
	for (size_t i = 0; items[i].name; i++) {
		size_t len = strcspn(items[i].name, " ");
		auto_free char *first = xmemdup(items[i].name, len);

		if (!complete_is_first(items, i) || (items[i].program && !*items[i].program))
			continue;
		if (items[i].name[len]) {
			print_second(program, items, first);
		} else {
			printf("\t\t%s) ", first);
			print_call(program, &items[i]);
		}
	}
	puts("\t\tesac ;;\n"
	     "\tesac");
}

/* Candidates where they may stand, and files at the other places. */
static void print_operands(const struct command *command)
{
	const char *line = command->candidates_command;
	bool files = complete_takes_files(command), all = command->operands_max < 0;

	if (line)
		printf(" \\\n\t\t'%s:operand:{_rkt_offer $(%s)%s}'", all ? "*" : "1", line,
			all && files ? "; _files" : "");
	else if (files)
		fputs(" \\\n\t\t'*:file:_files'", stdout);
	for (int place = 2; line && files && place <= command->operands_max; place++)
		printf(" \\\n\t\t'%d:file:_files'", place);
	putchar('\n');
}

void complete_zsh(const struct command *command, const struct complete_item *items)
{
	auto_free char *function = complete_function(command->program);
	bool whole_line = !strchr(command->program, ' ');
	bool asks = whole_line && (items || command->candidates_command);

	if (asks) {
		fputs(dir_function, stdout);
		fputs(offer_function, stdout);
	}
	printf("%s()\n{\n", function);
	if (items)
		puts("\tlocal context state state_descr line curcontext=$curcontext\n"
		     "\tlocal -a commands\n"
		     "\ttypeset -A opt_args");
	if (asks)
		puts("\tlocal -x RKT_DIR=$RKT_DIR\n"
		     "\n"
		     "\t_rkt_dir");
	if (command->operand)
		fputs(dashes, stdout);
	/* -A: what follows a command is the command's, options too */
	printf("\t_arguments%s -s -S", items ? " -C -A '-*'" : "");
	print_options(command);
	if (command->words) {
		fputs(" \\\n\t\t'1:file:{compadd ", stdout);
		complete_list(command->words);
		fputs("; _files}'", stdout);
	}
	if (items)
		print_commands(command->program, items);
	else
		print_operands(command);
	puts("}");
	if (whole_line) /* the file is itself the function's first call */
		printf("%s \"$@\"\n", function);
}
