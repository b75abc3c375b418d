/* fish: a complete(1) line for each option. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/opts_scan.h"

#define QUOTE "\\'"

/* The directory that the line names, else the usual one. */
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
	"        end\n"
	"        set -e words[1]\n"
	"    end\n"
	"    string join '' -- $dir\n"
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

/* The words that LINE prints, in the data directory that the command line names. */
static void print_candidates_of(const char *line)
{
	printf(" -a '(begin; set -lx RKT_DIR (__rkt_dir); %s; end | string split \\t)'\n", line);
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

void complete_fish(const struct command *command, const struct complete_item *items)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);
	const char *program = command->program;

	if (!strchr(program, ' ') && (items || command->candidates_command))
		fputs(dir_function, stdout);
	if (items || !complete_takes_files(command)) {
		print_start(program);
		puts(" -f");
	} else if (strchr(program, ' ')) { /* the program as a whole has none */
		print_start(program);
		puts(" -F");
	}
	if (command->words) {
		print_start(program);
		fputs(" -a '", stdout);
		complete_list(command->words);
		puts("'");
	}
	if (command->candidates_command) {
		print_start(program);
		print_candidates_of(command->candidates_command);
	}
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
