/* What a person is told to run to read what a container wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "units/log_command.h"

static void an_engine_keeps_the_log_of_its_containers(void **state)
{
	char text[LOG_COMMAND_MAX];

	(void)state;
	assert_string_equal(log_command(SCOPE_SYSTEM, NULL, BACKEND_DOCKER, "db", text), "docker logs db");
	assert_string_equal(log_command(SCOPE_USER, NULL, BACKEND_PODMAN, "db", text), "podman logs db");
}

static void the_journal_keeps_that_of_a_units(void **state)
{
	char text[LOG_COMMAND_MAX];

	(void)state;
	assert_string_equal(log_command(SCOPE_SYSTEM, "db.service", BACKEND_DOCKER, "db", text),
			    "journalctl -u db.service");
	assert_string_equal(log_command(SCOPE_USER, "db.service", BACKEND_PODMAN, "systemd-db", text),
			    "journalctl --user -u db.service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_keeps_the_log_of_its_containers),
		cmocka_unit_test(the_journal_keeps_that_of_a_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
