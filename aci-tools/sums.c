/* Lists of digests, as coreutils writes and reads them. */
#include "aci-tools/sums.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/str.h"

/* ---- printing -------------------------------------------------------------------------------- */

static bool needs_escape(const char *file)
{
	return strpbrk(file, "\\\n\r");
}

static void print_name(const char *file)
{
	for (; *file; file++) {
		if (*file == '\\')
			fputs("\\\\", stdout);
		else if (*file == '\n')
			fputs("\\n", stdout);
		else if (*file == '\r')
			fputs("\\r", stdout);
		else
			putchar(*file);
	}
}

static void start_line(const char *file)
{
	if (needs_escape(file))
		putchar('\\');
}

void sums_print(const char *hex, const char *file)
{
	start_line(file);
	printf("%s  ", hex);
	print_name(file);
	putchar('\n');
}

void sums_print_tagged(const char *algorithm, const char *hex, const char *file)
{
	start_line(file);
	for (; *algorithm; algorithm++)
		putchar(toupper((unsigned char)*algorithm));
	fputs(" (", stdout);
	print_name(file);
	printf(") = %s\n", hex);
}

void sums_print_verdict(const char *file, const char *verdict)
{
	start_line(file);
	print_name(file);
	printf(": %s\n", verdict);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Undoes the escapes in place; false when there is one that nobody writes. */
static bool unescape(char *name)
{
	char *out = name;

	for (; *name; name++) {
		if (*name != '\\') {
			*out++ = *name;
			continue;
		}
		name++;
		if (*name == '\\')
			*out++ = '\\';
		else if (*name == 'n')
			*out++ = '\n';
		else if (*name == 'r')
			*out++ = '\r';
		else
			return false;
	}
	*out = '\0';
	return true;
}

/* Takes LEN digits; their number says which digest they are. */
static bool take_hex(struct sum *sum, const char *digits, size_t len)
{
	for (int kind = DIGEST_SHA256; kind <= DIGEST_SHA512; kind++)
		if (digest_hex_len((enum digest_kind)kind) == len) {
			sum->kind = (enum digest_kind)kind;
			for (size_t i = 0; i < len; i++)
				sum->hex[i] = (char)tolower((unsigned char)digits[i]);
			sum->hex[len] = '\0';
			return hex_is(sum->hex, len);
		}
	return false;
}

/* "HEX  FILE", or "HEX *FILE" of those who mean to say binary; or "HEX FILE", as BSD's md5 -r writes,
 * but not both in one list: a name may begin with a space or star. */
static char *parse_plain(struct sum *sum, char *line, enum sums_style *style)
{
	size_t len = strcspn(line, " \t");
	char *name = line + len + 1;
	enum sums_style found;

	if (!take_hex(sum, line, len) || !line[len])
		return NULL;
	found = name[0] && name[1] && (*name == ' ' || *name == '*') ? SUMS_TWO : SUMS_ONE;
	if (*style == SUMS_UNKNOWN)
		*style = found;
	if (found == SUMS_ONE && *style == SUMS_TWO)
		return NULL;
	return *style == SUMS_TWO ? name + 1 : name;
}

static char *skip_spaces(char *text)
{
	return text + strspn(text, " \t");
}

/* "SHA256 (FILE) = HEX"; OpenSSL writes it with one space only: "SHA256(FILE)= HEX". */
static char *parse_tagged(struct sum *sum, char *line)
{
	enum digest_kind kind = str_has_prefix(line, "SHA512") ? DIGEST_SHA512 : DIGEST_SHA256;
	char *end = strrchr(line, ')'), *name, *digits;

	if (!str_has_prefix(line, "SHA256") && !str_has_prefix(line, "SHA512"))
		return NULL;
	name = line + strlen("SHA256");
	name += *name == ' ';
	if (*name != '(' || !end)
		return NULL;
	digits = skip_spaces(end + 1);
	if (*digits != '=')
		return NULL;
	digits = skip_spaces(digits + 1);
	if (!take_hex(sum, digits, strlen(digits)) || sum->kind != kind)
		return NULL;
	*end = '\0';
	return name + 1;
}

static bool parse_line(struct sum *sum, char *line, enum sums_style *style)
{
	bool escaped;
	char *name;

	line = skip_spaces(line);
	escaped = *line == '\\';
	line += escaped;
	name = parse_tagged(sum, line);
	if (!name)
		name = parse_plain(sum, line, style);
	if (!name || !*name || (escaped && !unescape(name)))
		return false;
	sum->file = xstrdup(name);
	return true;
}

static void take_line(struct sums *sums, struct slice line, size_t number)
{
	auto_free char *text = xmemdup(line.data, line.len);
	struct sum sum = { 0 };

	if (!line.len || line.data[0] == '#')
		return;
	if (!memchr(line.data, 0, line.len) && parse_line(&sum, text, &sums->style)) {
		sums->items = xreallocarray(sums->items, sums->count + 1, sizeof *sums->items);
		sums->items[sums->count++] = sum;
		return;
	}
	sums->bad_lines =
		xreallocarray(sums->bad_lines, sums->bad_line_count + 1, sizeof *sums->bad_lines);
	sums->bad_lines[sums->bad_line_count++] = number;
}

void sums_parse(struct sums *sums, struct slice text)
{
	for (size_t number = 1; text.len; number++) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		size_t shown = len && text.data[len - 1] == '\r' ? len - 1 : len;

		take_line(sums, (struct slice){ text.data, shown }, number);
		text.data += end ? len + 1 : len;
		text.len -= end ? len + 1 : len;
	}
}

void sums_free(struct sums *sums)
{
	for (size_t i = 0; i < sums->count; i++)
		free(sums->items[i].file);
	free(sums->items);
	free(sums->bad_lines);
}
