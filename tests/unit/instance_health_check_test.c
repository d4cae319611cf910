/* instance/health_check.h: the words, what they need, and which is the default of a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "instance/health_check.h"
#include "instance/publish.h"

static void words(void **state)
{
	static const struct {
		const char *text;
		enum readiness_kind kind;
		bool port, stream;
	} cases[] = {
		{"listen", READY_LISTEN, true, false},	  {"postgres", READY_POSTGRES, true, true},
		{"redis", READY_REDIS, true, true},	  {"greeting", READY_GREETING, true, true},
		{"http", READY_HTTP, true, true},	  {"http:/up", READY_HTTP, true, true},
		{"healthy", READY_HEALTHY, false, false}, {"none", READY_NONE, false, false},
		{"true", READY_COMMAND, false, false},	  {"listening", READY_COMMAND, false, false},
		{"liste", READY_COMMAND, false, false},	  {"https://x", READY_COMMAND, false, false},
		{"httpd:", READY_COMMAND, false, false},
	};
	size_t n = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(health_check_kind(cases[k].text), cases[k].kind);
		assert_int_equal(health_check_is_command(cases[k].text), cases[k].kind == READY_COMMAND);
		assert_int_equal(health_check_needs_port(cases[k].text), cases[k].port);
		assert_int_equal(health_check_needs_stream(cases[k].text), cases[k].stream);
	}
	assert_false(health_check_is_command(NULL));
	for (; health_check_word(n); n++)
		assert_false(health_check_is_command(health_check_word(n)));
	assert_int_equal(n, 7);
	assert_null(health_check_word(n + 1));
}

static const char *of_port(uint16_t port, int type)
{
	struct publish p = {.type = type, .container_port = port};

	return health_check_default(&p, NULL);
}

static void ports(void **state)
{
	static const struct {
		uint16_t port;
		const char *check;
	} cases[] = {
		{5432, "postgres"}, {6379, "redis"},  {3306, "greeting"}, {21, "greeting"},
		{22, "greeting"},   {25, "greeting"}, {587, "greeting"},  {110, "greeting"},
		{143, "greeting"},  {80, "listen"},   {5433, "listen"},	  {0, "listen"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_string_equal(of_port(cases[k].port, SOCK_STREAM), cases[k].check);
		assert_string_equal(of_port(cases[k].port, SOCK_DGRAM), "listen");
	}
}

static void sockets(void **state)
{
	static const struct {
		const char *target, *check;
	} cases[] = {
		{"unix:/run/.s.PGSQL.5432", "postgres"},
		{"unix:/run/.s.PGSQL.1", "postgres"},
		{"unix:/run/.s.PGSQL.", "listen"},
		{"unix:/run/.s.PGSQL.5432x", "listen"},
		{"unix:/run/x.s.PGSQL.5432", "listen"},
		{"unix:/run/.s.PGSQL.5432/x", "listen"},
		{"/run/.s.PGSQL.5432", "listen"},
		{"unix:.s.PGSQL.5432", "listen"},
		{"unix:", "listen"},
		{"10.0.0.1", "listen"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		char *targets[] = {(char *)cases[k].target, NULL}, *none[] = {NULL};
		struct publish p = {.type = SOCK_STREAM};

		assert_string_equal(health_check_default(&p, targets), cases[k].check);
		assert_string_equal(health_check_default(&p, none), "listen");
		p.type = SOCK_SEQPACKET;
		assert_string_equal(health_check_default(&p, targets), "listen");
	}
}

/* Whoever wrote the instance: a blank command succeeds whatever the server does. */
static void blanks(void **state)
{
	struct error err;

	(void)state;
	for (const char *const *s = (const char *const[]){" ", "\t", " \t  ", NULL}; *s; s++) {
		assert_int_equal(health_check_validate(*s, &err), -1);
		assert_non_null(strstr(err.text, "is blank: use one of listen, "));
	}
	assert_int_equal(health_check_validate(" true", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blanks),
		cmocka_unit_test(words),
		cmocka_unit_test(ports),
		cmocka_unit_test(sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
