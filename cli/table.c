/* Tables on stdout. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"

struct out_table {
	const char *const *headings; /* or NULL */
	size_t columns;
	bool head;
	char **cells; /* escaped; row after row */
	size_t count;
};

struct out_table *out_table_new(const char *const *headings)
{
	struct out_table *table = xcalloc(1, sizeof *table);

	table->headings = headings;
	table->head = headings != NULL;
	table->columns = headings ? 0 : 2;
	while (headings && headings[table->columns])
		table->columns++;
	return table;
}

void out_table_hide_head(struct out_table *table)
{
	table->head = false;
}

void out_table_cell(struct out_table *table, const char *text)
{
	table->cells = xreallocarray(table->cells, table->count + 1, sizeof *table->cells);
	table->cells[table->count++] = str_escape(text, strlen(text));
}

/* Characters, not bytes: what is escaped is valid UTF-8. */
static size_t shown_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct out_table *table, size_t column)
{
	size_t width = table->head ? shown_width(table->headings[column]) : 0;

	for (size_t i = column; i < table->count; i += table->columns) {
		size_t cell = shown_width(table->cells[i]);

		width = cell > width ? cell : width;
	}
	return width;
}

/* Spaces are owed until something follows them, so that none ends a line. */
static void print_row(const char *const *cells, size_t count, const size_t *widths)
{
	size_t owed = 0;

	for (size_t i = 0; i < count; i++) {
		if (*cells[i])
			printf("%*s%s", (int)owed, "", cells[i]), owed = 0;
		owed += widths[i] - shown_width(cells[i]) + 2;
	}
	putchar('\n');
}

void out_table_end(struct out_table *table)
{
	auto_free size_t *widths = xcalloc(table->columns, sizeof *widths);

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	if (table->head)
		print_row(table->headings, table->columns, widths);
	for (size_t i = 0; i < table->count; i += table->columns) {
		size_t left = table->count - i;

		print_row((const char *const *)table->cells + i,
			left < table->columns ? left : table->columns, widths);
	}
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}
