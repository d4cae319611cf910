/* What the proxy promises for TCP: how a server is connected to, and how one that has gone is noticed. */
#include "tests/unit/proxy_pair_fixture.h"

static void nobody_listens(void **state)
{
	char deadline[64];
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	snprintf(deadline, sizeof(deadline), "SOCKWAKE_DEADLINE=%llu",
		 (unsigned long long)(now_usec() + 200 * USEC_PER_MSEC));
	t.p.environment[0] = deadline;
	close(t.server);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_STREAM, t.port);
	assert_int_equal(next_end(t.client), ECONNRESET);
	wait_counter(&t.p.stats->connections_failed, 1);
	t.target = t.server = -1;
	end(&t);
}

static void tried_again_until_it_listens(void **state)
{
	struct sockaddr_in a;
	struct pair t;
	uint16_t port;

	(void)state;
	start(&t);
	port = port_of(t.server);
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	close(t.server);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_STREAM, t.port);
	send_text(t.client, "early");
	wait_counter(&t.p.stats->connections, 1);
	usleep(120000); /* some refusals */
	t.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a = loopback(port);
	assert_int_equal(bind(t.server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(t.server, 5), 0);
	t.target = accept_from(t.server);
	expect_text(t.target, "early");
	end(&t);
}

/* A server whose backlog is full leaves attempts unanswered; with several targets each takes minutes. */
static void backlog_is_full(void **state)
{
	int fillers[8];
	uint64_t begin;
	struct pair t;

	(void)state;
	start(&t);
	assert_int_equal(listen(t.server, 0), 0);
	for (size_t k = 0; k < sizeof(fillers) / sizeof(*fillers); k++) {
		struct sockaddr_in a = loopback(port_of(t.server));

		fillers[k] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[k], (struct sockaddr *)&a, sizeof(a));
	}
	proxy_arg(&t.p, "--target");
	proxy_arg(&t.p, "127.0.0.1");
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	proxy_arg(&t.p, "--startup-timeout");
	proxy_arg(&t.p, "3s");
	begin = now_usec();
	t.client = connect_to(SOCK_STREAM, t.port);
	usleep(1500000); /* it counts from here, not from when it was accepted */
	proxy_start(&t.p);
	assert_int_equal(next_end(t.client), ECONNRESET);
	assert_in_range(now_usec() - begin, 2900000, 4000000);
	wait_counter(&t.p.stats->connections_failed, 1);
	for (size_t k = 0; k < sizeof(fillers) / sizeof(*fillers); k++)
		close(fillers[k]);
	t.target = -1;
	end(&t);
}

static void second_address(void **state)
{
	struct pair t;

	(void)state;
	t.server = bound(SOCK_STREAM);
	proxy_init(&t.p);
	free(t.p.args[2]);
	t.p.args[2] = strdup("127.0.0.9"); /* nobody there */
	proxy_arg(&t.p, "--target");
	proxy_arg(&t.p, "127.0.0.1");
	t.port = proxy_forward(&t.p, SOCK_STREAM, port_of(t.server));
	proxy_start(&t.p);
	connect_pair(&t);
	send_text(t.client, "found");
	expect_text(t.target, "found");
	end(&t);
}

static void connection_timeout(void **state)
{
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--connection-timeout");
	proxy_arg(&t.p, "300ms");
	proxy_start(&t.p);
	connect_pair(&t);
	for (int i = 0; i < 5; i++) { /* traffic keeps it */
		usleep(100000);
		send_text(t.client, ".");
		expect_text(t.target, ".");
	}
	assert_int_equal(next_end(t.client), 0);
	assert_int_equal(next_end(t.target), 0);
	end(&t);
}

static void proxy_protocol(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char header[128];
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--proxy-protocol");
	proxy_arg(&t.p, "v1");
	t.client = connect_to(SOCK_STREAM, t.port); /* queued during the wake */
	send_text(t.client, "payload");
	proxy_start(&t.p);
	t.target = accept_from(t.server);
	assert_int_equal(getsockname(t.client, (struct sockaddr *)&a, &len), 0);
	snprintf(header, sizeof(header), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\npayload", ntohs(a.sin_port), t.port);
	expect_text(t.target, header);
	end(&t);
}

/* Which timer runs for the socket with these ports? (proc_net_tcp: 2 is keepalive) */
static unsigned timer_of(uint16_t local, uint16_t remote)
{
	FILE *f = fopen("/proc/self/net/tcp", "re");
	unsigned l, r, timer, found = 0;
	char line[256];

	assert_non_null(f);
	while (found == 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %*x:%*x %x", &l, &r, &timer) == 3 && l == local &&
		    r == remote)
			found = timer;
	}
	(void)fclose(f);
	return found;
}

static void expect_keepalive(struct pair *t)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;

	send_text(t->client, "alive");
	expect_text(t->target, "alive");
	send_text(t->target, "yes");
	expect_text(t->client, "yes");
	while (timer_of(t->port, port_of(t->client)) != 2) { /* until the delayed ACK is out */
		assert_true(now_usec() < deadline);
		usleep(10000);
	}
}

/* Who connected before the wake has not inherited the listener's options, and who comes later has. */
static void keepalive(void **state)
{
	struct pair t;

	(void)state;
	start(&t);
	t.client = connect_to(SOCK_STREAM, t.port);
	proxy_start(&t.p);
	t.target = accept_from(t.server);
	expect_keepalive(&t);
	close(t.client);
	close(t.target);
	connect_pair(&t);
	expect_keepalive(&t);
	end(&t);
}

/* The server closed its socket long ago, and the client did not care: it does not keep the container awake. */
static void abandoned_by_the_server(void **state)
{
	int seconds = 1;
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--keepalive");
	proxy_arg(&t.p, "1s");
	proxy_arg(&t.p, "--idle-timeout");
	proxy_arg(&t.p, "200ms");
	proxy_start(&t.p);
	connect_pair(&t);
	assert_int_equal(setsockopt(t.target, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), 0);
	close(t.target);
	assert_int_equal(next_end(t.client), 0);
	assert_int_equal(proxy_wait(&t.p), 0);
	close(t.client);
	close(t.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_listens),     cmocka_unit_test(tried_again_until_it_listens),
		cmocka_unit_test(backlog_is_full),    cmocka_unit_test(second_address),
		cmocka_unit_test(connection_timeout), cmocka_unit_test(proxy_protocol),
		cmocka_unit_test(keepalive),	      cmocka_unit_test(abandoned_by_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
