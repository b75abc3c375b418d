/* rkt-store info: all that the store knows of one image, and where its files are. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/out.h"
#include "base/alloc.h"
#include "store/deps.h"
#include "store/lease.h"
#include "store/tree.h"

/* What is shown, gathered before the first line is printed. */
struct facts {
	rkt_store *store;
	const rkt_image_record *image;
	char *blob, *index, *tree; /* paths; NULL where there is no file */
	struct buf pods;           /* UUIDs, a space before each */
	rkt_layers *layers;        /* NULL: a dependency is missing, or they go in a circle */
	json *dependencies;
	bool mounted;
};

static void facts_free(struct facts *self)
{
	free(self->blob);
	free(self->index);
	free(self->tree);
	buf_free(&self->pods);
	rkt_layers_free(self->layers);
	json_free(self->dependencies);
}

static int add_dependency(void *context, const struct ac_dependency *wanted,
	const rkt_image_id *found, rkt_error *why)
{
	struct facts *self = context;
	json *object = json_new_object(), *labels = json_new_array();

	for (size_t i = 0; i < wanted->label_count; i++) {
		json *label = json_new_object();

		json_set(label, "name", json_new_string(wanted->labels[i].name));
		json_set(label, "value", json_new_string(wanted->labels[i].value));
		json_append(labels, label);
	}
	json_set(object, "imageName", json_new_string(wanted->image_name));
	json_set(object, "labels", labels);
	json_set(object, "id", found ? json_new_string(found->text) : NULL);
	json_set(object, "problem", why ? json_new_string(rkt_error_raw(why)) : NULL);
	json_append(self->dependencies, object);
	return 0;
}

static int find_dependencies(db_txn *txn, struct facts *self, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	json_free(self->dependencies);
	self->dependencies = json_new_array();
	if (deps_for_each(txn, &self->image->id, add_dependency, self, err) < 0)
		return -1;
	if (deps_resolve(txn, &self->image->id, NULL, &self->layers, &why) == 0)
		return 0;
	/* what is wrong with direct dependencies is in the list already */
	return rkt_error_kind(why) == RKT_MISSING || rkt_error_kind(why) == RKT_INVALID
		       ? 0
		       : rkt_fail_with(err, pass_ptr(why));
}

static int find_facts(db_txn *txn, void *context, rkt_error **err)
{
	struct facts *self = context;

	if (find_dependencies(txn, self, err) < 0)
		return -1;
	self->pods.len = 0;
	return lease_holders(self->store, txn, &self->image->id, &self->pods, err) < 0 ? -1 : 0;
}

static int gather(struct facts *self, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	const rkt_image_id *id = &self->image->id, *tree = id;
	int mounted;

	if (db_read(self->store->db, find_facts, self, err) < 0)
		return -1;
	if (self->layers)
		tree = &self->layers->tree;
	/* trees are hidden from members of a group that root shares its store with */
	mounted = layout->member ? 0 : tree_is_mounted(self->store, tree, err);
	if (mounted < 0)
		return -1;
	self->mounted = mounted;
	self->blob = layout_file_path(layout, "blob", id);
	if (self->image->index_size)
		self->index = layout_file_path(layout, "erofs", id);
	self->tree = layout_file_path(layout, "rootfs", tree);
	if (access(self->tree, F_OK) < 0) {
		free(self->tree);
		self->tree = NULL;
	}
	return 0;
}

static void print_line(const char *key, const char *value)
{
	if (!value)
		return;
	printf("%s: ", key);
	out_escaped(value);
	putchar('\n');
}

static void print_number(const char *key, uint64_t value)
{
	printf("%s: %llu\n", key, (unsigned long long)value);
}

static void print_dependencies(const struct facts *self)
{
	size_t count = json_count(self->dependencies);

	for (size_t i = 0; i < count; i++) {
		const json *one = json_at(self->dependencies, i);
		const char *id = json_string(json_get(one, "id"));
		auto_free char *line = xasprintf(
			"%s %s", json_string(json_get(one, "imageName")), id ? id : "missing");

		print_line("dependency", line);
		if (!id)
			print_line("problem", json_string(json_get(one, "problem")));
	}
	if (self->layers && !deps_is_plain(self->layers))
		print_line("tree", self->layers->tree.text);
}

static void print_lines(struct facts *self)
{
	const rkt_image_record *image = self->image;
	char when[TIME_TEXT_SIZE];

	print_line("id", image->id.text);
	print_line("name", image->name);
	print_line("version", image->version);
	print_line("os", image->os);
	print_line("arch", image->arch);
	print_number("size", image->size);
	print_number("entries", image->entries);
	print_line("imported", time_rfc3339(image->imported_sec, when));
	print_line("used", image->used_sec ? time_rfc3339(image->used_sec, when) : "never");
	print_line("source", image->source);
	print_line("signed-by", image->signed_by);
	print_line("blob", self->blob);
	print_line("index", self->index);
	if (self->index)
		print_number("index-size", image->index_size);
	print_line("no-index-because", image->index_fault);
	print_dependencies(self);
	if (!self->store->layout.member)
		print_line("mounted", self->mounted ? "yes" : "no");
	print_line("extracted", self->tree);
	if (self->pods.len)
		print_line("pods", buf_text(&self->pods) + 1);
}

static void set_text(json *object, const char *key, const char *text)
{
	json_set(object, key, text ? json_new_string(text) : NULL);
}

static json *pods_array(struct facts *self)
{
	json *array = json_new_array();
	char *rest = (char *)self->pods.data, *uuid;

	if (!self->pods.len)
		return array;
	buf_text(&self->pods);
	rest = (char *)self->pods.data + 1;
	while ((uuid = strsep(&rest, " ")))
		json_append(array, json_new_string(uuid));
	return array;
}

static void print_json(struct facts *self)
{
	auto_json json *object = json_new_object();
	const rkt_image_record *image = self->image;
	char when[TIME_TEXT_SIZE];

	set_text(object, "id", image->id.text);
	set_text(object, "name", image->name);
	set_text(object, "version", image->version);
	set_text(object, "os", image->os);
	set_text(object, "arch", image->arch);
	json_set(object, "size", json_new_integer((int64_t)image->size));
	json_set(object, "entries", json_new_integer((int64_t)image->entries));
	set_text(object, "imported", time_rfc3339(image->imported_sec, when));
	set_text(object, "used", image->used_sec ? time_rfc3339(image->used_sec, when) : NULL);
	set_text(object, "source", image->source);
	set_text(object, "signedBy", image->signed_by);
	set_text(object, "blob", self->blob);
	set_text(object, "index", self->index);
	json_set(object, "indexSize", json_new_integer((int64_t)image->index_size));
	set_text(object, "noIndexBecause", image->index_fault);
	json_set(object, "dependencies", self->dependencies);
	self->dependencies = NULL;
	set_text(object, "tree", self->layers ? self->layers->tree.text : NULL);
	json_set(object, "mounted",
		self->store->layout.member ? NULL : json_new_bool(self->mounted));
	set_text(object, "extracted", self->tree);
	json_set(object, "pods", pods_array(self));
	out_json(object);
}

enum info_form { INFO_LINES, INFO_JSON };

static int info(const char *dir, const char *reference, enum info_form form, rkt_error **err)
{
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *image = NULL;
	struct facts facts = { NULL };
	int result;

	if (cmd_find_layered(dir, reference, &store, &image, err) < 0)
		return -1;
	facts.store = store;
	facts.image = image;
	result = gather(&facts, err);
	if (result == 0 && form == INFO_JSON)
		print_json(&facts);
	else if (result == 0)
		print_lines(&facts);
	facts_free(&facts);
	return result;
}

int cmd_info(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE", NULL };
	const char *dir = NULL;
	bool as_json = false;
	const struct opt options[] = { CMD_OPTION_DIR(&dir),
		{ .name = "json",
			.kind = OPT_FLAG,
			.into = &as_json,
			.help = "Print a JSON object instead of lines." },
		CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store info",
		.usage = usage,
		.summary = "show what the store knows of an image",
		.description =
			"Prints one \"key: value\" a line: what the image is, where its files "
			"are, what it depends on, whether its tree is mounted or extracted, and which pods use "
			"it.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 1,
		.operands_max = 1 };
	auto_operands struct operands images = { NULL };
	int got = opts_parse(&command, argc, argv, &images, err);

	return got > 0 ? info(dir, images.items[0], as_json ? INFO_JSON : INFO_LINES, err) : got;
}
