/* nshelper/options.h: what is asked for, and what is refused before anything is touched. */
#include "tests/unit/nshelper_fixture.h"

#include "handover/mark.h"
#include "nshelper/options.h"

/* Options keep pointers into the vector, hence static. */
#define parse(o, err, ...) parse_words(o, err, (const char *[]){"nshelper", __VA_ARGS__, NULL})

static enum options_result parse_words(struct nshelper_options *o, struct error *err, const char *const words[])
{
	static char *argv[WORDS_MAX];

	return nshelper_options_parse(copy_words(words, argv), argv, o, err);
}

static void everything(void **state)
{
	struct nshelper_options o;
	struct error err;

	(void)state;
	assert_int_equal(parse(&o, &err, "--pid", "12", "--user=sockwake", "--container-root", "--outside-source",
			       "--transparent", "--mark", "4294967295", "--", "cmd", "--pid", "x"),
			 OPTIONS_RUN);
	assert_int_equal(o.pid, 12);
	assert_int_equal(o.pidfd, -1);
	assert_string_equal(o.user, "sockwake");
	assert_true(o.container_root && o.outside_source && o.transparent);
	assert_int_equal(o.mark, UINT32_MAX);
	assert_string_equal(o.command[0], "cmd");
	assert_string_equal(o.command[2], "x");
}

static void options_of_the_command_are_its_own(void **state)
{
	struct nshelper_options o;
	struct error err;

	(void)state;
	assert_int_equal(parse(&o, &err, "--pidfd", "0", "cmd", "--transparent"), OPTIONS_RUN);
	assert_int_equal(o.pidfd, 0);
	assert_false(o.transparent);
	assert_int_equal(o.mark, TRANSPARENT_MARK);
	assert_string_equal(o.command[1], "--transparent");
}

static void pidfd_of_the_environment(void **state)
{
	struct nshelper_options o;
	struct error err;

	(void)state;
	setenv("SOCKWAKE_PIDFD", "17", 1);
	assert_int_equal(parse(&o, &err, "--", "cmd"), OPTIONS_RUN);
	assert_int_equal(o.pidfd, 17);
	assert_int_equal(parse(&o, &err, "--pid", "9", "cmd"), OPTIONS_RUN);
	assert_int_equal(o.pidfd, -1);
	setenv("SOCKWAKE_PIDFD", "-1", 1);
	assert_int_equal(parse(&o, &err, "--", "cmd"), OPTIONS_WRONG);
	assert_non_null(strstr(err.text, "SOCKWAKE_PIDFD"));
	unsetenv("SOCKWAKE_PIDFD");
	assert_int_equal(parse(&o, &err, "--", "cmd"), OPTIONS_WRONG);
	assert_non_null(strstr(err.text, "$SOCKWAKE_PIDFD"));
}

static void wrong_usage(void **state)
{
	static const char *const lines[][9] = {
		{"nshelper"},
		{"nshelper", "--pid", "1"},
		{"nshelper", "--pid", "1", "--"},
		{"nshelper", "--pid"},
		{"nshelper", "--pid", "-1", "cmd"},
		{"nshelper", "--pid", "+1", "cmd"},
		{"nshelper", "--pid", "1x", "cmd"},
		{"nshelper", "--pid", "", "cmd"},
		{"nshelper", "--pid", "2147483648", "cmd"},
		{"nshelper", "--pidfd", "99999999999999999999", "cmd"},
		{"nshelper", "--pid", "0", "--pidfd", "3", "cmd"},
		{"nshelper", "--pid", "1", "--mark", "1", "cmd"},
		{"nshelper", "--pid", "1", "--transparent", "--mark", "0", "cmd"},
		{"nshelper", "--pid", "1", "--transparent", "--mark", "4294967296", "cmd"},
		{"nshelper", "--pid", "1", "--transparent=yes", "cmd"},
		{"nshelper", "--pid", "1", "--unknown", "cmd"},
		{"nshelper", "--pid", "1", "-xy", "cmd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct error err = {.text = ""};
		struct nshelper_options o;

		if (parse_words(&o, &err, lines[i]) != OPTIONS_WRONG || !err.text[0])
			fail_msg("line %zu was not refused", i);
	}
}

static void the_wrong_option_is_named(void **state)
{
	static const struct {
		const char *words[9];
		const char *says;
	} cases[] = {
		{{"nshelper", "--pid", "1", "--unknown", "cmd"},
		 "the option '--unknown' is not known or takes no value"},
		{{"nshelper", "--pid", "1", "--transparent=yes", "cmd"},
		 "'--transparent=yes' is not known or takes no value"},
		{{"nshelper", "--pid", "1", "-xy", "cmd"}, "the option '-x' is not known"},
		{{"nshelper", "--pid"}, "the option '--pid' lacks its value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error err = {.text = ""};
		struct nshelper_options o;

		assert_int_equal(parse_words(&o, &err, cases[i].words), OPTIONS_WRONG);
		assert_non_null(strstr(err.text, cases[i].says));
	}
}

static void help_and_version(void **state)
{
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--help");
	assert_int_equal(o.status, 0);
	expect_text(&o, "Usage: nshelper [--pid PID");
	run_nshelper(0, &o, "--version");
	assert_int_equal(o.status, 0);
	expect_text(&o, "nshelper ");
}

static void only_root_becomes_another_user(void **state)
{
	struct outcome o;

	(void)state;
	run_nshelper(ORDINARY_UID, &o, "--pid", "1", "--user", "nobody", "true");
	assert_int_equal(o.status, 2);
	expect_text(&o, "--user needs root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(options_of_the_command_are_its_own),
		cmocka_unit_test(pidfd_of_the_environment),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(the_wrong_option_is_named),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(only_root_becomes_another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
