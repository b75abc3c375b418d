/* rkt-store list: the images there are, as a table or JSON; which of them, which columns, in which
 * order. */
#include "store/cmd.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/out.h"
#include "store/reference.h"

/* Digits of an ID in a table: enough to tell a hundred thousand images apart. */
#define SHORT_DIGITS 12
#define CELL_SIZE    (RKT_IMAGE_ID_LEN + 1)
#define FIELDS_MAX   16
#define NO_TIME      (-1)

struct list_settings {
	const char *dir, *fields, *sort;
	struct opts_list labels;
	int64_t since_sec, before_sec; /* ago; NO_TIME */
	bool json, full, no_legend;
};

/* ---- columns --------------------------------------------------------------------------------- */

struct view {
	bool full;
	int64_t now_sec;
};

/* What can be shown and sorted by. SHOW returns a text of the image or ROOM. */
struct field {
	const char *name, *heading;
	const char *(*show)(const rkt_image_record *image, const struct view *view,
		char room[static CELL_SIZE]);
	int (*compare)(const rkt_image_record *one, const rkt_image_record *other);
	enum record_parts parts; /* of the record that have it */
};

static int order(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

#define BY_NUMBER(name_, member_)                                                              \
	static int compare_##name_(const rkt_image_record *one, const rkt_image_record *other) \
	{                                                                                      \
		return order((uint64_t)one->member_, (uint64_t)other->member_);                \
	}
#define BY_TEXT(name_, member_)                                                                 \
	static int compare_##name_(const rkt_image_record *one, const rkt_image_record *other)  \
	{                                                                                       \
		return strcmp(one->member_ ?: "", other->member_ ?: "");                        \
	}                                                                                       \
	static const char *show_##name_(const rkt_image_record *image, const struct view *view, \
		char room[static CELL_SIZE])                                                    \
	{                                                                                       \
		(void)view, (void)room;                                                         \
		return image->member_ ?: "-";                                                   \
	}

BY_TEXT(name, name)
BY_TEXT(version, version)
BY_TEXT(os, os)
BY_TEXT(arch, arch)
BY_TEXT(source, source)
BY_TEXT(signed_by, signed_by)
BY_NUMBER(size, size)
BY_NUMBER(index_size, index_size)
BY_NUMBER(entries, entries)

static const char *show_id(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	snprintf(room, CELL_SIZE, "%.*s",
		view->full ? RKT_IMAGE_ID_LEN : (int)strlen("sha256-") + SHORT_DIGITS,
		image->id.text);
	return room;
}

static int compare_id(const rkt_image_record *one, const rkt_image_record *other)
{
	return strcmp(one->id.text, other->id.text);
}

static const char *show_number(uint64_t number, char room[static CELL_SIZE])
{
	snprintf(room, CELL_SIZE, "%llu", (unsigned long long)number);
	return room;
}

static const char *show_size(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	return view->full ? show_number(image->size, room) : str_size(image->size, room);
}

static const char *show_index_size(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	return view->full ? show_number(image->index_size, room)
			  : str_size(image->index_size, room);
}

static const char *show_entries(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	(void)view;
	return show_number(image->entries, room);
}

static const char *show_imported(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	return view->full ? time_rfc3339(image->imported_sec, room)
			  : time_ago(image->imported_sec, view->now_sec, room);
}

static int compare_imported(const rkt_image_record *one, const rkt_image_record *other)
{
	if (one->imported_sec != other->imported_sec)
		return one->imported_sec < other->imported_sec ? -1 : 1;
	return order(one->imported_nsec, other->imported_nsec);
}

static const char *show_used(
	const rkt_image_record *image, const struct view *view, char room[static CELL_SIZE])
{
	if (!image->used_sec)
		return "never";
	return view->full ? time_rfc3339(image->used_sec, room)
			  : time_ago(image->used_sec, view->now_sec, room);
}

static int compare_used(const rkt_image_record *one, const rkt_image_record *other)
{
	return order((uint64_t)one->used_sec, (uint64_t)other->used_sec);
}

static const struct field known_fields[] = {
	{ "id", "ID", show_id, compare_id },
	{ "name", "NAME", show_name, compare_name },
	{ "version", "VERSION", show_version, compare_version },
	{ "os", "OS", show_os, compare_os },
	{ "arch", "ARCH", show_arch, compare_arch },
	{ "size", "SIZE", show_size, compare_size },
	{ "index-size", "INDEX SIZE", show_index_size, compare_index_size, RECORD_WHOLE },
	{ "entries", "ENTRIES", show_entries, compare_entries },
	{ "imported", "IMPORTED", show_imported, compare_imported },
	{ "used", "USED", show_used, compare_used, RECORD_WHOLE },
	{ "source", "SOURCE", show_source, compare_source, RECORD_WHOLE },
	{ "signed-by", "SIGNED BY", show_signed_by, compare_signed_by, RECORD_WHOLE },
};
static const char *const field_words[] = { "id", "name", "version", "os", "arch", "size",
	"index-size", "entries", "imported", "used", "source", "signed-by", NULL };
#define FIELD_NAMES \
	"id, name, version, os, arch, size, index-size, entries, imported, used, source, signed-by"
#define FIELDS_USUAL "id,name,version,size,imported"

/* NULL with *ERR set when there is no such field. */
static const struct field *field_of(const char *name, rkt_error **err)
{
	for (size_t i = 0; i < ARRAY_LEN(known_fields); i++)
		if (strcmp(known_fields[i].name, name) == 0)
			return &known_fields[i];
	rkt_fail(err, RKT_USAGE, "no field '%s': there are " FIELD_NAMES, name);
	return NULL;
}

/* What is shown and sorted by. */
struct columns {
	const struct field *fields[FIELDS_MAX];
	int count;
	const struct field *sort; /* NULL: as the list is */
	bool reverse;
};

/* The fields in LIST, separated by commas. */
static int parse_fields(struct columns *self, const char *list, rkt_error **err)
{
	auto_free char *text = xstrdup(list);
	char *rest = text, *name;

	self->count = 0;
	while ((name = strsep(&rest, ","))) {
		if (self->count == FIELDS_MAX)
			return rkt_fail(err, RKT_USAGE, "more than %d fields", FIELDS_MAX);
		self->fields[self->count] = field_of(name, err);
		if (!self->fields[self->count++])
			return -1;
	}
	return 0;
}

/* --sort is a field, with "-" before it for the other direction. */
static int columns_make(struct columns *self, const struct list_settings *settings, rkt_error **err)
{
	const char *sort = settings->sort;

	if (parse_fields(self, settings->fields, err) < 0)
		return -1;
	self->reverse = sort && sort[0] == '-';
	self->sort = sort ? field_of(sort + self->reverse, err) : NULL;
	return sort && !self->sort ? -1 : 0;
}

/* ---- which, and in which order --------------------------------------------------------------- */

struct filter {
	const struct operands *names; /* patterns: one must fit; none: all do */
	struct reference labels;      /* its name says nothing */
	int64_t after_sec, before_sec;
};

static int filter_make(struct filter *self, const struct list_settings *settings,
	const struct operands *names, rkt_error **err)
{
	auto_buf struct buf labels = { 0 };
	int64_t now = time_now_sec();

	for (size_t i = 0; i < settings->labels.count; i++)
		buf_printf(&labels, ",%s", settings->labels.items[i]);
	self->names = names;
	self->after_sec = settings->since_sec == NO_TIME ? INT64_MIN : now - settings->since_sec;
	self->before_sec = settings->before_sec == NO_TIME ? INT64_MAX : now - settings->before_sec;
	return reference_parse(buf_text(&labels), &self->labels, err);
}

static bool name_fits(const struct filter *self, const char *name)
{
	for (size_t i = 0; i < self->names->count; i++)
		if (str_has_prefix(name, self->names->items[i]) ||
			fnmatch(self->names->items[i], name, 0) == 0)
			return true;
	return !self->names->count;
}

/* 1, 0, or -1. */
static int fits(const struct filter *self, const rkt_image_record *image, rkt_error **err)
{
	struct slice manifest = { (const uint8_t *)image->manifest, image->manifest_len };

	if (!name_fits(self, image->name) || image->imported_sec < self->after_sec ||
		image->imported_sec >= self->before_sec)
		return 0;
	return self->labels.label_count ? reference_labels_fit(&self->labels, manifest, err) : 1;
}

/* Drops the IMAGES that do not fit: how many stay, or -1 (IMAGES are as many as before). */
static ssize_t select_images(
	const struct filter *filter, rkt_image_record **images, size_t count, rkt_error **err)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		rkt_image_record *image = images[i];
		int fit = fits(filter, image, err);

		if (fit < 0)
			return -1;
		if (fit) { /* swapped, so that all are freed in the end */
			images[i] = images[kept];
			images[kept++] = image;
		}
	}
	return (ssize_t)kept;
}

struct place {
	rkt_image_record *image;
	size_t at; /* equal ones stay in the order of the list */
};

static int compare_places(const void *one, const void *other, void *context)
{
	const struct place *a = one, *b = other;
	const struct columns *columns = context;
	int result = columns->sort->compare(a->image, b->image);

	if (!result)
		return order(a->at, b->at);
	return columns->reverse ? -result : result;
}

static void sort_images(struct columns *columns, rkt_image_record **images, size_t count)
{
	auto_free struct place *places = NULL;

	if (!columns->sort)
		return;
	places = xcalloc(count + 1, sizeof *places);
	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){ images[i], i };
	qsort_r(places, count, sizeof *places, compare_places, columns);
	for (size_t i = 0; i < count; i++)
		images[i] = places[i].image;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void add_row(struct out_table *table, const struct view *view, const struct columns *columns,
	const rkt_image_record *image)
{
	for (int i = 0; i < columns->count; i++) {
		char room[CELL_SIZE];
		const char *cell = columns->fields[i]->show(image, view, room);

		if (table) {
			out_table_cell(table, cell);
			continue;
		}
		out_escaped(cell);
		putchar(i + 1 < columns->count ? '\t' : '\n');
	}
}

static void print_table(const struct list_settings *settings, const struct columns *columns,
	rkt_image_record *const *images, size_t count)
{
	const struct view view = { settings->full, time_now_sec() };
	const char *headings[FIELDS_MAX + 1] = { NULL };
	struct out_table *table;

	for (int i = 0; i < columns->count; i++)
		headings[i] = columns->fields[i]->heading;
	table = settings->no_legend ? NULL : out_table_new(headings);
	for (size_t i = 0; i < count; i++)
		add_row(table, &view, columns, images[i]);
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
		json_set(object, "used",
			text_or_null(image->used_sec ? time_rfc3339(image->used_sec, when) : NULL));
		json_set(object, "source", text_or_null(image->source));
		json_set(object, "signedBy", text_or_null(image->signed_by));
		json_append(array, object);
	}
	out_json(array);
}

static int show(const struct list_settings *settings, struct columns *columns,
	const struct filter *filter, rkt_image_record **images, size_t count, rkt_error **err)
{
	ssize_t kept = select_images(filter, images, count, err);

	if (kept < 0)
		return -1;
	sort_images(columns, images, (size_t)kept);
	if (settings->json)
		print_json(images, (size_t)kept);
	else
		print_table(settings, columns, images, (size_t)kept);
	return 0;
}

/* The length of what all names that fit PATTERN begin with. */
static size_t literal_length(const char *pattern)
{
	return strcspn(pattern, "*?[\\");
}

/* What all names that fit one of PATTERNS begin with, so that others need not be read. The caller
 * frees it. */
static char *common_beginning(const struct operands *patterns)
{
	const char *first = patterns->count ? patterns->items[0] : "";
	size_t len = literal_length(first);

	for (size_t i = 1; i < patterns->count; i++) {
		const char *other = patterns->items[i];
		size_t same = 0, limit = literal_length(other);

		while (same < len && same < limit && first[same] == other[same])
			same++;
		len = same;
	}
	return xmemdup(first, len);
}

/* What must be read of the records to show them. */
static enum record_parts parts_of(
	const struct list_settings *settings, const struct columns *columns)
{
	bool whole = settings->json || settings->labels.count ||
		     (columns->sort && columns->sort->parts == RECORD_WHOLE);

	for (int i = 0; i < columns->count; i++)
		whole = whole || columns->fields[i]->parts == RECORD_WHOLE;
	return whole ? RECORD_WHOLE : RECORD_BRIEF;
}

static int list(const struct list_settings *settings, const struct operands *names, rkt_error **err)
{
	auto_store rkt_store *store = rkt_store_open(settings->dir, RKT_STORE_READ, err);
	auto_free char *beginning = common_beginning(names);
	struct filter filter = { 0 };
	struct columns columns;
	rkt_image_record **images;
	size_t count;
	int result = store ? filter_make(&filter, settings, names, err) : -1;

	if (result == 0)
		result = columns_make(&columns, settings, err);
	if (result == 0)
		result = store_list(
			store, beginning, parts_of(settings, &columns), &images, &count, err);
	if (result == 0) {
		result = show(settings, &columns, &filter, images, count, err);
		rkt_store_list_free(images, count);
	}
	reference_free(&filter.labels);
	return result;
}

int cmd_list(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] [NAME...]", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store list example.com/", "Those of example.com." },
		{ "rkt-store list --label arch=amd64 --sort=-size", "The biggest first." },
		{ "rkt-store list --before 30d --fields id --no-legend --full",
			"IDs of what was imported more than a month ago." },
		{ NULL, NULL },
	};
	struct list_settings settings = {
		.fields = FIELDS_USUAL, .since_sec = NO_TIME, .before_sec = NO_TIME
	};
	const struct opt options[] = {
		CMD_OPTION_DIR(&settings.dir),
		{ .name = "label",
			.kind = OPT_LIST,
			.into = &settings.labels,
			.argument = "LABEL=VALUE",
			.help = "Only images with this label; may be repeated." },
		{ .name = "since",
			.kind = OPT_DURATION,
			.into = &settings.since_sec,
			.argument = "TIME",
			.help = "Only images imported less long ago: 90s, 30m, 12h, 7d." },
		{ .name = "before",
			.kind = OPT_DURATION,
			.into = &settings.before_sec,
			.argument = "TIME",
			.help = "Only images imported at least so long ago." },
		{ .name = "sort",
			.kind = OPT_TEXT,
			.into = &settings.sort,
			.argument = "[-]FIELD",
			.choices = field_words,
			.help = "Sort by this field, with - from the highest to the lowest." },
		{ .name = "fields",
			.kind = OPT_TEXT,
			.into = &settings.fields,
			.argument = "FIELD,...",
			.choices = field_words,
			.help = "The columns of the table: " FIELD_NAMES "." },
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
		.description =
			"Lists the images by name, the newest import of a name first. With NAMEs only "
			"those whose name begins with one of them, or matches one as a pattern "
			"(example.com/*-server).",
		.options = options,
		.examples = examples,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_NAMES,
		.operands_max = -1 };
	auto_operands struct operands names = { NULL };
	int result = opts_parse(&command, argc, argv, &names, err);

	if (result > 0)
		result = list(&settings, &names, err);
	free(settings.labels.items);
	return result;
}
