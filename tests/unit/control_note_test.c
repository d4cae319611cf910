/* control/note.c: what people are told reaches whoever the program has named, printable; tally.c counts what failed. */
#include "control/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/tally.h"

static char told[4096];

static void take(enum note_kind kind, const char *text)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof(told) - len, "%d %s\n", kind, text);
}

static int begin(void **state)
{
	(void)state;
	told[0] = '\0';
	note_set_sink(take);
	return 0;
}

static void kinds(void **state)
{
	char expected[64];
	struct error err;

	(void)state;
	note_done("it %s", "sleeps");
	note_print("%d of them\x1b[31m", 2);
	error_set(&err, 0, "no\nmore");
	note_failure(&err);
	snprintf(expected, sizeof(expected), "%d it sleeps\n%d 2 of them?[31m\n%d no?more\n", NOTE_DONE, NOTE_REMARK,
		 NOTE_FAILURE);
	assert_string_equal(told, expected);
}

static void a_remark_is_made_once(void **state)
{
	char expected[64];

	(void)state;
	for (int k = 0; k < 2; k++) {
		note_done("done");
		note_print("it is used");
		note_print("it is %s", k ? "old" : "used");
	}
	snprintf(expected, sizeof(expected), "%d done\n%d it is used\n%d done\n%d it is old\n", NOTE_DONE, NOTE_REMARK,
		 NOTE_DONE, NOTE_REMARK);
	assert_string_equal(told, expected);
}

static void nobody_is_told(void **state)
{
	(void)state;
	note_set_sink(NULL);
	note_done("it sleeps");
	assert_string_equal(told, "");
}

static void one_failure_is_the_result(void **state)
{
	struct tally tally = {.of = 1};
	struct error err = {}, why;

	(void)state;
	assert_int_equal(tally_result(&tally, &err), 0);
	error_set(&why, 7, "it is there");
	tally_failure(&tally, &why);
	assert_string_equal(told, "");
	assert_int_equal(tally_result(&tally, &err), -1);
	assert_int_equal(err.code, 7);
	assert_string_equal(err.text, "it is there");
}

static void each_of_several_is_told(void **state)
{
	struct tally tally = {.of = 3};
	char expected[64];
	struct error err = {}, why;

	(void)state;
	error_set(&why, 7, "it is there");
	tally_failure(&tally, &why);
	error_set(&why, 8, "it is gone");
	tally_failure(&tally, &why);
	snprintf(expected, sizeof(expected), "%d it is there\n%d it is gone\n", NOTE_FAILURE, NOTE_FAILURE);
	assert_string_equal(told, expected);
	assert_int_equal(tally_result(&tally, &err), -1);
	assert_int_equal(err.code, 8);
	assert_string_equal(err.text, "2 of 3 failed: the reasons are above");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kinds, begin),
		cmocka_unit_test_setup(a_remark_is_made_once, begin),
		cmocka_unit_test_setup(nobody_is_told, begin),
		cmocka_unit_test_setup(one_failure_is_the_result, begin),
		cmocka_unit_test_setup(each_of_several_is_told, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
