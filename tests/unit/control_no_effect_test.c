/* control/no_effect.c: options that change nothing beside the others. */
#include "tests/unit/instance_fixture.h"

#include <stdio.h>

#include "control/no_effect.h"
#include "control/note.h"

static char noted[1024];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static const char *note(const struct instance *i)
{
	noted[0] = '\0';
	note_set_sink(take_note);
	no_effect_note(i);
	return noted;
}

static void a_shorter_warm_time(void **state)
{
	struct instance i = {.idle_timeout = (char *)"4s"};

	(void)state;
	assert_false(no_effect_warms(&i));
	assert_string_equal(note(&i), "");
	i.warm_for = (char *)"1s";
	assert_false(no_effect_warms(&i));
	assert_string_equal(note(&i), "--warm-for 1s changes nothing: it is no longer than the idle time-out of 4s\n");
	i.warm_for = (char *)"4000ms";
	assert_string_not_equal(note(&i), "");
	i.warm_for = (char *)"5s";
	assert_true(no_effect_warms(&i));
	assert_string_equal(note(&i), "");
	i.idle_timeout = (char *)"infinity";
	assert_string_not_equal(note(&i), "");
}

static void ports_of_another_kind(void **state)
{
	struct instance i = {.idle_timeout = (char *)"4s",
			     .flow_timeout = (char *)"1s",
			     .keepalive = (char *)"1s",
			     .drain_timeout = (char *)"1s"};

	(void)state;
	add_port(&i, "8080:80");
	assert_string_equal(note(&i), "--flow-timeout changes nothing: it is for UDP, and no port is UDP\n");
	add_port(&i, "53:53/udp");
	assert_string_equal(note(&i), "");
	i.ports[0] = i.ports[1];
	assert_string_equal(note(&i),
			    "--keepalive changes nothing: it is for TCP, and no port is TCP\n"
			    "--drain-timeout changes nothing: it is for connections, and all ports are UDP\n");
	i.n_ports = 0;
	add_port(&i, "/run/x:80");
	assert_string_equal(note(&i), "--flow-timeout changes nothing: it is for UDP, and no port is UDP\n"
				      "--keepalive changes nothing: it is for TCP, and no port is TCP\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_warm_time),
		cmocka_unit_test(ports_of_another_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
