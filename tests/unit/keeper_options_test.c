/* The keeper's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "keeper/options.h"

#define WORDS_MAX 300

static char *words[WORDS_MAX];

static int parse(const char *const *arguments, struct keeper_options *ret, struct error *err)
{
	int n = 0;

	words[n++] = strdup("keeper");
	for (; *arguments; arguments++)
		words[n++] = strdup(*arguments);
	words[n] = NULL;
	return keeper_options_parse(n, words, ret, err);
}

static void release(void)
{
	for (int n = 0; words[n]; n++)
		free(words[n]);
}

#define PARSE(ret, err, ...) parse((const char *const[]){__VA_ARGS__, NULL}, ret, err)
#define COMMANDS	     "--", "/a", "--name", "x", "--", "/n", "--user", "u", "--", "/p", "--forward", "1:2"

static void the_smallest_one(void **state)
{
	struct keeper_options o;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "--name", "t", COMMANDS), 0);
	assert_string_equal(o.name, "t");
	assert_true(o.startup_timeout == 30 * USEC_PER_SEC);
	assert_true(o.start_limit == 600 * USEC_PER_SEC);
	assert_int_equal(o.n_no_wake_from, 0);
	assert_int_equal(o.n_windows, 0);
	assert_null(o.notify);
	assert_string_equal(o.activator[0], "/a");
	assert_string_equal(o.activator[1], "--name"); /* not the keeper's own */
	assert_string_equal(o.nshelper[0], "/n");
	assert_string_equal(o.nshelper[-1], "--");
	assert_string_equal(o.proxy[0], "/p");
	assert_string_equal(o.proxy[-1], "--");
	assert_string_equal(o.proxy[2], "1:2");
	assert_null(o.proxy[3]);
	release();
}

static void all_of_it(void **state)
{
	struct keeper_options o;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&o, &err, "--name", "t", "--startup-timeout", "infinity", "--no-wake-from", "10.0.0.0/8",
			       "--no-wake-from", "::1", "--schedule", "Mon..Fri 08:30-17:15", "--notify", "somebody",
			       COMMANDS),
			 0);
	assert_true(o.startup_timeout == USEC_INFINITY);
	assert_int_equal(o.n_no_wake_from, 2);
	assert_int_equal(o.n_windows, 1);
	assert_string_equal(o.notify, "somebody");
	release();
}

static void expect_wrong(const char *const *arguments, const char *why)
{
	struct keeper_options o;
	struct error err = {};

	assert_int_equal(parse(arguments, &o, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
	release();
}

#define WRONG(why, ...) expect_wrong((const char *const[]){__VA_ARGS__, NULL}, why)

static void wrong_usage(void **state)
{
	(void)state;
	WRONG("--name must give", COMMANDS);
	WRONG("--name must give", "--name", "a/b", COMMANDS);
	WRONG("--name must give", "--name", "", COMMANDS);
	WRONG("the option '--no-such-option' is not known, or takes no value: see 'keeper --help'", "--name", "t",
	      "--no-such-option", COMMANDS);
	WRONG("the option '--notify' lacks its value", "--name", "t", "--notify");
	WRONG("--startup-timeout", "--name", "t", "--startup-timeout", "soon", COMMANDS);
	WRONG("10.0.0.0/99", "--name", "t", "--no-wake-from", "10.0.0.0/99", COMMANDS);
	WRONG("25:00", "--name", "t", "--schedule", "25:00-26:00", COMMANDS);
	WRONG("three commands", "--name", "t");
	WRONG("three commands", "--name", "t", "--");
	WRONG("three commands", "--name", "t", "--", "/a");
	WRONG("three commands", "--name", "t", "--", "/a", "--", "/n");
	WRONG("three commands", "--name", "t", "--", "/a", "--", "/n", "--");
}

static void expect_too_many(const char *option, const char *value, unsigned max)
{
	const char *arguments[WORDS_MAX] = {"--name", "t"};
	static const char *const commands[] = {COMMANDS};
	struct keeper_options o;
	struct error err;
	size_t n = 2;

	for (unsigned k = 0; k < max; k++) {
		arguments[n++] = option;
		arguments[n++] = value;
	}
	memcpy(&arguments[n], commands, sizeof(commands));
	assert_int_equal(parse(arguments, &o, &err), 0);
	release();
	arguments[n++] = option;
	arguments[n++] = value;
	memcpy(&arguments[n], commands, sizeof(commands));
	assert_int_equal(parse(arguments, &o, &err), -1);
	assert_non_null(strstr(err.text, "is given more than"));
	release();
}

static void so_many_and_no_more(void **state)
{
	(void)state;
	expect_too_many("--no-wake-from", "10.0.0.1", NO_WAKE_MAX);
	expect_too_many("--schedule", "08:00-09:00", WINDOWS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_one),
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(so_many_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
