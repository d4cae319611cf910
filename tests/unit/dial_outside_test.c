/* dial/outside.h: whom a server sees, which listens where it may, in a network namespace that nshelper has prepared. */
#include "tests/unit/proxy_fixture.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "common/cleanup.h"
#include "dial/outside.h"
#include "handover/exit.h"
#include "handover/mark.h"
#include "handover/outside.h"
#include "nshelper/outside.h"
#include "nshelper/transparent.h"
#include "tests/unit/address_fixture.h"

#define PORT	  80
#define OWN_IPV4  "10.9.8.7"
#define OWN_IPV6  "fd00:9::7"
#define SOURCES	  "SOCKWAKE_SOURCES=" OUTSIDE_IPV4 "," OUTSIDE_IPV6
#define ONLY_IPV4 "SOCKWAKE_SOURCES=" OUTSIDE_IPV4
#define HOST	  "SOCKWAKE_SOURCES=host"

static int server(int type, const char *address)
{
	struct address a = address_of(address, PORT);
	int fd = socket(a.any.sa_family, type | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &a.any, a.len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 10), 0);
	return fd;
}

static void assert_address(const struct address *a, const char *expected)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(
		inet_ntop(a->any.sa_family,
			  a->any.sa_family == AF_INET ? (const void *)&a->in.sin_addr : (const void *)&a->in6.sin6_addr,
			  text, sizeof(text)));
	assert_string_equal(text, expected);
}

static int accept_one_from(int listener, const char *expected)
{
	struct address peer = {0};
	socklen_t len = sizeof(peer.storage);
	int fd;

	assert_int_equal(wait_readable(listener), 1);
	fd = accept4(listener, &peer.any, &len, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_address(&peer, expected);
	return fd;
}

/* Without --target. */
static void init(struct proxy_run *p, const char *sources)
{
	proxy_init(p);
	while (p->n_args > 1)
		free(p->args[--p->n_args]);
	p->environment[0] = sources;
}

static void name_target(struct proxy_run *p, const char *target)
{
	proxy_arg(p, "--target");
	proxy_arg(p, "%s", target);
}

struct cell {
	const char *listens; /* the server */
	const char *sees;    /* as whom it sees its client */
	const char *target;  /* --target, or NULL */
	const char *sources;
};

static void converse_by_tcp(const struct cell *c, struct proxy_run *p)
{
	int listener = server(SOCK_STREAM, c->listens), client, accepted;
	uint16_t port = proxy_forward(p, SOCK_STREAM, PORT);

	if (c->target)
		name_target(p, c->target);
	proxy_start(p);
	client = connect_to(SOCK_STREAM, port);
	accepted = accept_one_from(listener, c->sees);
	send_text(client, "ping");
	expect_text(accepted, "ping");
	send_text(accepted, "pong");
	expect_text(client, "pong");
	close(client);
	close(accepted);
	close(listener);
	assert_int_equal(proxy_stop(p), 0);
}

static void converse_by_udp(const struct cell *c, struct proxy_run *p)
{
	int there = server(SOCK_DGRAM, c->listens), client;
	uint16_t port = proxy_forward(p, SOCK_DGRAM, PORT);
	struct address peer = {0};
	socklen_t len = sizeof(peer.storage);
	char text[8];

	if (c->target)
		name_target(p, c->target);
	proxy_start(p);
	client = connect_to(SOCK_DGRAM, port);
	send_text(client, "ping");
	assert_int_equal(wait_readable(there), 1);
	assert_int_equal(recvfrom(there, text, sizeof(text), 0, &peer.any, &len), 4);
	assert_address(&peer, c->sees);
	assert_int_equal(sendto(there, "pong", 4, 0, &peer.any, len), 4);
	expect_text(client, "pong");
	close(client);
	close(there);
	assert_int_equal(proxy_stop(p), 0);
}

static void converse(const struct cell *cells, size_t n, void (*by)(const struct cell *c, struct proxy_run *p))
{
	for (size_t i = 0; i < n; i++) {
		struct proxy_run p;

		init(&p, cells[i].sources);
		by(&cells[i], &p);
	}
}
#define CONVERSE(cells, by) converse(cells, sizeof(cells) / sizeof(*(cells)), by)

static const struct cell by_itself[] = {
	{"127.0.0.1", OUTSIDE_IPV4, NULL, SOURCES},
	{"0.0.0.0", OUTSIDE_IPV4, NULL, SOURCES},
	{"::1", OUTSIDE_IPV6, NULL, SOURCES},
	{"::", "::ffff:" OUTSIDE_IPV4, NULL, SOURCES},
	{OWN_IPV4, OUTSIDE_IPV4, NULL, SOURCES},
	{OWN_IPV6, OUTSIDE_IPV6, NULL, SOURCES},
	{"0.0.0.0", OUTSIDE_IPV4, NULL, ONLY_IPV4},
	/* its host's, which is all there is */
	{"0.0.0.0", OWN_IPV4, NULL, HOST},
	{OWN_IPV4, OWN_IPV4, NULL, HOST},
	/* units of before, and by hand */
	{"127.0.0.1", "127.0.0.1", NULL, NULL},
};

static void connections(void **state)
{
	static const struct cell named[] = {
		{"0.0.0.0", "127.0.0.1", "127.0.0.1", SOURCES},
		{"127.0.0.2", "127.0.0.1", "127.0.0.2", SOURCES},
		{"::1", "::1", "::1", SOURCES},
		{"127.0.0.1", OUTSIDE_IPV4, "0.0.0.0", SOURCES}, /* which is no name for loopback */
		{"::1", OUTSIDE_IPV6, "::", SOURCES},
		{"0.0.0.0", OUTSIDE_IPV4, OUTSIDE_IPV4, SOURCES},
		{OWN_IPV4, OUTSIDE_IPV4, OWN_IPV4, SOURCES},
		{"0.0.0.0", OUTSIDE_IPV4, OWN_IPV4, SOURCES},
		{OWN_IPV6, OUTSIDE_IPV6, OWN_IPV6, SOURCES},
		{"127.0.0.1", "127.0.0.1", "127.0.0.1", ONLY_IPV4},
		{"127.0.0.1", "127.0.0.1", "127.0.0.1", HOST},
	};

	(void)state;
	CONVERSE(by_itself, converse_by_tcp);
	CONVERSE(named, converse_by_tcp);
}

static void datagrams(void **state)
{
	static const struct cell named[] = {
		{"0.0.0.0", "127.0.0.1", "127.0.0.1", SOURCES},
		{"0.0.0.0", OWN_IPV4, OWN_IPV4, SOURCES}, /* or its answer would be lost */
		{OWN_IPV6, OWN_IPV6, OWN_IPV6, SOURCES},
	};

	(void)state;
	CONVERSE(by_itself, converse_by_udp);
	CONVERSE(named, converse_by_udp);
}

/* By the server's process as well. */
static void health_checks(void **state)
{
	int listener = server(SOCK_STREAM, "127.0.0.1"), asked;
	struct proxy_run p;

	(void)state;
	init(&p, SOURCES);
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "redis");
	(void)proxy_forward(&p, SOCK_STREAM, PORT);
	proxy_spawn(&p);
	asked = accept_one_from(listener, OUTSIDE_IPV4);
	send_text(asked, "+PONG\r\n");
	proxy_expect_status(&p, "READY=1");
	close(asked);
	close(listener);
	assert_int_equal(proxy_stop(&p), 0);
}

static void checks_of_other_containers(void **state)
{
	int listener = server(SOCK_STREAM, "127.0.0.1"), asked;
	struct proxy_run p;

	(void)state;
	init(&p, SOURCES);
	proxy_arg(&p, "--await");
	proxy_arg(&p, "%d", PORT);
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "redis");
	proxy_spawn(&p);
	asked = accept_one_from(listener, OUTSIDE_IPV4);
	send_text(asked, "+PONG\r\n");
	assert_int_equal(proxy_wait(&p), 0);
	close(asked);
	close(listener);
}

/* Who is told of a local client in a header trusts it as much. */
static void the_proxy_protocol_tells_of_outsiders(const char *sources, const char *seen)
{
	int listener = server(SOCK_STREAM, "127.0.0.1"), client, accepted;
	struct proxy_run p;
	char header[128];
	uint16_t port;

	init(&p, sources);
	proxy_arg(&p, "--proxy-protocol");
	proxy_arg(&p, "v1");
	port = proxy_forward(&p, SOCK_STREAM, PORT);
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	accepted = accept_one_from(listener, seen);
	snprintf(header, sizeof(header), "PROXY TCP4 %s 127.0.0.1 %u %u\r\n", seen, port_of(client), port);
	expect_text(accepted, header);
	close(client);
	close(accepted);
	close(listener);
	assert_int_equal(proxy_stop(&p), 0);
}

static void the_proxy_protocol(void **state)
{
	(void)state;
	the_proxy_protocol_tells_of_outsiders(SOURCES, OUTSIDE_IPV4);
	the_proxy_protocol_tells_of_outsiders(NULL, "127.0.0.1"); /* the network is the host's */
}

static void disguises(void **state)
{
	static const struct {
		const char *client, *seen;
	} cells[] = {
		{"127.0.0.9", OUTSIDE_IPV4},
		{"::1", OUTSIDE_IPV6},
		{"::ffff:127.0.0.1", "::ffff:" OUTSIDE_IPV4},
		{"192.0.2.77", "192.0.2.77"},
		{"2001:db8::1", "2001:db8::1"},
	};
	const struct outside o = {.kind = OUTSIDE_SOURCES};

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		struct address a = address_of(cells[i].client, 4711), expected = address_of(cells[i].seen, 4711);
		struct sockaddr_storage storage = {};

		storage = a.storage;
		outside_disguise(&o, &storage);
		assert_memory_equal(&storage, &expected.storage, expected.len);
	}
}

/* With --transparent as well, which shows everybody else. */
static void local_clients_are_shown_as_outsiders(void **state)
{
	static const struct {
		const char *client, *sources, *seen;
	} cells[] = {
		{"127.0.0.1", SOURCES, OUTSIDE_IPV4},
		{OWN_IPV4, SOURCES, OUTSIDE_IPV4},
		{"192.0.2.77", SOURCES, "192.0.2.77"},
		{"127.0.0.1", NULL, "127.0.0.1"},
	};
	struct error err = {.text = ""};

	(void)state;
	if (transparent_install(TRANSPARENT_MARK, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		int listener = server(SOCK_STREAM, "0.0.0.0"), outer, client, accepted, on = 1;
		unsigned mark = TRANSPARENT_MARK;
		struct address from, to;
		struct proxy_run p;

		init(&p, cells[i].sources);
		proxy_arg(&p, "--transparent");
		proxy_arg(&p, "--forward");
		proxy_arg(&p, "0.0.0.0:8088:%d", PORT);
		to = address_of("0.0.0.0", 8088);
		outer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(outer, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		assert_int_equal(bind(outer, &to.any, to.len), 0);
		assert_int_equal(listen(outer, 10), 0);
		p.sockets[p.n_sockets++] = outer;
		proxy_start(&p);
		/* The mark leads back to one that comes from elsewhere. */
		from = address_of(cells[i].client, 0);
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
		assert_int_equal(setsockopt(client, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)), 0);
		assert_int_equal(bind(client, &from.any, from.len), 0);
		to = address_of("127.0.0.1", 8088);
		assert_int_equal(connect(client, &to.any, to.len), 0);
		accepted = accept_one_from(listener, cells[i].seen);
		send_text(client, "ping");
		expect_text(accepted, "ping");
		close(client);
		close(accepted);
		close(listener);
		assert_int_equal(proxy_stop(&p), 0);
	}
}

/* Nothing is dialled in another way than was meant. */
static void refused(const char *listens, const char *sources, const char *target, const char *why)
{
	int listener = server(SOCK_STREAM, listens);
	struct pollfd came = {.fd = listener, .events = POLLIN};
	struct proxy_run p;

	init(&p, sources);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "1");
	if (target)
		name_target(&p, target);
	(void)proxy_forward(&p, SOCK_STREAM, PORT);
	proxy_spawn(&p);
	proxy_expect_status(&p, why);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	assert_int_equal(poll(&came, 1, 0), 0);
	close(listener);
}

static void there_is_no_way_back_to_loopback(void **state)
{
	(void)state;
	refused("::1", ONLY_IPV4, NULL, "not ready in time");
	refused(OWN_IPV6, ONLY_IPV4, OWN_IPV6, "without IPv6");
	refused("127.0.0.1", HOST, NULL, "--target 127.0.0.1");
	refused("::1", HOST, NULL, "on the host's loopback alone");
	refused("127.0.0.1", "SOCKWAKE_SOURCES=nonsense", NULL, "'nonsense'");
}

/* Somebody has taken the route away: the client is turned away rather than taken for a local one. */
static void without_the_route(void **state)
{
	int listener = server(SOCK_STREAM, "127.0.0.1"), client;
	struct pollfd came = {.fd = listener, .events = POLLIN};
	struct error err = {.text = ""};
	struct proxy_run p;
	uint16_t port;
	bool ipv6;

	(void)state;
	assert_int_equal(system("ip route del local " OUTSIDE_IPV4 " table local"), 0);
	init(&p, SOURCES);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "1");
	port = proxy_forward(&p, SOCK_STREAM, PORT);
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(poll(&came, 1, 0), 0);
	close(client);
	close(listener);
	assert_int_equal(proxy_stop(&p), 0);
	assert_int_equal(outside_install(&ipv6, &err), 0);
}

/* A target of another machine is none that could take us for itself, and would not find the way back. */
static void targets_elsewhere(void **state)
{
	static const char *const elsewhere[] = {"203.0.113.9", "2001:db8::9"};
	_cleanup_(outside_clear) struct outside o = {};
	struct error err;

	(void)state;
	setenv("SOCKWAKE_SOURCES", OUTSIDE_IPV4 "," OUTSIDE_IPV6, 1);
	assert_int_equal(outside_open(&o, true, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		struct address a = address_of(elsewhere[i], 0);
		struct target t = {.addr = a.storage};
		size_t n = 1;

		assert_int_equal(outside_arrange(&o, true, &t, &n, &err), 0);
		assert_int_equal(n, 1);
		assert_null(t.source);
	}
	unsetenv("SOCKWAKE_SOURCES");
}

static int prepare(void **state)
{
	struct error err = {.text = ""};
	bool ipv6 = false;

	(void)state;
	/* The machine's own network is left alone. */
	if (unshare(CLONE_NEWNET) < 0 ||
	    system("ip link set lo up && ip link add own type veth peer name other && ip link set own up && "
		   "ip addr add " OWN_IPV4 "/24 dev own && ip addr add " OWN_IPV6 "/64 dev own nodad") != 0) {
		perror("a network namespace is needed");
		return -1;
	}
	if (outside_install(&ipv6, &err) < 0 || !ipv6) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections),
		cmocka_unit_test(datagrams),
		cmocka_unit_test(health_checks),
		cmocka_unit_test(checks_of_other_containers),
		cmocka_unit_test(the_proxy_protocol),
		cmocka_unit_test(disguises),
		cmocka_unit_test(there_is_no_way_back_to_loopback),
		cmocka_unit_test(without_the_route),
		cmocka_unit_test(targets_elsewhere),
		cmocka_unit_test(local_clients_are_shown_as_outsiders),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
