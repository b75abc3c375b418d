/*
 * bash: a function for each command, given to complete(1) for those that are programs.
 *
 * The functions need nothing but bash itself. A line is cut into words at "=" and ":" too, so
 * that "--type=image" arrives as three.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "cli/complete.h"
#include "cli/opts_scan.h"

static const char head[] =
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfi\n"
	"\tCOMPREPLY=()\n";

/* The words before the cursor that are no options and no values of options: their numbers. */
static const char scan_start[] = "\tlocal i value words=()\n"
				 "\n"
				 "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
				 "\t\tcase ${COMP_WORDS[i]} in\n";
/* An operand is cut at ":" and "=" too. */
static const char scan_end[] = "\t\t[:=]*) ((i++)) ;;\n"
			       "\t\t-*) ;;\n"
			       "\t\t*) words+=(\"$i\") ;;\n"
			       "\t\tesac\n"
			       "\tdone\n";
/* A word with a ':' in it becomes one again. What is offered goes in the place of what is behind
 * the ':', so what is before, CUT, comes off again. */
static const char join[] =
	"\n"
	"\tlocal cut= at=$COMP_CWORD\n"
	"\t[[ $cur == : ]] && ((at++))\n"
	"\tif [[ ${COMP_WORDS[at-1]} == : && ${words[*]: -1} == $((at - 2)) ]]; then\n"
	"\t\t[[ $cur == : ]] && cur=\n"
	"\t\tcut=${COMP_WORDS[at-2]}:\n"
	"\t\tcur=$cut$cur\n"
	"\t\tunset \"words[${#words[@]}-1]\"\n"
	"\tfi\n";
#define TAKE_OFF "COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")"

/* Of what follows "--" nothing is known. */
static const char scan_dashes[] = "\t\t--)\n"
				  "\t\t\twhile ((++i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} != "
				  "--- ]]; do :; done\n"
				  "\t\t\t((i < COMP_CWORD)) || return 0 ;;\n";

/* Moves I from an option to its value, which is $1 and what follows it where that is attached to a
 * letter; and sets VALUE to what the shell would hand over: without quotes, but nothing is
 * evaluated. */
static const char value_function[] =
	"_rkt_value()\n"
	"{\n"
	"\tlocal text=$1 char quote='' separate=\n"
	"\n"
	"\tvalue=\n"
	"\tif [[ ! $text ]]; then\n"
	"\t\t[[ ${COMP_WORDS[i+1]} == = ]] && ((i++)) || separate=1\n"
	"\t\ttext=${COMP_WORDS[++i]}\n"
	"\tfi\n"
	"\twhile ((i + 1 < COMP_CWORD)) && [[ ${COMP_WORDS[i+1]} == [:=]* ]]; do\n"
	"\t\ttext+=${COMP_WORDS[i+1]}${COMP_WORDS[i+2]}\n"
	"\t\t((i += 2))\n"
	"\tdone\n"
	"\t[[ $separate && $text == \\~/* ]] && value=$HOME text=${text:1}\n"
	"\twhile [[ $text ]]; do\n"
	"\t\tchar=${text:0:1} text=${text:1}\n"
	"\t\tcase $quote$char in\n"
	"\t\t\\'|\\\") quote=$char ;;\n"
	"\t\t\\'\\'|\\\"\\\") quote= ;;\n"
	"\t\t\\\\|\\\"\\\\)\n"
	"\t\t\t[[ $quote && $text != [\\$\\`\\\"\\\\]* ]] && value+=\\\\\n"
	"\t\t\tvalue+=${text:0:1} text=${text:1} ;;\n"
	"\t\t*) value+=$char ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"}\n";

/* Offers files besides the images in COMPREPLY. Called filenames, all would be listed by what is
 * behind their last "/", and an image entered where a directory is named alike; so where there are
 * images, what readline does for file names is done here. */
static const char files_function[] = "_rkt_add_files()\n"
				     "{\n"
				     "\tlocal file end images=\" ${COMPREPLY[*]} \"\n"
				     "\n"
				     "\tif [[ $images == '  ' ]]; then\n"
				     "\t\tcompopt -o filenames\n"
				     "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
				     "\t\t" TAKE_OFF "\n"
				     "\t\treturn\n"
				     "\tfi\n"
				     "\twhile IFS= read -r file; do\n"
				     "\t\tend=\n"
				     "\t\t[[ -d $file ]] && end=/\n"
				     "\t\tfile=${file#\"$cut\"}\n"
				     "\t\t[[ $images == *\" $file \"* ]] && continue\n"
				     "\t\tprintf -v file %q \"$file\"\n"
				     "\t\tCOMPREPLY+=(\"$file$end\")\n"
				     "\tdone < <(compgen -f -- \"$cur\")\n"
				     "}\n";

/* Puts another program in the place of the words up to number AT, and lets its completion work. */
static const char delegate[] = "_rkt_delegate()\n"
			       "{\n"
			       "\tlocal at=$1 program=$2\n"
			       "\n"
			       "\tshift\n"
			       "\tCOMP_WORDS=(\"$@\" \"${COMP_WORDS[@]:at+1}\")\n"
			       "\t((COMP_CWORD += $# - at - 1))\n"
			       "\tdeclare -F \"_${program//-/_}\" >/dev/null ||\n"
			       "\t\t. \"${BASH_SOURCE[0]%/*}/$program\" 2>/dev/null || return 0\n"
			       "\t\"_${program//-/_}\"\n"
			       "}\n";

static void print_reply(const char *what)
{
	printf("mapfile -t COMPREPLY < <(compgen %s -- \"$cur\")", what);
}

static void print_choices(const struct opt *opt)
{
	struct buf words = { 0 };
	auto_free char *what = NULL;

	for (size_t i = 0; opt->choices[i]; i++)
		buf_printf(&words, "%s%s", i ? " " : "", opt->choices[i]);
	what = xasprintf("-W '%s'", buf_text(&words));
	buf_free(&words);
	print_reply(what);
	fputs("; ", stdout);
}

/* What comes after an option with a value. */
static void print_value(const struct opt *opt)
{
	enum complete_value value = complete_value_of(opt);

	if (value == VALUE_NONE || !opt->help)
		return;
	fputs("\t", stdout);
	complete_spellings(opt, "|");
	fputs(") ", stdout);
	if (value == VALUE_CHOICES)
		print_choices(opt);
	if (value == VALUE_FILE || value == VALUE_DIR) {
		fputs("compopt -o filenames; ", stdout);
		print_reply(value == VALUE_FILE ? "-f" : "-d");
		fputs("; ", stdout);
	}
	puts("return ;;");
}

static void print_names(const struct opt *table)
{
	const char *between = "";

	fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '", stdout);
	for (const struct opt *opt = table; opt->name; opt++) {
		if (!opt->help)
			continue;
		printf("%s--%s%s", between, opt->name, opts_takes_value(opt) ? "=" : "");
		between = " ";
	}
	puts("' -- \"$cur\")\n"
	     "\t\t[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace");
}

/* Files, and WORDS unless that is NULL. */
static void print_files(const char *const *words)
{
	if (!words) {
		print_reply("-f");
		return;
	}
	fputs("mapfile -t COMPREPLY < <(compgen -f -W '", stdout);
	complete_list(words);
	fputs("' -- \"$cur\")", stdout);
}

static void print_candidates(const char *line)
{
	printf("\t\tlocal word\n"
	       "\t\tfor word in $(%s); do\n"
	       "\t\t\t[[ $word == *:* && $cur != *:* ]] && continue\n"
	       "\t\t\t[[ $word == \"$cur\"* ]] && COMPREPLY+=(\"${word#\"$cut\"}\")\n"
	       "\t\tdone\n",
		line);
}

static void print_only_files(const char *const *words)
{
	fputs("\t\tcompopt -o filenames\n\t\t", stdout);
	print_files(words);
	putchar('\n');
}

/* Candidates where they may stand. The words before the cursor begin with the name of a command. */
static void print_named_operands(const struct command *command)
{
	int named = strchr(command->program, ' ') ? 1 : 0;

	if (command->operands_max < 0) {
		puts("\telse");
		print_candidates(command->candidates_command);
		if (complete_takes_files(command))
			puts("\t\t_rkt_add_files");
		return;
	}
	printf("\telif ((${#words[@]} == %d)); then\n", named);
	print_candidates(command->candidates_command);
	if (!complete_takes_files(command))
		return;
	printf("\telif ((${#words[@]} < %d)); then\n", named + command->operands_max);
	print_only_files(NULL);
	puts("\t\t" TAKE_OFF);
}

static void print_operands(const struct command *command, const struct complete_item *items)
{
	if (items) {
		fputs("\telse\n\t\tmapfile -t COMPREPLY < <(compgen -W '", stdout);
		complete_words(items, NULL, " ");
		puts("' -- \"$cur\")");
	} else if (command->candidates_command) {
		print_named_operands(command);
	} else if (complete_takes_files(command)) {
		puts("\telse");
		print_only_files(command->words);
	}
}

/* ---- commands -------------------------------------------------------------------------------- */

static void print_call(const char *program, const struct complete_item *item, int word)
{
	auto_free char *title = xasprintf("%s %s", program, item->name);
	auto_free char *function = complete_function(title);

	if (!item->program)
		printf("%s", function);
	else
		printf("_rkt_delegate \"${words[%d]}\" %s%s%s", word, item->program,
			item->subcommand ? " " : "", item->subcommand ?: "");
	puts("; return ;;");
}

/* The commands of two words that begin with the same one. */
static void print_second(const char *program, const struct complete_item *items, const char *first)
{
	size_t len = strlen(first);

	printf("\t%s)\n\t\tcase ${COMP_WORDS[${words[1]:-0}]} in\n", first);
	for (; items->name; items++) {
		if (!str_has_prefix(items->name, first) || items->name[len] != ' ')
			continue;
		printf("\t\t%s) ", items->name + len + 1);
		print_call(program, items, 1);
	}
	puts("\t\tesac");
}

static void print_commands(const char *program, const struct complete_item *items)
{
	puts("\tcase ${COMP_WORDS[${words[0]:-0}]} in");
	for (size_t i = 0; items[i].name; i++) {
		size_t len = strcspn(items[i].name, " ");
		auto_free char *first = xmemdup(items[i].name, len);

		if (!complete_is_first(items, i) || (items[i].program && !*items[i].program))
			continue;
		if (items[i].name[len]) {
			print_second(program, items, first);
			fputs("\t\tmapfile -t COMPREPLY < <(compgen -W '", stdout);
			complete_words(items, first, " ");
			puts("' -- \"$cur\")\n\t\treturn ;;");
		} else {
			printf("\t%s) ", first);
			print_call(program, &items[i], 0);
		}
	}
	puts("\tesac");
}

/* Where OPT, the data directory's, leads. What is attached to its letter must not look like the
 * name of an option with one dash. */
static void print_dir(const struct opt *opt)
{
	static const char set[] = "; [[ $value ]] && local -x RKT_DIR=$value ;;";

	puts(set);
	if (opt->letter)
		printf("\t\t-%c[!a-z-]*|-%c*/*) _rkt_value \"${COMP_WORDS[i]:2}\"%s\n", opt->letter,
			opt->letter, set);
}

static void print_scan(
	const struct command *command, const struct opt *table, const struct complete_item *items)
{
	fputs(scan_start, stdout);
	for (const struct opt *opt = table; opt->name; opt++) {
		if (!opt->help || !opts_takes_value(opt))
			continue;
		fputs("\t\t", stdout);
		complete_spellings(opt, "|");
		fputs(") _rkt_value", stdout);
		if (complete_is_dir(opt))
			print_dir(opt);
		else
			puts(" ;;");
	}
	if (command->operand)
		fputs(scan_dashes, stdout);
	else if (items) /* they may be the command's to understand */
		puts("\t\t--) break ;;");
	fputs(scan_end, stdout);
	if (command->candidates_command)
		fputs(join, stdout);
}

static bool delegates(const struct complete_item *items)
{
	for (; items->name; items++)
		if (items->program && *items->program)
			return true;
	return false;
}

/* What the functions of a script share. */
static void print_shared(const struct command *command, const struct complete_item *items)
{
	if (items || command->candidates_command)
		fputs(value_function, stdout);
	if (items ? !delegates(items)
		  : command->candidates_command && complete_takes_files(command))
		fputs(files_function, stdout);
	if (items && delegates(items))
		fputs(delegate, stdout);
}

void complete_bash(const struct command *command, const struct complete_item *items)
{
	enum opts_request unused = REQUEST_NONE;
	auto_free struct opt *table = opts_table(command->options, &unused);
	auto_free char *function = complete_function(command->program);

	if (!strchr(command->program, ' '))
		print_shared(command, items);
	printf("%s()\n%s", function, head);
	if (items || command->candidates_command)
		print_scan(command, table, items);
	if (items)
		print_commands(command->program, items);
	puts("\tcase $prev in");
	for (const struct opt *opt = table; opt->name; opt++)
		print_value(opt);
	puts("\tesac\n"
	     "\tif [[ $cur == -* ]]; then");
	print_names(table);
	print_operands(command, items);
	puts("\tfi\n"
	     "\treturn 0\n"
	     "}");
	if (!strchr(command->program, ' '))
		printf("complete -F %s %s\n", function, command->program);
}
