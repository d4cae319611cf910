/* --transparent: whose address a target sees, in a network namespace of the test's own. */
#include "tests/unit/refusal_fixture.h"
#include "tests/unit/relay_fixture.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "handover/mark.h"
#include "relay/connect.h"
#include "relay/source.h"
#include "tests/unit/address_fixture.h"

static struct relay r;
static struct connection *c;
static int client, said;

static void note_anonymous(struct service *s)
{
	(void)s;
	said++;
}

/* A client that has this address, of a listener of that one; NULL: of a Unix socket. */
static void begin(const char *listens, const char *connects, bool inside)
{
	int listener, on = 1, fds[2];
	struct address a, b;
	socklen_t len;

	relay_begin(&r, SOCK_STREAM);
	r.service.say_anonymous = note_anonymous;
	r.service.mark = TRANSPARENT_MARK;
	if (inside)
		r.service.outside.kind = OUTSIDE_SOURCES; /* where loopback is a local client */
	said = 0;
	if (!listens) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		client = fds[1];
		c = relay_connection(&r, fds[0]);
		return;
	}
	a = address_of(listens, 0);
	b = address_of(connects, 0);
	len = a.len;
	listener = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, &a.any, a.len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &a.any, &len), 0);
	client = socket(b.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(client, &b.any, b.len), 0);
	if (b.any.sa_family == AF_INET)
		b.in.sin_port = a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port;
	else
		b.in6.sin6_port = a.in6.sin6_port;
	assert_int_equal(connect(client, &b.any, b.len), 0);
	c = relay_connection(&r, accept_from(listener));
	close(listener);
}

static void end(void)
{
	relay_end(&r);
	close(client);
}

static const struct {
	const char *listens, *connects;
	bool inside;
	int family;
} clients[] = {
	{NULL, NULL, false, AF_UNSPEC},
	{"127.0.0.1", "127.0.0.1", false, AF_INET},
	{"127.0.0.1", "127.0.0.1", true, AF_UNSPEC}, /* a server would take it for a local one in any case */
	{"::1", "::1", false, AF_INET6},
	{"::1", "::1", true, AF_UNSPEC},
	{"::", "127.0.0.1", false, AF_INET}, /* mapped */
	{"::", "127.0.0.1", true, AF_UNSPEC},
};

static void families(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(clients) / sizeof(*clients); k++) {
		begin(clients[k].listens, clients[k].connects, clients[k].inside);
		assert_int_equal(source_family(&r.worker, c), clients[k].family);
		assert_false(c->anonymous);
		end();
	}
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* A socket of the client's family takes its address and port, and the mark that leads answers back. */
static void the_clients_address_is_taken(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(clients) / sizeof(*clients); k++) {
		static const int families[] = {AF_INET, AF_INET6};

		for (size_t f = 0; f < 2; f++) {
			int fd = socket(families[f], SOCK_STREAM | SOCK_CLOEXEC, 0);
			bool fits = clients[k].family == families[f];
			struct address own = {}, theirs = {};
			socklen_t len = sizeof(own.storage), their_len = sizeof(theirs.storage);

			begin(clients[k].listens, clients[k].connects, clients[k].inside);
			assert_int_equal(source_bind(&r.worker, c, fd, families[f]), fits);
			assert_int_equal(c->anonymous, !fits);
			/* Only what was not intended is told. */
			assert_int_equal(said, !fits && !clients[k].inside);
			if (fits) {
				assert_int_equal(getsockname(fd, &own.any, &len), 0);
				assert_int_equal(getsockname(client, &theirs.any, &their_len), 0);
				assert_int_equal(len, their_len);
				assert_memory_equal(&own.storage, &theirs.storage, len);
				assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
				assert_int_equal(option(fd, SOL_SOCKET, SO_MARK), TRANSPARENT_MARK);
				assert_int_equal(families[f] == AF_INET ? option(fd, IPPROTO_IP, IP_TRANSPARENT)
									: option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT),
						 1);
			}
			end();
			close(fd);
		}
	}
}

/* Without the right to any of this, the target sees the proxy; that is told once. */
static const struct {
	int call;
	unsigned argument;
	uint64_t value;
} refusals[] = {
	{SYS_bind, 0, UINT64_MAX},    {SYS_getpeername, 0, UINT64_MAX},	   {SYS_setsockopt, 2, SO_REUSEADDR},
	{SYS_setsockopt, 2, SO_MARK}, {SYS_setsockopt, 2, IP_TRANSPARENT},
};

static size_t at;

static bool gives_up(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (refusals[at].value == UINT64_MAX)
		refuse_call(refusals[at].call, EPERM);
	else
		refuse_call_with(refusals[at].call, refusals[at].argument, refusals[at].value, EPERM);
	return !source_bind(&r.worker, c, fd, AF_INET) && c->anonymous && said == 1;
}

static void what_is_refused_is_done_without(void **state)
{
	(void)state;
	begin("127.0.0.1", "127.0.0.1", false);
	for (at = 0; at < sizeof(refusals) / sizeof(*refusals); at++) {
		if (!child_says(gives_up))
			fail_msg("case %zu", at);
	}
	source_give_up(&r.worker, c);
	source_give_up(&r.worker, c);
	assert_int_equal(said, 1);
	end();
}

static void aim_at(int target, struct sockaddr_in address)
{
	*(struct sockaddr_in *)&r.targets[target].addr = address;
	r.targets[target].len = sizeof(address);
	r.forward.n_targets = 1 + (size_t)target;
}

/* A client may use one port for two ports of ours, and both may lead to one target. */
static void a_pair_that_is_connected_already_is_done_without(void **state)
{
	int server = bound(SOCK_STREAM), other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in own, to = loopback(port_of(server));
	socklen_t len = sizeof(own);

	(void)state;
	begin("127.0.0.1", "127.0.0.1", false);
	r.config.transparent = true;
	aim_at(0, to);
	assert_int_equal(getsockname(client, (struct sockaddr *)&own, &len), 0);
	assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(other, (struct sockaddr *)&own, len), 0);
	assert_int_equal(connect(other, (struct sockaddr *)&to, sizeof(to)), 0);
	connect_target(&r.worker, c);
	assert_int_equal(c->state, CONNECTION_CONNECTING);
	assert_true(c->anonymous);
	assert_int_equal(said, 1);
	end();
	close(other);
	close(server);
}

static void a_target_out_of_reach_is_no_reason_to_hide_the_client(void **state)
{
	int server = bound(SOCK_STREAM);

	(void)state;
	begin("127.0.0.1", "127.0.0.1", false);
	r.config.transparent = true;
	aim_at(0, (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xcb007101), .sin_port = 1});
	aim_at(1, loopback(port_of(server)));
	connect_target(&r.worker, c);
	assert_int_equal(c->state, CONNECTION_CONNECTING);
	assert_int_equal(c->attempt, 1);
	assert_false(c->anonymous);
	assert_int_equal(said, 0);
	end();
	close(server);
}

/* A server that has just begun to listen for others may be about to listen for this one. */
static void who_could_be_shown_waits_until_the_server_has_settled(void **state)
{
	struct address a = address_of("::1", 0);
	int server = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), nobody = bound(SOCK_STREAM);
	struct sockaddr_in refuses = loopback(port_of(nobody));
	socklen_t len = a.len;

	(void)state;
	close(nobody);
	assert_int_equal(bind(server, &a.any, a.len), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, &a.any, &len), 0);
	for (int k = 0; k < 3; k++) {
		begin("127.0.0.1", "127.0.0.1", false);
		r.config.transparent = true;
		r.service.settles = k == 0 ? USEC_INFINITY : 0;
		r.forward.deadline = k == 1 ? 0 : USEC_INFINITY;
		aim_at(0, refuses);
		memcpy(&r.targets[1].addr, &a.storage, a.len);
		r.targets[1].len = a.len;
		r.forward.n_targets = 2;
		connect_target(&r.worker, c);
		for (int turns = 0; c->state == CONNECTION_CONNECTING && said == 0; turns++) {
			assert_true(turns < 1000);
			relay_turn(&r);
		}
		assert_int_equal(c->state, k == 0 ? CONNECTION_WAITING : CONNECTION_CONNECTING);
		assert_int_equal(said, k != 0);
		end();
	}
	close(server);
}

static int own_network(void **state)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, r0;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r0 = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return r0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families),
		cmocka_unit_test(a_pair_that_is_connected_already_is_done_without),
		cmocka_unit_test(a_target_out_of_reach_is_no_reason_to_hide_the_client),
		cmocka_unit_test(who_could_be_shown_waits_until_the_server_has_settled),
		cmocka_unit_test(the_clients_address_is_taken),
		cmocka_unit_test(what_is_refused_is_done_without),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
