/* common/parse.h: what is read, and above all what is not. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
	assert_int_equal(parse_u64("the size", "1", 1, 10, &n, &err), 0);
	assert_int_equal(parse_u64("the size", "10", 1, 10, &n, &err), 0);
	assert_int_equal(parse_u64("the size", "0", 1, 10, &n, &err), -1);
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
	assert_int_equal(parse_port("port", "1", &port, &err), 0);
	assert_int_equal(port, 1);
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
		{"\t2\th\t", 7200 * USEC_PER_SEC},
		{"1.9s", 1900000},
		{"1.0000019s", 1000001}, /* digits beyond microseconds do not count */
		{"1.0000019h", 3600003600},
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

static void longest_container_name(void **state)
{
	char name[257];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_true(container_name_is_valid(name));
	name[255] = 'a';
	name[256] = '\0';
	assert_false(container_name_is_valid(name));
}

/* Each range of characters at its ends, and beside them. */
static void characters_of_names(void **state)
{
	static const char good[] = "azAZ09", bad[] = "`{@[/:";

	(void)state;
	for (size_t k = 0; k < sizeof(good) - 1; k++) {
		assert_true(container_name_is_valid((char[]){good[k], '\0'}));
		assert_false(container_name_is_valid((char[]){bad[k], '\0'}));
	}
}

static void services(void **state)
{
	static const char *const good[] = {"a.service", "a@b.service", "db\\x2d1:x_Y.9.service"};
	static const char *const bad[] = {
		"",	      ".service",   "service",	   "a.socket",	  "a.service ", "a@.service",
		"@a.service", ".a.service", "a/b.service", "a b.service", "aservice",
	};
	char name[257];

	(void)state;
	for (size_t k = 0; k < sizeof(good) / sizeof(*good); k++)
		assert_true(service_name_is_valid(good[k]));
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		if (service_name_is_valid(bad[k]))
			fail_msg("accepted: %s", bad[k]);
	}
	memset(name, 'a', sizeof(name));
	strcpy(name + 247, ".service");
	assert_true(service_name_is_valid(name)); /* 255 bytes */
	name[247] = 'a';
	strcpy(name + 248, ".service");
	assert_false(service_name_is_valid(name));
}

static void longest_path(void **state)
{
	char path[PATH_MAX + 1];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[PATH_MAX - 1] = '\0';
	assert_true(path_is_valid(path));
	path[PATH_MAX - 1] = 'a';
	path[PATH_MAX] = '\0';
	assert_false(path_is_valid(path));
}

static void paths(void **state)
{
	(void)state;
	assert_true(path_is_valid("/"));
	assert_true(path_is_valid("/..x"));
	assert_false(path_is_valid("/../x"));
	assert_false(path_is_valid("/..x/.."));
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
	assert_true(text_is_printable(""));
	assert_true(text_is_printable("\u0634\u0643\u0631\u0627 \u200f\u05e9"));
}

/* The first and the last character of each range, and those beside them. */
static void ranges_of_characters(void **state)
{
	static const struct {
		const char *text;
		bool is_printable;
	} cases[] = {
		{"\x1f", false},
		{" ", true},
		{"~", true},
		{"\x7f", false},
		{"\x80", false},
		{"\xc1\xbf", false},	 /* overlong */
		{"\xc2\x80", false},	 /* the controls from U+0080 */
		{"\xc2\x9f", false},	 /* to U+009F */
		{"\xc2\xa0", true},	 /* U+00A0 */
		{"\xc2\x7f", false},	 /* cut short */
		{"\xc2\xc0", false},	 /* followed by the start of another one */
		{"\xdf\xbf", true},	 /* U+07FF */
		{"\xe0\x9f\xbf", false}, /* overlong */
		{"\xe0\xa0\x80", true},	 /* U+0800 */
		{"\xe2\x80\xa7", true},	 /* U+2027 */
		{"\xe2\x80\xa8", false}, /* line separator, U+2028 */
		{"\xe2\x80\xae", false}, /* right-to-left override, U+202E */
		{"\xe2\x80\xaf", true},	 /* U+202F */
		{"\xe2\x81\xa5", true},	 /* U+2065 */
		{"\xe2\x81\xa6", false}, /* left-to-right isolate, U+2066 */
		{"\xe2\x81\xa9", false}, /* pop directional isolate, U+2069 */
		{"\xe2\x81\xaa", true},	 /* U+206A */
		{"\xe2\x82", false},	 /* cut short */
		{"\xed\x9f\xbf", true},	 /* U+D7FF */
		{"\xed\xa0\x80", false}, /* the surrogates from U+D800 */
		{"\xed\xbf\xbf", false}, /* to U+DFFF */
		{"\xee\x80\x80", true},	 /* U+E000 */
		{"\xef\xbf\xbd", true},	 /* U+FFFD */
		{"\xf0\x8f\xbf\xbf", false},
		{"\xf0\x90\x80\x80", true}, /* U+10000 */
		{"\xf4\x8f\xbf\xbf", true}, /* U+10FFFF, the last */
		{"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false},
	};
	char text[16];

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		snprintf(text, sizeof(text), "a%sb", cases[k].text);
		if (text_is_printable(text) != cases[k].is_printable)
			fail_msg("case %zu is %sprintable", k, cases[k].is_printable ? "not " : "");
	}
}

static void unprintable_bytes_become_question_marks(void **state)
{
	char text[] = "a\tb\xc3\xa4\xff\xe2\x80\xaez\x7f", printable[] = "ä b";

	(void)state;
	text_make_printable(text);
	assert_string_equal(text, "a?b\xc3\xa4????z?");
	text_make_printable(printable);
	assert_string_equal(printable, "ä b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(ports),
		cmocka_unit_test(durations),
		cmocka_unit_test(names),
		cmocka_unit_test(longest_container_name),
		cmocka_unit_test(characters_of_names),
		cmocka_unit_test(services),
		cmocka_unit_test(longest_path),
		cmocka_unit_test(paths),
		cmocka_unit_test(utf8),
		cmocka_unit_test(ranges_of_characters),
		cmocka_unit_test(unprintable_bytes_become_question_marks),
		cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
