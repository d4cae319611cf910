/* What is left of the locks when instances are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lifecycle/lock_sweep.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.lock"

static char directory[] = "/tmp/sockwake-sweep-XXXXXX";
static const char *const files[] = {
	ID,
	"unit-0123456789abcdef.lock",
	"docker-0123456789abcdef.lock",
	"podman-0123456789abcdef.lock",
	"docker-1123456789abcdef.lock",
	"units.lock",
	"web.stats",
	"docker-0123456789abcdeg.lock",
	"docker-0123456789abcdef.lockx",
	"x" ID,
};
enum { SECOND, OF_A_UNIT, FIRST, PODMANS, OTHER_FIRST, FOREIGN, N = sizeof(files) / sizeof(*files) };

static const char *path_of(int k)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, files[k]);
	return path;
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(strcpy(directory, "/tmp/sockwake-sweep-XXXXXX")));
	for (int k = 0; k < N; k++)
		close(open(path_of(k), O_WRONLY | O_CREAT, 0600));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int k = 0; k < N; k++)
		unlink(path_of(k));
	return rmdir(directory);
}

static bool is_there(int k)
{
	return access(path_of(k), F_OK) == 0;
}

static void assert_foreign_files_stay(void)
{
	for (int k = FOREIGN; k < N; k++)
		assert_true(is_there(k));
}

static void what_nobody_needs_goes(void **state)
{
	const char *const used[] = {files[FIRST]};

	(void)state;
	lock_sweep(directory, true, used, 1);
	assert_true(is_there(FIRST));
	for (int k = 0; k < FOREIGN; k++)
		assert_int_equal(is_there(k), k == FIRST);
	assert_foreign_files_stay();
}

static void what_is_held_stays(void **state)
{
	int first = open(path_of(FIRST), O_RDWR), second = open(path_of(SECOND), O_RDWR);

	(void)state;
	assert_int_equal(flock(first, LOCK_SH), 0);
	assert_int_equal(flock(second, LOCK_EX), 0);
	lock_sweep(directory, true, NULL, 0);
	for (int k = 0; k < FOREIGN; k++)
		assert_int_equal(is_there(k), k == FIRST || k == SECOND);
	close(first);
	close(second);
}

static void without_the_names_first_locks_stay(void **state)
{
	(void)state;
	lock_sweep(directory, false, NULL, 0);
	for (int k = 0; k < FOREIGN; k++)
		assert_int_equal(is_there(k), k == FIRST || k == PODMANS || k == OTHER_FIRST);
	assert_foreign_files_stay();
}

static void without_a_directory_nothing_happens(void **state)
{
	(void)state;
	lock_sweep("/no/such/directory", true, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_nobody_needs_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_held_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(without_the_names_first_locks_stay, setup, teardown),
		cmocka_unit_test(without_a_directory_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
