/* What completion in all shells has in common. */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/opts_scan.h"

static const char *const shells[] = { "bash", "zsh", "fish" };

int complete_find(const char *name, enum complete_shell *ret, rkt_error **err)
{
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(shells[i], name) == 0) {
			*ret = (enum complete_shell)i;
			return 0;
		}
	return rkt_fail(
		err, RKT_USAGE, "no completion for '%s'; known are bash, zsh and fish", name);
}

void complete_start(enum complete_shell shell, const char *program)
{
	if (shell == COMPLETE_ZSH)
		printf("#compdef %s\n",
			program); /* zsh reads this line only when it is the first */
	printf("# Completion of %s, made from its option table.\n", program);
}

void complete_print(
	enum complete_shell shell, const struct command *command, const struct complete_item *items)
{
	if (!items && !strchr(command->program, ' '))
		complete_start(shell, command->program);
	switch (shell) {
	case COMPLETE_BASH:
		complete_bash(command, items);
		break;
	case COMPLETE_ZSH:
		complete_zsh(command, items);
		break;
	case COMPLETE_FISH:
		complete_fish(command, items);
		break;
	}
}

/* The names of values are words for people, but few. */
enum complete_value complete_value_of(const struct opt *opt)
{
	static const char *const files[] = { "FILE", "KEYS", "SIG" };

	if (!opts_takes_value(opt))
		return VALUE_NONE;
	if (opt->choices)
		return VALUE_CHOICES;
	for (size_t i = 0; opt->argument && i < ARRAY_LEN(files); i++)
		if (strcmp(opt->argument, files[i]) == 0)
			return VALUE_FILE;
	return opt->argument && strcmp(opt->argument, "DIR") == 0 ? VALUE_DIR : VALUE_OTHER;
}

void complete_list(const char *const *list)
{
	for (size_t i = 0; list[i]; i++)
		printf("%s%s", i ? " " : "", list[i]);
}

bool complete_takes_files(const struct command *command)
{
	static const char *const words[] = { "FILE", "DIR", "SUMS", ".aci", "REFERENCE" };

	if (command->operand) /* images among options: they may be files */
		return true;
	for (const char *const *usage = command->usage; usage && *usage; usage++)
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (strstr(*usage, words[i]))
				return true;
	return false;
}

bool complete_is_dir(const struct opt *opt)
{
	return opts_takes_value(opt) && strcmp(opt->name, "dir") == 0;
}

void complete_spellings(const struct opt *opt, const char *separator)
{
	printf("--%s", opt->name);
	if (strlen(opt->name) >= SINGLE_DASH_MIN)
		printf("%s-%s", separator, opt->name);
	if (opt->letter)
		printf("%s-%c", separator, opt->letter);
}

char *complete_function(const char *program)
{
	char *name = xasprintf("_%s", program);

	for (char *at = name; *at; at++)
		if (*at == '-' || *at == ' ')
			*at = '_';
	return name;
}

char *complete_says(const char *text)
{
	const char *end = strstr(text, ". ");
	size_t len = end ? (size_t)(end - text) : strlen(text);

	if (len && text[len - 1] == '.')
		len--;
	return xmemdup(text, len);
}

void complete_quote(const char *text, const char *escaped, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs(quote, stdout);
			continue;
		}
		if (strchr(escaped, *text))
			putchar('\\');
		putchar(*text);
	}
}

static size_t first_len(const char *name)
{
	return strcspn(name, " ");
}

bool complete_is_first(const struct complete_item *items, size_t index)
{
	const char *name = items[index].name;
	size_t len = first_len(name);

	for (size_t i = 0; i < index; i++)
		if (first_len(items[i].name) == len && memcmp(items[i].name, name, len) == 0)
			return false;
	return true;
}

void complete_words(const struct complete_item *items, const char *first, const char *separator)
{
	const char *between = "";

	for (size_t i = 0; items[i].name; i++) {
		const char *name = items[i].name;
		size_t len = first_len(name);

		if (first && (strlen(first) != len || memcmp(first, name, len) != 0))
			continue;
		if (!first && !complete_is_first(items, i))
			continue;
		if (first)
			printf("%s%s", between, name + len + 1);
		else
			printf("%s%.*s", between, (int)len, name);
		between = separator;
	}
}
