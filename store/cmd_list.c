/* rkt-store list: the images there are, as a table or JSON. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/out.h"

/* Digits of an ID in a table: enough to tell a hundred thousand images apart. */
#define SHORT_DIGITS 12

struct list_settings {
	const char *dir;
	bool json, full, no_legend;
};

static void add_row(struct out_table *table, const struct list_settings *settings,
	const rkt_image_record *image, int64_t now)
{
	char size[16], when[TIME_TEXT_SIZE], id[RKT_IMAGE_ID_LEN + 1];
	const char *const cells[] = { id, image->name, image->version ? image->version : "-", size,
		when };

	snprintf(id, sizeof id, "%.*s",
		settings->full ? RKT_IMAGE_ID_LEN : (int)strlen("sha256-") + SHORT_DIGITS,
		image->id.text);
	if (settings->full) {
		snprintf(size, sizeof size, "%llu", (unsigned long long)image->size);
		time_rfc3339(image->imported_sec, when);
	} else {
		str_size(image->size, size);
		time_ago(image->imported_sec, now, when);
	}
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		if (table) {
			out_table_cell(table, cells[i]);
			continue;
		}
		out_escaped(cells[i]);
		putchar(i + 1 < ARRAY_LEN(cells) ? '\t' : '\n');
	}
}

static void print_table(
	const struct list_settings *settings, rkt_image_record *const *images, size_t count)
{
	static const char *const headings[] = { "ID", "NAME", "VERSION", "SIZE", "IMPORTED", NULL };
	struct out_table *table = settings->no_legend ? NULL : out_table_new(headings);
	int64_t now = time_now_sec();

	for (size_t i = 0; i < count; i++)
		add_row(table, settings, images[i], now);
	if (table)
		out_table_end(table);
}

static json *text_or_null(const char *text)
{
	return text ? json_new_string(text) : NULL;
}

static void print_json(rkt_image_record *const *images, size_t count)
{
	auto_json json *array = json_new_array();

	for (size_t i = 0; i < count; i++) {
		const rkt_image_record *image = images[i];
		json *object = json_new_object();
		char when[TIME_TEXT_SIZE];

		json_set(object, "id", json_new_string(image->id.text));
		json_set(object, "name", json_new_string(image->name));
		json_set(object, "version", text_or_null(image->version));
		json_set(object, "os", text_or_null(image->os));
		json_set(object, "arch", text_or_null(image->arch));
		json_set(object, "size", json_new_integer((int64_t)image->size));
		json_set(object, "indexSize", json_new_integer((int64_t)image->index_size));
		json_set(object, "entries", json_new_integer((int64_t)image->entries));
		json_set(object, "imported",
			json_new_string(time_rfc3339(image->imported_sec, when)));
		json_append(array, object);
	}
	out_json(array);
}

static int list(const struct list_settings *settings, rkt_error **err)
{
	auto_store rkt_store *store = rkt_store_open(settings->dir, RKT_STORE_READ, err);
	rkt_image_record **images;
	size_t count;

	if (!store || rkt_store_list(store, &images, &count, err) < 0)
		return -1;
	if (settings->json)
		print_json(images, count);
	else
		print_table(settings, images, count);
	rkt_store_list_free(images, count);
	return 0;
}

int cmd_list(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS]", NULL };
	struct list_settings settings = { NULL };
	const struct opt options[] = {
		CMD_OPTION_DIR(&settings.dir),
		CMD_OPTION_JSON(&settings.json),
		{ .name = "full",
			.kind = OPT_FLAG,
			.into = &settings.full,
			.help = "Whole IDs, sizes in bytes, times by the clock." },
		{ .name = "no-legend",
			.kind = OPT_FLAG,
			.into = &settings.no_legend,
			.help = "No head line, and tabs between the columns: for scripts." },
		CMD_OPTIONS_END,
	};
	const struct command command = { .program = "rkt-store list",
		.usage = usage,
		.summary = "list the images in the store",
		.description = "Lists the images by name, the newest import of a name first.",
		.options = options,
		.see_also = cmd_see_also };
	struct operands none;
	enum opts_result got = opts_parse(&command, argc, argv, &none, err);

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	free(none.items);
	return list(&settings, err);
}
