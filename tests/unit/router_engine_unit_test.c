/* Which engine a user has enabled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/engine_unit.h"

static char home[] = "/tmp/router-home.XXXXXX";

static void run(const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "cd %s && %s", home, command);
	assert_int_equal(system(line), 0);
}

/* Links lead to nowhere in this tree: that they are there counts. */
static void what_the_user_has_enabled(void **state)
{
	(void)state;
	assert_false(engine_unit_is_enabled(ENGINE_DOCKER, home));
	run("mkdir -p .config/systemd/user/default.target.wants && : >.config/systemd/user/docker.service");
	assert_true(engine_unit_is_installed(ENGINE_DOCKER, home));
	assert_false(engine_unit_is_enabled(ENGINE_DOCKER, home));
	run("ln -s /nowhere/docker.service .config/systemd/user/default.target.wants");
	assert_true(engine_unit_is_enabled(ENGINE_DOCKER, home));
	run("mkdir -p .config/systemd/user/sockets.target.wants");
	run("ln -s /nowhere/podman.socket .config/systemd/user/sockets.target.wants");
	assert_true(engine_unit_is_enabled(ENGINE_PODMAN, home));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_user_has_enabled),
	};
	char command[128];
	int failed;

	if (!mkdtemp(home))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)snprintf(command, sizeof(command), "rm -rf %s", home);
	return system(command) == 0 ? failed : 1;
}
