/* rkt-store render: an image's root file system, mounted or extracted, ready to be read. */
#include "store/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "base/mount.h"
#include "base/place.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/out.h"
#include "cli/stop.h"
#include "store/deps.h"
#include "store/fuse.h"
#include "store/layered.h"
#include "store/tree.h"

struct render_settings {
	const char *dir, *mount;
	int form; /* enum rkt_tree_form */
	bool list, json;
	struct cmd_unpack unpack;
};

static const char *const form_names[] = { "auto", "erofs", "extracted", NULL };

/* ---- the trees there are --------------------------------------------------------------------- */

struct tree_list {
	rkt_store *store;
	const char *boot;
	struct out_table *table; /* NULL with --json */
	json *array;
};

static const char *state_of(const struct tree_list *self, const rkt_image_id *id, bool erofs,
	const struct tree_row *row)
{
	if (erofs)
		return tree_is_mounted(self->store, id, NULL) > 0 ? "mounted" : "ready";
	return row->boot && strcmp(row->boot, self->boot) == 0 ? "ready" : "outdated";
}

static void list_one(
	struct tree_list *self, const rkt_image_id *id, bool erofs, const struct tree_row *row)
{
	const char *form = form_names[erofs ? RKT_TREE_EROFS : RKT_TREE_EXTRACTED],
		   *state = state_of(self, id, erofs, row);
	char size[16], when[TIME_TEXT_SIZE];
	json *object;

	time_rfc3339((int64_t)(row->made_ns / 1000000000u), when);
	if (self->table) {
		out_table_cell(self->table, id->text);
		out_table_cell(self->table, form);
		out_table_cell(self->table, str_size(row->size, size));
		out_table_cell(self->table, state);
		return;
	}
	object = json_new_object();
	json_set(object, "id", json_new_string(id->text));
	json_set(object, "form", json_new_string(form));
	json_set(object, "size", json_new_integer((int64_t)row->size));
	json_set(object, "made", json_new_string(when));
	json_set(object, "state", json_new_string(state));
	json_append(self->array, object);
}

static int list_all(db_txn *txn, void *context, rkt_error **err)
{
	auto_db_cursor db_cursor *cursor = db_seek(txn, DB_TREE, (struct slice){ 0 }, err);
	struct slice key, value;
	int got;

	if (!cursor)
		return -1;
	while ((got = db_next(cursor, &key, &value, err)) > 0) {
		struct tree_row row;
		rkt_image_id id;

		if (key.len == KEY_TREE_SIZE && key.data[0] == RECORD_PLAN)
			continue; /* of trees that are in the list, or not made yet */
		if (key.len != KEY_TREE_SIZE || tree_row_read(value, &row, err) < 0)
			return -1;
		id = key_to_id(key.data + 1);
		list_one(context, &id, key.data[0] == RECORD_EROFS, &row);
	}
	return got;
}

static int list_trees(const struct render_settings *settings, rkt_error **err)
{
	static const char *const headings[] = { "ID", "FORM", "SIZE", "STATE", NULL };
	auto_store rkt_store *store = rkt_store_open(settings->dir, RKT_STORE_READ, err);
	auto_free char *boot = store ? proc_boot_id(err) : NULL;
	auto_json json *array = json_new_array();
	struct tree_list self = { .store = store,
		.boot = boot,
		.table = settings->json ? NULL : out_table_new(headings),
		.array = array };
	int result = boot ? db_read(store->db, list_all, &self, err) : -1;

	if (self.table)
		out_table_end(self.table);
	else if (result == 0)
		out_json(array);
	return result;
}

/* ---- the layers of one ----------------------------------------------------------------------- */

static json *layer_object(const rkt_layer *layer)
{
	json *object = json_new_object(), *whitelist = json_new_array();

	for (size_t i = 0; i < layer->whitelist_count; i++)
		json_append(whitelist, json_new_string(layer->whitelist[i]));
	json_set(object, "id", json_new_string(layer->id.text));
	json_set(object, "name", json_new_string(layer->name));
	json_set(object, "version", layer->version ? json_new_string(layer->version) : NULL);
	json_set(object, "size", json_new_integer((int64_t)layer->size));
	json_set(object, "neededBy",
		layer->above == RKT_LAYER_TOP ? NULL : json_new_integer(layer->above));
	json_set(object, "pathWhitelist", whitelist);
	return object;
}

static void print_layers_json(const rkt_layers *layers)
{
	auto_json json *object = json_new_object();
	json *array = json_new_array();

	for (size_t i = 0; i < layers->count; i++)
		json_append(array, layer_object(&layers->items[i]));
	json_set(object, "tree", json_new_string(layers->tree.text));
	json_set(object, "layers", array);
	out_json(object);
}

static void print_layers(const rkt_layers *layers)
{
	static const char *const headings[] = { "LAYER", "ID", "NAME", "VERSION", "NEEDED BY",
		"WHITELIST", NULL };
	struct out_table *table = out_table_new(headings);

	for (size_t i = 0; i < layers->count; i++) {
		const rkt_layer *layer = &layers->items[i];
		auto_buf struct buf paths = { 0 };
		char number[24], above[16] = "-";

		for (size_t p = 0; p < layer->whitelist_count; p++)
			buf_printf(&paths, "%s%s", p ? " " : "", layer->whitelist[p]);
		snprintf(number, sizeof number, "%zu", i);
		if (layer->above != RKT_LAYER_TOP)
			snprintf(above, sizeof above, "%u", layer->above);
		out_table_cell(table, number);
		out_table_cell(table, layer->id.text);
		out_table_cell(table, layer->name);
		out_table_cell(table, layer->version ? layer->version : "-");
		out_table_cell(table, above);
		out_table_cell(table, layer->whitelist_count ? buf_text(&paths) : "-");
	}
	out_table_end(table);
}

static int list_layers(
	const struct render_settings *settings, const char *reference, rkt_error **err)
{
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *image = NULL;
	auto_layers rkt_layers *layers = NULL;

	if (cmd_find_layered(settings->dir, reference, &store, &image, err) < 0 ||
		rkt_store_layers(store, &image->id, &layers, err) < 0)
		return -1;
	if (settings->json)
		print_layers_json(layers);
	else
		print_layers(layers);
	return 0;
}

/* ---- one tree -------------------------------------------------------------------------------- */

/* Opens the directory to mount on. Asks for the privilege by making and dropping a mount, before a
 * tree is made for nothing: *RET_MAY says whether this user has it. */
static int open_target(const char *path, bool *ret_may, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), trial = -1;

	if (target < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such directory: %s", path);
	if (target < 0)
		return rkt_fail_errno(err, "open %s", path);
	trial = mount_clone(target, "", MOUNT_ALONE, &why);
	*ret_may = trial >= 0 || rkt_error_errno(why) != EPERM;
	return pass_fd(target);
}

/* Mounts by erofsfuse for who may not mount. */
static int mount_by_fuse(rkt_store *store, const rkt_image_id *id,
	const struct render_settings *settings, rkt_error **err)
{
	if (settings->form == RKT_TREE_EXTRACTED || !fuse_is_there())
		return rkt_fail(err, RKT_FAILED,
			"--mount needs root%s; without it 'rkt-store render IMAGE DIR' writes files",
			settings->form == RKT_TREE_EXTRACTED ? "" : ", or erofsfuse in PATH");
	return fuse_mount(store, id, settings->mount, err);
}

/* The EROFS clone as it is; of an extracted tree a bind. Setuid programs in it mean nothing: other
 * than cas/mnt the place may be open to everybody (S-010). */
static int mount_on(int target, int tree, enum rkt_tree_form form, rkt_error **err)
{
	auto_fd int mnt = form == RKT_TREE_EROFS ? fcntl(tree, F_DUPFD_CLOEXEC, 3)
						 : mount_clone(tree, "", MOUNT_ALONE, err);
	uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;

	if (mnt < 0)
		return form == RKT_TREE_EROFS ? rkt_fail_errno(err, "dup") : -1;
	if (mount_set(mnt, attributes, MOUNT_ALONE, err) < 0)
		return -1;
	return mount_attach(mnt, target, err);
}

static char *tree_path(const rkt_store *store, enum rkt_tree_form form)
{
	const rkt_image_id *tree = &store->tree_opened;

	if (form == RKT_TREE_EXTRACTED)
		return layout_file_path(&store->layout, "rootfs", tree);
	return xasprintf("%s/cas/mnt/%s", rkt_store_path(store), tree->text);
}

static void print(const struct render_settings *settings, const rkt_store *store,
	const rkt_image_id *id, enum rkt_tree_form form)
{
	auto_free char *path = settings->mount ? xstrdup(settings->mount) : tree_path(store, form);
	auto_json json *object = NULL;

	if (!settings->json) {
		printf("id: %s\nform: %s\npath: ", id->text, form_names[form]);
		out_escaped(path);
		putchar('\n');
		if (store->tree_reason && settings->form == RKT_TREE_AUTO)
			out_note("no EROFS mount here: %s", store->tree_reason);
		return;
	}
	object = json_new_object();
	json_set(object, "id", json_new_string(id->text));
	json_set(object, "form", json_new_string(form_names[form]));
	json_set(object, "path", json_new_string(path));
	json_set(object, "noErofsBecause",
		store->tree_reason ? json_new_string(store->tree_reason) : NULL);
	out_json(object);
}

/* Makes the tree ready, and shows it on TARGET unless that is -1. */
static int make_ready(rkt_store *store, const rkt_image_id *id,
	const struct render_settings *settings, int target, rkt_error **err)
{
	enum rkt_tree_form form;
	auto_fd int tree =
		rkt_store_open_tree(store, id, (enum rkt_tree_form)settings->form, &form, err);

	if (tree < 0 || (target >= 0 && mount_on(target, tree, form, err) < 0))
		return -1;
	print(settings, store, id, form);
	return 0;
}

static int render(const struct render_settings *settings, const char *reference, rkt_error **err)
{
	auto_store rkt_store *store = cmd_open_existing(settings->dir, err);
	auto_image_record rkt_image_record *image = NULL;
	auto_fd int target = -1;
	bool may = true;

	if (!store || cmd_find_in(store, reference, &image, err) < 0)
		return -1;
	target = settings->mount ? open_target(settings->mount, &may, err) : -1;
	if (settings->mount && target < 0)
		return -1;
	if (may)
		return make_ready(store, &image->id, settings, target, err);
	if (mount_by_fuse(store, &image->id, settings, err) < 0)
		return -1;
	print(settings, store, &image->id, RKT_TREE_EROFS);
	return 0;
}

/* ---- into a directory ------------------------------------------------------------------------ */

static int render_to(const struct render_settings *settings, const char *reference, const char *to,
	rkt_error **err)
{
	ERROR_SCOPE(err, "rendering", reference);
	const struct extract_options options = cmd_unpack_options(&settings->unpack);
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *image = NULL;
	auto_layers rkt_layers *layers = NULL;
	auto_place struct place place = { -1, NULL };
	struct extract_report report = { 0 };

	if (cmd_find_layered(settings->dir, reference, &store, &image, err) < 0 ||
		rkt_store_layers(store, &image->id, &layers, err) < 0 ||
		place_find(&place, to, err) < 0)
		return -1;
	stop_note();
	if (layered_extract_image(store, layers, place.dir, place.name, &options, &report, err) < 0)
		return -1;
	cmd_unpack_tell(&report);
	return 0;
}

/* ---- which of these -------------------------------------------------------------------------- */

static int run(
	const struct render_settings *settings, const struct operands *images, rkt_error **err)
{
	bool unpacks = settings->unpack.rootfs_only || settings->unpack.devices;

	if (images->count < 2 && unpacks)
		return rkt_fail(err, RKT_USAGE, "--rootfs-only and --devices are for IMAGE DIR");
	if (settings->list && images->count < 2)
		return images->count ? list_layers(settings, images->items[0], err)
				     : list_trees(settings, err);
	if (!images->count)
		return rkt_fail(err, RKT_USAGE, "which IMAGE?");
	if (images->count == 1)
		return render(settings, images->items[0], err);
	if (settings->list || settings->mount || settings->json || settings->form != RKT_TREE_AUTO)
		return rkt_fail(err, RKT_USAGE,
			"DIR goes with --rootfs-only and --devices, not with --form, --json, --list "
			"and --mount");
	return render_to(settings, images->items[0], images->items[1], err);
}

int cmd_render(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE", "[OPTIONS] IMAGE DIR",
		"--list [OPTIONS] [IMAGE]", NULL };
	struct render_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		{ .name = "mount",
			.kind = OPT_TEXT,
			.into = &settings.mount,
			.argument = "DIR",
			.help = "Mount the tree, read-only, without devices and setuid programs, on the "
				"directory DIR too. umount(8) ends it. An EROFS mount stays usable when "
				"gc or rm takes the image; of an extracted tree the files go. Ordinary "
				"users need erofsfuse; fusermount3 -u ends that." },
		{ .name = "form",
			.kind = OPT_CHOICE,
			.into = &settings.form,
			.choices = form_names,
			.help = "An EROFS mount, an extracted tree, or (auto) the first where the "
				"kernel can do it." },
		{ .name = "list",
			.kind = OPT_FLAG,
			.into = &settings.list,
			.help = "List the layers of IMAGE, lowest first, instead; without IMAGE the trees "
				"there are." },
		CMD_OPTIONS_UNPACK(&settings.unpack), CMD_OPTION_JSON(&settings.json),
		CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store render",
		.usage = usage,
		.summary = "make an image's root file system usable",
		.description =
			"Prints in which form the root file system of the image is to be had, and where: "
			"the image over its dependencies, which must be in the store. With EROFS nothing "
			"is unpacked: an index is mounted over the tars, once for all users; it was made "
			"at import, or is made now for an image with dependencies. Elsewhere, and for "
			"ordinary users, the tree is extracted, once a boot. Trees stay until rkt-store gc "
			"finds them unused.\n\n"
			"With DIR, which must not exist or be empty, the tree is written there instead, as "
			"files of your own: DIR/manifest, that of the image, and DIR/rootfs. The bytes are "
			"verified on the way; on any error DIR stays as it was. Owners are kept when root "
			"does it.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 0,
		.operands_max = 2 };
	auto_operands struct operands images = { NULL };
	int got = opts_parse(&command, argc, argv, &images, err);

	return got > 0 ? run(&settings, &images, err) : got;
}
