/* TEST [PATTERN]: the cases of a unit test whose names match, as in cmocka_set_test_filter(); each test is linked with this.
 * A pattern that no case matches is a failure: it is a misspelt one. */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char *pattern;

/* glibc hands constructors what main() gets. */
__attribute__((constructor)) static void filter(int argc, char **argv)
{
	if (argc < 2)
		return;
	pattern = argv[1];
	cmocka_set_test_filter(pattern);
}

/* What cmocka_run_group_tests() calls, wrapped by the linker. */
int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
				   CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
				   CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
				   CMFixtureFunction teardown)
{
	size_t matching = 0;

	for (size_t k = 0; k < n; k++)
		matching += !pattern || fnmatch(pattern, tests[k].name, 0) == 0;
	if (matching == 0) {
		fprintf(stderr, "no case matches '%s'\n", pattern ? pattern : "");
		return 1;
	}
	return __real__cmocka_run_group_tests(name, tests, n, setup, teardown);
}
