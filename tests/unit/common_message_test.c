/* handover/channel.c: what a keeper takes from a message, whoever sent it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "handover/channel.h"

static void expect(const char *text, const char *name, size_t size, const char *expected)
{
	struct message m = {0};
	char value[64];

	strcpy(m.text, text);
	if (!expected) {
		assert_false(message_value(&m, name, value, size));
		return;
	}
	assert_true(message_value(&m, name, value, size));
	assert_string_equal(value, expected);
}

static void values(void **state)
{
	(void)state;
	expect("READY=1\nSTATUS=2 connections", "STATUS", 64, "2 connections");
	expect("READY=1\nSTATUS=2 connections", "READY", 64, "1");
	expect("READY=1", "STATUS", 64, NULL);
	expect("XREADY=1\nREADYX=1\nREADY", "READY", 64, NULL);
	expect("STATUS=\n", "STATUS", 64, "");
	expect("STATUS=abc", "STATUS", 3, "ab");
	expect("STATUS=abc", "STATUS", 1, "");
}

static void only_what_can_be_printed(void **state)
{
	(void)state;
	expect("FAILED=a\x1b[2J\x7f", "FAILED", 64, "a?[2J?");
	expect("FAILED=\xc3\xa4", "FAILED", 64, "\xc3\xa4");
	expect("FAILED=\xc2\x9b"
	       "2J",
	       "FAILED", 64, "??2J"); /* CSI in one character */
	expect("FAILED=a\xff\xc3", "FAILED", 64, "a??");
	expect("FAILED=a\xc3\xa4", "FAILED", 3, "a?"); /* cut in the middle */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(only_what_can_be_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
