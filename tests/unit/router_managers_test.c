#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "router/managers.h"

#define SLICE "user.slice/user-7.slice"

static char root[64];

static void run(const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "cd %s && %s", root, command);
	assert_int_equal(system(line), 0);
}

/* A tree of control groups with a user's manager in it. */
static int set_up(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/router-managers.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	run("mkdir -p " SLICE "/user@7.service/init.scope " SLICE "/user@7.service/app.slice/dbus.service");
	run("for d in $(find . -type d); do : >$d/cgroup.procs; done");
	run("echo 1 >" SLICE "/user@7.service/init.scope/cgroup.procs");
	run("echo 2 >" SLICE "/user@7.service/app.slice/dbus.service/cgroup.procs");
	return 0;
}

static int tear_down(void **state)
{
	char line[128];

	(void)state;
	(void)snprintf(line, sizeof(line), "rm -rf %s", root);
	return system(line) == 0 ? 0 : -1;
}

static void a_manager_alone_is_not_more(void **state)
{
	(void)state;
	assert_false(managers_has_more(root, 7));
}

static void podmans_namespaces_are_not_more(void **state)
{
	(void)state;
	run("mkdir -p " SLICE "/user@7.service/user.slice/podman-pause-1a2b.scope && echo 3 >" SLICE
	    "/user@7.service/user.slice/podman-pause-1a2b.scope/cgroup.procs");
	assert_false(managers_has_more(root, 7));
}

static void a_user_without_a_slice_has_nothing(void **state)
{
	(void)state;
	assert_false(managers_has_more(root, 8));
}

static void a_session_is_more(void **state)
{
	(void)state;
	run("mkdir " SLICE "/session-1.scope && echo 3 >" SLICE "/session-1.scope/cgroup.procs");
	assert_true(managers_has_more(root, 7));
}

static void a_service_is_more(void **state)
{
	(void)state;
	run("mkdir " SLICE "/user@7.service/app.slice/x.service && echo 3 >" SLICE
	    "/user@7.service/app.slice/x.service/cgroup.procs");
	assert_true(managers_has_more(root, 7));
}

static void a_container_is_more(void **state)
{
	(void)state;
	run("mkdir -p " SLICE "/user@7.service/user.slice/libpod-1.scope/container && echo 3 >" SLICE
	    "/user@7.service/user.slice/libpod-1.scope/container/cgroup.procs");
	assert_true(managers_has_more(root, 7));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_manager_alone_is_not_more),
		CASE(podmans_namespaces_are_not_more),
		CASE(a_user_without_a_slice_has_nothing),
		CASE(a_session_is_more),
		CASE(a_service_is_more),
		CASE(a_container_is_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
