/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "rules/strict.h"

static int parse(const char *text, size_t len, cJSON **ret)
{
	struct error err = {};
	int r = strict_parse(text, len, ret, &err);

	if (r < 0)
		assert_int_equal(err.code, EINVAL);
	return r;
}

static void what_engines_read_differently_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		" ",
		"{",
		"}",
		"[",
		"]",
		"[1,]",
		"[,1]",
		"{\"a\":1,}",
		"{,}",
		"{\"a\"}",
		"{\"a\":}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":1}x",
		"{\"a\":1}{\"a\":2}",
		"nul",
		"True",
		"NaN",
		"\"a",
		"\"a\\\"",
		"\"\\x41\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"a\nb\"",
		"\"a\tb\"",
		"// c\n1",
		"/* c */1",
		"[1 2]",
		"{\"a\" 1}",
		"\xef\xbb\xbf{}",
		/* keys twice, also if one is escaped */
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"\\u0061\":2}",
		"{\"b\":{\"a\":1,\"a\":1}}",
		/* characters */
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udbff\"",
		"\"\\udc00\"",
		"\"\\udfff\"",
		"\"\\ud800\\udbff\"",
		"\"\\ud800\\ue000\"",
		"\"\x1f\"",
		"\"\xc1\xbf\"",
		"\"\xc2\x7f\"",
		"\"\xc2\xc0\"",
		"\"\xf5\x80\x80\x80\"",
		"\"\\ud800\\u0041\"",
		"\"\xff\"",
		"\"\xc0\xaf\"",
		"\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"",
		"\"\xe0\x80\x80\"",
		"\"\xf0\x80\x80\x80\"",
		"\"\xc3\"",
		"\"\x80\"",
		/* numbers */
		"01",
		"-",
		"-01",
		"+1",
		"1.0",
		"1e3",
		"1E3",
		".5",
		"0x10",
		"-0",
		"9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999999999",
		"1-2",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		_cleanup_cjson_ cJSON *item = NULL;

		if (parse(refused[k], strlen(refused[k]), &item) == 0)
			fail_msg("'%s' is not refused", refused[k]);
	}
	for (size_t k = 0; k < 2; k++) {
		_cleanup_cjson_ cJSON *item = NULL;

		assert_int_equal(parse(k ? "\"a\0b\"" : "{}\0{}", 5, &item), -1);
	}
}

static void the_parsed_form_is_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"null", "null"},
		{" { \"a\" : [ 1 , true , false , null , \"b\" ] , \"c\" : { } , \"d\":[]}\r\n\t",
		 "{\"a\":[1,true,false,null,\"b\"],\"c\":{},\"d\":[]}"},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"9007199254740993", "9007199254740993"},
		{"0", "0"},
		{"\"\\u0041\\u00e4\\u20ac\\ud83d\\ude00\\/\\\\\\\"\\b\\f\\n\\r\\t\"",
		 "\"A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\\\\\\\"\\b\\f\\n\\r\\t\""},
		{"\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		 "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
		{"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\"",
		 "\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\""},
		{"\"\\u0020\\ud7ff\\udbff\\udfff\\ue000\"", "\" \xed\x9f\xbf\xf4\x8f\xbf\xbf\xee\x80\x80\""},
		{"\" ~\x7f\xc2\x80\xc2\xbf\"", "\" ~\x7f\xc2\x80\xc2\xbf\""},
		{"{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_cjson_ cJSON *item = NULL;
		_cleanup_free_ char *printed = NULL;

		if (parse(cases[k].text, strlen(cases[k].text), &item) < 0)
			fail_msg("'%s' is refused", cases[k].text);
		printed = cJSON_PrintUnformatted(item);
		assert_string_equal(printed, cases[k].printed);
	}
}

static void numbers_keep_their_digits(void **state)
{
	_cleanup_cjson_ cJSON *item = NULL;

	(void)state;
	assert_int_equal(parse("-9223372036854775807", 20, &item), 0);
	assert_true(cJSON_IsRaw(item));
	assert_true(strict_number(item) == -INT64_MAX);
}

static void depth_and_keys_are_limited(void **state)
{
	char text[32 * 1024];
	size_t len;

	(void)state;
	for (size_t depth = STRICT_DEPTH_MAX; depth <= STRICT_DEPTH_MAX + 1; depth++) {
		_cleanup_cjson_ cJSON *item = NULL;

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		assert_int_equal(parse(text, 2 * depth, &item), depth <= STRICT_DEPTH_MAX ? 0 : -1);
	}
	for (int keys = 1024; keys <= 1025; keys++) {
		_cleanup_cjson_ cJSON *item = NULL;

		len = (size_t)sprintf(text, "{");
		for (int k = 0; k < keys; k++)
			len += (size_t)sprintf(text + len, "%s\"%d\":0", k ? "," : "", k);
		len += (size_t)sprintf(text + len, "}");
		assert_int_equal(parse(text, len, &item), keys <= 1024 ? 0 : -1);
	}
}

/* "[0,0,…]" with so many zeros. */
static int parse_zeros(size_t n)
{
	_cleanup_free_ char *text = malloc(2 * n + 1);
	_cleanup_cjson_ cJSON *item = NULL;

	assert_non_null(text);
	for (size_t k = 0; k < n; k++)
		memcpy(text + 2 * k, ",0", 2);
	text[0] = '[';
	text[2 * n] = ']';
	return parse(text, 2 * n + 1, &item);
}

static void the_number_of_values_is_limited(void **state)
{
	(void)state;
	assert_int_equal(parse_zeros(STRICT_VALUES_MAX - 1), 0); /* the array is one, too */
	assert_int_equal(parse_zeros(STRICT_VALUES_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_number_of_values_is_limited),
		cmocka_unit_test(what_engines_read_differently_is_refused),
		cmocka_unit_test(the_parsed_form_is_printed),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(depth_and_keys_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
