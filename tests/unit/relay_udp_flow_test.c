/* The flows of a UDP port, turn by turn: which target gets the first datagram, and what is counted. */
#include "tests/unit/relay_fixture.h"

#include <netinet/udp.h>
#include <sys/syscall.h>

#include "relay/datagram.h"
#include "relay/udp.h"

#define RETRY_USEC (50 * USEC_PER_MSEC)

static struct relay r;
static int client, servers[2];	  /* -1: nobody is at the port */
static int joined, sent_together; /* calls */

/* In place of the C library's. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	joined += level == IPPROTO_UDP && option == UDP_GRO;
	return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	sent_together++;
	return (int)syscall(SYS_sendmmsg, fd, messages, n, flags);
}

static void begin(void)
{
	struct error err;

	relay_begin(&r, SOCK_DGRAM);
	r.config.flow_timeout = USEC_INFINITY;
	r.forward.fd = bound(SOCK_DGRAM);
	assert_int_equal(fcntl(r.forward.fd, F_SETFL, O_NONBLOCK), 0);
	r.forward.n_targets = 2;
	for (int k = 0; k < 2; k++) {
		servers[k] = bound(SOCK_DGRAM);
		*(struct sockaddr_in *)&r.targets[k].addr = loopback(port_of(servers[k]));
		r.targets[k].len = sizeof(struct sockaddr_in);
	}
	assert_int_equal(udp_open(&r.worker, &r.worker.udp, &err), 0);
	assert_int_equal(udp_start(r.worker.udp, &err), 0);
	client = connect_to(SOCK_DGRAM, port_of(r.forward.fd));
}

static void end(void)
{
	close(client);
	close(r.forward.fd);
	for (int k = 0; k < 2; k++)
		close(servers[k]);
	r.service.descriptors.free = RELAY_BUDGET; /* flows live as long as the process */
	relay_end(&r);
}

static void leave(int server)
{
	close(servers[server]);
	servers[server] = -1;
}

static void come_back(int server)
{
	servers[server] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(servers[server], (struct sockaddr *)&r.targets[server].addr, sizeof(struct sockaddr_in)),
			 0);
}

static void turns(void)
{
	for (int k = 0; k < 6; k++)
		relay_turn(&r);
}

static void say(const char *text)
{
	send_text(client, text);
	turns();
}

/* Returns where it came from. */
static struct sockaddr_in expect_heard(int server, const char *text)
{
	char data[64];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	if (wait_readable(servers[server]) != 1)
		fail_msg("'%s' did not come", text);
	assert_int_equal(recvfrom(servers[server], data, sizeof(data), 0, (struct sockaddr *)&from, &len),
			 strlen(text));
	assert_memory_equal(data, text, strlen(text));
	return from;
}

static void expect_silence(int fd)
{
	assert_int_equal(recv(fd, &(char){0}, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void answer(int server, const struct sockaddr_in *to, const char *text)
{
	assert_int_equal(sendto(servers[server], text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to)),
			 strlen(text));
	turns();
	expect_text(client, text);
}

static uint64_t value(const _Atomic uint64_t *counter)
{
	return count_get(counter);
}

/* The timers that are due then. */
static void fire(uint64_t now)
{
	r.worker.loop.now = now;
	for (struct timer *t = r.worker.loop.timers; t; t = t->next) {
		if (t->when <= now)
			relay_fire(&r, t, now);
	}
}

static void who_refuses_is_passed_over(void **state)
{
	const struct counters *n = &r.worker.counters;
	struct sockaddr_in from;

	(void)state;
	begin();
	leave(0);
	say("one");
	(void)expect_heard(1, "one");
	say("two");
	from = expect_heard(1, "two");
	answer(1, &from, "yes");
	assert_int_equal(atomic_load(&r.forward.preferred), 1);
	assert_int_equal(value(&n->bytes[CLIENT]), 6);
	assert_int_equal(value(&n->bytes[TARGET]), 3);
	assert_int_equal(value(&n->flows), 1);
	assert_int_equal(value(&n->holders), 1);
	assert_int_equal(value(&n->datagrams_dropped), 0);
	/* The next client's flow begins with the one that has answered. */
	come_back(0);
	close(client);
	client = connect_to(SOCK_DGRAM, port_of(r.forward.fd));
	say("three");
	(void)expect_heard(1, "three");
	expect_silence(servers[0]);
	assert_int_equal(value(&n->flows), 2);
	end();
}

/* A server that has answered once may be away for a while. */
static void who_has_answered_is_not_left(void **state)
{
	struct sockaddr_in from;

	(void)state;
	begin();
	say("one");
	from = expect_heard(0, "one");
	answer(0, &from, "yes");
	leave(0);
	say("lost");
	say("lost");
	expect_silence(servers[1]);
	come_back(0);
	say("two");
	say("three");
	(void)expect_heard(0, "two");
	(void)expect_heard(0, "three");
	expect_silence(servers[1]);
	assert_int_equal(value(&r.worker.counters.flows), 1);
	end();
}

static void the_first_one_waits_for_a_server(void **state)
{
	const struct counters *n = &r.worker.counters;

	(void)state;
	begin();
	r.forward.deadline = RELAY_NOW + 2 * RETRY_USEC;
	leave(0);
	leave(1);
	say("one");
	assert_int_equal(value(&n->flows), 1);
	say("two"); /* only one is kept */
	assert_int_equal(value(&n->datagrams_dropped), 1);
	fire(RELAY_NOW + RETRY_USEC);
	turns();
	assert_int_equal(value(&n->flows), 1);
	come_back(1);
	fire(RELAY_NOW + 2 * RETRY_USEC);
	turns();
	(void)expect_heard(1, "one");
	say("three");
	(void)expect_heard(1, "three");
	assert_int_equal(value(&n->datagrams_dropped), 1);
	end();
}

static void when_its_time_is_over_it_is_lost(void **state)
{
	const struct counters *n = &r.worker.counters;

	(void)state;
	begin();
	leave(0);
	leave(1);
	say("one");
	assert_int_equal(value(&n->flows), 0);
	assert_int_equal(value(&n->flows_total), 1);
	assert_int_equal(value(&n->datagrams_dropped), 1);
	assert_int_equal(r.service.descriptors.free, RELAY_BUDGET);
	come_back(0);
	say("two"); /* tries all again */
	(void)expect_heard(0, "two");
	assert_int_equal(value(&n->datagrams_dropped), 1);
	end();
}

static void no_descriptor_is_no_flow(void **state)
{
	(void)state;
	begin();
	r.service.descriptors.free = 0;
	say("one");
	assert_int_equal(value(&r.worker.counters.flows_total), 0);
	assert_int_equal(value(&r.worker.counters.holders), 0);
	assert_int_equal(value(&r.worker.counters.datagrams_dropped), 1);
	end();
}

static void what_counts_as_a_use(void **state)
{
	struct cidr range;
	struct error err;

	(void)state;
	assert_int_equal(cidr_parse("127.0.0.0/8", &range, &err), 0);
	for (int k = 0; k < 4; k++) {
		bool hold_data = k & 1, no_hold = k & 2;
		const struct counters *n = &r.worker.counters;
		struct sockaddr_in from;

		begin();
		r.config.hold_data = hold_data;
		r.config.no_hold = &range;
		r.config.n_no_hold = no_hold;
		count_set(&r.worker.counters.last_activity, 7);
		say("one");
		assert_int_equal(value(&n->last_activity), no_hold ? 7 : RELAY_NOW);
		assert_int_equal(value(&n->holders), !no_hold);
		from = expect_heard(0, "one");
		r.worker.loop.now = 2000;
		answer(0, &from, "yes");
		assert_int_equal(value(&n->last_activity), no_hold ? 7 : hold_data ? RELAY_NOW : 2000);
		end();
	}
}

/* Only what it is asked to is forwarded any more. */
static void a_port_can_be_left(void **state)
{
	(void)state;
	begin();
	udp_stop(r.worker.udp);
	say("one");
	assert_int_equal(value(&r.worker.counters.flows_total), 0);
	udp_now(r.worker.udp);
	(void)expect_heard(0, "one");
	assert_int_equal(value(&r.worker.counters.flows_total), 1);
	udp_stop(NULL); /* without UDP ports */
	udp_now(NULL);
	end();
}

/* Two clients' datagrams that come at once, in turns. */
static void runs_are_told_apart(void **state)
{
	int other;

	(void)state;
	begin();
	other = connect_to(SOCK_DGRAM, port_of(r.forward.fd));
	say("ready?"); /* more are asked for from now on */
	(void)expect_heard(0, "ready?");
	for (int k = 0; k < 4; k++)
		send_text(k % 2 ? other : client, k % 2 ? "other" : "client");
	send_text(other, "other");
	sent_together = 0;
	turns();
	assert_int_equal(sent_together, 1); /* the last two, by one call */
	for (int k = 0; k < 5; k++) {
		char data[8] = "";

		assert_int_equal(wait_readable(servers[0]), 1);
		assert_true(recv(servers[0], data, sizeof(data), 0) >= 5);
	}
	expect_silence(servers[0]);
	assert_int_equal(value(&r.worker.counters.flows), 2);
	assert_int_equal(value(&r.worker.counters.bytes[CLIENT]), 6 + 2 * 6 + 3 * 5);
	assert_int_equal(value(&r.worker.counters.datagrams_dropped), 0);
	close(other);
	end();
}

/* The kernel joins the datagrams of a server that sends many at once. */
static void a_burst_of_answers_is_joined(void **state)
{
	struct sockaddr_in from;

	(void)state;
	begin();
	say("question");
	from = expect_heard(0, "question");
	joined = 0;
	answer(0, &from, "one");
	answer(0, &from, "two");
	assert_int_equal(joined, 0);
	for (int burst = 0; burst < 2; burst++) {
		for (int k = 0; k < 4 * BATCH_SIZE; k++)
			assert_int_equal(sendto(servers[0], "many", 4, 0, (struct sockaddr *)&from, sizeof(from)), 4);
		for (int k = 0; k < 4; k++)
			turns();
		for (int k = 0; k < 4 * BATCH_SIZE; k++)
			expect_text(client, "many");
	}
	assert_int_equal(joined, 1);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_refuses_is_passed_over),
		cmocka_unit_test(who_has_answered_is_not_left),
		cmocka_unit_test(the_first_one_waits_for_a_server),
		cmocka_unit_test(when_its_time_is_over_it_is_lost),
		cmocka_unit_test(no_descriptor_is_no_flow),
		cmocka_unit_test(what_counts_as_a_use),
		cmocka_unit_test(a_port_can_be_left),
		cmocka_unit_test(runs_are_told_apart),
		cmocka_unit_test(a_burst_of_answers_is_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
