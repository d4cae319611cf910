/* The directory of the owners of exec instances, which outlives its users. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "router/exec_owners.h"

#define ID "3333333333333333333333333333333333333333333333333333333333333333"

static char base[] = "/tmp/owners-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	strcpy(base, "/tmp/owners-XXXXXX");
	return mkdtemp(base) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", base);
	return system(command);
}

static void open_one(struct exec_owners *o)
{
	struct error err;

	if (exec_owners_open(base, o, &err) < 0)
		fail_msg("%s", err.text);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void note(const struct exec_owners *o)
{
	assert_int_equal(symlinkat("me", o->fd, ID), 0);
}

static void what_is_noted_outlives_the_worker(void **state)
{
	struct exec_owners first, second;
	char path[EXEC_OWNERS_PATH_MAX + 80];

	(void)state;
	open_one(&first);
	note(&first);
	exec_owners_close(&first);
	open_one(&second);
	assert_string_equal(first.path, second.path);
	(void)snprintf(path, sizeof(path), "%s/" ID, second.path);
	assert_true(exists(path));
	assert_int_equal(unlink(path), 0);
	exec_owners_close(&second);
	assert_false(exists(second.path));
}

static void what_is_empty_is_removed_by_the_last(void **state)
{
	struct exec_owners first, second;

	(void)state;
	open_one(&first);
	open_one(&second);
	assert_string_equal(first.path, second.path);
	exec_owners_close(&first);
	assert_true(exists(second.path));
	note(&second); /* can still be used */
	assert_int_equal(unlinkat(second.fd, ID, 0), 0);
	exec_owners_close(&second);
	assert_false(exists(second.path));
}

static void what_is_old_is_forgotten(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct exec_owners o;

	(void)state;
	open_one(&o);
	note(&o);
	assert_int_equal(utimensat(o.fd, ID, old, AT_SYMLINK_NOFOLLOW), 0);
	exec_owners_close(&o);
	assert_false(exists(o.path));
}

/* Others can make such names, too. */
static void what_others_made_is_not_used(void **state)
{
	char other[64], link[64], open_to_all[64], file[64];
	struct exec_owners o;
	FILE *f;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/sockwake-exec.000001", base);
	(void)snprintf(link, sizeof(link), "%s/sockwake-exec.000002", base);
	(void)snprintf(open_to_all, sizeof(open_to_all), "%s/sockwake-exec.000003", base);
	(void)snprintf(file, sizeof(file), "%s/sockwake-exec.000004", base);
	assert_int_equal(mkdir(other, 0700), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(other, 12345, 12345), 0);
	else
		assert_int_equal(rmdir(other), 0);
	assert_int_equal(symlink("/tmp", link), 0);
	assert_true(mkdir(open_to_all, 0700) == 0 && chmod(open_to_all, 0777) == 0);
	f = fopen(file, "w");
	assert_non_null(f);
	(void)fclose(f);
	open_one(&o);
	assert_true(strcmp(o.path, other) != 0 && strcmp(o.path, link) != 0 && strcmp(o.path, open_to_all) != 0 &&
		    strcmp(o.path, file) != 0);
	exec_owners_close(&o);
}

static void without_a_place_it_fails(void **state)
{
	struct exec_owners o;
	struct error err = {};

	(void)state;
	assert_int_equal(exec_owners_open("/nowhere", &o, &err), -1);
	assert_non_null(strstr(err.text, "cannot make a directory in /nowhere"));
	assert_int_equal(exec_owners_open("/tmp/a-path-that-is-too-long-for-the-directory-of-the-owners", &o, &err),
			 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_noted_outlives_the_worker, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_empty_is_removed_by_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_old_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_others_made_is_not_used, set_up, tear_down),
		cmocka_unit_test(without_a_place_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
