/* control/program_output.c: what a program prints until it ends. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "control/program_output.h"

static void what_it_prints_and_how_it_ends(void **state)
{
	static const struct {
		const char *script, *text;
		bool errors, good;
	} cases[] = {
		{"echo a; echo b", "a\nb\n", false, true},
		{"echo a; echo b >&2; exit 3", "a\nb\n", true, false},
		{"echo a; exec 2>&-; kill -9 $$", "a\n", false, false},
		{":", "", true, true},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const char *const argv[] = {"sh", "-c", cases[k].script, NULL};
		_cleanup_free_ char *text = NULL;
		struct error err;
		bool good;

		assert_int_equal(program_output(argv, cases[k].errors, &text, &good, &err), 0);
		assert_string_equal(text, cases[k].text);
		assert_int_equal(good, cases[k].good);
	}
}

static void one_that_cannot_be_run_or_prints_too_much(void **state)
{
	static const char *const missing[] = {"/no/such/program", NULL};
	static const char *const endless[] = {"yes", NULL};
	char *text = NULL;
	struct error err;
	bool good;

	(void)state;
	assert_int_equal(program_output(missing, true, &text, &good, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(program_output(endless, true, &text, &good, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_non_null(strstr(err.text, "too long"));
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_prints_and_how_it_ends),
		cmocka_unit_test(one_that_cannot_be_run_or_prints_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
