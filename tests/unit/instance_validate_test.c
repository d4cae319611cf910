/* The limits of an instance's members: at the limit, and one beyond. */
#include "tests/unit/instance_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "instance/dependency.h"
#include "instance/schedule.h"
#include "instance/validate.h"

static void expect(const struct instance *i, bool valid, const char *what)
{
	struct error err = {};

	if ((instance_validate(i, &err) == 0) != valid)
		fail_msg("%s is %s: %s", what, valid ? "refused" : "accepted", err.text);
	assert_int_equal(valid, err.text[0] == '\0');
}

#define EXPECT(member, value, valid)                                                                                   \
	do {                                                                                                           \
		_cleanup_instance_ struct instance i = small_instance("pg");                                           \
		free(i.member);                                                                                        \
		i.member = strdup(value);                                                                              \
		expect(&i, valid, #member);                                                                            \
	} while (0)

/* "aaa…" of so many bytes, in which a head and a tail count. */
static char *text_of(size_t bytes, const char *head, const char *tail)
{
	static char text[8192];

	memset(text, 'a', bytes);
	memcpy(text, head, strlen(head));
	strcpy(text + bytes - strlen(tail), tail);
	return text;
}

static void lengths(void **state)
{
	const size_t path = sizeof(((struct sockaddr_un *)0)->sun_path);

	(void)state;
	EXPECT(name, text_of(240, "", ""), true);
	EXPECT(name, text_of(241, "", ""), false);
	EXPECT(container_name, text_of(255, "", ""), true);
	EXPECT(container_name, text_of(256, "", ""), false);
	EXPECT(unit, text_of(255, "", ".service"), true);
	EXPECT(unit, text_of(256, "", ".service"), false);
	EXPECT(engine_socket, text_of(path - 1, "/", ""), true);
	EXPECT(engine_socket, text_of(path, "/", ""), false);
	EXPECT(health_check, text_of(INSTANCE_TEXT_MAX, "", ""), true);
	EXPECT(health_check, text_of(INSTANCE_TEXT_MAX + 1, "", ""), false);
	EXPECT(user, text_of(32, "", ""), true);
	EXPECT(user, text_of(33, "", ""), false);
	EXPECT(socket_group, "", false);
}

/* A span may have 255 bytes, most of them spaces here. */
static void lengths_of_spans(void **state)
{
	char text[260];

	(void)state;
	memset(text, ' ', sizeof(text));
	strcpy(text + 253, "5m");
	EXPECT(idle_timeout, text, true);
	text[253] = ' ';
	strcpy(text + 254, "5m");
	EXPECT(idle_timeout, text, false);
	EXPECT(idle_timeout, "5\tm", false);
}

#define PORT(k) snprintf(text, sizeof(text), "%zu:1", (size_t)(k) + 1)

static void numbers_of_ports(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	char text[32];

	(void)state;
	for (i.n_ports = 0; i.n_ports < INSTANCE_PORTS_MAX;) {
		PORT(i.n_ports);
		add_port(&i, text);
	}
	expect(&i, true, "as many ports as there can be");
	i.n_ports = INSTANCE_PORTS_MAX + 1;
	expect(&i, false, "one port more");
	i.n_ports = 0;
	expect(&i, false, "no port");
}

/* A list of n times the same. */
static char **times(size_t n, const char *one)
{
	char **list = calloc(n + 1, sizeof(*list));

	for (size_t k = 0; k < n; k++)
		list[k] = strdup(one);
	return list;
}

#define EXPECT_TIMES(member, n, value, valid)                                                                          \
	do {                                                                                                           \
		_cleanup_instance_ struct instance i = small_instance("pg");                                           \
		i.member = times(n, value);                                                                            \
		expect(&i, valid, #member);                                                                            \
	} while (0)

static void lengths_of_lists(void **state)
{
	(void)state;
	EXPECT_TIMES(targets, INSTANCE_LIST_MAX, "10.0.0.1", true);
	EXPECT_TIMES(targets, INSTANCE_LIST_MAX + 1, "10.0.0.1", false);
	EXPECT_TIMES(no_wake_from, INSTANCE_LIST_MAX, "10.0.0.0/8", true);
	EXPECT_TIMES(no_wake_from, INSTANCE_LIST_MAX + 1, "10.0.0.0/8", false);
	EXPECT_TIMES(no_hold_from, INSTANCE_LIST_MAX, "10.0.0.0/8", true);
	EXPECT_TIMES(no_hold_from, INSTANCE_LIST_MAX + 1, "10.0.0.0/8", false);
	EXPECT_TIMES(ignore_from, INSTANCE_LIST_MAX, "10.0.0.0/8", true);
	EXPECT_TIMES(ignore_from, INSTANCE_LIST_MAX + 1, "10.0.0.0/8", false);
	EXPECT_TIMES(schedule, WINDOWS_MAX, "8:00-9:00", true);
	EXPECT_TIMES(schedule, WINDOWS_MAX + 1, "8:00-9:00", false);
	EXPECT_TIMES(schedule, 0, "", false);
}

/* One bad entry among good ones. */
static void entries_of_lists(void **state)
{
	(void)state;
	EXPECT_TIMES(targets, 1, "fd00::1", true);
	EXPECT_TIMES(targets, 1, "localhost", false);
	EXPECT_TIMES(targets, 1, "unix:/run/x", true);
	EXPECT_TIMES(targets, 1, "unix:run/x", false);
	EXPECT_TIMES(targets, 2, "unix:/run/x", false);
	EXPECT_TIMES(no_wake_from, 1, "10.0.0.1/8", false);
	EXPECT_TIMES(no_hold_from, 1, "10.0.0.1/8", false);
	EXPECT_TIMES(ignore_from, 1, "10.0.0.1/8", false);
	EXPECT_TIMES(schedule, 1, "8:00", false);
}

static void numbers_of_dependencies(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	char name[16];
	struct error err;

	(void)state;
	while (i.n_dependencies < INSTANCE_DEPENDENCIES_MAX) {
		snprintf(name, sizeof(name), "c%zu", i.n_dependencies);
		assert_int_equal(dependency_parse(name, &i.dependencies[i.n_dependencies++], &err), 0);
	}
	expect(&i, true, "as many dependencies as there can be");
}

static void workers(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	i.workers = 64;
	expect(&i, true, "64 workers");
	i.workers = 65;
	expect(&i, false, "65 workers");
}

/* Each of these is needed. */
static void what_is_missing(void **state)
{
	static const size_t members[] = {offsetof(struct instance, name), offsetof(struct instance, container_name),
					 offsetof(struct instance, startup_timeout),
					 offsetof(struct instance, idle_timeout),
					 offsetof(struct instance, health_check)};

	(void)state;
	for (size_t k = 0; k < sizeof(members) / sizeof(*members); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");
		char **member = (char **)((char *)&i + members[k]);

		free(*member);
		*member = NULL;
		expect(&i, false, "an instance without one of its members");
	}
}

static void spans(void **state)
{
	static const struct {
		size_t member;
		bool may_be_zero;
	} cases[] = {
		{offsetof(struct instance, startup_timeout), false},
		{offsetof(struct instance, idle_timeout), false},
		{offsetof(struct instance, warm_for), false},
		{offsetof(struct instance, keepalive), false},
		{offsetof(struct instance, flow_timeout), false},
		{offsetof(struct instance, connection_timeout), false},
		{offsetof(struct instance, drain_timeout), true},
	};
	static const struct {
		const char *text;
		bool is_zero, valid;
	} texts[] = {{"0", true, true}, {"1us", false, true}, {"soon", false, false}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (size_t t = 0; t < sizeof(texts) / sizeof(*texts); t++) {
			_cleanup_instance_ struct instance i = small_instance("pg");
			char **member = (char **)((char *)&i + cases[k].member);

			free(*member);
			*member = strdup(texts[t].text);
			expect(&i, texts[t].valid && (!texts[t].is_zero || cases[k].may_be_zero), texts[t].text);
		}
	}
}

static void words(void **state)
{
	(void)state;
	EXPECT(drop_in, "/etc/x.conf", true);
	EXPECT(drop_in, "etc/x.conf", false);
	EXPECT(unit, "pgx.service", true);
	EXPECT(unit, "xx.service", true); /* as long as the instance's */
	EXPECT(unit, "pg.service", false);
	EXPECT(user, "_Az.-9", true);
	EXPECT(user, "9a", false);
	EXPECT(user, "0a", false);
	EXPECT(user, "-a", false);
	EXPECT(user, "a$", false);
	EXPECT(user, "", false);
	EXPECT(socket_mode, "0660", true);
	EXPECT(socket_mode, "00660", false);
	EXPECT(socket_mode, "1660", false);
	EXPECT(socket_mode, "0668", false);
	EXPECT(proxy_protocol, "v1", true);
	EXPECT(proxy_protocol, "v2", true);
	EXPECT(proxy_protocol, "v", false);
	EXPECT(hold, "connections", true);
	EXPECT(hold, "data", true);
	EXPECT(hold, "", false);
	EXPECT(engine_socket, "run/x", false);
	EXPECT(health_check, "a\tb", true);
	EXPECT(health_check, "http:/x", true);
	EXPECT(health_check, "http:", false);
}

static void listening_paths(void **state)
{
	static const struct {
		const char *path;
		bool valid;
	} cases[] = {
		{"/a", true},	   {"/run/x.", true}, {"/run/.x", true}, {"/run/x./y", true},
		{"/", false},	   {"/.", false},     {"/a/", false},	 {"/a//b", false},
		{"/a/./b", false}, {"/a/.", false},   {"/a b", false},	 {"/a\\b", false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");

		i.ports[0] = (struct publish){.type = SOCK_STREAM, .container_port = 1};
		strcpy(i.ports[0].path, cases[k].path);
		expect(&i, cases[k].valid, cases[k].path);
	}
}

/* With a target unix:/PATH, and without. */
static void sockets_inside(void **state)
{
	static const struct {
		const char *publish;
		bool valid, valid_to_unix;
	} cases[] = {
		{"80:1", true, true},
		{"80:0", false, true},
		{"53:53/udp", true, false},
		{"53:0/udp", false, false},
		{"/run/a:0/seqpacket", false, true},
		{"/run/a:1/seqpacket", false, true},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");

		i.n_ports = 0;
		add_port(&i, cases[k].publish);
		expect(&i, cases[k].valid, cases[k].publish);
		i.targets = list_of("10.0.0.1", NULL);
		expect(&i, cases[k].valid, cases[k].publish);
		free(i.targets[0]);
		i.targets[0] = strdup("unix:/run/x");
		expect(&i, cases[k].valid_to_unix, cases[k].publish);
		i.transparent = true;
		expect(&i, false, "--transparent with a Unix socket");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(lengths_of_spans),
		cmocka_unit_test(numbers_of_ports),
		cmocka_unit_test(lengths_of_lists),
		cmocka_unit_test(entries_of_lists),
		cmocka_unit_test(numbers_of_dependencies),
		cmocka_unit_test(workers),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(spans),
		cmocka_unit_test(words),
		cmocka_unit_test(listening_paths),
		cmocka_unit_test(sockets_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
