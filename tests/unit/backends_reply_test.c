/* What engines say, and what something that poses as one may say. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "backends/docker/reply.h"
#include "backends/json.h"
#include "backends/podman/reply.h"
#include "backends/ports.h"
#include "backends/reply.h"

#define ID "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

#define TEXT(s) (s), strlen(s)

/* An inspection with one part replaced. */
#define INSPECT(id, name, state, host, config)                                                                         \
	"{\"Id\":" id ",\"Name\":" name ",\"State\":" state ",\"HostConfig\":" host ",\"Config\":" config "}"
#define GOOD_ID	  "\"" ID "\""
#define GOOD_NAME "\"/pub\""
#define RUNNING                                                                                                        \
	"{\"Status\":\"running\",\"Running\":true,\"Pid\":4711,\"ExitCode\":0,\"StartedAt\":"                          \
	"\"2026-11-22T03:10:35.269129923Z\",\"Health\":{\"Status\":\"healthy\",\"Log\":[]}}"
#define HOST                                                                                                           \
	"{\"NetworkMode\":\"bridge\",\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"},"           \
	"{\"HostIp\":\"::1\",\"HostPort\":\"\"}],\"53/udp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"5353\"}],"       \
	"\"9/sctp\":[{\"HostIp\":\"\",\"HostPort\":\"9\"}],\"81/tcp\":null},"                                          \
	"\"RestartPolicy\":{\"Name\":\"unless-stopped\",\"MaximumRetryCount\":0},\"AutoRemove\":true}"
#define CONFIG                                                                                                         \
	"{\"Tty\":true,\"StopTimeout\":3,\"Labels\":{\"sockwake.x\":\"1\",\"other\":\"y\","                            \
	"\"com.docker.compose.project\":\"p\",\"PODMAN_SYSTEMD_UNIT\":\"pub.service\",\"sockwake.bad\":\"a\\nb\"},"    \
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"exit 1\"]}}"

static bool inspect(const char *text, struct container *c)
{
	container_clear(c);
	return docker_parse_inspect(text, strlen(text), c);
}

static void what_a_container_sees(void **state)
{
#define VIEW(host, rest)                                                                                               \
	"{\"Id\":" GOOD_ID ",\"Name\":" GOOD_NAME ",\"State\":" RUNNING ",\"HostConfig\":" host ",\"Config\":{}" rest  \
	"}"
	static const char *const tracing[] = {
		VIEW("{\"CapAdd\":[\"SYS_PTRACE\"]}", ""),
		VIEW("{\"CapAdd\":[\"NET_RAW\",\"cap_sys_ptrace\"]}", ""),
		VIEW("{\"CapAdd\":[\"ALL\"]}", ""),
		VIEW("{\"Privileged\":true}", ""),
		VIEW("{}", ",\"EffectiveCaps\":[\"CAP_CHOWN\",\"CAP_SYS_PTRACE\"]"),
		VIEW("{}", ",\"EffectiveCaps\":null,\"BoundingCaps\":[\"CAP_SYS_PTRACE\"]"),
	};
	static const char *const nonsense[] = {
		VIEW("{\"Privileged\":1}", ""),
		VIEW("{}", ",\"Mounts\":{}"),
		VIEW("{}", ",\"NetworkSettings\":{\"SandboxKey\":1}"),
	};
	_cleanup_container_ struct container c = {};

	(void)state;
	for (size_t k = 0; k < sizeof(tracing) / sizeof(*tracing); k++) {
		assert_true(inspect(tracing[k], &c));
		assert_true(c.may_trace && !c.host_pid && !c.mounted);
	}
	for (size_t k = 0; k < sizeof(nonsense) / sizeof(*nonsense); k++)
		assert_false(inspect(nonsense[k], &c));
	assert_true(inspect(
		VIEW("{\"PidMode\":\"host\",\"CapAdd\":[\"NET_RAW\",7]}",
		     ",\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/proc\"},{\"Type\":\"tmpfs\",\"Source\":\"\"},7,"
		     "{\"Type\":\"volume\",\"Source\":\"/v\\n\"}],\"NetworkSettings\":{\"SandboxKey\":\"/run/x\"}"),
		&c));
	assert_true(c.host_pid && !c.may_trace);
	assert_string_equal(c.mounted[0], "/proc");
	assert_string_equal(c.mounted[1], "/v\n");
	assert_null(c.mounted[2]);
	assert_string_equal(c.sandbox, "/run/x");
	assert_true(inspect(VIEW("{\"PidMode\":\"private\"}", ""), &c));
	assert_false(c.host_pid || c.may_trace);
}

static void an_inspection_is_read(void **state)
{
	_cleanup_container_ struct container c = {};

	(void)state;
	assert_true(inspect(INSPECT(GOOD_ID, GOOD_NAME, RUNNING, HOST, CONFIG), &c));
	assert_string_equal(c.id, ID);
	assert_string_equal(c.name, "pub");
	assert_int_equal(c.state, CONTAINER_RUNNING);
	assert_int_equal(c.pid, 4711);
	assert_string_equal(c.started_at, "2026-11-22T03:10:35.269129923Z");
	assert_int_equal(c.health, HEALTH_HEALTHY);
	assert_string_equal(c.network_mode, "bridge");
	assert_string_equal(c.restart_policy, "unless-stopped");
	assert_true(c.auto_remove);
	assert_true(c.tty);
	assert_int_equal(c.stop_timeout, 3);
	assert_string_equal(c.health_test[0], "CMD-SHELL");
	assert_string_equal(c.health_test[1], "exit 1");
	assert_null(c.health_test[2]);
	assert_int_equal(c.n_labels, 4); /* the one of ours that is not printable is kept, without its value */
	assert_string_equal(container_label(&c, "PODMAN_SYSTEMD_UNIT"), "pub.service");
	assert_string_equal(container_label(&c, "sockwake.x"), "1");
	assert_null(container_label(&c, "other"));
	assert_null(container_label(&c, "sockwake.bad"));
	assert_int_equal(c.n_ports, 3);
	assert_string_equal(c.ports[0].host_address, "");
	assert_int_equal(c.ports[0].host_port, 8080);
	assert_int_equal(c.ports[0].container_port, 80);
	assert_int_equal(c.ports[0].type, SOCK_STREAM);
	assert_string_equal(c.ports[1].host_address, "::1");
	assert_int_equal(c.ports[1].host_port, 0);
	assert_string_equal(c.ports[2].host_address, "127.0.0.1");
	assert_int_equal(c.ports[2].type, SOCK_DGRAM);
}

/* Podman's words for what comes of failures. */
static void what_a_failing_health_check_does(void **state)
{
	static const struct {
		const char *config;
		bool acts;
		uint64_t start_period;
	} cases[] = {
		{"{}", false, 0},
		{"{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"StartPeriod\":2500000000}}", false, 2500000},
		{"{\"HealthcheckOnFailureAction\":\"none\"}", false, 0},
		{"{\"HealthcheckOnFailureAction\":\"kill\",\"Healthcheck\":{\"StartPeriod\":1000}}", true, 1},
		{"{\"HealthcheckOnFailureAction\":\"melt\"}", true, 0},
		{"{\"StartupHealthCheck\":{\"Retries\":0}}", false, 0},
		{"{\"StartupHealthCheck\":{\"Retries\":1},\"Healthcheck\":{\"StartPeriod\":1000}}", true, 0},
	};
	_cleanup_container_ struct container c = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		char text[2048];

		snprintf(text, sizeof(text), INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}", "%s"), cases[k].config);
		assert_true(inspect(text, &c));
		assert_int_equal(c.health_acts, cases[k].acts);
		assert_int_equal(c.health_start_period, cases[k].start_period);
	}
	assert_true(c.started > 0);
	assert_false(
		inspect(INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}", "{\"Healthcheck\":{\"StartPeriod\":\"1s\"}}"), &c));
	assert_false(
		inspect(INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}", "{\"StartupHealthCheck\":{\"Retries\":-1}}"), &c));
}

static void what_is_missing_has_a_default(void **state)
{
	_cleanup_container_ struct container c = {};

	(void)state;
	assert_true(inspect(INSPECT(GOOD_ID, "\"pub\"",
				    "{\"Status\":\"created\",\"StartedAt\":\"0001-01-01T00:00:00Z\"}", "{}", "{}"),
			    &c));
	assert_int_equal(c.state, CONTAINER_CREATED);
	assert_int_equal(c.pid, 0);
	assert_string_equal(c.started_at, "");
	assert_int_equal(c.stop_timeout, 10);
	assert_null(c.health_test);
	assert_int_equal(c.health, HEALTH_NONE);
	assert_int_equal(c.n_ports, 0);
	assert_true(inspect(INSPECT(GOOD_ID, GOOD_NAME, "{\"Status\":\"melted\"}",
				    "{\"PortBindings\":null,\"RestartPolicy\":null}",
				    "{\"Labels\":null,\"StopTimeout\":-1,\"Healthcheck\":{\"Test\":[\"NONE\"]}}"),
			    &c));
	assert_int_equal(c.state, CONTAINER_UNKNOWN);
	assert_true(c.stop_timeout == UINT64_MAX);
	assert_null(c.health_test);
	assert_true(inspect(INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}", "{\"StopTimeout\":0}"), &c));
	assert_int_equal(c.stop_timeout, 0);
	assert_true(inspect(INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}",
				    "{\"Labels\":{\"sockwake.made-for\":\"x\"},\"StopTimeout\":0}"),
			    &c));
	assert_int_equal(c.stop_timeout, 10); /* nobody has asked for none */
}

#define WITH_STATE(state)   INSPECT(GOOD_ID, GOOD_NAME, state, HOST, CONFIG)
#define WITH_HOST(host)	    INSPECT(GOOD_ID, GOOD_NAME, RUNNING, host, CONFIG)
#define WITH_CONFIG(config) INSPECT(GOOD_ID, GOOD_NAME, RUNNING, HOST, config)

static void where_it_comes_from(void **state)
{
#define ORIGIN(more) INSPECT(GOOD_ID, GOOD_NAME, RUNNING, HOST, "{}" more)
	static const char *const hostile[] = {
		",\"Image\":\"../x\"",
		",\"Created\":\"yesterday\"",
		",\"Created\":\"2026-11-22T03:10:35\"",
		",\"Created\":\"2026-11-22T03:10:35.1Zx\"",
		",\"Created\":7",
		",\"Pod\":7",
		",\"IsInfra\":\"no\"",
		",\"NetworkSettings\":{\"Ports\":7}",
		",\"NetworkSettings\":{\"Ports\":{\"x/tcp\":null}}",
	};
	_cleanup_container_ struct container c = {};

	(void)state;
	assert_true(inspect(ORIGIN(""), &c));
	assert_int_equal(c.created, 0);
	assert_string_equal(c.pod, "");
	assert_int_equal(c.exposed_port, 0);
	assert_true(inspect(
		ORIGIN(",\"Created\":\"1970-01-02T01:00:00.0000019+01:00\",\"Pod\":\"abc\",\"IsInfra\":true"), &c));
	assert_int_equal(c.created, 86400 * 1000000LL + 1);
	assert_string_equal(c.pod, "abc");
	assert_true(c.is_infra);
	assert_true(inspect(ORIGIN(",\"Created\":\"2026-11-22T03:10:35Z\""), &c));
	assert_int_equal(c.created, 1795317035 * 1000000LL);
	assert_true(inspect(ORIGIN(",\"NetworkSettings\":{\"Ports\":{\"443/tcp\":null,\"80/tcp\":[],\"53/udp\":null,"
				   "\"8443/tcp\":null}}"),
			    &c));
	assert_int_equal(c.exposed_port, 80);
	/* those of the pod */
	assert_true(inspect(ORIGIN(",\"Pod\":\"p\",\"NetworkSettings\":{\"Ports\":{\"80/tcp\":null}}"), &c));
	assert_int_equal(c.exposed_port, 0);
	assert_true(inspect(WITH_CONFIG("{\"ExposedPorts\":{\"8080/tcp\":{},\"900\":{}}}"), &c));
	assert_int_equal(c.exposed_port, 900);
	assert_string_equal(c.image, "");
	assert_true(inspect(ORIGIN(",\"Image\":\"sha256:" ID "\""), &c));
	assert_string_equal(c.image, "sha256:" ID);
	for (size_t k = 0; k < sizeof(hostile) / sizeof(*hostile); k++) {
		char text[2048];

		snprintf(text, sizeof(text), INSPECT(GOOD_ID, GOOD_NAME, RUNNING, "{}", "{}%s"), hostile[k]);
		if (inspect(text, &c))
			fail_msg("accepted: %s", hostile[k]);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const hostile[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"Id\":",
		"\"text\"",
		"<html>502 Bad Gateway</html>",
		INSPECT("\"\"", GOOD_NAME, RUNNING, HOST, CONFIG),
		INSPECT("\"../../../etc/passwd\"", GOOD_NAME, RUNNING, HOST, CONFIG),
		INSPECT("17", GOOD_NAME, RUNNING, HOST, CONFIG),
		INSPECT(GOOD_ID, "\"//pub\"", RUNNING, HOST, CONFIG),
		INSPECT(GOOD_ID, "\"a b\"", RUNNING, HOST, CONFIG),
		INSPECT(GOOD_ID, "\"pub\\u0000x\"", RUNNING, HOST, CONFIG),
		INSPECT(GOOD_ID, "\"pub\\n\"", RUNNING, HOST, CONFIG),
		INSPECT(GOOD_ID, "null", RUNNING, HOST, CONFIG),
		WITH_STATE("null"),
		WITH_STATE("\"running\""),
		WITH_STATE("{\"Status\":1}"),
		WITH_STATE("{\"Status\":\"running\",\"Pid\":\"4711\"}"),
		WITH_STATE("{\"Status\":\"running\",\"Pid\":-1}"),
		WITH_STATE("{\"Status\":\"running\",\"Pid\":1.5}"),
		WITH_STATE("{\"Status\":\"running\",\"Pid\":4294967297}"),
		WITH_STATE("{\"Status\":\"running\",\"Pid\":1e400}"),
		WITH_STATE("{\"Status\":\"running\",\"ExitCode\":99999999999}"),
		WITH_STATE("{\"Status\":\"running\",\"StartedAt\":17}"),
		WITH_STATE(
			"{\"Status\":\"running\",\"StartedAt\":\"2026-11-22T03:10:35.2691299230000000000000000000000000"
			"000000000000000000000000000Z\"}"),
		WITH_HOST("null"),
		WITH_HOST("[]"),
		WITH_HOST("{\"NetworkMode\":{}}"),
		WITH_HOST("{\"AutoRemove\":1}"),
		WITH_HOST("{\"PortBindings\":[1]}"),
		WITH_HOST("{\"PortBindings\":{\"0/tcp\":[{\"HostPort\":\"1\"}]}}"),
		WITH_HOST("{\"PortBindings\":{\"99999/tcp\":[{\"HostPort\":\"1\"}]}}"),
		WITH_HOST("{\"PortBindings\":{\"80000000000/tcp\":[{\"HostPort\":\"1\"}]}}"),
		WITH_HOST("{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"example.org\",\"HostPort\":\"1\"}]}}"),
		WITH_CONFIG("null"),
		WITH_CONFIG("{\"Tty\":\"yes\"}"),
		WITH_CONFIG("{\"Labels\":[]}"),
		WITH_CONFIG("{\"StopTimeout\":\"10\"}"),
		WITH_CONFIG("{\"StopTimeout\":-2}"),
		WITH_CONFIG("{\"Healthcheck\":{\"Test\":\"CMD\"}}"),
		WITH_CONFIG("{\"Healthcheck\":{\"Test\":[\"CMD\",1]}}"),
		WITH_CONFIG("{\"Healthcheck\":{\"Test\":[\"CMD\\u001b[2J\",\"x\"]}}"),
		INSPECT(GOOD_ID, GOOD_NAME, RUNNING, HOST, CONFIG) " trailing",
	};
	_cleanup_container_ struct container c = {};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		if (inspect(hostile[i], &c))
			fail_msg("accepted: %s", hostile[i]);
	}
}

/* A text of n times `piece` between head and tail. */
static char *repeat(const char *head, const char *piece, size_t n, const char *tail)
{
	char *s = malloc(strlen(head) + n * strlen(piece) + strlen(tail) + 1);
	char *p = s;

	assert_non_null(s);
	p = stpcpy(p, head);
	while (n-- > 0)
		p = stpcpy(p, piece);
	strcpy(p, tail);
	return s;
}

static void size_and_depth_are_bounded(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t n;
		const char *tail;
	} huge[] = {
		{"", "[", 1000000, ""},
		{"", "[", 33, ""},
		{"[", "0,", 3000000, "0]"},
		{"[", "{},", 1500000, "{}]"},
		{"{\"Id\":", "{\"a\":", 500000, ""},
	};
	_cleanup_container_list_ struct container_list l = {};
	_cleanup_container_ struct container c = {};
	_cleanup_json_ cJSON *deep = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		_cleanup_free_ char *s = repeat(huge[i].head, huge[i].piece, huge[i].n, huge[i].tail);

		assert_null(json_parse(s, strlen(s), LIST_VALUES_MAX));
		assert_false(docker_parse_inspect(s, strlen(s), &c));
		assert_false(docker_parse_list(s, strlen(s), &l));
		assert_false(podman_parse_list(s, strlen(s), &l));
	}
	/* 32 levels, and as many values as are allowed */
	{
		_cleanup_free_ char *most = repeat("", "[", 31, "[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
		_cleanup_json_ cJSON *j = json_parse(most, strlen(most), 33),
				     *none = json_parse(most, strlen(most), 32);
		_cleanup_json_ cJSON *three = json_parse(TEXT("[1,2]"), 3), *two = json_parse(TEXT("[1,2]"), 2);

		assert_true(j && !none && three && !two);
	}
	/* Brackets and commas in strings do not count. */
	deep = json_parse(TEXT("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[,,,,,\\\",\"}"), 3);
	assert_non_null(deep);
	/* As many ports as there can be are one container's. */
	{
		_cleanup_free_ char *s = repeat("{\"PortBindings\":{\"80/tcp\":[", "{\"HostPort\":\"1\"},", 5000,
						"{\"HostPort\":\"1\"}]}}");
		_cleanup_json_ cJSON *j = json_parse(s, strlen(s), INSPECT_VALUES_MAX);

		assert_non_null(j);
		assert_true(reply_port_bindings(j, "PortBindings", &c));
		assert_int_equal(c.n_ports, 5001);
	}
	for (unsigned k = 0; k < 70000; k++)
		assert_true(reply_add_port(&c, "", 1, 1, "tcp"));
	assert_int_equal(c.n_ports, 65536);
}

static void only_integers_in_range_are_integers(void **state)
{
	static const char text[] = "{\"a\":5,\"b\":5.5,\"c\":\"5\",\"d\":null,\"e\":-5,\"f\":1e300,\"g\":true}";
	_cleanup_json_ cJSON *j = json_parse(text, strlen(text), 99);
	int64_t n = 42;
	bool b = false;

	(void)state;
	assert_true(json_integer(j, "d", 0, 9, &n) && n == 42);
	assert_true(json_integer(j, "missing", 0, 9, &n) && n == 42);
	assert_true(json_integer(j, "a", 5, 5, &n) && n == 5);
	assert_true(json_integer(j, "e", -5, 0, &n) && n == -5);
	assert_false(json_integer(j, "a", 6, 9, &n));
	assert_false(json_integer(j, "a", 0, 4, &n));
	assert_false(json_integer(j, "b", 0, 9, &n));
	assert_false(json_integer(j, "c", 0, 9, &n));
	assert_false(json_integer(j, "f", INT64_MIN, INT64_MAX, &n));
	assert_false(json_integer(j, "g", 0, 9, &n));
	assert_true(json_bool(j, "g", &b) && b);
	assert_false(json_bool(j, "a", &b));
	assert_null(json_member(NULL, "a"));
}

#define WITH_TEST(words) WITH_CONFIG("{\"Healthcheck\":{\"Test\":[" words "]}}")

/* The words of a health check; NONE, alone, is none. */
static void words_of_a_health_check(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *last;
	} cases[] = {
		{WITH_TEST(""), 0, NULL},
		{WITH_TEST("\"NONE\""), 0, NULL},
		{WITH_TEST("\"NONE\",\"x\""), 2, "x"},
		{WITH_TEST("\"CMD\""), 1, "CMD"},
		{WITH_TEST("\"CMD\",\"a\",\"b\""), 3, "b"},
		{WITH_TEST("\"CMD\",\"a\",\"b\",\"c\",\"d\""), 5, "d"},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_container_ struct container c = {};

		if (!inspect(cases[k].text, &c))
			fail_msg("refused: %s", cases[k].text);
		if (cases[k].n == 0) {
			assert_null(c.health_test);
			continue;
		}
		assert_string_equal(c.health_test[cases[k].n - 1], cases[k].last);
		assert_null(c.health_test[cases[k].n]);
		assert_true(malloc_usable_size(c.health_test) >= (cases[k].n + 1) * sizeof(*c.health_test));
	}
}

static void as_many_words_as_there_can_be(void **state)
{
	(void)state;
	for (size_t n = 64; n <= 65; n++) {
		_cleanup_free_ char *s =
			repeat("{\"Id\":" GOOD_ID ",\"Name\":" GOOD_NAME ",\"State\":" RUNNING ",\"HostConfig\":" HOST
			       ",\"Config\":{\"Healthcheck\":{\"Test\":[\"CMD\"",
			       ",\"x\"", n - 1, "]}}}");
		_cleanup_container_ struct container c = {};

		assert_int_equal(inspect(s, &c), n == 64);
	}
}

static void as_many_containers_as_there_can_be(void **state)
{
	(void)state;
	for (size_t n = 20000; n <= 20001; n++) {
		_cleanup_free_ char *s = repeat("[0", ",0", n - 1, "]");
		_cleanup_container_list_ struct container_list l = {};

		assert_int_equal(docker_parse_list(s, strlen(s), &l), n == 20000);
	}
}

static void volumes_and_directories(void **state)
{
	static const char text[] =
		"{\"Id\":" GOOD_ID ",\"Name\":" GOOD_NAME ",\"State\":" RUNNING
		",\"HostConfig\":{},\"Config\":{},\"Mounts\":["
		"{\"Type\":\"volume\",\"Name\":\"pgd\",\"Source\":\"/v/pgd\",\"Destination\":\"/data\",\"Driver\":\"local\"},"
		"{\"Type\":\"volume\",\"Name\":\"nfs\",\"Source\":\"/v/nfs\",\"Driver\":\"other\"},"
		"{\"Type\":\"volume\",\"Name\":\"" ID "\",\"Source\":\"/v/x\",\"Driver\":\"local\"},"
		"{\"Type\":\"volume\",\"Name\":\"a/b\",\"Source\":\"/v/y\",\"Driver\":\"local\"},"
		"{\"Type\":\"volume\",\"Name\":\"empty\",\"Source\":\"\",\"Driver\":\"local\"},"
		"{\"Type\":\"bind\",\"Source\":\"/srv\"},{\"Type\":\"tmpfs\",\"Source\":\"/t\"},{\"Source\":\"/u\"},7]}";
	_cleanup_container_ struct container c = {};

	(void)state;
	assert_true(inspect(text, &c));
	assert_int_equal(c.n_mounts, 3);
	assert_string_equal(c.mounts[0].name, "pgd");
	assert_string_equal(c.mounts[0].source, "/v/pgd");
	assert_string_equal(c.mounts[0].destination, "/data");
	assert_string_equal(c.mounts[1].destination, "");
	assert_true(c.mounts[0].is_local && !c.mounts[1].is_local);
	assert_null(c.mounts[2].name);
	assert_string_equal(c.mounts[2].source, "/srv");
}

static void labels_have_bounds(void **state)
{
	_cleanup_json_ cJSON *root = cJSON_CreateObject();
	cJSON *labels = cJSON_AddObjectToObject(root, "Labels");
	_cleanup_container_ struct container few = {}, many = {};
	char key[32];

	(void)state;
	cJSON_AddStringToObject(labels, "com.docker.compose.bad", "\033[2J");
	cJSON_AddNumberToObject(labels, "com.docker.compose.number", 1);
	cJSON_AddStringToObject(labels, "sockwake.bad\033", "1");
	cJSON_AddStringToObject(labels, "sockwak", "1");
	cJSON_AddStringToObject(labels, "com.docker.compose.good", "1");
	assert_true(reply_labels(root, "Labels", &few));
	assert_int_equal(few.n_labels, 2);
	assert_string_equal(few.labels[0].key, "sockwake.bad?");
	assert_null(few.labels[0].value);
	assert_string_equal(container_label(&few, "com.docker.compose.good"), "1");
	for (int k = 0; k < 100; k++) {
		snprintf(key, sizeof(key), "sockwake.%d", k);
		cJSON_AddStringToObject(labels, key, "1");
	}
	assert_true(reply_labels(root, "Labels", &many));
	assert_int_equal(many.n_labels, 64);
	assert_string_equal(container_label(&many, "sockwake.61"), "1");
	assert_null(container_label(&many, "sockwake.62"));
}

static void ports_have_bounds(void **state)
{
	static const struct {
		int64_t host, container;
		bool ok;
	} cases[] = {
		{0, 1, true},	{65535, 65535, true}, {-1, 80, false}, {65536, 80, false},
		{80, 0, false}, {80, 65536, false},   {80, -1, false}, {(int64_t)1 << 32, 80, false},
		{80, 80, true},
	};
	_cleanup_container_ struct container c = {};
	size_t n = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(reply_add_port(&c, "", cases[k].host, cases[k].container, "tcp"), cases[k].ok);
		n += cases[k].ok;
		assert_int_equal(c.n_ports, n);
	}
	assert_int_equal(c.ports[1].host_port, 65535);
	assert_int_equal(c.ports[1].container_port, 65535);
	assert_false(reply_add_port(&c, "no.address", 80, 80, "tcp"));
	assert_true(reply_add_port(&c, "", 80, 80, "sctp"));
	assert_int_equal(c.n_ports, n);
}

/* A string, or a missing one, is copied where it fits with its end. */
static void strings_that_fit(void **state)
{
	_cleanup_json_ cJSON *object = cJSON_Parse("{\"a\":\"1234\",\"b\":5}");
	char text[6] = "";

	(void)state;
	assert_true(json_copy_string(object, "a", text, 5));
	assert_string_equal(text, "1234");
	assert_false(json_copy_string(object, "a", text, 4));
	assert_false(json_copy_string(object, "b", text, 5));
	assert_true(json_copy_string(object, "c", text, 1));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_that_fit),
		cmocka_unit_test(what_a_container_sees),
		cmocka_unit_test(an_inspection_is_read),
		cmocka_unit_test(what_a_failing_health_check_does),
		cmocka_unit_test(what_is_missing_has_a_default),
		cmocka_unit_test(where_it_comes_from),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(only_integers_in_range_are_integers),
		cmocka_unit_test(words_of_a_health_check),
		cmocka_unit_test(as_many_words_as_there_can_be),
		cmocka_unit_test(as_many_containers_as_there_can_be),
		cmocka_unit_test(volumes_and_directories),
		cmocka_unit_test(labels_have_bounds),
		cmocka_unit_test(ports_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
