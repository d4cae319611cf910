/* instance/json.c and validate.c: an instance survives the way through JSON; what is malformed is refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "instance/json.h"
#include "instance/validate.h"
#include "tests/unit/instance_fixture.h"

static void round_trip(void **state)
{
	_cleanup_instance_ struct instance small = small_instance("pg"), full = full_instance();
	struct instance *all[] = {&small, &full};
	struct error err;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		_cleanup_free_ char *json = instance_to_json(all[k]), *again = NULL;
		_cleanup_instance_ struct instance back = {};

		assert_non_null(json);
		assert_null(strchr(json, '\n'));
		assert_int_equal(json[strlen(json) - 1], '}');
		if (instance_from_json(json, &back, &err) < 0)
			fail_msg("%s", err.text);
		again = instance_to_json(&back);
		assert_string_equal(json, again);
		assert_false(back.legacy);
	}
}

static void every_member_comes_back(void **state)
{
	_cleanup_instance_ struct instance full = full_instance(), back = {};
	_cleanup_free_ char *json = instance_to_json(&full);
	struct error err;

	(void)state;
	assert_int_equal(instance_from_json(json, &back, &err), 0);
	assert_string_equal(back.unit, "db\\x2d1.service");
	assert_string_equal(back.targets[1], "fd00::1");
	assert_string_equal(back.no_hold_from[0], "192.0.2.7");
	assert_null(back.no_hold_from[1]);
	assert_string_equal(back.ignore_from[0], "198.51.100.0/24");
	assert_string_equal(back.hold, "data");
	assert_string_equal(back.flow_timeout, "3min");
	assert_string_equal(back.warm_for, "30m");
	assert_string_equal(back.schedule[1], "Sat,Sun 22:00-06:00");
	assert_null(back.schedule[2]);
	assert_int_equal(back.scope, SCOPE_SYSTEM);
	assert_int_equal(back.backend, BACKEND_PODMAN);
	assert_int_equal(back.idle_action, IDLE_PAUSE);
	assert_int_equal(back.workers, 3);
	assert_int_equal(back.n_ports, 4);
	assert_memory_equal(back.ports, full.ports, sizeof(full.ports));
	assert_true(back.keep_running && back.notifications && back.no_selinux && back.transparent &&
		    back.outside_source);
}

static void for_ever_comes_back(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg"), back = {};
	_cleanup_free_ char *json = NULL;
	struct error err;

	(void)state;
	i.stop_timeout = UINT64_MAX;
	json = instance_to_json(&i);
	assert_int_equal(instance_from_json(json, &back, &err), 0);
	assert_true(back.stop_timeout == UINT64_MAX);
}

/* Word for word what the original tool wrote. */
static void original_tool(void **state)
{
	_cleanup_instance_ struct instance i = {};
	struct error err;

	(void)state;
	assert_int_equal(instance_from_json("{\"name\":\"mysql5ram\",\"listen_port\":53303,\"container_port\":3303,"
					    "\"container_name\":\"mysql5ram\"}",
					    &i, &err),
			 0);
	assert_true(i.legacy);
	assert_string_equal(i.name, "mysql5ram");
	assert_string_equal(i.container_name, "mysql5ram");
	assert_int_equal(i.n_ports, 1);
	assert_int_equal(i.ports[0].port, 53303);
	assert_int_equal(i.ports[0].container_port, 3303);
	assert_int_equal(i.scope, SCOPE_SYSTEM);
	assert_int_equal(i.backend, BACKEND_DOCKER);
}

static void unknown_keys_are_ignored(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg"), back = {};
	_cleanup_free_ char *json = instance_to_json(&i), *more = NULL;
	struct error err;

	(void)state;
	assert_true(asprintf(&more, "{\"of_the_future\":[1,{}],%s", json + 1) > 0);
	assert_int_equal(instance_from_json(more, &back, &err), 0);
}

static void an_empty_list_is_none(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("x"), back = {};
	_cleanup_free_ char *json = instance_to_json(&i), *text = NULL;
	struct error err;

	(void)state;
	assert_true(asprintf(&text, "{\"targets\":[],\"schedule\":[],\"no_wake_from\":[],%s", json + 1) > 0);
	assert_int_equal(instance_from_json(text, &back, &err), 0);
	assert_null(back.targets);
	assert_null(back.schedule);
	assert_null(back.no_wake_from);
}

static void malformed_json(void **state)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"[]",
		"null",
		"{}",
		"{\"name\":\"a\"}",
		"{\"listen_port\":1,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":1,\"container_port\":1}",
		"{\"name\":\"a\",\"listen_port\":0,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":1.5,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":-1,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":65536,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":1e400,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":\"1\",\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":1,\"listen_port\":1,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\\nb\",\"listen_port\":1,\"container_port\":1,\"container_name\":\"a\"}",
		"{\"name\":\"a\",\"listen_port\":1,\"container_port\":1,\"container_name\":\"a\"} x",
		"{\"name\":\"a\",\"listen_port\":1,\"container_port\":1,\"container_name\":\"../a\"}",
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		_cleanup_instance_ struct instance i = {};

		if (instance_from_json(bad[k], &i, &err) == 0)
			fail_msg("accepted: %s", bad[k]);
		assert_true(err.text[0]);
	}
}

/* Each value of the whole instance replaced by one of another type. */
static void wrong_types(void **state)
{
	static const char *const keys[] = {"scope",	     "backend",	      "idle_action",  "name",
					   "container_name", "engine_socket", "unit",	      "targets",
					   "health_check",   "keep_running",  "stop_timeout", "user",
					   "workers",	     "transparent",   "no_wake_from", "ports",
					   "keepalive",	     "idle_timeout",  "socket_mode"};
	_cleanup_instance_ struct instance full = full_instance();
	_cleanup_free_ char *json = instance_to_json(&full);
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
		_cleanup_instance_ struct instance i = {};
		_cleanup_free_ char *bad = NULL;

		/* the first of two keys of the same name counts */
		assert_true(asprintf(&bad, "{\"%s\":{},%s", keys[k], json + 1) > 0);
		if (instance_from_json(bad, &i, &err) == 0)
			fail_msg("accepted an object as %s", keys[k]);
	}
}

static void expect_invalid(struct instance *i, const char *word)
{
	struct error err = {};

	if (instance_validate(i, &err) == 0)
		fail_msg("accepted what should be refused because of: %s", word);
	if (!strstr(err.text, word))
		fail_msg("'%s' does not say '%s'", err.text, word);
}

#define SET(member, value) (free(i.member), i.member = strdup(value))
#define REFUSED(member, value, word)                                                                                   \
	do {                                                                                                           \
		_cleanup_instance_ struct instance i = small_instance("pg");                                           \
		SET(member, value);                                                                                    \
		expect_invalid(&i, word);                                                                              \
	} while (0)

/* An array of n times the same, put before the rest of an instance. */
static char *array_of(size_t n, const char *key, const char *one, const char *json)
{
	size_t size = strlen(json) + strlen(key) + n * (strlen(one) + 1) + 16;
	char *text = malloc(size), *p = text;

	p += sprintf(p, "{\"%s\":[", key);
	for (size_t k = 0; k < n; k++)
		p += sprintf(p, "%s%s", k ? "," : "", one);
	sprintf(p, "],%s", json + 1);
	return text;
}

/* Each array and number of the configuration, with the most that it may be, and one more. */
static void limits(void **state)
{
	static const struct {
		const char *key, *one;
		size_t most;
	} arrays[] = {{"targets", "\"10.0.0.1\"", 64}, {"no_wake_from", "\"10.0.0.0/8\"", 64}};
	static const struct {
		const char *member;
		bool valid;
	} numbers[] = {
		{"\"workers\":64", true},
		{"\"workers\":65", false},
		{"\"workers\":-1", false},
		{"\"stop_timeout\":1000000000000000", true},
		{"\"stop_timeout\":1000000000000001", false},
		{"\"stop_timeout\":0.5", false},
		{"\"with\":[{\"container\":\"db\",\"port\":65535}]", true},
		{"\"with\":[{\"container\":\"db\",\"port\":65536}]", false},
		{"\"with\":[{\"container\":\"db\",\"port\":-1}]", false},
		{"\"with\":[{\"container\":\"db\"},7]", false},
		{"\"with\":{\"container\":\"db\"}", false},
		{"\"with\":[{\"container\":7}]", false},
		{"\"with\":[{}]", false},
		{"\"targets\":[7]", false},
		{"\"targets\":\"10.0.0.1\"", false},
		{"\"ports\":[7]", false},
		{"\"ports\":[\"80\"]", false},
		{"\"ports\":[]", false},
		{"\"ports\":{}", false},
		{"\"scope\":\"docker\"", false},
		{"\"scope\":7", false},
		{"\"backend\":\"user\"", false},
		{"\"backend\":\"stop\"", false},
		{"\"backend\":7", false},
		{"\"idle_action\":\"docker\"", false},
		{"\"idle_action\":7", false},
	};
	_cleanup_instance_ struct instance small = small_instance("pg");
	_cleanup_free_ char *json = instance_to_json(&small);
	struct error err = {};

	(void)state;
	for (size_t k = 0; k < sizeof(arrays) / sizeof(*arrays); k++) {
		for (size_t more = 0; more < 2; more++) {
			_cleanup_free_ char *text = array_of(arrays[k].most + more, arrays[k].key, arrays[k].one, json);
			_cleanup_instance_ struct instance i = {};

			if ((instance_from_json(text, &i, &err) == 0) != !more)
				fail_msg("%zu of %s: %s", arrays[k].most + more, arrays[k].key, err.text);
		}
	}
	for (size_t k = 0; k < sizeof(numbers) / sizeof(*numbers); k++) {
		_cleanup_instance_ struct instance i = {};
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, "{%s,%s", numbers[k].member, json + 1) > 0);
		if ((instance_from_json(text, &i, &err) == 0) != numbers[k].valid)
			fail_msg("%s: %s", numbers[k].member, err.text);
	}
}

static void numbers_of_ports_and_dependencies(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	char text[16];
	const char *end;
	struct error err;

	(void)state;
	for (i.n_ports = 0; i.n_ports < INSTANCE_PORTS_MAX;) {
		snprintf(text, sizeof(text), "%zu:1", i.n_ports + 1);
		add_port(&i, text);
	}
	while (i.n_dependencies < INSTANCE_DEPENDENCIES_MAX) {
		snprintf(text, sizeof(text), "c%zu", i.n_dependencies);
		i.dependencies[i.n_dependencies++].container = strdup(text);
	}

	_cleanup_free_ char *json = instance_to_json(&i), *ports = NULL, *with = NULL;
	_cleanup_instance_ struct instance back = {}, many_ports = {}, many_dependencies = {};

	assert_int_equal(instance_from_json(json, &back, &err), 0);
	assert_int_equal(back.n_ports, INSTANCE_PORTS_MAX);
	assert_int_equal(back.n_dependencies, INSTANCE_DEPENDENCIES_MAX);
	end = strstr(json, "\"64:1\"]");
	assert_true(asprintf(&ports, "%.*s\"64:1\",\"65:1\"%s", (int)(end - json), json, end + strlen("\"64:1\"")) > 0);
	assert_int_equal(instance_from_json(ports, &many_ports, &err), -1);
	end = strstr(json, "\"with\":[");
	assert_true(asprintf(&with, "%.*s\"with\":[{\"container\":\"more\"},%s", (int)(end - json), json,
			     end + strlen("\"with\":[")) > 0);
	assert_int_equal(instance_from_json(with, &many_dependencies, &err), -1);
}

/* The longest configuration is one of INSTANCE_JSON_MAX bytes. */
static void longest_configuration(void **state)
{
	_cleanup_instance_ struct instance small = small_instance("pg"), i = {}, longer = {};
	_cleanup_free_ char *json = instance_to_json(&small), *text = malloc(INSTANCE_JSON_MAX + 2);
	size_t len = strlen(json);
	struct error err;

	(void)state;
	memset(text, ' ', INSTANCE_JSON_MAX + 1);
	memcpy(text, json, len);
	text[INSTANCE_JSON_MAX] = '\0';
	assert_int_equal(instance_from_json(text, &i, &err), 0);
	text[INSTANCE_JSON_MAX] = ' ';
	text[INSTANCE_JSON_MAX + 1] = '\0';
	assert_int_equal(instance_from_json(text, &longer, &err), -1);
	assert_int_equal(err.code, EFBIG);
}

static void rules(void **state)
{
	char long_name[300];

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	long_name[255] = '\0';
	REFUSED(name, long_name, "240");
	REFUSED(name, "", "name");
	REFUSED(name, "a.b", "a.b");
	long_name[255] = 'a';
	long_name[256] = '\0';
	REFUSED(container_name, long_name, "254");
	REFUSED(container_name, "-v", "-v");
	REFUSED(container_name, "a/b", "a/b");
	REFUSED(engine_socket, "run/x", "run/x");
	REFUSED(engine_socket, "/run/../x", "/run/../x");
	REFUSED(unit, "x.socket", "x.socket");
	REFUSED(unit, "x y.service", "x y.service");
	REFUSED(unit, "x@.service", "x@.service");
	REFUSED(unit, "pg.service", "another name");
	REFUSED(startup_timeout, "soon", "soon");
	REFUSED(startup_timeout, "0", "more than 0");
	REFUSED(idle_timeout, "0s", "more than 0");
	REFUSED(idle_timeout, "1 fortnight", "fortnight");
	REFUSED(keepalive, "0", "more than 0");
	REFUSED(health_check, "", "health check");
	REFUSED(health_check, "a\nb", "health check");
	REFUSED(health_check, "\xff", "health check");
	REFUSED(health_check, "http:x", "http:x");
	REFUSED(health_check, "http:/a b", "http:/a b");
	REFUSED(user, "a b", "a b");
	REFUSED(user, "-x", "-x");
	REFUSED(socket_mode, "666", "666");
	REFUSED(socket_mode, "0999", "0999");
	REFUSED(proxy_protocol, "v3", "v3");
	REFUSED(hold, "bytes", "bytes");
	REFUSED(flow_timeout, "0", "more than 0");
	REFUSED(socket_group, "a\nb", "group");
	REFUSED(socket_group, "0101", "0101");
}

static void rules_for_ports(void **state)
{
	_cleanup_instance_ struct instance none = small_instance("pg"), twice = small_instance("pg"),
					   path = small_instance("pg"), packets = small_instance("pg"),
					   zero = small_instance("pg"), target = small_instance("pg");

	(void)state;
	none.n_ports = 0;
	expect_invalid(&none, "-p PORT:CPORT");
	add_port(&twice, "127.0.0.1:5432:80");
	expect_invalid(&twice, "127.0.0.1:5432:80");
	add_port(&path, "/run/a b:1");
	expect_invalid(&path, "/run/a b");
	add_port(&packets, "/run/a:0/seqpacket");
	packets.ports[1].container_port = 1;
	expect_invalid(&packets, "seqpacket");
	add_port(&zero, "80:0");
	expect_invalid(&zero, "80:0");
	add_port(&target, "53:53/udp");
	target.targets = list_of("unix:/run/x", NULL);
	expect_invalid(&target, "Unix socket");
}

static void listening_paths_stay_as_they_are(void **state)
{
	static const char *const bad[] = {"/run/x/", "/run//x", "/run/./x", "/run/.", "/run/x\\", "/run/x y", "/"};

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		_cleanup_instance_ struct instance i = small_instance("pg");

		i.ports[0] = (struct publish){.type = SOCK_STREAM, .container_port = 1};
		strcpy(i.ports[0].path, bad[k]);
		expect_invalid(&i, "absolute path");
	}
}

static bool overlap(const char *a, const char *b)
{
	struct publish pa, pb;
	struct error err;

	assert_int_equal(publish_parse(a, &pa, &err), 0);
	assert_int_equal(publish_parse(b, &pb, &err), 0);
	assert_int_equal(publish_overlap(&pa, &pb), publish_overlap(&pb, &pa));
	return publish_overlap(&pa, &pb);
}

static void overlaps(void **state)
{
	(void)state;
	assert_true(overlap("80:1", "80:2"));
	assert_true(overlap("80:1", "127.0.0.1:80:2"));
	assert_true(overlap("80:1", "[::1]:80:2"));
	assert_true(overlap("[::]:80:1", "127.0.0.1:80:2"));
	assert_true(overlap("0.0.0.0:80:1", "127.0.0.1:80:2"));
	assert_true(overlap("[::ffff:0.0.0.0]:80:1", "127.0.0.1:80:2"));
	assert_true(overlap("[::ffff:127.0.0.1]:80:1", "127.0.0.1:80:2"));
	assert_true(overlap("[::ffff:127.0.0.1]:80:1", "0.0.0.0:80:2"));
	assert_false(overlap("[::ffff:0.0.0.0]:80:1", "[::1]:80:2"));
	assert_false(overlap("[::ffff:127.0.0.1]:80:1", "127.0.0.2:80:2"));
	assert_true(overlap("/run/x:1", "/run/x:2"));
	assert_false(overlap("0.0.0.0:80:1", "[::1]:80:2"));
	assert_false(overlap("127.0.0.1:80:1", "127.0.0.2:80:2"));
	assert_false(overlap("80:1", "80:1/udp"));
	assert_false(overlap("80:1", "81:1"));
	assert_false(overlap("/run/x:1", "/run/y:1"));
	assert_false(overlap("80:1", "/run/y:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_member_comes_back),
		cmocka_unit_test(for_ever_comes_back),
		cmocka_unit_test(original_tool),
		cmocka_unit_test(unknown_keys_are_ignored),
		cmocka_unit_test(an_empty_list_is_none),
		cmocka_unit_test(malformed_json),
		cmocka_unit_test(wrong_types),
		cmocka_unit_test(limits),
		cmocka_unit_test(numbers_of_ports_and_dependencies),
		cmocka_unit_test(longest_configuration),
		cmocka_unit_test(rules),
		cmocka_unit_test(rules_for_ports),
		cmocka_unit_test(listening_paths_stay_as_they_are),
		cmocka_unit_test(overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
