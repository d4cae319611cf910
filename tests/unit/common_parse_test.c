/* common/parse.h: what is read, and above all what is not. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/parse.h"

static void numbers(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "18446744073709551616", "1\n", "١"};
	struct error err;
	uint64_t n;

	(void)state;
	assert_int_equal(parse_u64("n", "0", 0, UINT64_MAX, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(parse_u64("n", "18446744073709551615", 0, UINT64_MAX, &n, &err), 0);
	assert_int_equal(n, UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse_u64("n", bad[i], 0, UINT64_MAX, &n, &err), -1);
	assert_int_equal(parse_u64("the size", "11", 1, 10, &n, &err), -1);
	assert_string_equal(err.text, "the size '11' is not a whole number from 1 to 10");
}

static void ports(void **state)
{
	struct error err;
	uint16_t port;

	(void)state;
	assert_int_equal(parse_port("port", "65535", &port, &err), 0);
	assert_int_equal(port, 65535);
	assert_int_equal(parse_port("port", "0", &port, &err), -1);
	assert_int_equal(parse_port("port", "65536", &port, &err), -1);
	assert_int_equal(parse_port("port", "http", &port, &err), -1);
}

static void groups(void **state)
{
	static const char *const bad[] = {"", "0", "0101", "65535", "4294967295", "-1", "staff", "1 "};
	struct error err;
	gid_t gid;

	(void)state;
	assert_int_equal(parse_group_number("101", &gid, &err), 0);
	assert_int_equal(gid, 101);
	assert_int_equal(parse_group_number("4294967294", &gid, &err), 0);
	assert_int_equal(gid, 4294967294);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse_group_number(bad[i], &gid, &err), -1);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t usec;
	} good[] = {
		{"0", 0},
		{"30", 30 * USEC_PER_SEC},
		{"5m", 300 * USEC_PER_SEC},
		{"15min", 900 * USEC_PER_SEC},
		{"1h 30min", 5400 * USEC_PER_SEC},
		{"1h30min", 5400 * USEC_PER_SEC},
		{" 2 h ", 7200 * USEC_PER_SEC},
		{"2.5s", 2500000},
		{"0.5", 500000},
		{"500ms", 500000},
		{"7us", 7},
		{"7µs", 7},
		{"1M", 2629800 * USEC_PER_SEC},
		{"1y", 31557600 * USEC_PER_SEC},
		{"36000y", 36000ULL * 31557600 * USEC_PER_SEC},
		{"infinity", USEC_INFINITY},
	};
	static const char *const bad[] = {"",
					  " ",
					  "s",
					  "-1",
					  "1x",
					  "1.",
					  ".5",
					  "1 2 x",
					  "5min;",
					  "infinityx",
					  "18446744073709",
					  "18446744073709551614us",
					  "37000y",
					  "18000y 18000y 18000y",
					  "99999999999999999999",
					  "9999999999999y",
					  "1\n"};
	struct error err;
	uint64_t usec;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(parse_duration("d", good[i].text, &usec, &err), 0);
		assert_int_equal(usec, good[i].usec);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(parse_duration("d", bad[i], &usec, &err), -1);
}

static void names(void **state)
{
	char longest[242];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[240] = '\0';
	assert_true(instance_name_is_valid("pg-1_A"));
	assert_true(instance_name_is_valid(longest));
	longest[240] = 'a';
	longest[241] = '\0';
	assert_false(instance_name_is_valid(longest));
	assert_false(instance_name_is_valid(""));
	assert_false(instance_name_is_valid("a.b"));
	assert_false(instance_name_is_valid("a%b"));
	assert_false(instance_name_is_valid("a\nb"));
	assert_false(instance_name_is_valid("é"));
	assert_true(container_name_is_valid("pg.v1-2_x"));
	assert_false(container_name_is_valid("-pg"));
	assert_false(container_name_is_valid("../pg"));
	assert_false(container_name_is_valid("p/g"));
	assert_false(container_name_is_valid(""));
}

static void paths(void **state)
{
	(void)state;
	assert_true(path_is_valid("/run/x.sock"));
	assert_true(path_is_valid("/run/..x/é"));
	assert_false(path_is_valid("run/x"));
	assert_false(path_is_valid("/run/../x"));
	assert_false(path_is_valid("/run/.."));
	assert_false(path_is_valid("/run/x\n"));
	assert_false(path_is_valid("/run/\xff"));
}

static void utf8(void **state)
{
	(void)state;
	assert_true(text_is_printable("Ünïcode 漢字 🐙"));
	assert_false(text_is_printable("\xc0\xaf"));	     /* overlong */
	assert_false(text_is_printable("\xed\xa0\x80"));     /* surrogate */
	assert_false(text_is_printable("\xf4\x90\x80\x80")); /* beyond U+10FFFF */
	assert_false(text_is_printable("\xe2\x80\xa8"));     /* line separator */
	assert_false(text_is_printable("\xe2\x80\xae"));     /* right-to-left override */
	assert_false(text_is_printable("\xe2\x81\xa6"));     /* left-to-right isolate */
	assert_true(text_is_printable("\u0634\u0643\u0631\u0627 \u200f\u05e9"));
	assert_false(text_is_printable("\xc2\x85")); /* next line */
	assert_false(text_is_printable("\xe2\x82")); /* cut short */
	assert_false(text_is_printable("\t"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(ports), cmocka_unit_test(groups),
		cmocka_unit_test(durations), cmocka_unit_test(names), cmocka_unit_test(paths),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
