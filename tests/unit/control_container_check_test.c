/* control/container_check.c: which sleeping containers an engine starts at boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "control/container_check.h"

static const char *policy(enum backend_kind kind, const char *word, enum idle_action action, enum container_state state,
			  int exit_code, bool certain)
{
	struct instance i = {.backend = kind, .container_name = (char *)"web", .idle_action = action};
	struct container c = {.state = state, .exit_code = exit_code};
	static char text[POLICY_MAX];

	strcpy(c.restart_policy, word);
	return container_check_describe_policy(&i, &c, certain, text, sizeof(text)) ? text : "";
}

#define DOCKER_SAYS(...) policy(BACKEND_DOCKER, __VA_ARGS__)
#define PODMAN_SAYS(...) policy(BACKEND_PODMAN, __VA_ARGS__)

static void always(void **state)
{
	(void)state;
	assert_string_equal(
		DOCKER_SAYS("always", IDLE_STOP, CONTAINER_EXITED, 0, true),
		"Docker starts the container at boot, asleep or not (restart policy 'always'): 'docker update "
		"--restart=no web' leaves that to the first connection");
	assert_non_null(
		strstr(PODMAN_SAYS("always", IDLE_PAUSE, CONTAINER_PAUSED, 0, true),
		       "podman-restart.service, where it is enabled, starts the container at boot, asleep or not"));
	assert_string_equal(DOCKER_SAYS("no", IDLE_PAUSE, CONTAINER_PAUSED, 0, false), "");
	assert_string_equal(DOCKER_SAYS("", IDLE_STOP, CONTAINER_EXITED, 1, false), "");
}

static void unless_stopped(void **state)
{
	(void)state;
	assert_string_equal(DOCKER_SAYS("unless-stopped", IDLE_STOP, CONTAINER_EXITED, 137, false), "");
	assert_string_equal(DOCKER_SAYS("unless-stopped", IDLE_STOP, CONTAINER_RUNNING, 0, false), "");
	assert_non_null(strstr(DOCKER_SAYS("unless-stopped", IDLE_PAUSE, CONTAINER_RUNNING, 0, true),
			       "although it sleeps: it is only paused (restart policy 'unless-stopped')"));
	assert_string_equal(PODMAN_SAYS("unless-stopped", IDLE_PAUSE, CONTAINER_PAUSED, 0, false), "");
}

static void on_failure(void **state)
{
	(void)state;
	assert_non_null(strstr(DOCKER_SAYS("on-failure", IDLE_STOP, CONTAINER_EXITED, 143, true),
			       "although it sleeps: its stop has left another status than 0"));
	assert_string_equal(DOCKER_SAYS("on-failure", IDLE_STOP, CONTAINER_EXITED, 0, false), "");
	assert_non_null(strstr(DOCKER_SAYS("on-failure:3", IDLE_STOP, CONTAINER_CREATED, 0, false),
			       "if its stop leaves another status than 0"));
	assert_string_equal(DOCKER_SAYS("on-failure", IDLE_STOP, CONTAINER_RUNNING, 0, true), "");
	assert_non_null(strstr(DOCKER_SAYS("on-failure", IDLE_PAUSE, CONTAINER_PAUSED, 0, true), "it is only paused"));
	assert_string_equal(PODMAN_SAYS("on-failure", IDLE_STOP, CONTAINER_EXITED, 143, false), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(always),
		cmocka_unit_test(unless_stopped),
		cmocka_unit_test(on_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
