/* What the proxy promises for datagrams. */
#include "tests/unit/proxy_fixture.h"

#include <netinet/udp.h>

struct udp_test {
	struct proxy_run p;
	int server, client;
	uint16_t port;
	struct sockaddr_in from; /* of what the server received last */
};

static void start(struct udp_test *t)
{
	t->server = bound(SOCK_DGRAM);
	proxy_init(&t->p);
	t->port = proxy_forward(&t->p, SOCK_DGRAM, port_of(t->server));
}

static void end(struct udp_test *t)
{
	close(t->client);
	close(t->server);
	assert_int_equal(proxy_stop(&t->p), 0);
}

static size_t receive(int fd, char *buffer, size_t size, struct sockaddr_in *from)
{
	socklen_t len = sizeof(*from);
	ssize_t n;

	if (wait_readable(fd) != 1)
		fail_msg("no datagram came");
	n = recvfrom(fd, buffer, size, 0, (struct sockaddr *)from, from ? &len : NULL);
	assert_true(n >= 0);
	return (size_t)n;
}

static void expect_datagram(int fd, const char *text, struct sockaddr_in *from)
{
	char buffer[100];
	size_t n = receive(fd, buffer, sizeof(buffer), from);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buffer, text, n);
}

static void question_and_answer(struct udp_test *t)
{
	send_text(t->client, "question");
	expect_datagram(t->server, "question", &t->from);
	assert_int_equal(sendto(t->server, "answer", 6, 0, (struct sockaddr *)&t->from, sizeof(t->from)), 6);
	expect_datagram(t->client, "answer", NULL);
}

static void echo(void **state)
{
	struct udp_test t;
	uint16_t flow;

	(void)state;
	start(&t);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	question_and_answer(&t);
	flow = t.from.sin_port;
	question_and_answer(&t);
	assert_int_equal(t.from.sin_port, flow);
	close(t.client);
	t.client = connect_to(SOCK_DGRAM, t.port);
	question_and_answer(&t);
	assert_int_not_equal(t.from.sin_port, flow);
	wait_counter(&t.p.stats->flows, 2);
	end(&t);
}

/* A connected client takes answers from the address it asked alone. */
static void answers_from_the_address_asked(void **state)
{
	struct sockaddr_in any = {.sin_family = AF_INET}, other = loopback(0);
	struct udp_test t;

	(void)state;
	start(&t);
	close(t.p.sockets[0]);
	t.p.sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	any.sin_port = htons(t.port);
	assert_int_equal(bind(t.p.sockets[0], (struct sockaddr *)&any, sizeof(any)), 0);
	free(t.p.args[t.p.n_args - 1]);
	t.p.n_args--;
	proxy_arg(&t.p, "%u:%u/udp", t.port, port_of(t.server));
	proxy_start(&t.p);
	for (int i = 2; i < 5; i++) {
		other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
		other.sin_port = htons(t.port);
		t.client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(t.client, (struct sockaddr *)&other, sizeof(other)), 0);
		question_and_answer(&t);
		close(t.client);
	}
	t.client = -1;
	end(&t);
}

static void answers_over_ipv6(void **state)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	struct sockaddr_in other = loopback(0);
	socklen_t len = sizeof(a);
	struct udp_test t;

	(void)state;
	t.server = bound(SOCK_DGRAM);
	proxy_init(&t.p);
	t.p.sockets[t.p.n_sockets++] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(t.p.sockets[0], (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(t.p.sockets[0], (struct sockaddr *)&a, &len), 0);
	proxy_arg(&t.p, "--forward");
	proxy_arg(&t.p, "%u:%u/udp", ntohs(a.sin6_port), port_of(t.server));
	proxy_start(&t.p);
	a.sin6_addr = in6addr_loopback;
	t.client = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(t.client, (struct sockaddr *)&a, sizeof(a)), 0);
	question_and_answer(&t);
	close(t.client);
	/* IPv4 through the same socket */
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6);
	other.sin_port = a.sin6_port;
	t.client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(t.client, (struct sockaddr *)&other, sizeof(other)), 0);
	question_and_answer(&t);
	end(&t);
}

/* The server comes after the datagram. */
static void first_datagram_is_delivered(void **state)
{
	struct sockaddr_in a;
	struct udp_test t;
	uint16_t target;

	(void)state;
	start(&t);
	target = port_of(t.server);
	close(t.server);
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	proxy_arg(&t.p, "--target");
	proxy_arg(&t.p, "127.0.0.7");
	t.client = connect_to(SOCK_DGRAM, t.port);
	send_text(t.client, "wake up");
	proxy_start(&t.p);
	wait_counter(&t.p.stats->flows, 1);
	usleep(120000);
	t.server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	a = loopback(target);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 6); /* the second address */
	assert_int_equal(bind(t.server, (struct sockaddr *)&a, sizeof(a)), 0);
	expect_datagram(t.server, "wake up", &t.from);
	assert_int_equal(sendto(t.server, "yes", 3, 0, (struct sockaddr *)&t.from, sizeof(t.from)), 3);
	expect_datagram(t.client, "yes", NULL);
	question_and_answer(&t);
	assert_int_equal(t.p.stats->datagrams_dropped, 0);
	end(&t);
}

static void expect_expiry(const char *option, const char *shorter)
{
	struct udp_test t;

	start(&t);
	proxy_arg(&t.p, "%s", shorter);
	proxy_arg(&t.p, "300ms");
	proxy_arg(&t.p, "%s", option);
	proxy_arg(&t.p, "infinity");
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	for (int i = 0; i < 5; i++) { /* used, it stays */
		uint16_t flow = t.from.sin_port;

		question_and_answer(&t);
		assert_true(i == 0 || t.from.sin_port == flow);
		usleep(100000);
	}
	wait_counter(&t.p.stats->flows, 0);
	assert_int_equal(t.p.stats->flows_total, 1);
	question_and_answer(&t);
	end(&t);
}

/* The shorter of the two counts. */
static void flows_expire(void **state)
{
	(void)state;
	expect_expiry("--flow-timeout", "--connection-timeout");
	expect_expiry("--connection-timeout", "--flow-timeout");
}

static void flows_for_ever(void **state)
{
	struct udp_test t;
	uint16_t flow;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--flow-timeout");
	proxy_arg(&t.p, "infinity");
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	question_and_answer(&t);
	flow = t.from.sin_port;
	usleep(200000);
	question_and_answer(&t);
	assert_int_equal(t.from.sin_port, flow);
	assert_int_equal(t.p.stats->flows_total, 1);
	end(&t);
}

/* The oldest flow makes room. */
static void flows_are_bounded(void **state)
{
	enum { CLIENTS = 40 };
	struct udp_test t;
	int clients[CLIENTS];
	uint64_t most;

	(void)state;
	start(&t);
	t.p.descriptors = 100;
	proxy_start(&t.p);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = t.client = connect_to(SOCK_DGRAM, t.port);
		question_and_answer(&t);
	}
	wait_counter(&t.p.stats->flows_total, CLIENTS);
	most = t.p.stats->flows;
	assert_true(most >= 5 && most < CLIENTS);
	t.client = clients[0];
	question_and_answer(&t);
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	t.client = -1;
	end(&t);
}

static void datagrams_share_the_idle_clock(void **state)
{
	struct udp_test t;
	uint64_t last = 0;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--idle-timeout");
	proxy_arg(&t.p, "300ms");
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	for (int i = 0; i < 8; i++) {
		question_and_answer(&t);
		last = now_usec();
		usleep(100000);
	}
	assert_int_equal(proxy_wait(&t.p), 0);
	assert_in_range(now_usec() - last, 250000, 2000000);
	close(t.client);
	close(t.server);
}

/* A server that goes on talking to a client who is gone. */
static void what_the_server_says_is_no_data(void **state)
{
	static const int how = WEXITED | WNOHANG | WNOWAIT;
	siginfo_t gone = {};
	struct udp_test t;
	uint64_t last;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--idle-timeout");
	proxy_arg(&t.p, "300ms");
	proxy_arg(&t.p, "--hold");
	proxy_arg(&t.p, "data");
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	question_and_answer(&t);
	last = now_usec();
	while (now_usec() - last < 5 * USEC_PER_SEC && waitid(P_PID, (id_t)t.p.pid, &gone, how) == 0 && !gone.si_pid) {
		(void)sendto(t.server, "x", 1, 0, (struct sockaddr *)&t.from, sizeof(t.from));
		usleep(50000);
	}
	assert_int_equal(proxy_wait(&t.p), 0);
	assert_in_range(now_usec() - last, 250000, 2000000);
	close(t.client);
	close(t.server);
}

/* Sizes from nothing to the largest, in bursts, one client joined by the kernel (UDP_SEGMENT). */
static void sizes_and_bursts(void **state)
{
	static const size_t sizes[] = {0, 1, 64, 1472, 9000, 65507};
	static char sent[65507], received[65536];
	int segment = 1000, size = 4 << 20;
	struct udp_test t;

	(void)state;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7);
	start(&t);
	setsockopt(t.server, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(t.p.sockets[0], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
			assert_int_equal(send(t.client, sent, sizes[i], 0), sizes[i]);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			assert_int_equal(receive(t.server, received, sizeof(received), &t.from), sizes[i]);
			assert_memory_equal(received, sent, sizes[i]);
			assert_int_equal(
				sendto(t.server, sent, sizes[i], 0, (struct sockaddr *)&t.from, sizeof(t.from)),
				sizes[i]);
			assert_int_equal(receive(t.client, received, sizeof(received), NULL), sizes[i]);
		}
	}
	assert_int_equal(setsockopt(t.client, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	assert_int_equal(send(t.client, sent, 20500, 0), 20500);
	for (size_t at = 0; at < 20500; at += 1000) {
		size_t n = at == 20000 ? 500 : 1000;

		assert_int_equal(receive(t.server, received, sizeof(received), NULL), n);
		assert_memory_equal(received, sent + at, n);
	}
	end(&t);
}

/* Without a server for a while: errors mean nothing, and it goes on when the server is back. */
static void server_restarts(void **state)
{
	struct sockaddr_in a;
	struct udp_test t;

	(void)state;
	start(&t);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_DGRAM, t.port);
	question_and_answer(&t);
	a = loopback(port_of(t.server));
	close(t.server);
	for (int i = 0; i < 5; i++) {
		send_text(t.client, "lost");
		usleep(5000);
	}
	t.server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(t.server, (struct sockaddr *)&a, sizeof(a)), 0);
	question_and_answer(&t);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo),
		cmocka_unit_test(answers_from_the_address_asked),
		cmocka_unit_test(answers_over_ipv6),
		cmocka_unit_test(first_datagram_is_delivered),
		cmocka_unit_test(flows_expire),
		cmocka_unit_test(flows_for_ever),
		cmocka_unit_test(flows_are_bounded),
		cmocka_unit_test(datagrams_share_the_idle_clock),
		cmocka_unit_test(what_the_server_says_is_no_data),
		cmocka_unit_test(sizes_and_bursts),
		cmocka_unit_test(server_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
