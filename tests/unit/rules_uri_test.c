/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "rules/uri.h"

static void there_is_one_way_to_write_a_path(void **state)
{
	static const char *const refused[] = {
		"http://docker/_ping",
		"//_ping",
		"/a//b",
		"/a/../b",
		"/..",
		"/.",
		"/a/.",
		"/a/./b",
		"/a/",
		"",
		"*",
		"_ping",
		"/a%2fb",
		"/a%2Fb",
		"/%2e%2e/b",
		"/a%2",
		"/a%",
		"/a%zz",
		"/a%00b",
		"/a\\b",
		"/a%5cb",
		"/a%0ab",
		"/a%20b",
		"/a;b",
		"/a%3bb",
		"/a%3Fb",
		"/a%23b",
		"/a%25b",
		"/a%25%32%66b",
		"/a%c3%a4",
		"/a#b",
		"/a?b=c#d",
		"/a{b",
		/* Other versions of the API. */
		"/v1.23/containers/json",
		"/v1/containers/json",
		"/v1.4a/containers/json",
		"/v2.0/x",
		"/v4.0.0/libpod/info",
		"/v1.041/x",
		"/v1.41",
		"/v1.410000/x",
		"/v1.4100/x",
		"/v1.%34%31.1/x",
		"/v0.41/x",
		"/v1.-5/x",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		_cleanup_uri_ struct uri u = {};
		struct error err;

		if (uri_parse(refused[k], &u, &err) == 0)
			fail_msg("'%s' is not refused", refused[k]);
		assert_int_equal(err.code, EINVAL);
	}
}

static void a_path_is_decoded_and_written_anew(void **state)
{
	static const struct {
		const char *target, *version, *path, *written;
	} cases[] = {
		{"/_ping", "", "/_ping", "/_ping"},
		{"/v1.41/containers/json", "v1.41", "/containers/json", "/v1.41/containers/json"},
		{"/v1.24/info", "v1.24", "/info", "/v1.24/info"},
		{"/v1.100/info", "v1.100", "/info", "/v1.100/info"},
		{"/%76%31.41/info", "v1.41", "/info", "/v1.41/info"},
		{"/images/a%40sha256%3ab/json", "", "/images/a@sha256:b/json", "/images/a@sha256:b/json"},
		{"/images/localhost:5000/a/b:c/json", "", "/images/localhost:5000/a/b:c/json",
		 "/images/localhost:5000/a/b:c/json"},
		{"/volumes/v1.41", "", "/volumes/v1.41", "/volumes/v1.41"},
		{"/volumes/...", "", "/volumes/...", "/volumes/..."},
		{"/%63ontainers/json?all=1", "", "/containers/json", "/containers/json?all=1"},
		{"/a?b=%7B%22x%22%3A1%7d&c&d=", "", "/a", "/a?b=%7B%22x%22:1%7D&c=&d="},
		{"/a?b=c+d&e=%2B%26%3D", "", "/a", "/a?b=c%20d&e=%2B%26%3D"},
		{"/a%41", "", "/aA", "/aA"},
		{"/a?b=%20~", "", "/a", "/a?b=%20~"},
		{"/a?", "", "/a", "/a"},
		{"/a?b=\"x\"", "", "/a", "/a?b=%22x%22"},
		{"/a?b=%c3%a4", "", "/a", "/a?b=%C3%A4"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_uri_ struct uri u = {};
		_cleanup_free_ char *written = NULL;
		struct error err;

		if (uri_parse(cases[k].target, &u, &err) < 0)
			fail_msg("%s: %s", cases[k].target, err.text);
		assert_string_equal(u.version, cases[k].version);
		assert_string_equal(u.path, cases[k].path);
		assert_int_equal(uri_write(&u, &written, &err), 0);
		assert_string_equal(written, cases[k].written);
	}
}

static void a_query_is_strict(void **state)
{
	static const char *const refused[] = {
		"/a?b=c;d=e", "/a?=b",	  "/a?b=%",   "/a?b=%0a", "/a?b=%00",
		"/a?%62=c",   "/a?b c=d", "/a?b[]=c", "/a?&&",	  "/a?b=%7f",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		_cleanup_uri_ struct uri u = {};
		struct error err;

		if (uri_parse(refused[k], &u, &err) == 0)
			fail_msg("'%s' is not refused", refused[k]);
		assert_int_equal(err.code, EINVAL);
	}
}

static void a_value_can_be_set(void **state)
{
	_cleanup_uri_ struct uri u = {};
	_cleanup_free_ char *written = NULL;
	struct error err;

	(void)state;
	assert_int_equal(uri_parse("/a?b=c", &u, &err), 0);
	assert_string_equal(uri_value(&u, "b"), "c");
	assert_null(uri_value(&u, "c"));
	assert_int_equal(uri_set(&u, "b", "x y", &err), 0);
	assert_int_equal(uri_set(&u, "n", "1", &err), 0);
	assert_int_equal(uri_write(&u, &written, &err), 0);
	assert_string_equal(written, "/a?b=x%20y&n=1");
}

static void lengths_are_limited(void **state)
{
	char target[2048] = "/";
	struct error err;

	(void)state;
	for (size_t len = URI_PATH_MAX - 1; len <= URI_PATH_MAX; len++) {
		_cleanup_uri_ struct uri u = {};

		memset(target + 1, 'a', len - 1);
		target[len] = '\0';
		assert_int_equal(uri_parse(target, &u, &err), len < URI_PATH_MAX ? 0 : -1);
	}
	for (int n = URI_PAIRS_MAX; n <= URI_PAIRS_MAX + 1; n++) {
		_cleanup_uri_ struct uri u = {};

		strcpy(target, "/a?");
		for (int k = 0; k < n; k++)
			strcat(target, "b=c&");
		assert_int_equal(uri_parse(target, &u, &err), n <= URI_PAIRS_MAX ? 0 : -1);
		assert_int_equal(uri_set(&u, "new", "x", &err), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_one_way_to_write_a_path),
		cmocka_unit_test(a_path_is_decoded_and_written_anew),
		cmocka_unit_test(a_query_is_strict),
		cmocka_unit_test(a_value_can_be_set),
		cmocka_unit_test(lengths_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
