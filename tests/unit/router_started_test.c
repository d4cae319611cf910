/* What a router has started is known to the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/started.h"

static char directory[] = "/tmp/router-started.XXXXXX";
static char path[64];

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void the_next_one_knows(void **state)
{
	struct started s;

	(void)state;
	started_open(&s, path);
	assert_int_equal(s.n, 0);
	started_add(&s, 1000, "docker");
	started_add(&s, 1000, "docker");
	started_add(&s, 1000, "manager");
	started_add(&s, 1001, "podman");
	started_remove(&s, 1000, "podman");
	started_remove(&s, 1000, "manager");
	started_close(&s);
	started_open(&s, path);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.all[0].uid, 1000);
	assert_string_equal(s.all[0].what, "docker");
	assert_int_equal(s.all[1].uid, 1001);
	assert_string_equal(s.all[1].what, "podman");
	started_close(&s);
}

static void what_makes_no_sense_is_skipped(void **state)
{
	struct started s;

	(void)state;
	put("docker\n\ndocker x\nmanager 7\nmanager 7\n");
	started_open(&s, path);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.all[0].uid, 7);
	started_close(&s);
}

static void without_a_directory_nothing_is_written(void **state)
{
	struct started s;

	(void)state;
	started_open(&s, NULL);
	started_add(&s, 1, "docker");
	assert_int_equal(s.n, 1);
	started_remove(&s, 1, "docker");
	assert_int_equal(s.n, 0);
	started_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_one_knows),
		cmocka_unit_test(what_makes_no_sense_is_skipped),
		cmocka_unit_test(without_a_directory_nothing_is_written),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/started", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(directory);
	return failed;
}
