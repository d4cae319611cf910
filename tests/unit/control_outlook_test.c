/* control/outlook.c and waiting.c: what is told about the time to come, and about who waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "control/outlook.h"
#include "control/waiting.h"
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

static void spans(void **state)
{
	(void)state;
	assert_int_equal(outlook_span("90"), 90 * USEC_PER_SEC);
	assert_int_equal(outlook_span("infinity"), USEC_INFINITY);
	assert_int_equal(outlook_span(NULL), USEC_INFINITY);
	assert_int_equal(outlook_span("soon"), USEC_INFINITY);
}

static void backlogs(void **state)
{
	struct instance i = small_instance("web");

	(void)state;
	i.n_ports = 0;
	add_port(&i, "8080:80");
	add_port(&i, "127.0.0.1:3000:80");
	add_port(&i, "[::1]:3001:80");
	add_port(&i, "4000:80/udp");
#define REST " 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0\n"
#define V6   "00000000000000000000000000000000"
	assert_int_equal(waiting_read_line(&i, "   0: 00000000:1F90 00000000:0000 0A 00000000:00000002" REST), 2);
	assert_int_equal(waiting_read_line(&i, "   0: " V6 ":1F90 " V6 ":0000 0A 00000000:00000010" REST), 16);
	assert_int_equal(waiting_read_line(&i, "  10: 0100007F:0BB8 00000000:0000 0A 00000000:00000001" REST), 1);
	assert_int_equal(waiting_read_line(&i, "  10: 0200007F:0BB8 00000000:0000 0A 00000000:00000001" REST), 0);
	assert_int_equal(waiting_read_line(&i, "   1: 00000000000000000000000001000000:0BB9 " V6
					       ":0000 0A 00000000:00000003" REST),
			 3);
	assert_int_equal(waiting_read_line(&i, "   0: 00000000:0FA0 00000000:0000 0A 00000000:00000002" REST), 0);
	assert_int_equal(waiting_read_line(&i, "   0: 00000000:1F90 00000000:0000 01 00000000:00000002" REST), -1);
	assert_int_equal(waiting_read_line(&i, "   0: 0000:1F90 00000000:0000 0A 00000000:00000002" REST), -1);
	assert_int_equal(waiting_read_line(&i, ""), -1);
	instance_clear(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps),
		cmocka_unit_test(does_not_sleep_or_is_about_to),
		cmocka_unit_test(spans),
		cmocka_unit_test(backlogs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
