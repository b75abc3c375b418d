/* Options: every spelling that is accepted, and the words for those that are not. */
#include "tests/unit/scratch.h"

#include "base/buf.h"
#include "cli/nearest.h"
#include "cli/opts.h"

/* One command with an option of every kind, parsed from one line of words. */
struct fixture {
	bool force, all, dry;
	const char *dir;
	struct opts_list labels;
	uint64_t count, size;
	int64_t grace_sec;
	int form;
	struct buf calls; /* "volume=a:b;" for each call, operands of the callback likewise */
	struct operands operands;
	rkt_error *err;
	char *words[16];
	char *line;
};

static const char *const forms[] = { "auto", "erofs", "extracted", NULL };
static const char *const usage[] = { "[OPTIONS] FILE...", NULL };

static int note_call(void *into, const char *value, rkt_error **err)
{
	if (strcmp(value, "bad") == 0)
		return rkt_fail(err, RKT_USAGE, "volume must be NAME:PATH");
	buf_printf(into, "volume=%s;", value);
	return 0;
}

static int note_operand(void *context, const char *text, bool after_dashes, rkt_error **err)
{
	(void)err;
	buf_printf(context, "%s%s;", after_dashes ? "argument=" : "image=", text);
	return 0;
}

enum manner { OPERANDS_COLLECTED, OPERANDS_CALLED };

static int parse(struct fixture *f, enum manner manner, const char *line)
{
	const struct opt options[] = {
		{ "force", 'f', OPT_FLAG, &f->force, NULL, "h" },
		{ "all", 'a', OPT_FLAG, &f->all, NULL, "h" },
		{ "af", 0, OPT_FLAG, &f->dry, NULL, "two letters" },
		{ "faf", 0, OPT_FLAG, &f->dry, NULL, "also a cluster" },
		{ "dir", 'd', OPT_TEXT, &f->dir, "DIR", "h" },
		{ "label", 0, OPT_LIST, &f->labels, "L", "h" },
		{ "count", 0, OPT_NUMBER, &f->count, "N", "h" },
		{ "size", 0, OPT_SIZE, &f->size, "SIZE", "h" },
		{ "grace-period", 0, OPT_DURATION, &f->grace_sec, "TIME", "h" },
		{ "form", 0, OPT_CHOICE, &f->form, NULL, "h", forms },
		{ "volume", 0, OPT_CALL, &f->calls, "NAME:PATH", "h", NULL, note_call },
		{ 0 },
	};
	const struct command command = {
		.program = "rkt-test",
		.usage = usage,
		.options = options,
		.operands_min = 1,
		.operands_max = 2,
		.operand = manner == OPERANDS_CALLED ? note_operand : NULL,
		.context = &f->calls,
	};
	int argc = 0;

	*f = (struct fixture){ .form = -1, .line = strdup(line) };
	f->words[argc++] = (char *)(uintptr_t) "rkt-test";
	for (char *rest = f->line, *word; (word = strsep(&rest, " "));)
		f->words[argc++] = word;
	return opts_parse(&command, argc, f->words, &f->operands, &f->err);
}

static void done(struct fixture *f)
{
	free(f->labels.items);
	free(f->operands.items);
	free(f->line);
	buf_free(&f->calls);
	rkt_error_free(f->err);
}

/* LINE is refused with exactly MESSAGE, and nothing is left to free but what the caller owns. */
static void assert_refused(const char *line, const char *message)
{
	struct fixture f;

	assert_int_equal(parse(&f, OPERANDS_COLLECTED, line), -1);
	assert_string_equal(rkt_error_message(f.err), message);
	assert_int_equal(rkt_error_kind(f.err), RKT_USAGE);
	assert_null(f.operands.items);
	done(&f);
}

static void options_stand_before_and_after_operands(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "-f one --all two --dir /x"), 1);
	assert_true(f.force && f.all);
	assert_string_equal(f.dir, "/x");
	assert_int_equal(f.operands.count, 2);
	assert_string_equal(f.operands.items[1], "two");
	done(&f);
}

static void argv_stays_in_order(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "one -f two"), 1);
	assert_string_equal(f.words[1], "one");
	assert_string_equal(f.words[2], "-f");
	done(&f);
}

static void a_value_may_be_attached_in_every_way(void **state)
{
	static const char *const lines[] = { "--dir /x a", "--dir=/x a", "-d /x a", "-d/x a",
		"-dir /x a", "-dir=/x a", "-fd/x a", "-fd /x a", "--dir /y --dir /x a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct fixture f;

		assert_int_equal(parse(&f, OPERANDS_COLLECTED, lines[i]), 1);
		assert_string_equal(f.dir, "/x");
		assert_int_equal(f.operands.count, 1);
		done(&f);
	}
}

static void dashes_end_options(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "-f -- --all --"), 1);
	assert_false(f.all);
	assert_int_equal(f.operands.count, 2);
	assert_string_equal(f.operands.items[0], "--all");
	assert_string_equal(f.operands.items[1], "--");
	done(&f);
}

static void a_lone_dash_is_an_operand(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "-"), 1);
	assert_string_equal(f.operands.items[0], "-");
	done(&f);
}

static void known_letters_are_a_cluster(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "-af x"), 1);
	assert_true(f.all && f.force);
	assert_false(f.dry);
	done(&f);
}

static void an_exact_long_name_beats_a_cluster(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "-faf x"), 1);
	assert_true(f.dry);
	assert_false(f.all || f.force);
	done(&f);
}

static void repeated_values_make_a_list(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, "--label a x -label=b"), 1);
	assert_int_equal(f.labels.count, 2);
	assert_string_equal(f.labels.items[0], "a");
	assert_string_equal(f.labels.items[1], "b");
	done(&f);
}

static void values_are_read_by_kind(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_COLLECTED,
				 "--count 7 --size 3G --grace-period=30m --form erofs x"),
		1);
	assert_int_equal(f.count, 7);
	assert_int_equal(f.size, 3ull << 30);
	assert_int_equal(f.grace_sec, 1800);
	assert_int_equal(f.form, 1);
	done(&f);
}

static void wrong_values_name_the_option(void **state)
{
	(void)state;
	assert_refused("x --count many", "option '--count': 'many' is not a number");
	assert_refused("x --size=big",
		"option '--size': 'big' is not a size: 64K, 500M, 2G, 1T, or bytes");
	assert_refused(
		"x --size=K", "option '--size': 'K' is not a size: 64K, 500M, 2G, 1T, or bytes");
	assert_refused("x --size=-1G",
		"option '--size': '-1G' is not a size: 64K, 500M, 2G, 1T, or bytes");
	assert_refused("x --size=16777216T", "option '--size': 16777216T is too large");
	assert_refused("x --grace-period=soon",
		"option '--grace-period': 'soon' is not a time: 90s, 30m, 12h, 7d, or seconds");
	assert_refused(
		"x --form=eros", "option '--form': unknown value 'eros'; did you mean 'erofs'?");
	assert_refused("x --form=zip",
		"option '--form': unknown value 'zip'; known are auto, erofs, extracted");
	assert_refused("x -volume bad", "volume must be NAME:PATH");
}

static void a_missing_value_names_option_and_value(void **state)
{
	(void)state;
	assert_refused("x --volume", "option '--volume' needs a value: NAME:PATH");
	assert_refused("x -fd", "option '--dir' needs a value: DIR");
}

static void a_flag_takes_no_value(void **state)
{
	(void)state;
	assert_refused("x --force=yes", "option '--force' takes no value");
}

static void an_unknown_option_hints_at_the_nearest(void **state)
{
	(void)state;
	assert_refused("x --froce", "unknown option '--froce'; did you mean '--force'?");
	assert_refused("x --voulme=a:b", "unknown option '--voulme'; did you mean '--volume'?");
	assert_refused("x -volme", "unknown option '-volme'; did you mean '--volume'?");
	assert_refused("x --zzzzzzz", "unknown option '--zzzzzzz'");
	assert_refused("x -z", "unknown option '-z'");
}

static void a_hidden_option_is_not_hinted_at(void **state)
{
	(void)state;
	assert_refused("x --print-mann", "unknown option '--print-mann'");
}

static void abbreviations_are_refused(void **state)
{
	(void)state;
	assert_refused("x --vol a:b", "unknown option '--vol'; did you mean '--volume'?");
}

static void a_long_wrong_option_is_refused_in_words(void **state)
{
	char line[5000] = "x --";
	struct fixture f;

	(void)state;
	memset(line + 4, 'a', sizeof line - 5);
	assert_int_equal(parse(&f, OPERANDS_COLLECTED, line), -1);
	done(&f);
}

static void operands_are_counted(void **state)
{
	(void)state;
	assert_refused("-f", "too few operands; usage: rkt-test [OPTIONS] FILE...");
	assert_refused("a b c", "unexpected operand 'c'");
	assert_refused("a b c d", "unexpected operand 'c'");
	assert_refused("a b c --dir d --all", "unexpected operand 'c'");
}

static void called_operands_keep_their_place(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_CALLED, "-volume a:b one -volume=c:d two"), 1);
	assert_string_equal(buf_text(&f.calls), "volume=a:b;image=one;volume=c:d;image=two;");
	assert_int_equal(f.operands.count, 0);
	done(&f);
}

static void options_resume_after_three_dashes(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_CALLED, "one -- --force -- x --- two --volume a:b"), 1);
	assert_string_equal(buf_text(&f.calls),
		"image=one;argument=--force;argument=--;argument=x;image=two;volume=a:b;");
	assert_false(f.force);
	done(&f);
}

static void arguments_after_dashes_are_no_operands(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(parse(&f, OPERANDS_CALLED, "-- x"), -1);
	done(&f);
}

static void a_command_may_have_its_own_debug(void **state)
{
	bool debug = false, human = false;
	const struct opt options[] = {
		{ .name = "debug", .kind = OPT_FLAG, .into = &debug, .help = "its own" },
		{ .name = "human",
			.letter = 'h',
			.kind = OPT_FLAG,
			.into = &human,
			.help = "its own" },
		{ 0 },
	};
	const struct command command = { .program = "rkt-test", .options = options };
	char name[] = "rkt-test", own[] = "--debug", letter[] = "-h";
	struct operands operands;

	(void)state;
	assert_int_equal(
		opts_parse(&command, 3, (char *[]){ name, own, letter, NULL }, &operands, NULL), 1);
	assert_true(debug && human);
}

static const char *nearest_of(const char *word, const char *a, const char *b)
{
	struct nearest near = { .word = word };

	nearest_consider(&near, a);
	nearest_consider(&near, b);
	return near.best ? near.best : "none";
}

static void the_nearest_word_is_found(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("imprt", "list", "import"), "import");
	assert_string_equal(nearest_of("rnu", "run", "rm"), "run");
	assert_string_equal(nearest_of("lsit", "lint", "list"), "list"); /* swapped letters */
	assert_string_equal(nearest_of("foo", "force", "dir"), "force");
	assert_string_equal(nearest_of("xyz", "import", "list"), "none");
	assert_string_equal(nearest_of("", "a", "b"), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_and_after_operands),
		cmocka_unit_test(argv_stays_in_order),
		cmocka_unit_test(a_value_may_be_attached_in_every_way),
		cmocka_unit_test(dashes_end_options),
		cmocka_unit_test(a_lone_dash_is_an_operand),
		cmocka_unit_test(known_letters_are_a_cluster),
		cmocka_unit_test(an_exact_long_name_beats_a_cluster),
		cmocka_unit_test(repeated_values_make_a_list),
		cmocka_unit_test(values_are_read_by_kind),
		cmocka_unit_test(wrong_values_name_the_option),
		cmocka_unit_test(a_missing_value_names_option_and_value),
		cmocka_unit_test(a_flag_takes_no_value),
		cmocka_unit_test(an_unknown_option_hints_at_the_nearest),
		cmocka_unit_test(a_hidden_option_is_not_hinted_at),
		cmocka_unit_test(abbreviations_are_refused),
		cmocka_unit_test(a_long_wrong_option_is_refused_in_words),
		cmocka_unit_test(operands_are_counted),
		cmocka_unit_test(called_operands_keep_their_place),
		cmocka_unit_test(options_resume_after_three_dashes),
		cmocka_unit_test(arguments_after_dashes_are_no_operands),
		cmocka_unit_test(a_command_may_have_its_own_debug),
		cmocka_unit_test(the_nearest_word_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
