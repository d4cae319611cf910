/* How long clients wait for a port without a listener, once the first one has one. */
#include "tests/unit/proxy_fixture.h"

#include "proxy/ports.h"

#define READY	(1000 * USEC_PER_SEC)
#define TIMEOUT (30 * USEC_PER_SEC)

static struct proxy p;
static struct forward forwards[4];
static struct publish publish[4];
static struct target targets[4];
static struct stats stats;
static int listener, other;

/* Two ports that have a listener, one that has none, and one for UDP. */
static void begin(uint64_t took)
{
	int closed = bound(SOCK_STREAM);
	uint16_t ports[4];

	listener = bound(SOCK_STREAM);
	other = bound(SOCK_STREAM);
	memcpy(ports, (uint16_t[]){port_of(listener), port_of(other), port_of(closed), port_of(closed)}, sizeof(ports));
	close(closed);
	stats = (struct stats){.t_proxy = READY - took, .t_ready = READY};
	p = (struct proxy){.service = {.forwards = forwards, .n_forwards = 4, .deadline = USEC_INFINITY},
			   .options = {.relay.startup_timeout = TIMEOUT, .readiness.kind = READY_LISTEN},
			   .report.stats = &stats};
	for (int k = 0; k < 4; k++) {
		publish[k] = (struct publish){.type = k < 3 ? SOCK_STREAM : SOCK_DGRAM, .container_port = ports[k]};
		targets[k] = (struct target){.addr.ss_family = AF_INET};
		forwards[k] = (struct forward){.publish = &publish[k], .targets = &targets[k], .n_targets = 1};
	}
}

static void end(void)
{
	close(listener);
	close(other);
}

static bool is_noted(uint16_t port)
{
	for (int k = 0; k < STATS_LISTENING; k++) {
		if (stats.listening[k] == port)
			return true;
	}
	return false;
}

static void one_without_a_listener_is_given_two_seconds(void **state)
{
	(void)state;
	begin(USEC_PER_MSEC);
	ports_limit(&p);
	assert_int_equal(forwards[0].deadline, READY + TIMEOUT);
	assert_int_equal(forwards[1].deadline, READY + TIMEOUT);
	assert_int_equal(forwards[2].deadline, READY + 2 * USEC_PER_SEC);
	assert_int_equal(forwards[3].deadline, READY + TIMEOUT);
	assert_true(stats.listening[0] != 0);
	assert_false(is_noted(publish[2].container_port));
	end();
}

/* … or as long as the first one took, but never longer than a client waits. */
static void a_slow_server_gets_longer(void **state)
{
	(void)state;
	begin(5 * USEC_PER_SEC);
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + 5 * USEC_PER_SEC);
	end();
	begin(TIMEOUT + USEC_PER_SEC);
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + TIMEOUT);
	end();
	begin(USEC_PER_MSEC);
	p.service.deadline = READY + USEC_PER_SEC;
	ports_limit(&p);
	assert_int_equal(forwards[0].deadline, READY + USEC_PER_SEC);
	assert_int_equal(forwards[2].deadline, READY + USEC_PER_SEC);
	end();
}

static void where_nothing_is_known_all_get_the_same(void **state)
{
	(void)state;
	begin(USEC_PER_MSEC);
	p.options.readiness.kind = READY_NONE;
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + TIMEOUT);
	end();
	/* A Unix socket has no port. */
	begin(USEC_PER_MSEC);
	for (int k = 0; k < 4; k++)
		targets[k].addr.ss_family = AF_UNIX;
	stats.listening[0] = 1;
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + TIMEOUT);
	assert_int_equal(stats.listening[0], 0);
	end();
	/* The same port twice. */
	begin(USEC_PER_MSEC);
	publish[0].container_port = publish[2].container_port;
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + TIMEOUT);
	end();
	/* The first one's number says nothing if it is one for UDP. */
	begin(USEC_PER_MSEC);
	publish[0] = (struct publish){.type = SOCK_DGRAM, .container_port = publish[2].container_port};
	ports_limit(&p);
	assert_int_equal(forwards[2].deadline, READY + 2 * USEC_PER_SEC);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_without_a_listener_is_given_two_seconds),
		cmocka_unit_test(a_slow_server_gets_longer),
		cmocka_unit_test(where_nothing_is_known_all_get_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
