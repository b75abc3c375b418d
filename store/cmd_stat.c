/* rkt-store stat: what the store takes, as a whole and image by image, and how its index is. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cli/out.h"

#define SHORT_DIGITS 12 /* of an ID, as in the list */

struct stat_settings {
	const char *dir;
	bool images, json;
};

/* One line of the table by image. */
struct line {
	rkt_image_id id;
	char *name, *version; /* VERSION may be NULL */
	struct rkt_image_stat stat;
};

struct gathered {
	struct rkt_stat_result all;
	struct line *lines;
	size_t count, capacity;
	json *tables;
};

static void gathered_free(struct gathered *self)
{
	for (size_t i = 0; i < self->count; i++) {
		free(self->lines[i].name);
		free(self->lines[i].version);
	}
	free(self->lines);
	json_free(self->tables);
}

static void add_image(void *context, const struct rkt_image_stat *image)
{
	struct gathered *self = context;

	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 16;
		self->lines = xreallocarray(self->lines, self->capacity, sizeof *self->lines);
	}
	self->lines[self->count++] = (struct line){ *image->id, xstrdup(image->name),
		xstrdup_if(image->version), *image };
}

static void set_number(json *object, const char *key, uint64_t number)
{
	json_set(object, key, json_new_integer((int64_t)number));
}

static void add_table(void *context, const struct rkt_table_stat *table)
{
	struct gathered *self = context;
	json *object = json_new_object();

	json_set(object, "name", json_new_string(table->name));
	set_number(object, "entries", table->entries);
	set_number(object, "pages", table->pages);
	set_number(object, "depth", table->depth);
	json_append(self->tables, object);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Takes over TEXT. */
static void add_line(struct out_table *table, const char *name, char *text)
{
	out_table_cell(table, name);
	out_table_cell(table, text);
	free(text);
}

static void add_space(
	struct out_table *table, const char *name, const struct rkt_space *space, const char *unit)
{
	char size[16];

	if (space->count == RKT_HIDDEN) {
		add_line(table, name, xstrdup("for root to see"));
		return;
	}
	add_line(table, name,
		xasprintf("%s in %llu %s%s", str_size(space->bytes, size),
			(unsigned long long)space->count, unit, str_plural(space->count)));
}

static void add_index(struct out_table *table, const struct rkt_stat_result *all)
{
	char size[16], page[16];

	add_line(table, "index",
		xasprintf("%s; %llu pages of %s, %llu of them free",
			str_size(all->index_bytes, size), (unsigned long long)all->pages,
			str_size(all->page_bytes, page), (unsigned long long)all->pages_free));
	add_line(table, "map", xasprintf("%s, grows by itself", str_size(all->map_bytes, size)));
	add_line(table, "readers",
		xasprintf("%llu other%s of %llu; of killed processes cleared: %llu",
			(unsigned long long)all->readers, str_plural(all->readers),
			(unsigned long long)all->readers_max,
			(unsigned long long)all->readers_cleared));
}

static void print_tables(const json *tables)
{
	static const char *const headings[] = { "TABLE", "ENTRIES", "PAGES", "DEPTH", NULL };
	static const char *const keys[] = { "entries", "pages", "depth" };
	struct out_table *table = out_table_new(headings);

	for (size_t i = 0; i < json_count(tables); i++) {
		const json *one = json_at(tables, i);

		out_table_cell(table, json_string(json_get(one, "name")));
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			auto_free char *number = NULL;
			int64_t value = 0;

			(void)json_integer(json_get(one, keys[k]), &value);
			number = xasprintf("%lld", (long long)value);
			out_table_cell(table, number);
		}
	}
	out_table_end(table);
}

static void print_all(const struct gathered *gathered)
{
	const struct rkt_stat_result *all = &gathered->all;
	struct out_table *table = out_table_new(NULL);
	char free_size[16], size[16];

	add_line(table, "images", xasprintf("%llu", (unsigned long long)all->images));
	add_space(table, "blobs", &all->blobs, "file");
	add_space(table, "EROFS indexes", &all->indexes, "file");
	add_space(table, "extracted trees", &all->trees, "tree");
	add_space(table, "left-overs", &all->leftovers, "file");
	add_space(table, "quarantine", &all->quarantine, "file");
	add_line(table, "disk",
		xasprintf("%s free of %s", str_size(all->disk_free, free_size),
			str_size(all->disk_size, size)));
	add_line(table, "pods",
		xasprintf("%llu with %llu lease%s", (unsigned long long)all->pods,
			(unsigned long long)all->leases, str_plural(all->leases)));
	add_index(table, all);
	out_table_end(table);
	putchar('\n');
	print_tables(gathered->tables);
}

/* NULL when it is hidden. */
static json *space_json(const struct rkt_space *space)
{
	json *object;

	if (space->count == RKT_HIDDEN)
		return NULL;
	object = json_new_object();
	set_number(object, "count", space->count);
	set_number(object, "bytes", space->bytes);
	return object;
}

static void print_all_json(struct gathered *gathered)
{
	const struct rkt_stat_result *all = &gathered->all;
	auto_json json *object = json_new_object();
	json *disk = json_new_object(), *index = json_new_object();

	set_number(object, "images", all->images);
	json_set(object, "blobs", space_json(&all->blobs));
	json_set(object, "indexes", space_json(&all->indexes));
	json_set(object, "extractedTrees", space_json(&all->trees));
	json_set(object, "leftOvers", space_json(&all->leftovers));
	json_set(object, "quarantine", space_json(&all->quarantine));
	set_number(object, "pods", all->pods);
	set_number(object, "leases", all->leases);
	set_number(disk, "free", all->disk_free);
	set_number(disk, "size", all->disk_size);
	json_set(object, "disk", disk);
	set_number(index, "bytes", all->index_bytes);
	set_number(index, "mapBytes", all->map_bytes);
	set_number(index, "pageBytes", all->page_bytes);
	set_number(index, "pages", all->pages);
	set_number(index, "pagesFree", all->pages_free);
	set_number(index, "readers", all->readers);
	set_number(index, "readersMax", all->readers_max);
	set_number(index, "readersCleared", all->readers_cleared);
	json_set(index, "tables", pass_ptr(gathered->tables));
	json_set(object, "index", index);
	out_json(object);
}

/* ---- image by image -------------------------------------------------------------------------- */

static uint64_t sum_of(const struct line *line)
{
	uint64_t trees = line->stat.trees == RKT_HIDDEN ? 0 : line->stat.trees;

	return line->stat.blob + line->stat.indexes + trees;
}

/* The largest first, equal ones by ID. */
static int by_size(const void *one, const void *other)
{
	uint64_t a = sum_of(one), b = sum_of(other);

	if (a != b)
		return a > b ? -1 : 1;
	return strcmp(((const struct line *)one)->id.text, ((const struct line *)other)->id.text);
}

static void add_size(struct out_table *table, uint64_t bytes)
{
	char size[16];

	if (bytes == RKT_HIDDEN)
		out_table_cell(table, "?");
	else
		out_table_cell(table, bytes ? str_size(bytes, size) : "-");
}

static void print_images(const struct gathered *gathered)
{
	static const char *const headings[] = { "SPACE", "BLOB", "INDEXES", "TREES", "PODS", "ID",
		"NAME", "VERSION", NULL };
	struct out_table *table = out_table_new(headings);

	for (size_t i = 0; i < gathered->count; i++) {
		const struct line *line = &gathered->lines[i];
		auto_free char *pods = xasprintf("%llu", (unsigned long long)line->stat.pods);
		auto_free char *id =
			xasprintf("%.*s", (int)strlen("sha256-") + SHORT_DIGITS, line->id.text);

		add_size(table, sum_of(line));
		add_size(table, line->stat.blob);
		add_size(table, line->stat.indexes);
		add_size(table, line->stat.trees);
		out_table_cell(table, pods);
		out_table_cell(table, id);
		out_table_cell(table, line->name);
		out_table_cell(table, line->version ?: "-");
	}
	out_table_end(table);
}

static void print_images_json(const struct gathered *gathered)
{
	auto_json json *array = json_new_array();

	for (size_t i = 0; i < gathered->count; i++) {
		const struct line *line = &gathered->lines[i];
		json *object = json_new_object();

		json_set(object, "id", json_new_string(line->id.text));
		json_set(object, "name", json_new_string(line->name));
		json_set(object, "version", line->version ? json_new_string(line->version) : NULL);
		set_number(object, "blob", line->stat.blob);
		set_number(object, "indexes", line->stat.indexes);
		if (line->stat.trees == RKT_HIDDEN)
			json_set(object, "extractedTrees", NULL);
		else
			set_number(object, "extractedTrees", line->stat.trees);
		set_number(object, "pods", line->stat.pods);
		json_append(array, object);
	}
	out_json(array);
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print(const struct stat_settings *settings, struct gathered *gathered)
{
	if (settings->images && gathered->count)
		qsort(gathered->lines, gathered->count, sizeof *gathered->lines, by_size);
	if (settings->images && settings->json)
		print_images_json(gathered);
	else if (settings->images)
		print_images(gathered);
	else if (settings->json)
		print_all_json(gathered);
	else
		print_all(gathered);
}

static int stat_store(const struct stat_settings *settings, rkt_error **err)
{
	auto_store rkt_store *store = rkt_store_open(settings->dir, RKT_STORE_READ, err);
	struct gathered gathered = { .tables = json_new_array() };
	const struct rkt_stat_options options = { .size = sizeof options,
		.image = settings->images ? add_image : NULL,
		.table = add_table,
		.context = &gathered };
	int result = store ? rkt_store_stat(store, &options, &gathered.all, err) : -1;

	if (result == 0)
		print(settings, &gathered);
	gathered_free(&gathered);
	return result;
}

int cmd_stat(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS]", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store stat --images", "Which images take how much, the largest first." },
		{ NULL, NULL },
	};
	struct stat_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "images",
			.kind = OPT_FLAG,
			.into = &settings.images,
			.help = "Show the space that each image takes instead." },
		CMD_OPTION_JSON(&settings.json), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store stat",
		.usage = usage,
		.summary = "show what the store takes",
		.description =
			"Shows how many images there are and what their files take on the disk: the "
			"uncompressed tars (blobs), the EROFS indexes over them, trees that were "
			"extracted, what killed commands left behind for gc and downloads that can be gone on with (left-overs), damaged blobs put away "
			"by verify; then the room on the file system, the pods that keep images, and "
			"the LMDB index. No image is read.\n\n"
			"With --images, an index or tree over several images counts to the one on "
			"top.\n\n"
			"Members of a group that root shares the store with are not shown what extracted "
			"trees and the quarantine take; of pods they see that there are leases.",
		.options = options,
		.examples = examples,
		.see_also = cmd_see_also };
	int got = opts_parse(&command, argc, argv, NULL, err);

	return got > 0 ? stat_store(&settings, err) : got;
}
