/* Dependencies: which images are found, in which order they lie, and what is refused. */
#include "tests/unit/tars.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "aci/digest.h"
#include "base/fd.h"
#include "rkt/store.h"

#define POD "6733c088-a507-4694-aabf-5f3bed9b8ba5"

struct fixture {
	char path[256];
	int dir;
	rkt_store *store;
};

static int setup(void **state)
{
	struct fixture *self = calloc(1, sizeof *self);
	rkt_error *err = NULL;

	self->dir = scratch_make(self->path);
	self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
	if (!self->store)
		fail_msg("%s", rkt_error_message(err));
	*state = self;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *self = *state;

	rkt_store_close(self->store);
	close(self->dir);
	scratch_remove(self->path);
	free(self);
	return 0;
}

static struct buf image_tar(const char *name, const char *fields)
{
	struct buf tar = { 0 }, manifest = { 0 };

	buf_printf(&manifest,
		"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", "
		"\"name\": \"example.com/%s\"%s%s}",
		name, *fields ? ", " : "", fields);
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&manifest));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	tars_add(&tar, TAR_FILE, "rootfs/content", name);
	tars_end(&tar);
	buf_free(&manifest);
	return tar;
}

/* An image example.com/NAME with more FIELDS in its manifest. */
static rkt_image_id add(const struct fixture *self, const char *name, const char *fields)
{
	struct buf tar = image_tar(name, fields);
	int fd = memfd_create("tar", MFD_CLOEXEC);
	rkt_error *err = NULL;
	rkt_image_id id;

	assert_int_equal(fd_pwrite_all(fd, tar.data, tar.len, 0, NULL), 0);
	assert_ok(rkt_store_import(self->store, fd, NULL, &id, &err), err);
	close(fd);
	buf_free(&tar);
	return id;
}

/* One whose dependencies are the JSON objects in LIST. */
static rkt_image_id add_over(const struct fixture *self, const char *name, const char *list)
{
	struct buf fields = { 0 };
	rkt_image_id id;

	buf_printf(&fields, "\"dependencies\": [%s]", list);
	id = add(self, name, buf_text(&fields));
	buf_free(&fields);
	return id;
}

#define ON(name)          "{\"imageName\": \"example.com/" name "\"}"
#define LABELS(n, v)      "\"labels\": [{\"name\": \"" n "\", \"value\": \"" v "\"}]"
#define ON_LABEL(a, n, v) "{\"imageName\": \"example.com/" a "\", " LABELS(n, v) "}"

/* The contents of the layers, lowest first: the last parts of the images' names. */
static void assert_layers(const struct fixture *self, const rkt_image_id *id, const char *names)
{
	struct buf found = { 0 };
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_ok(rkt_store_layers(self->store, id, &layers, &err), err);
	for (size_t i = 0; i < layers->count; i++)
		buf_printf(&found, "%s%s", i ? " " : "",
			layers->items[i].name + strlen("example.com/"));
	assert_string_equal(buf_text(&found), names);
	buf_free(&found);
	rkt_layers_free(layers);
}

static void assert_refused(const struct fixture *self, const rkt_image_id *id,
	enum rkt_error_kind kind, const char *words)
{
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_int_equal(rkt_store_layers(self->store, id, &layers, &err), -1);
	assert_int_equal(rkt_error_kind(err), kind);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("\"%s\" does not say \"%s\"", rkt_error_message(err), words);
	rkt_error_free(err);
}

/* The one dependency of an image that needs WANTED must be ID. */
static void assert_found(const struct fixture *self, const char *wanted, const rkt_image_id *id)
{
	rkt_image_id top = add_over(self, "top", wanted);
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_ok(rkt_store_layers(self->store, &top, &layers, &err), err);
	assert_int_equal(layers->count, 2);
	assert_string_equal(layers->items[0].id.text, id->text);
	rkt_layers_free(layers);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void an_image_alone_is_its_own_tree(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add(self, "a", "");
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_ok(rkt_store_layers(self->store, &id, &layers, &err), err);
	assert_int_equal(layers->count, 1);
	assert_string_equal(layers->tree.text, id.text);
	assert_true(layers->items[0].above == RKT_LAYER_TOP);
	rkt_layers_free(layers);
}

static void layers_come_depth_first_in_the_order_listed(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id;

	add(self, "a", "");
	add(self, "b", "");
	add_over(self, "c", ON("a") "," ON("b"));
	add(self, "d", "");
	id = add_over(self, "e", ON("c") "," ON("d"));
	assert_layers(self, &id, "a b c d e");
}

static void what_is_reached_by_two_ways_is_applied_twice(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id;
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	add(self, "base", "");
	add_over(self, "left", ON("base"));
	add_over(self, "right", ON("base"));
	id = add_over(self, "top", ON("left") "," ON("right"));
	assert_layers(self, &id, "base left base right top");
	assert_ok(rkt_store_layers(self->store, &id, &layers, &err), err);
	assert_int_equal(layers->items[0].above, 1);
	assert_int_equal(layers->items[2].above, 3);
	assert_int_equal(layers->items[1].above, 4);
	assert_int_equal(layers->items[3].above, 4);
	rkt_layers_free(layers);
}

static void a_whitelist_is_that_of_its_layer_and_makes_a_tree_of_its_own(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add(self, "a", "\"pathWhitelist\": [\"/content\", \"/x/\"]");
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	assert_ok(rkt_store_layers(self->store, &id, &layers, &err), err);
	assert_int_equal(layers->count, 1);
	assert_int_equal(layers->items[0].whitelist_count, 2);
	assert_string_equal(layers->items[0].whitelist[1], "/x/");
	assert_string_not_equal(layers->tree.text, id.text);
	rkt_layers_free(layers);
}

/* ---- matching -------------------------------------------------------------------------------- */

static void every_label_given_must_be_equal(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id plain = add(self, "a", "");
	rkt_image_id red = add(self, "a", LABELS("colour", "red"));
	rkt_image_id blue = add(self, "a", LABELS("colour", "blue"));
	rkt_image_id top;

	(void)plain;
	assert_found(self, ON_LABEL("a", "colour", "red"), &red);
	assert_found(self, ON_LABEL("a", "colour", "blue"), &blue);
	assert_found(self, ON("a"), &blue);
	top = add_over(self, "none", ON_LABEL("a", "colour", "green"));
	assert_refused(self, &top, RKT_MISSING,
		"example.com/none needs example.com/a (colour=green): not in the store: the 3 of "
		"that name have other labels");
	top = add_over(self, "os", ON_LABEL("a", "os", "linux"));
	assert_refused(self, &top, RKT_MISSING, "example.com/a (os=linux)");
}

static void the_newest_version_is_taken_then_the_last_import(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id old = add(self, "a", LABELS("version", "1.9.0"));
	rkt_image_id best = add(self, "a", LABELS("version", "1.10.0"));
	rkt_image_id later;

	add(self, "a", LABELS("version", "1.10.0-rc.1"));
	add(self, "a", LABELS("version", "latest"));
	add(self, "a", "");
	assert_found(self, ON("a"), &best);
	assert_found(self, ON_LABEL("a", "version", "1.9.0"), &old);
	later = add(self, "a", LABELS("version", "1.10.0") ", \"annotations\": []");
	assert_found(self, ON("a"), &later);
}

static void what_is_not_there_is_named_with_who_needs_it(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id;

	add_over(self, "middle", ON_LABEL("gone", "version", "2"));
	id = add_over(self, "top", ON("middle"));
	assert_refused(self, &id, RKT_MISSING,
		"example.com/middle needs example.com/gone (version=2): not in the store");
}

static rkt_image_id add_over_id(const struct fixture *self, const char *name, const char *wanted,
	const char *id, const char *more)
{
	struct buf list = { 0 };
	rkt_image_id result;

	buf_printf(&list, "{\"imageName\": \"example.com/%s\", \"imageID\": \"%s\"%s}", wanted, id,
		more);
	result = add_over(self, name, buf_text(&list));
	buf_free(&list);
	return result;
}

static void an_id_must_be_there_and_bear_name_and_labels(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id old = add(self, "a", LABELS("version", "1")), id;
	char sha512[7 + 128 + 1];

	add(self, "a", LABELS("version", "2"));
	id = add_over_id(self, "b", "a", old.text, "");
	assert_layers(self, &id, "a b");
	id = add_over_id(self, "c", "other", old.text, "");
	assert_refused(self, &id, RKT_INVALID, "that image is called example.com/a");
	id = add_over_id(self, "d", "a", old.text, ", " LABELS("version", "2"));
	assert_refused(self, &id, RKT_INVALID, "that image has other labels");
	old.text[70] = old.text[70] == '0' ? '1' : '0';
	id = add_over_id(self, "e", "a", old.text, "");
	assert_refused(self, &id, RKT_MISSING, old.text);
	memset(sha512, '0', sizeof sha512);
	memcpy(sha512, "sha512-", 7);
	sha512[sizeof sha512 - 1] = '\0';
	id = add_over_id(self, "f", "a", sha512, "");
	assert_refused(self, &id, RKT_MISSING, "the 2 of that name have another SHA-512");
}

/* An image over "a", which it names by its SHA-512. */
static rkt_image_id add_over_sha512_of_a(const struct fixture *self)
{
	char wanted[512], hex[DIGEST_HEX_MAX + 1];
	struct buf tar = image_tar("a", "");
	digest *sum = digest_new(DIGEST_SHA512);
	rkt_error *err = NULL;

	assert_ok(digest_add(sum, buf_slice(&tar), &err), err);
	assert_ok(digest_hex(sum, hex, &err), err);
	digest_free(sum);
	buf_free(&tar);
	snprintf(wanted, sizeof wanted,
		"{\"imageName\": \"example.com/a\", \"imageID\": \"sha512-%s\"}", hex);
	return add_over(self, "top", wanted);
}

/* It is made by who may note it: who only reads says what is to be done. */
static void a_sha512_nobody_made_yet_is_missing_to_readers(void **state)
{
	struct fixture *self = *state;
	rkt_error *err = NULL;
	rkt_image_id top;

	add(self, "a", "");
	top = add_over_sha512_of_a(self);
	for (int i = 0; i < 2; i++) {
		rkt_store_close(self->store);
		self->store = rkt_store_open(self->path, RKT_STORE_READ, &err);
		assert_ok(self->store ? 0 : -1, err);
		if (i == 0)
			assert_refused(self, &top, RKT_MISSING,
				"the SHA-512 of 1 of that name was never made");
		else
			assert_layers(self, &top, "a top");
		rkt_store_close(self->store);
		self->store = rkt_store_open(self->path, RKT_STORE_WRITE, &err);
		assert_ok(self->store ? 0 : -1, err);
		assert_layers(self, &top, "a top");
	}
}

static void a_size_must_be_that_of_the_tar(void **state)
{
	const struct fixture *self = *state;
	struct buf tar = image_tar("a", "");
	char wanted[128], words[128];
	rkt_image_id id = add(self, "a", "");

	snprintf(wanted, sizeof wanted, "{\"imageName\": \"example.com/a\", \"size\": %zu}",
		tar.len);
	assert_found(self, wanted, &id);
	snprintf(wanted, sizeof wanted, "{\"imageName\": \"example.com/a\", \"size\": %zu}",
		tar.len + 1);
	id = add_over(self, "b", wanted);
	snprintf(
		words, sizeof words, "has %zu bytes, its dependent says %zu", tar.len, tar.len + 1);
	assert_refused(self, &id, RKT_INVALID, words);
	buf_free(&tar);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void a_circle_is_refused_with_its_members(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id;

	add_over(self, "a", ON("b"));
	add_over(self, "b", ON("c"));
	add_over(self, "c", ON("a"));
	id = add_over(self, "top", ON("a"));
	assert_refused(self, &id, RKT_INVALID,
		"the dependencies go in a circle: example.com/a -> example.com/b -> example.com/c -> "
		"example.com/a");
	id = add_over(self, "self", ON("self"));
	assert_refused(self, &id, RKT_INVALID, "circle: example.com/self -> example.com/self");
}

static void sixty_four_are_deep_enough(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add(self, "d1", "");
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	for (int i = 2; i <= RKT_LAYERS_DEPTH_MAX + 1; i++) {
		char name[16], wanted[64];

		if (i == RKT_LAYERS_DEPTH_MAX + 1) {
			assert_ok(rkt_store_layers(self->store, &id, &layers, &err), err);
			assert_int_equal(layers->count, 64);
			rkt_layers_free(layers);
		}
		snprintf(name, sizeof name, "d%d", i);
		snprintf(wanted, sizeof wanted, "{\"imageName\": \"example.com/d%d\"}", i - 1);
		id = add_over(self, name, wanted);
	}
	assert_refused(self, &id, RKT_INVALID, "more than 64 deep, at example.com/d1");
}

static rkt_image_id add_many(const struct fixture *self, const char *name, int count)
{
	struct buf list = { 0 };
	rkt_image_id id;

	for (int i = 0; i < count; i++)
		buf_printf(&list, "%s%s", i ? "," : "", ON("a"));
	id = add_over(self, name, buf_text(&list));
	buf_free(&list);
	return id;
}

static void layers_are_512_at_most(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id;
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;

	add(self, "a", "");
	id = add_many(self, "most", RKT_LAYERS_MAX - 1);
	assert_ok(rkt_store_layers(self->store, &id, &layers, &err), err);
	assert_int_equal(layers->count, 512);
	rkt_layers_free(layers);
	id = add_many(self, "more", RKT_LAYERS_MAX);
	assert_refused(self, &id, RKT_INVALID, "more than 512 layers");
}

static void diamonds_upon_diamonds_end_soon(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add(self, "d0", "");

	for (int i = 1; i <= 40; i++) {
		char name[16], list[128];

		snprintf(name, sizeof name, "d%d", i);
		snprintf(list, sizeof list,
			"{\"imageName\": \"example.com/d%d\"}, {\"imageName\": \"example.com/d%d\"}",
			i - 1, i - 1);
		id = add_over(self, name, list);
	}
	assert_refused(self, &id, RKT_INVALID, "more than 512 layers");
}

/* ---- leases, removal ------------------------------------------------------------------------- */

static void make_pod(const struct fixture *self)
{
	assert_true(mkdirat(self->dir, "containers", 0700) == 0 || errno == EEXIST);
	assert_int_equal(mkdirat(self->dir, "containers/" POD, 0700), 0);
}

static int open_extracted(const struct fixture *self, const rkt_image_id *id, bool leased)
{
	rkt_error *err = NULL;
	int tree = leased ? rkt_store_open_leased_tree(
				    self->store, POD, id, RKT_TREE_EXTRACTED, NULL, &err)
			  : rkt_store_open_tree(self->store, id, RKT_TREE_EXTRACTED, NULL, &err);

	assert_ok(tree, err);
	return tree;
}

static bool has(int tree, const char *name)
{
	bool found = faccessat(tree, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	close(tree);
	return found;
}

static rkt_image_id add_file(const struct fixture *self, const char *version, const char *file)
{
	struct buf tar = { 0 }, manifest = { 0 };
	char path[64];
	int fd = memfd_create("tar", MFD_CLOEXEC);
	rkt_error *err = NULL;
	rkt_image_id id;

	buf_printf(&manifest,
		"{\"acKind\": \"ImageManifest\", \"acVersion\": \"0.8.11\", "
		"\"name\": \"example.com/base\", \"labels\": [{\"name\": \"version\", "
		"\"value\": \"%s\"}]}",
		version);
	tars_add(&tar, TAR_FILE, "manifest", buf_text(&manifest));
	tars_add(&tar, TAR_DIR, "rootfs", NULL);
	snprintf(path, sizeof path, "rootfs/%s", file);
	tars_add(&tar, TAR_FILE, path, version);
	tars_end(&tar);
	assert_int_equal(fd_pwrite_all(fd, tar.data, tar.len, 0, NULL), 0);
	assert_ok(rkt_store_import(self->store, fd, NULL, &id, &err), err);
	close(fd);
	buf_free(&tar);
	buf_free(&manifest);
	return id;
}

static void a_pod_keeps_the_layers_it_leased_whatever_is_imported(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add_over(self, "top", ON("base"));
	rkt_error *err = NULL;

	add_file(self, "1.0", "one");
	make_pod(self);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	add_file(self, "2.0", "two");
	assert_true(has(open_extracted(self, &id, true), "one"));
	assert_false(has(open_extracted(self, &id, true), "two"));
	assert_true(has(open_extracted(self, &id, false), "two"));
}

static void a_lease_keeps_all_layers_from_removal(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id base = add_file(self, "1.0", "one"), id = add_over(self, "top", ON("base"));
	const struct rkt_gc_options options = { .size = sizeof options };
	struct rkt_gc_result result;
	rkt_error *err = NULL;

	make_pod(self);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	assert_int_equal(rkt_store_remove(self->store, &base, &err), -1);
	assert_non_null(strstr(rkt_error_message(err), POD));
	rkt_error_free(err);
	err = NULL;
	close(open_extracted(self, &id, true));
	assert_ok(rkt_store_gc(self->store, &options, &result, &err), err);
	assert_int_equal(result.images_kept, 2);
	assert_true(has(open_extracted(self, &id, true), "one"));
}

static void a_lease_on_what_lacks_a_dependency_is_none(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add_over(self, "top", ON("gone"));
	rkt_error *err = NULL;

	make_pod(self);
	assert_int_equal(rkt_store_lease(self->store, POD, &id, 1, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
	err = NULL;
	assert_ok(rkt_store_remove(self->store, &id, &err), err);
}

static bool tree_exists(const struct fixture *self, const rkt_image_id *tree)
{
	char path[200];

	snprintf(path, sizeof path, "cas/rootfs/sha256/%.2s/%s", tree->text + 7, tree->text);
	return faccessat(self->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static rkt_image_id tree_of(const struct fixture *self, const rkt_image_id *id)
{
	rkt_layers *layers = NULL;
	rkt_error *err = NULL;
	rkt_image_id tree;

	assert_ok(rkt_store_layers(self->store, id, &layers, &err), err);
	tree = layers->tree;
	rkt_layers_free(layers);
	return tree;
}

static void removing_a_layer_removes_the_trees_that_have_it(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id base = add_file(self, "1.0", "one"), id = add_over(self, "top", ON("base"));
	rkt_image_id tree = tree_of(self, &id);
	rkt_error *err = NULL;

	close(open_extracted(self, &id, false));
	assert_true(tree_exists(self, &tree));
	assert_ok(rkt_store_remove(self->store, &base, &err), err);
	assert_false(tree_exists(self, &tree));
	assert_int_equal(rkt_store_open_tree(self->store, &id, RKT_TREE_EXTRACTED, NULL, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
}

static void gc_removes_trees_that_no_image_would_have_now(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id id = add_over(self, "top", ON("base")), old_tree, tree;
	const struct rkt_gc_options options = { .size = sizeof options, .grace_sec = 3600 };
	rkt_error *err = NULL;

	add_file(self, "1.0", "one");
	old_tree = tree_of(self, &id);
	close(open_extracted(self, &id, false));
	add_file(self, "2.0", "two");
	tree = tree_of(self, &id);
	close(open_extracted(self, &id, false));
	assert_true(tree_exists(self, &old_tree));
	assert_ok(rkt_store_gc(self->store, &options, NULL, &err), err);
	assert_false(tree_exists(self, &old_tree));
	assert_true(tree_exists(self, &tree));
}

static void remove_by_force(const struct fixture *self, const rkt_image_id *id)
{
	const struct rkt_remove_options options = { .size = sizeof options, .force = true };
	rkt_error *err = NULL;

	assert_ok(rkt_store_remove_with(self->store, id, &options, &err), err);
}

/* The pod cannot have the image ID, and is told so with WORDS. */
static void assert_lost(const struct fixture *self, const rkt_image_id *id, const char *words)
{
	rkt_error *err = NULL;

	assert_int_equal(
		rkt_store_open_leased_tree(self->store, POD, id, RKT_TREE_EXTRACTED, NULL, &err),
		-1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	if (!strstr(rkt_error_message(err), words))
		fail_msg("%s", rkt_error_message(err));
	rkt_error_free(err);
}

static void a_pod_is_told_which_of_its_images_was_removed_by_force(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id base = add_file(self, "1.0", "one"), id = add_over(self, "top", ON("base"));
	rkt_error *err = NULL;
	int tree;

	make_pod(self);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	remove_by_force(self, &base);
	assert_lost(self, &id, "example.com/top needs example.com/base: not in the store");
	add_file(self, "1.0", "one");
	tree = open_extracted(self, &id, true); /* the same images make the same tree */
	assert_true(has(tree, "one"));
	close(tree);
	remove_by_force(self, &base);
	add_file(self, "2.0", "two");
	assert_lost(self, &id, "was made of was removed from the store");
	remove_by_force(self, &id);
	assert_lost(self, &id, "which pod " POD " took, was removed from the store");
}

/* What was known of the removed one went with it. */
static void a_sha512_is_made_again_for_a_pod_whose_image_came_back(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id base = add(self, "a", ""), top = add_over_sha512_of_a(self);
	rkt_error *err = NULL;

	make_pod(self);
	assert_ok(rkt_store_lease(self->store, POD, &top, 1, &err), err);
	remove_by_force(self, &base);
	assert_lost(self, &top, "not in the store");
	add(self, "a", "");
	close(open_extracted(self, &top, true));
}

struct told {
	int pods, images;
	rkt_image_id image;
};

static void count_broken(void *context, enum rkt_breaks what, const char *who)
{
	struct told *self = context;

	if (what == RKT_BREAKS_POD) {
		assert_string_equal(who, POD);
		self->pods++;
		return;
	}
	assert_int_equal(rkt_image_id_parse(who, &self->image, NULL), 0);
	self->images++;
}

static void removal_by_force_tells_the_pods_and_images_it_breaks(void **state)
{
	const struct fixture *self = *state;
	rkt_image_id base = add_file(self, "1.0", "one"), id = add_over(self, "top", ON("base")),
		     other = add_over(self, "other", ON("base"));
	struct told told = { 0 };
	struct rkt_remove_options options = {
		.size = sizeof options, .report = count_broken, .context = &told
	};
	rkt_error *err = NULL;

	make_pod(self);
	assert_ok(rkt_store_lease(self->store, POD, &id, 1, &err), err);
	assert_int_equal(rkt_store_remove_with(self->store, &base, &options, NULL), -1);
	assert_int_equal(told.pods + told.images, 0);
	assert_ok(rkt_store_remove_with(self->store, &other, &options, &err), err);
	assert_int_equal(told.pods + told.images, 0); /* it does not depend on itself */
	options.force = true;
	assert_ok(rkt_store_remove_with(self->store, &base, &options, &err), err);
	assert_int_equal(told.pods, 1);
	assert_int_equal(told.images, 1);
	assert_string_equal(told.image.text, id.text);
	options.size--;
	assert_int_equal(rkt_store_remove_with(self->store, &id, &options, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_image_alone_is_its_own_tree),
		TEST(layers_come_depth_first_in_the_order_listed),
		TEST(what_is_reached_by_two_ways_is_applied_twice),
		TEST(a_whitelist_is_that_of_its_layer_and_makes_a_tree_of_its_own),
		TEST(every_label_given_must_be_equal),
		TEST(the_newest_version_is_taken_then_the_last_import),
		TEST(what_is_not_there_is_named_with_who_needs_it),
		TEST(an_id_must_be_there_and_bear_name_and_labels),
		TEST(a_sha512_nobody_made_yet_is_missing_to_readers),
		TEST(a_size_must_be_that_of_the_tar),
		TEST(a_circle_is_refused_with_its_members),
		TEST(sixty_four_are_deep_enough),
		TEST(layers_are_512_at_most),
		TEST(diamonds_upon_diamonds_end_soon),
		TEST(a_pod_keeps_the_layers_it_leased_whatever_is_imported),
		TEST(a_lease_keeps_all_layers_from_removal),
		TEST(a_lease_on_what_lacks_a_dependency_is_none),
		TEST(removing_a_layer_removes_the_trees_that_have_it),
		TEST(gc_removes_trees_that_no_image_would_have_now),
		TEST(a_pod_is_told_which_of_its_images_was_removed_by_force),
		TEST(a_sha512_is_made_again_for_a_pod_whose_image_came_back),
		TEST(removal_by_force_tells_the_pods_and_images_it_breaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
