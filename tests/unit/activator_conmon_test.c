/* activator/conmon.c: when a container is paused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "activator/conmon.h"
#include "common/io.h"

static char root[64];

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/sockwake-cgroup-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void put(const char *group, const char *file, const char *text)
{
	char path[256];
	struct error err;

	snprintf(path, sizeof(path), "%s%s", root, group);
	assert_int_equal(make_directories(path, 0755, &err), 0);
	snprintf(path, sizeof(path), "%s%s/%s", root, group, file);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0644, &err), 0);
}

/* What the kernel shows when the container's group is frozen and its first process is in a group below. */
static void frozen_from_above(void **state)
{
	(void)state;
	put("/libpod-1", "cgroup.freeze", "1\n");
	put("/libpod-1", "cgroup.events", "populated 1\nfrozen 1\n");
	put("/libpod-1/init.scope", "cgroup.freeze", "0\n");
	put("/libpod-1/init.scope", "cgroup.events", "populated 1\nfrozen 1\n");
	assert_true(group_is_frozen(root, "/libpod-1"));
	assert_true(group_is_frozen(root, "/libpod-1/init.scope"));
}

static void not_frozen(void **state)
{
	(void)state;
	put("/libpod-1", "cgroup.freeze", "0\n");
	put("/libpod-1", "cgroup.events", "populated 1\nfrozen 0\n");
	put("/libpod-2", "cgroup.events", "populated 1\n");
	assert_false(group_is_frozen(root, "/libpod-1"));
	assert_false(group_is_frozen(root, "/libpod-2"));
	assert_false(group_is_frozen(root, "/no-such-group"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frozen_from_above, make_root, remove_root),
		cmocka_unit_test_setup_teardown(not_frozen, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
