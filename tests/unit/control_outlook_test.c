/* control/outlook.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "control/outlook.h"
#include "instance_fixture.h"

#define NOW  (5000 * USEC_PER_SEC)
#define WALL (1000036800 * USEC_PER_SEC)
#define MIN  (60 * USEC_PER_SEC)

static void sleeps(void **state)
{
	struct instance i = small_instance("web"); /* --idle-timeout 15min */
	struct stats s = {.t_accepting = NOW - 10 * MIN, .connections_total = 1};

	(void)state;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 5 * MIN);
	s.t_last_activity = NOW - 2 * MIN;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 13 * MIN);
	s.held_until = WALL + 60 * MIN;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 60 * MIN);
	s.held_until = WALL + 6 * MIN;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 13 * MIN);
	s.idle_timeout = 20 * MIN; /* changed since it woke */
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 18 * MIN);
	s.idle_timeout = 0;
	i.warm_for = strdup("1h");
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 13 * MIN);
	s.flows_total = 1;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL + 58 * MIN);
	s.connections = 1;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), 0);
	s.connections = 0;
	s.flows = 1;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), 0);
	instance_clear(&i);
}

static void does_not_sleep_or_is_about_to(void **state)
{
	struct instance i = small_instance("web");
	struct stats s = {.t_accepting = NOW - 60 * MIN};

	(void)state;
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), WALL);
	assert_int_equal(outlook_sleep(&i, &(struct stats){}, NOW, WALL), 0);
	s.t_accepting = NOW + 1; /* of a file from before a boot */
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), 0);
	s.t_accepting = NOW;
	free(i.idle_timeout);
	i.idle_timeout = strdup("infinity");
	assert_int_equal(outlook_sleep(&i, &s, NOW, WALL), 0);
	instance_clear(&i);
}

static void changed_since_it_woke(void **state)
{
	struct instance i = small_instance("web"); /* --idle-timeout 15min */
	struct stats s = {.idle_timeout = 15 * MIN};

	(void)state;
	assert_false(outlook_is_older(&i, &s));
	s.idle_timeout = 5 * MIN;
	assert_true(outlook_is_older(&i, &s));
	s.idle_timeout = 15 * MIN;
	s.warm_for = 60 * MIN;
	assert_true(outlook_is_older(&i, &s));
	i.warm_for = strdup("1h");
	assert_false(outlook_is_older(&i, &s));
	s = (struct stats){}; /* of a version that did not write them */
	assert_false(outlook_is_older(&i, &s));
	instance_clear(&i);
}

static void a_schedule_without_an_end(void **state)
{
	struct stats s = {.warm = {[1] = {WALL - MIN, WALL + 365 * 24 * 60 * MIN}}};

	(void)state;
	assert_true(outlook_is_always(&s, WALL));
	assert_false(outlook_is_always(&s, WALL - 2 * MIN));
	s.warm[1].until = WALL + 7 * 24 * 60 * MIN; /* Monday to Sunday, all day but an hour */
	assert_false(outlook_is_always(&s, WALL));
	s = (struct stats){.held_until = WALL + 365 * 24 * 60 * MIN}; /* sockwake wake --for */
	assert_false(outlook_is_always(&s, WALL));
}

static void spans(void **state)
{
	(void)state;
	assert_int_equal(outlook_span("90"), 90 * USEC_PER_SEC);
	assert_int_equal(outlook_span("infinity"), USEC_INFINITY);
	assert_int_equal(outlook_span(NULL), USEC_INFINITY);
	assert_int_equal(outlook_span("soon"), USEC_INFINITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps),
		cmocka_unit_test(does_not_sleep_or_is_about_to),
		cmocka_unit_test(changed_since_it_woke),
		cmocka_unit_test(a_schedule_without_an_end),
		cmocka_unit_test(spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
