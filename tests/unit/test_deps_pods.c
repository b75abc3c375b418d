/* Trees of several layers: what pods that leased them keep, and what goes when a layer does. */
#include "tests/unit/deps.h"

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
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
	const struct CMUnitTest tests[] = {
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
