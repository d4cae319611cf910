/* The engine's health check: how it is tried, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/health.h"
#include "tests/unit/activator_fixture.h"

static void healthy_is_asked_for_until_it_is(void **state)
{
	static const char test[] = "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}";
	const char *sick = reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":1}]}");
	const char *well = reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":0}]}");
	START(f, SAY(NO_CONTENT), SAY(inspection("running", container_process(), STARTED, test)),
	      SAY(inspection("running", container_process(), STARTED, test)), SAY(sick), SAY(well), SAY(NO_CONTENT),
	      SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--healthy")), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET healthcheck GET healthcheck");
	assert_refused(ARGUMENTS(OPTIONS(f, "podman"), "--healthy"), "has no health check");
	fake_stop(&f);
}

#define KILLS	   ",\"HealthcheckOnFailureAction\":\"kill\""
#define LONG_START "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"StartPeriod\":315360000000000000}"
#define NO_START   "\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"StartPeriod\":1000000000}"

/* A failure that the engine counts may have it kill the container: the check is tried on the side until it succeeds. */
static void a_health_check_that_kills_is_tried_first(void **state)
{
	static const char *const configs[] = {
		NO_START KILLS,
		NO_START ",\"HealthcheckOnFailureAction\":\"restart\"",
		LONG_START ",\"StartupHealthCheck\":{\"Test\":[\"CMD\",\"true\"],\"Retries\":2}",
	};
	const char *made = reply("201", "{\"Id\":\"" ID "\"}"), *ran = reply("200", "");
	const char *sick = reply("200", "{\"Running\":false,\"ExitCode\":1}");
	const char *well = reply("200", "{\"Running\":false,\"ExitCode\":0}");
	const char *healthy = reply("200", "{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":0}]}");

	(void)state;
	tell_steps();
	for (size_t k = 0; k < sizeof(configs) / sizeof(*configs); k++) {
		const char *here = inspection("running", container_process(), STARTED, configs[k]);
		START(f, SAY(NO_CONTENT), SAY(here), SAY(here), SAY(made), SAY(ran), SAY(sick), SAY(made), SAY(ran),
		      SAY(well), SAY(healthy));
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--healthy")), 0);
		assert_string_equal(p.awaited, "the health check of 'x' has not succeeded");
		assert_step(&p, "the health check of 'x' has succeeded\n");
		assert_string_equal(requests(&f),
				    "POST start GET json GET json POST exec POST start GET json POST exec "
				    "POST start GET json GET healthcheck");
		assert_non_null(strstr(f.seen->text, "POST /v4.0.0/libpod/exec/" ID "/start HTTP/1.1"));
		program_release(&p);
		fake_stop(&f);
	}
}

/* A check of a kind that cannot be tried on the side: the engine's own result counts. */
static void what_cannot_be_tried_first_is_read(void **state)
{
	static const char test[] = "\"Healthcheck\":{\"Test\":[\"OF-ANOTHER-KIND\"],\"StartPeriod\":1000000000}" KILLS;
	static const char starting[] = "running\",\"Health\":{\"Status\":\"starting\"},\"Error\":\"";
	static const char healthy[] = "running\",\"Health\":{\"Status\":\"healthy\"},\"Error\":\"";
	const char *here = inspection("running", container_process(), STARTED, test);
	START(f, SAY(NO_CONTENT), SAY(here), SAY(here), SAY(inspection(starting, container_process(), STARTED, test)),
	      SAY(inspection(healthy, container_process(), STARTED, test)));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--healthy")), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

static void an_engine_that_fails_in_the_middle(void **state)
{
	const char *here = inspection("running", container_process(), STARTED, NO_START KILLS);
	START(f, SAY(NO_CONTENT), SAY(here), SAY(here), SAY(reply("400", "{\"message\":\"hm\"}")));

	(void)state;
	assert_refused(ARGUMENTS(OPTIONS(f, "podman"), "--healthy"), "hm");
	fake_stop(&f);
}

/* Within the start period Podman does not count; without an action nobody minds. */
static void a_health_check_that_does_no_harm_is_asked_for(void **state)
{
	static const char *const configs[] = {
		LONG_START KILLS,
		NO_START,
		NO_START ",\"HealthcheckOnFailureAction\":\"none\"",
		LONG_START ",\"StartupHealthCheck\":{\"Test\":[\"CMD\",\"true\"]}",
	};
	const char *sick = reply("200", "{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":1}]}");
	const char *healthy = reply("200", "{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":0}]}");

	(void)state;
	for (size_t k = 0; k < sizeof(configs) / sizeof(*configs); k++) {
		const char *here = inspection("running", container_process(), STARTED, configs[k]);
		START(f, SAY(NO_CONTENT), SAY(here), SAY(here), SAY(sick), SAY(healthy));
		struct program p;

		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "podman"), "--healthy")), 0);
		assert_string_equal(requests(&f), "POST start GET json GET json GET healthcheck GET healthcheck");
		program_release(&p);
		fake_stop(&f);
	}
}

/* A second early, for the request takes its time. */
static void a_failure_counts_after_the_start_period(void **state)
{
	struct container c = {
		.health_acts = true, .started = 1000 * USEC_PER_SEC, .health_start_period = 30 * USEC_PER_SEC};

	(void)state;
	assert_false(health_failure_counts(&c, 1029 * USEC_PER_SEC - 1));
	assert_true(health_failure_counts(&c, 1029 * USEC_PER_SEC));
	c.health_acts = false;
	assert_false(health_failure_counts(&c, 2000 * USEC_PER_SEC));
}

/* Often at first, and then less and less. */
static void a_health_check_is_asked_for_at_a_sensible_pace(void **state)
{
	unsigned cheap = 0, costly = 0;

	(void)state;
	for (uint64_t t = 0; t < 60 * USEC_PER_SEC; t += health_pause(t, false))
		cheap++;
	for (uint64_t t = 0; t < 60 * USEC_PER_SEC; t += health_pause(t, true))
		costly++;
	assert_in_range(cheap, 20, 70);
	assert_in_range(costly, 10, 25);
	assert_int_equal(health_pause(0, false), 200 * USEC_PER_MSEC);
	assert_int_equal(health_pause(3600 * USEC_PER_SEC, true), 5 * USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_engine_that_fails_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(healthy_is_asked_for_until_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_check_that_kills_is_tried_first, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_tried_first_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_check_that_does_no_harm_is_asked_for, setup, teardown),
		cmocka_unit_test(a_failure_counts_after_the_start_period),
		cmocka_unit_test(a_health_check_is_asked_for_at_a_sensible_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
