/* Dependencies: which images are found, in which order they lie, and what is refused. */
#include "tests/unit/deps.h"

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
