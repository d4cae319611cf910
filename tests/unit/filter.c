/* TEST [PATTERN]: the cases of a unit test whose names match, as in cmocka_set_test_filter(); each test is linked with this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* glibc hands constructors what main() gets. */
__attribute__((constructor)) static void filter(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
}
