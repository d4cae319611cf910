/* common/path.h: the longest path, and one that is longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/path.h"

static void lengths(void **state)
{
	char directory[PATH_MAX], path[PATH_MAX];
	struct error err;

	(void)state;
	memset(directory, 'x', sizeof(directory));
	directory[0] = '/';
	for (size_t len = PATH_MAX - 4; len < PATH_MAX; len++) { /* "/a" comes after it */
		directory[len] = '\0';
		err = (struct error){};
		assert_int_equal(path_join(directory, "a", path, &err), len + 2 < PATH_MAX ? 0 : -1);
		assert_int_equal(err.code, len + 2 < PATH_MAX ? 0 : ENAMETOOLONG);
		assert_int_equal(strncmp(path, directory, len), 0);
		directory[len] = 'x';
	}
}

static void variables(void **state)
{
	char path[PATH_MAX], expected[64];
	struct error err;

	(void)state;
	setenv("XDG_RUNTIME_DIR", "/run/x", 1);
	assert_string_equal(path_from_variable("XDG_RUNTIME_DIR"), "/run/x");
	assert_int_equal(path_user_runtime(path, &err), 0);
	assert_string_equal(path, "/run/x");
	snprintf(expected, sizeof(expected), "/run/user/%u", (unsigned)geteuid());
	for (int k = 0; k < 2; k++) {
		if (k == 0)
			setenv("XDG_RUNTIME_DIR", "run/x", 1);
		else
			unsetenv("XDG_RUNTIME_DIR");
		assert_null(path_from_variable("XDG_RUNTIME_DIR"));
		assert_int_equal(path_user_runtime(path, &err), 0);
		assert_string_equal(path, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
