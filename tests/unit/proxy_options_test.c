/* proxy/options.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "proxy/options.h"

static int parse(struct proxy_options *options, struct error *err, const char *a, const char *b, const char *c,
		 const char *d)
{
	char *argv[] = {(char[]){"proxy"},    (char *)(uintptr_t)a, (char *)(uintptr_t)b,
			(char *)(uintptr_t)c, (char *)(uintptr_t)d, NULL};
	int argc = 1;

	while (argv[argc])
		argc++;
	return proxy_options_parse(argc, argv, options, err);
}

static void defaults(void **state)
{
	struct proxy_options o;
	struct error err;

	(void)state;
	assert_int_equal(parse(&o, &err, "--forward", "8080:80", NULL, NULL), 0);
	assert_int_equal(o.relay.n_forwards, 1);
	assert_int_equal(o.relay.forwards[0].container_port, 80);
	assert_int_equal(o.readiness.kind, READY_LISTEN);
	assert_int_equal(o.relay.workers, 0); /* the proxy's choice */
	assert_true(o.relay.idle_timeout == 300 * USEC_PER_SEC);
	assert_true(o.relay.connection_timeout == USEC_INFINITY);
	assert_true(o.relay.flow_timeout == 60 * USEC_PER_SEC);
	assert_false(o.relay.hold_data);
	assert_true(o.relay.warm_for == 0);
	assert_int_equal(o.relay.n_targets, 0);
	assert_null(o.relay.targets[0]);
	proxy_options_free(&o);
}

static void several(void **state)
{
	struct proxy_options o;
	struct error err;

	(void)state;
	assert_int_equal(
		parse(&o, &err, "--forward=53:53/udp", "--forward=53:53", "--target=::1", "--idle-timeout=infinity"),
		0);
	assert_int_equal(o.relay.n_forwards, 2);
	assert_string_equal(o.relay.targets[0], "::1");
	assert_null(o.relay.targets[1]);
	assert_true(o.relay.idle_timeout == USEC_INFINITY);
	proxy_options_free(&o);
	assert_int_equal(
		parse(&o, &err, "--forward=1:2", "--no-hold-from=10.0.0.0/8", "--proxy-protocol=v2", "--workers=2"), 0);
	assert_int_equal(o.relay.n_no_hold, 1);
	assert_int_equal(o.relay.proxy_protocol, PROXY_PROTOCOL_V2);
	assert_int_equal(o.relay.workers, 2);
	proxy_options_free(&o);
	assert_int_equal(parse(&o, &err, "--forward=1:2", "--hold=data", "--flow-timeout=infinity", NULL), 0);
	assert_true(o.relay.hold_data);
	assert_true(o.relay.flow_timeout == USEC_INFINITY);
	proxy_options_free(&o);
	assert_int_equal(parse(&o, &err, "--forward=1:2", "--hold=data", "--hold=connections", NULL), 0);
	assert_false(o.relay.hold_data);
	proxy_options_free(&o);
}

static void only_waiting(void **state)
{
	struct proxy_options o;
	struct error err;

	(void)state;
	assert_int_equal(parse(&o, &err, "--await", "5432", "--health-check=postgres", NULL), 0);
	assert_true(o.await);
	assert_int_equal(o.await_port, 5432);
	assert_int_equal(o.readiness.kind, READY_POSTGRES);
	proxy_options_free(&o);
	assert_int_equal(parse(&o, &err, "--forward=1:2", NULL, NULL, NULL), 0);
	assert_false(o.await);
	proxy_options_free(&o);
}

static void refused(void **state)
{
	static const struct {
		const char *args[4];
		const char *says;
	} cases[] = {
		{{NULL}, "needs at least one --forward"},
		{{"--forward", "80"}, "'80' is not of the form"},
		{{"--forward"}, "--forward"},
		{{"--wrong"}, "--wrong"},
		{{"--forward=1:2", "stray"}, "'stray'"},
		{{"--forward=1:2", "--idle-timeout=0"}, "--idle-timeout"},
		{{"--forward=1:2", "--idle-timeout=soon"}, "'soon'"},
		{{"--forward=1:2", "--warm-for=later"}, "'later'"},
		{{"--forward=1:2", "--flow-timeout=0"}, "--flow-timeout"},
		{{"--forward=1:2", "--hold=bytes"}, "'bytes'"},
		{{"--forward=1:2", "--workers=0"}, "--workers '0'"},
		{{"--forward=1:2", "--workers=65"}, "--workers '65'"},
		{{"--forward=1:2", "--proxy-protocol=3"}, "'3'"},
		{{"--forward=1:2", "--proxy-protocol=v1", "--transparent"}, "use one"},
		{{"--forward=1:2", "--no-hold-from=10.0.0.1/8"}, "10.0.0.1/8"},
		{{"--forward=1:2/udp", "--target=unix:/x"}, "Unix socket"},
		{{"--forward=/x:5/seqpacket"}, "seqpacket"},
		{{"--forward=1:0"}, "0"},
		{{"--await=5432", "--forward=1:2"}, "without --forward"},
		{{"--await=65536"}, "'65536'"},
		{{"--await"}, "--await"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const *a = cases[i].args;
		struct proxy_options o;
		struct error err;

		assert_int_equal(parse(&o, &err, a[0], a[1], a[2], a[3]), -1);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(several),
		cmocka_unit_test(only_waiting),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
