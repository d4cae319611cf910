/* What is moved between two sockets, and how their ends are passed on, turn by turn. */
#include "tests/unit/relay_fixture.h"

#include <sys/ioctl.h>

#include "relay/keepalive.h"
#include "relay/packet.h"
#include "relay/pump.h"

#define KEEPALIVE (5 * USEC_PER_SEC)
#define LARGE	  (400U << 10) /* more than the buffer holds, and less than a socket */

static struct relay r;
static struct connection *c;
static int client, target; /* the peers' ends */

/* A connection to a target that is through. */
static void begin(int type)
{
	int a[2], b[2];

	relay_begin(&r, type);
	r.config.keepalive = KEEPALIVE;
	if (type != SOCK_STREAM)
		r.forward.family = AF_UNIX;
	relay_pair(type, a);
	relay_pair(type, b);
	client = a[1];
	target = b[1];
	c = relay_connection(&r, a[0]);
	c->ends[TARGET].watch.fd = b[0];
	c->ends[TARGET].read_on = type != SOCK_STREAM;
	assert_int_equal(loop_watch(&r.worker.loop, &c->ends[TARGET].watch, RELAY_EVENTS), 0);
}

static void end(void)
{
	relay_end(&r);
	close(client);
	close(target);
}

/* The loop is told late of what loopback brings at once; 20 s at most. */
static void turn_until(bool (*done)(void))
{
	for (int k = 0; !done(); k++) {
		assert_true(k < 20000);
		relay_turn(&r);
		if (!done())
			usleep(1000);
	}
}

static bool is_closed(void)
{
	return !r.worker.all;
}

static bool client_can_read(void)
{
	return poll(&(struct pollfd){.fd = client, .events = POLLIN}, 1, 0) == 1;
}

static bool target_can_read(void)
{
	return poll(&(struct pollfd){.fd = target, .events = POLLIN}, 1, 0) == 1;
}

static void what_came_before_is_moved_at_once(void **state)
{
	(void)state;
	begin(SOCK_STREAM);
	send_text(client, "question");
	send_text(target, "greeting");
	pump_start(&r.worker, c, 0);
	expect_text(target, "question");
	turn_until(client_can_read); /* what the target says is an event */
	expect_text(client, "greeting");
	assert_int_equal(c->state, CONNECTION_RELAYING);
	assert_int_equal(count_get(&r.worker.counters.bytes[CLIENT]), 8);
	assert_int_equal(count_get(&r.worker.counters.bytes[TARGET]), 8);
	assert_int_equal(c->last_active, RELAY_NOW);
	r.worker.loop.now = 2000;
	send_text(client, "more");
	turn_until(target_can_read);
	expect_text(target, "more");
	assert_int_equal(c->last_active, 2000);
	end();
}

static void ends_are_passed_on_one_by_one(void **state)
{
	(void)state;
	for (int first = CLIENT; first <= TARGET; first++) {
		int one, other;

		begin(SOCK_STREAM);
		one = first == CLIENT ? client : target;
		other = first == CLIENT ? target : client;
		pump_start(&r.worker, c, 0);
		send_text(one, "last words");
		assert_int_equal(shutdown(one, SHUT_WR), 0);
		turn_until(first == CLIENT ? target_can_read : client_can_read);
		expect_text(other, "last words");
		turn_until(first == CLIENT ? target_can_read : client_can_read);
		assert_int_equal(next_end(other), 0);
		assert_true(c->ends[first].eof);
		assert_true(c->ends[!first].shut);
		assert_false(c->ends[first].shut);
		/* Whoever is left by its server is probed later. */
		assert_int_equal(r.worker.probe.when, first == TARGET ? RELAY_NOW + KEEPALIVE : USEC_INFINITY);
		send_text(other, "answer");
		turn_until(first == CLIENT ? client_can_read : target_can_read);
		expect_text(one, "answer");
		assert_int_equal(shutdown(other, SHUT_WR), 0);
		turn_until(is_closed);
		assert_int_equal(next_end(one), 0);
		end();
	}
}

/* Small messages, however many, are not worth a pipe; bulk data are, unless some of them are urgent. */
static void only_bulk_takes_a_pipe(void **state)
{
	(void)state;
	begin(SOCK_STREAM);
	pump_start(&r.worker, c, 0);
	for (int k = 0; k < 8; k++) {
		send_text(client, "small");
		turn_until(target_can_read);
		expect_text(target, "small");
	}
	assert_int_equal(r.worker.pipes.count, 0);
	for (int urgent = 1; urgent >= 0; urgent--) {
		c->ends[CLIENT].full_reads = 4;
		c->ends[CLIENT].urgent = urgent;
		send_text(client, "bulk");
		turn_until(target_can_read);
		expect_text(target, "bulk");
		assert_int_equal(r.worker.pipes.count, !urgent);
	}
	end();
}

/* The client sends so many bytes, and all of them are there. */
static void send_bytes(size_t n)
{
	static char data[65536];
	int there = 0;

	assert_int_equal(send(client, data, n, 0), n);
	for (int k = 0; there < (int)n; k++) {
		assert_true(k < 20000);
		assert_int_equal(ioctl(c->ends[CLIENT].watch.fd, FIONREAD, &there), 0);
		if (there < (int)n)
			usleep(1000);
	}
}

/* From this amount of bytes on a turn counts as bulk, and from this number of full reads a pipe is worth it. */
static void where_bulk_begins(void **state)
{
	(void)state;
	for (size_t n = 32767; n <= 32768; n++) {
		begin(SOCK_STREAM);
		r.worker.loop.bulk = false;
		send_bytes(n);
		pump_start(&r.worker, c, 0);
		assert_int_equal(count_get(&r.worker.counters.bytes[CLIENT]), n);
		assert_int_equal(r.worker.loop.bulk, n >= 32768);
		assert_int_equal(c->ends[CLIENT].full_reads, 0);
		end();
	}
	for (uint16_t full = 3; full <= 4; full++) {
		begin(SOCK_STREAM);
		c->ends[CLIENT].full_reads = full;
		send_bytes(10);
		pump_start(&r.worker, c, 0);
		assert_int_equal(r.worker.pipes.count, full >= 4);
		end();
	}
}

/* A worker that holds much reads less from whom it must hold back. */
static void little_is_read_while_much_is_held(void **state)
{
	static const size_t most = 64UL << 20;

	(void)state;
	for (size_t held = most - 1; held <= most; held++) {
		static const char data[65536];

		begin(SOCK_STREAM);
		for (size_t n = sizeof(data); n > 0;) /* whose other end is full to the last byte */
			n = send(c->ends[TARGET].watch.fd, data, n, MSG_DONTWAIT) > 0 ? n : n / 2;
		r.worker.buffered = held;
		send_bytes(10000);
		pump_start(&r.worker, c, 0);
		assert_int_equal(c->ends[CLIENT].buffered_len, held < most ? 10000 : 4096);
		r.worker.buffered -= held;
		end();
	}
}

static void resets_are_passed_on(void **state)
{
	(void)state;
	for (int first = CLIENT; first <= TARGET; first++) {
		begin(SOCK_STREAM);
		pump_start(&r.worker, c, 0);
		reset_and_close(first == CLIENT ? client : target);
		turn_until(is_closed);
		assert_int_equal(next_end(first == CLIENT ? target : client), ECONNRESET);
		*(first == CLIENT ? &client : &target) = -1;
		end();
	}
}

/* Sends until nothing fits any more. Returns how much. */
static size_t fill(int fd)
{
	static char data[65536];
	size_t sum = 0;
	ssize_t n;

	for (size_t k = 0; k < sizeof(data); k++)
		data[k] = (char)(sum + k);
	for (int quiet = 0; quiet < 20;) { /* the other side is read meanwhile */
		n = send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);
		sum += n > 0 ? (size_t)n : 0;
		quiet = n > 0 ? 0 : quiet + 1;
		relay_turn(&r);
	}
	return sum;
}

static size_t drain(int fd, size_t expected)
{
	static char data[65536];
	size_t sum = 0;

	for (int k = 0; sum < expected && k < 20000; k++) {
		ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

		sum += n > 0 ? (size_t)n : 0;
		relay_turn(&r);
		if (n <= 0)
			usleep(1000);
	}
	return sum;
}

static void who_does_not_read_holds_the_other_up(void **state)
{
	size_t sent;

	(void)state;
	begin(SOCK_STREAM);
	pump_start(&r.worker, c, 0);
	sent = fill(client);
	assert_true(sent > LARGE);
	assert_true(connection_has_buffered(c));
	assert_false(c->ends[TARGET].writable);
	assert_true(c->ends[TARGET].watches_out);
	assert_false(r.worker.ready.first); /* it does not turn in vain */
	/* The other direction goes on. */
	send_text(target, "answer");
	turn_until(client_can_read);
	expect_text(client, "answer");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(drain(target, sent), sent);
	assert_int_equal(next_end(target), 0);
	assert_false(connection_has_buffered(c));
	assert_int_equal(r.worker.buffered, 0);
	assert_int_equal(count_get(&r.worker.counters.bytes[CLIENT]), sent);
	end();
}

static void a_connection_that_ends_passes_on_what_has_come(void **state)
{
	(void)state;
	begin(SOCK_STREAM);
	pump_start(&r.worker, c, 0);
	send_text(target, "the last answer");
	assert_int_equal(shutdown(target, SHUT_WR), 0);
	assert_int_equal(wait_readable(c->ends[TARGET].watch.fd), 1);
	usleep(1000);
	pump_finish(&r.worker, c);
	expect_text(client, "the last answer");
	assert_int_equal(next_end(client), 0);
	end();
	/* A connection without a server ends by a reset, and so does an answer that may not be whole. */
	begin(SOCK_STREAM);
	pump_start(&r.worker, c, 0);
	pump_finish(&r.worker, c);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(next_end(target), ECONNRESET);
	end();
	begin(SOCK_STREAM);
	pump_finish(&r.worker, c);
	assert_int_equal(next_end(client), ECONNRESET);
	end();
}

static void a_target_that_is_gone_is_heard_first(void **state)
{
	(void)state;
	begin(SOCK_STREAM);
	assert_true(pump_begin_with(c, "header", 6));
	expect_text(target, "header");
	reset_and_close(target);
	target = -1;
	assert_int_equal(wait_readable(c->ends[TARGET].watch.fd), 1);
	assert_true(pump_begin_with(c, "header", 6));
	assert_true(c->ends[TARGET].failed && c->ends[TARGET].read_on && c->ends[TARGET].readable);
	pump_start(&r.worker, c, 0);
	assert_true(is_closed());
	assert_int_equal(next_end(client), ECONNRESET);
	end();
	/* No room for it. */
	begin(SOCK_STREAM);
	while (send(c->ends[TARGET].watch.fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	assert_false(pump_begin_with(c, "header", 6));
	assert_false(c->ends[TARGET].failed);
	end();
}

static void packets_keep_their_bounds(void **state)
{
	static char large[LARGE];
	char data[16], *moved;
	bool is_end;
	int on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	begin(SOCK_SEQPACKET);
	send_text(client, "one");
	pump_start(&r.worker, c, 0);
	assert_int_equal(getsockopt(c->ends[CLIENT].watch.fd, SOL_SOCKET, SO_TIMESTAMP, &on, &len), 0);
	assert_int_not_equal(on, 0);
	assert_int_equal(getsockopt(c->ends[TARGET].watch.fd, SOL_SOCKET, SO_TIMESTAMP, &on, &len), 0);
	assert_int_not_equal(on, 0);
	assert_int_equal(recv(target, data, sizeof(data), 0), 3);
	/* An empty one is no end. */
	assert_int_equal(send(client, "", 0, 0), 0);
	send_text(client, "two");
	assert_int_equal(packet_receive(&r.worker, &c->ends[CLIENT], &moved, &is_end), 0);
	assert_false(is_end);
	assert_int_equal(packet_receive(&r.worker, &c->ends[CLIENT], &moved, &is_end), 3);
	assert_false(is_end);
	assert_ptr_equal(moved, r.worker.buffer);
	assert_int_equal(packet_receive(&r.worker, &c->ends[CLIENT], &moved, &is_end), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(is_end);
	/* One that the buffer is too small for, and the kernel's memory by default. */
	on = 4 * LARGE;
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_SNDBUFFORCE, &on, sizeof(on)), 0);
	assert_int_equal(send(client, large, sizeof(large), 0), sizeof(large));
	relay_turn(&r);
	assert_int_equal(recv(target, large, sizeof(large), MSG_TRUNC), sizeof(large));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(packet_receive(&r.worker, &c->ends[CLIENT], &moved, &is_end), 0);
	assert_true(is_end);
	end();
}

static void packets_wait_for_whom_does_not_read(void **state)
{
	char data[16];
	int sent = 0, received = 0;

	(void)state;
	begin(SOCK_SEQPACKET);
	pump_start(&r.worker, c, 0);
	for (int quiet = 0; quiet < 3; quiet++) {
		while (send(client, "packet", 6, MSG_DONTWAIT) == 6) {
			sent++;
			quiet = 0;
		}
		relay_turn(&r);
	}
	assert_true(c->ends[CLIENT].buffered);
	assert_int_equal(c->ends[CLIENT].buffered_len, 6);
	assert_int_equal(r.worker.buffered, 6);
	for (int quiet = 0; quiet < 3; quiet++) {
		while (recv(target, data, sizeof(data), MSG_DONTWAIT) == 6) {
			received++;
			quiet = 0;
		}
		relay_turn(&r);
	}
	assert_int_equal(received, sent);
	assert_null(c->ends[CLIENT].buffered);
	assert_int_equal(r.worker.buffered, 0);
	end();
}

/* Is the server still there that has said its last word? Only who is left by it, and was quiet for long, is asked. */
static void whom_the_server_has_left_is_probed(void **state)
{
	int on = -1;
	socklen_t len = sizeof(on);

	(void)state;
	for (int flags = 0; flags < 8; flags++) {
		for (int quiet = 0; quiet <= 1; quiet++) {
			bool is_asked = flags == 1 && quiet;

			begin(SOCK_STREAM);
			keepalive_watch(&r.worker);
			assert_int_equal(r.worker.probe.when, RELAY_NOW + KEEPALIVE);
			c->last_active = RELAY_NOW + !quiet;
			c->ends[TARGET].eof = flags & 1;
			c->ends[CLIENT].eof = flags & 2;
			c->is_probed = flags & 4;
			relay_fire(&r, &r.worker.probe, RELAY_NOW + KEEPALIVE);
			assert_int_equal(getsockopt(c->ends[TARGET].watch.fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len), 0);
			assert_int_equal(on, is_asked);
			assert_int_equal(c->is_probed, is_asked || flags & 4);
			assert_int_equal(r.worker.probe.when,
					 flags == 1 && !quiet ? RELAY_NOW + 2 * KEEPALIVE : USEC_INFINITY);
			end();
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_bulk_takes_a_pipe),
		cmocka_unit_test(what_came_before_is_moved_at_once),
		cmocka_unit_test(ends_are_passed_on_one_by_one),
		cmocka_unit_test(where_bulk_begins),
		cmocka_unit_test(little_is_read_while_much_is_held),
		cmocka_unit_test(resets_are_passed_on),
		cmocka_unit_test(who_does_not_read_holds_the_other_up),
		cmocka_unit_test(a_connection_that_ends_passes_on_what_has_come),
		cmocka_unit_test(a_target_that_is_gone_is_heard_first),
		cmocka_unit_test(packets_keep_their_bounds),
		cmocka_unit_test(packets_wait_for_whom_does_not_read),
		cmocka_unit_test(whom_the_server_has_left_is_probed),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the proxy does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
