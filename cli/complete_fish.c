/* fish: a complete(1) line for each option. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/opts_scan.h"

#define QUOTE "\\'"

/* The directory that the line names, else the usual one. What is attached to "-d" must not look
 * like the name of an option with one dash. */
static const char dir_function[] =
	"function __rkt_dir\n"
	"    set -l words (commandline -opc)\n"
	"    set -l dir $RKT_DIR\n"
	"    set -e words[1]\n"
	"    while set -q words[1]\n"
	"        switch $words[1]\n"
	"            case --\n"
	"                break\n"
	"            case '--dir=*' '-dir=*'\n"
	"                set dir (string replace -r '^-+dir=' '' -- $words[1])\n"
	"            case --dir -dir -d\n"
	"                set -e words[1]\n"
	"                set dir $words[1]\n"
	"                string match -q '~/*' -- $dir; and set dir $HOME(string sub -s 2 -- $dir)\n"
	"            case '-d*'\n"
	"                set -l attached (string match -r '^-d([^-a-z=].*|[^=]*/.*)' -- $words[1])\n"
	"                set -q attached[2]; and set dir $attached[2]\n"
	"        end\n"
	"        set -e words[1]\n"
	"    end\n"
	"    string join '' -- $dir\n"
	"end\n";

/* Of the arguments what is to be offered: those with a ':' only where there is one. */
static const char offer_function[] = "function __rkt_offer\n"
				     "    if string match -q '*:*' -- (commandline -ct)\n"
				     "        string match '*' -- $argv\n"
				     "    else\n"
				     "        string match -v '*:*' -- $argv\n"
				     "    end\n"
				     "end\n";

/* Whether the word at the cursor is an operand from number FROM to TO, a command counted as one.
 * The other arguments are options that have values. */
static const char operand_function[] = "function __rkt_operand -a from to\n"
				       "    set -l words (commandline -opc)\n"
				       "    set -l number 1\n"
				       "    set -e words[1]\n"
				       "    while set -q words[1]\n"
				       "        if contains -- $words[1] $argv[3..-1]\n"
				       "            set -e words[1]\n"
				       "        else if not string match -q -- '-*' $words[1]\n"
				       "            set number (math $number + 1)\n"
				       "        end\n"
				       "        set -e words[1]\n"
				       "    end\n"
				       "    test $number -ge $from -a $number -le $to\n"
				       "end\n";

/* Whether the cursor is between "--" and "---", where words are the app's. */
static const char dashes_function[] = "function __rkt_after_dashes\n"
				      "    set -l after 1\n"
				      "    for word in (commandline -opc)\n"
				      "        switch $word\n"
				      "            case --\n"
				      "                set after 0\n"
				      "            case ---\n"
				      "                set after 1\n"
				      "        end\n"
				      "    end\n"
				      "    return $after\n"
				      "end\n";

/* What a front command needs besides: it looks for the command in the line, and asks fish for what
 * the program behind it would complete. */
static const char delegate_start[] = "function __rkt_delegate\n"
				     "    set -l words (commandline -opc)\n"
				     "    set -l line\n"
				     "    set -lx RKT_DIR (__rkt_dir)\n"
				     "    set -e words[1]\n"
				     "    while string match -q -- '-*' \"$words[1]\"\n"
				     "        contains -- $words[1]";
static const char delegate_find[] = "; and set -e words[1]\n"
				    "        set -e words[1]\n"
				    "    end\n"
				    "    switch \"$words[1] $words[2]\"\n";
static const char delegate_end[] =
	"    end\n"
	"    set -q line[1]; or return\n"
	"    complete -C (string join ' ' -- (string escape -- $line) (commandline -ct))\n"
	"end\n";

static void print_description(const char *text)
{
	auto_free char *says = complete_says(text);

	fputs(" -d '", stdout);
	complete_quote(says, "\\", QUOTE);
	puts("'");
}

/* "complete -c PROGRAM", and for a command the condition that it was named. */
static void print_start(const char *program)
{
	const char *space = strchr(program, ' ');

	printf("complete -c %.*s", (int)strcspn(program, " "), program);
	if (space)
		printf(" -n '__fish_seen_subcommand_from %s'", space + 1);
}

/* What options that have a value may be written as. */
static void print_with_value(const struct opt *table)
{
	for (; table->name; table++)
		if (table->help && opts_takes_value(table)) {
			putchar(' ');
			complete_spellings(table, " ");
		}
}

/* The same with the condition that the cursor is at operand number FROM to TO. */
static void print_start_at(const struct command *command, const struct opt *table, int from, int to)
{
	const char *program = command->program, *space = strchr(program, ' ');
	int named = space ? 1 : 0;

	printf("complete -c %.*s -n '", (int)strcspn(program, " "), program);
	if (space)
		printf("__fish_seen_subcommand_from %s; and ", space + 1);
	printf("__rkt_operand %d %d", named + from, named + to);
	print_with_value(table);
	putchar('\'');
}

/* The words that LINE prints, in the data directory that the command line names. */
static void print_candidates_of(const char *line)
{
	printf(" -a '(__rkt_offer (begin; set -lx RKT_DIR (__rkt_dir); %s; end | string split \\t))'\n",
		line);
}

/* Candidates where they may stand, and files at the other places; where files may stand at every
 * place of a program, fish does that by itself. */
static void print_operands(const struct command *command, const struct opt *table)
{
	const char *line = command->candidates_command;
	bool files = complete_takes_files(command), one = line && command->operands_max >= 0;

	if (line) {
		if (one)
			print_start_at(command, table, 1, 1);
		else
			print_start(command->program);
		if (command->operand)
			fputs(" -n 'not __rkt_after_dashes'", stdout);
		print_candidates_of(line);
	}
	if (one && files && command->operands_max > 1) {
		print_start_at(command, table, 2, command->operands_max);
		puts(" -F");
	} else if (files && strchr(command->program, ' ')) {
		print_start(command->program);
		puts(" -F");
	}
	if (command->operand)
		printf("complete -c %s -n __rkt_after_dashes -f\n", command->program);
}

static void print_option(const char *program, const struct opt *opt)
{
	print_start(program);
	printf(" -l %s", opt->name);
	if (opt->letter)
		printf(" -s %c", opt->letter);
	switch (complete_value_of(opt)) {
	case VALUE_NONE:
		break;
	case VALUE_CHOICES:
		fputs(" -x -a '", stdout);
		for (size_t i = 0; opt->choices[i]; i++)
			printf("%s%s", i ? " " : "", opt->choices[i]);
		putchar('\'');
		break;
	case VALUE_FILE:
		fputs(" -r -F", stdout);
		break;
	case VALUE_DIR:
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
		break;
	case VALUE_OTHER:
		fputs(" -x", stdout);
		break;
	}
	print_description(opt->help);
}

static void print_own_commands(const char *program, const struct complete_item *items)
{
	for (; items->name; items++) {
		printf("complete -c %s -n __fish_use_subcommand -a %s", program, items->name);
		print_description(items->says);
	}
}

/* Of words that may stand here, "NAME<TAB>WHAT IT DOES" each. */
static void print_candidates(const struct complete_item *items, const char *first)
{
	size_t len = first ? strlen(first) : 0;

	for (size_t i = 0; items[i].name; i++) {
		const char *name = items[i].name, *space = strchr(name, ' ');

		if (first ? !(str_has_prefix(name, first) && name[len] == ' ')
			  : !complete_is_first(items, i))
			continue;
		printf("            printf '%%s\\t%%s\\n' ");
		if (first)
			printf("%s '", name + len + 1);
		else
			printf("%.*s '", (int)strcspn(name, " "), name);
		complete_quote(!first && space ? "more commands" : items[i].says, "\\", QUOTE);
		puts("'");
	}
}

static void print_delegate(const struct complete_item *items, const struct opt *table)
{
	fputs(delegate_start, stdout);
	print_with_value(table);
	fputs(delegate_find, stdout);
	puts("        case ' '");
	print_candidates(items, NULL);
	for (size_t i = 0; items[i].name; i++) {
		const char *name = items[i].name;
		size_t len = strcspn(name, " ");
		auto_free char *first = xmemdup(name, len);

		if (items[i].program && !*items[i].program)
			continue;
		if (name[len] && complete_is_first(items, i)) {
			printf("        case '%s '\n", first);
			print_candidates(items, first);
		}
		printf("        case '%s%s'\n            set line %s%s%s $words[%d..-1]\n", name,
			name[len] ? "" : " *", items[i].program, items[i].subcommand ? " " : "",
			items[i].subcommand ?: "", name[len] ? 3 : 2);
	}
	fputs(delegate_end, stdout);
}

/* What the conditions and candidates of a script share. */
static void print_shared(const struct command *command, const struct complete_item *items)
{
	if (!items && !command->candidates_command)
		return;
	fputs(dir_function, stdout);
	fputs(offer_function, stdout);
	fputs(command->operand ? dashes_function : operand_function, stdout);
}

void complete_fish(const struct command *command, const struct complete_item *items)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);
	const char *program = command->program;

	if (!strchr(program, ' '))
		print_shared(command, items);
	if (items || !complete_takes_files(command)) {
		print_start(program);
		puts(" -f");
	}
	if (command->words) {
		print_start(program);
		fputs(" -a '", stdout);
		complete_list(command->words);
		puts("'");
	}
	if (!items)
		print_operands(command, table);
	if (items && items[0].program) {
		print_delegate(items, table);
		printf("complete -c %s -a '(__rkt_delegate)'\n", program);
	} else if (items) {
		print_own_commands(program, items);
	}
	for (const struct opt *opt = table; opt->name; opt++)
		if (opt->help)
			print_option(program, opt);
}
