/* One end of a connection: what is kept of both directions, and when a wait ends. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "rules/wire.h"

static struct wire w;
static int peer;
static bool reads_meanwhile; /* the peer, as soon as somebody waits */

/* In place of the C library's. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static char data[WIRE_MAX];
	const struct timespec wait = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};

	if (reads_meanwhile)
		(void)recv(peer, data, sizeof(data), MSG_DONTWAIT);
	return ppoll(fds, n, timeout < 0 ? NULL : &wait, NULL);
}

static int begin(void **state)
{
	int fds[2], little = 4096;

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 ||
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)) < 0)
		return -1;
	memset(&w, 'x', sizeof(w));
	wire_begin(&w, fds[0]);
	peer = fds[1];
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(w.fd);
	if (peer >= 0)
		close(peer);
	return 0;
}

/* Turns without waiting; r: what the turn says. */
static void turn(int r)
{
	struct error err;

	assert_int_equal(wire_turn(&w, true, NULL, false, 0, &err), r);
}

static void say(const char *text)
{
	assert_int_equal(send(peer, text, strlen(text), 0), strlen(text));
}

static void expect_in(const char *text)
{
	assert_int_equal(wire_in_len(&w), strlen(text));
	assert_memory_equal(wire_in(&w), text, strlen(text));
}

static void what_is_read_is_kept_until_it_is_taken(void **state)
{
	(void)state;
	assert_int_equal(wire_in_len(&w), 0);
	assert_int_equal(wire_out_len(&w), 0);
	assert_int_equal(wire_room(&w), WIRE_MAX);
	turn(0);
	say("abc");
	turn(1);
	expect_in("abc");
	wire_take(&w, 2);
	expect_in("c");
	say("de");
	turn(1);
	expect_in("cde");
	wire_take(&w, 3);
	expect_in("");
	assert_int_equal(w.in_start, 0); /* all of the buffer is free again */
	assert_int_equal(w.read, 5);
	assert_false(w.ended);
	/* Who only sends no more may still read. */
	say("last");
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	turn(1);
	turn(1);
	expect_in("last");
	assert_true(w.ended);
	assert_false(w.gone);
	turn(0); /* and the end is not reported for ever */
}

static void no_more_is_read_than_there_is_room_for(void **state)
{
	static char text[WIRE_MAX + 100];
	size_t sent = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(text); k++)
		text[k] = (char)('a' + k % 23);
	while (sent < sizeof(text)) {
		ssize_t n = send(peer, text + sent, sizeof(text) - sent < 4096 ? sizeof(text) - sent : 4096, 0);

		assert_true(n > 0);
		sent += (size_t)n;
		if (wire_in_len(&w) < WIRE_MAX)
			turn(1);
	}
	assert_int_equal(wire_in_len(&w), WIRE_MAX);
	turn(0);
	assert_memory_equal(wire_in(&w), text, WIRE_MAX);
	wire_take(&w, 100);
	while (wire_in_len(&w) < WIRE_MAX)
		turn(1);
	assert_memory_equal(wire_in(&w), text + 100, WIRE_MAX);
	assert_int_equal(w.read, sizeof(text));
}

static void what_is_put_is_written_in_order(void **state)
{
	static char text[2 * WIRE_MAX], got[2 * WIRE_MAX];
	size_t put = 0, received = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(text); k++)
		text[k] = (char)('a' + k % 23);
	/* Always as much as there is room for, while the other side reads little by little. */
	while (received < sizeof(text)) {
		size_t room = wire_room(&w), n = sizeof(text) - put < room ? sizeof(text) - put : room;
		struct error err;
		ssize_t r;

		wire_put(&w, text + put, n);
		put += n;
		(void)wire_turn(&w, false, NULL, false, 0, &err);
		r = recv(peer, got + received, 1000, MSG_DONTWAIT);
		if (r > 0)
			received += (size_t)r;
	}
	assert_memory_equal(got, text, sizeof(text));
	assert_int_equal(w.sent, sizeof(text));
	assert_int_equal(wire_room(&w), WIRE_MAX);
	assert_int_equal(w.out_end, 0);
}

static void who_is_gone_gets_nothing(void **state)
{
	(void)state;
	say("abc");
	close(peer);
	peer = -1;
	wire_put(&w, "x", 1);
	turn(1); /* nothing is left to be written */
	assert_true(w.gone);
	assert_int_equal(wire_out_len(&w), 0);
	assert_int_equal(w.sent, 0);
	/* What it has sent is still read. */
	turn(1);
	expect_in("abc");
	turn(1);
	assert_true(w.ended);
	turn(0);
	assert_false(wire_flush(&w, USEC_INFINITY));
}

static void a_wait_ends_with_its_time(void **state)
{
	static char text[WIRE_MAX];

	(void)state;
	assert_true(wire_flush(&w, 0)); /* nothing is to be written */
	wire_put(&w, text, sizeof(text));
	assert_false(wire_flush(&w, now_usec())); /* nobody reads */
	assert_false(w.gone);
	assert_true(wire_out_len(&w) > 0);
}

/* Whoever puts more than there is room for ends the program: nothing is ever written beyond the buffer. */
static void there_is_no_more_room(void **state)
{
	static const struct {
		size_t first, second;
		bool fits;
	} cases[] = {
		{0, WIRE_MAX, true},	    {0, WIRE_MAX + 1, false}, {WIRE_MAX - 10, 10, true},
		{WIRE_MAX - 10, 11, false}, {40000, 30000, false},
	};
	static char text[WIRE_MAX + 1];

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			wire_put(&w, text, cases[k].first);
			wire_put(&w, text, cases[k].second);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, cases[k].fits ? 0 : SIGABRT);
	}
}

static void who_reads_meanwhile_gets_the_next_piece(void **state)
{
	static char text[WIRE_MAX];
	uint64_t sent;

	(void)state;
	wire_put(&w, text, sizeof(text));
	do { /* until no more fits */
		sent = w.sent;
		assert_false(wire_flush(&w, now_usec()));
	} while (w.sent > sent);
	assert_true(sent < sizeof(text));
	turn(0);
	assert_int_equal(w.sent, sent);
	reads_meanwhile = true;
	turn(1);
	reads_meanwhile = false;
	assert_true(w.sent > sent);
}

static void two_ends_are_turned_at_once(void **state)
{
	static struct wire other;
	struct error err;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	wire_begin(&other, fds[0]);
	say("client");
	assert_int_equal(send(fds[1], "engine", 6, 0), 6);
	assert_int_equal(wire_turn(&w, false, &other, true, 0, &err), 1);
	assert_int_equal(wire_in_len(&w), 0); /* it was not to be read */
	assert_int_equal(wire_in_len(&other), 6);
	assert_int_equal(wire_turn(&w, false, &other, true, 0, &err), 0);
	assert_int_equal(wire_turn(&w, true, &other, false, 0, &err), 1);
	expect_in("client");
	/* Both have something to be written. */
	wire_put(&w, "a", 1);
	wire_put(&other, "b", 1);
	assert_int_equal(wire_turn(&w, true, &other, true, 0, &err), 1);
	assert_int_equal(wire_out_len(&w) + wire_out_len(&other), 0);
	close(fds[0]);
	close(fds[1]);
}

/* Until the other side has read all and ended, too. */
static void whoever_lingers_reads_to_the_end(void **state)
{
	char text[8] = "";

	(void)state;
	wire_put(&w, "answer", 6);
	say("more");
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	wire_linger(&w);
	assert_true(w.gone);
	assert_int_equal(w.read, 4);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 6);
	assert_string_equal(text, "answer");
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), 0);
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(what_is_read_is_kept_until_it_is_taken),
		WIRE_TEST(no_more_is_read_than_there_is_room_for),
		WIRE_TEST(what_is_put_is_written_in_order),
		WIRE_TEST(who_is_gone_gets_nothing),
		WIRE_TEST(a_wait_ends_with_its_time),
		WIRE_TEST(there_is_no_more_room),
		WIRE_TEST(who_reads_meanwhile_gets_the_next_piece),
		WIRE_TEST(two_ends_are_turned_at_once),
		WIRE_TEST(whoever_lingers_reads_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
