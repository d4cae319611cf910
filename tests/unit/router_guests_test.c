#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "router/guests.h"

#define PATIENCE_MSEC 10000

/* The worker is a child; this process is the dispatcher, the client and the engine. */
static int channel, clients[2], engines[2];
static pid_t worker;

/* What the engine of the worker is like, the first time and later. */
static int codes[2];

struct under_test {
	struct guests guests;
	int engine;
	unsigned asked;
};

static int connect_engine(struct guests *g, const struct guest_client *c, char ret_engine[static 16], struct error *err)
{
	struct under_test *t = container_of(g, struct under_test, guests);
	int code = codes[t->asked > 0];

	t->asked++;
	if (c->contained)
		return error_set(err, EPERM, "contained");
	if (code)
		return error_set(err, code, "the reason");
	(void)snprintf(ret_engine, 16, "podman");
	return t->engine;
}

static void start_engine(struct guests *g)
{
	struct message m = {.kind = MESSAGE_NEED};

	(void)message_send(g->channel.fd, &m, -1);
}

static void told(struct guests *g, const struct message *m)
{
	if (*m->text)
		guests_refuse_waiting(g, 503, m->text);
	else
		guests_serve_waiting(g);
}

static void run_worker(int end)
{
	static struct under_test t = {.guests = {.connect = connect_engine, .start = start_engine, .told = told}};
	struct error err;

	t.engine = engines[1];
	close(clients[0]);
	close(clients[1]);
	close(engines[0]);
	_exit(guests_open(&t.guests, end, 10 * USEC_PER_SEC, &err) < 0 || guests_run(&t.guests, &err) < 0);
}

static void begin(int first, int later)
{
	int pair[2];

	codes[0] = first;
	codes[1] = later;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, clients), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, engines), 0);
	channel = pair[0];
	worker = fork();
	assert_true(worker >= 0);
	if (worker == 0) {
		close(pair[0]);
		run_worker(pair[1]);
	}
	close(pair[1]);
	close(engines[1]);
}

static void tell(struct message m, int fd)
{
	assert_int_equal(message_send(channel, &m, fd), 0);
}

/* The client is handed over: this process keeps its own end alone. */
static void hand_over(struct message m)
{
	assert_int_equal(fcntl(clients[1], F_SETFL, O_NONBLOCK), 0); /* as the dispatcher accepts it */
	tell(m, clients[1]);
	close(clients[1]);
}

static bool is_readable(int fd, int msec)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, msec) == 1;
}

static struct message next_message(void)
{
	struct message m;
	int fd;

	assert_true(is_readable(channel, PATIENCE_MSEC));
	assert_int_equal(message_receive(channel, &m, &fd), 1);
	return m;
}

static void expect_text(int fd, const char *text)
{
	char got[64] = "";

	assert_true(is_readable(fd, PATIENCE_MSEC));
	assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(text));
	assert_string_equal(got, text);
}

static void expect_end(int fd)
{
	char byte;

	assert_true(is_readable(fd, PATIENCE_MSEC));
	assert_int_equal(read(fd, &byte, 1), 0);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The whole answer, which ends with the connection. */
static void expect_answer(const char *status, const char *text)
{
	char got[4096];
	size_t n = 0;
	ssize_t r;

	while ((r = read(clients[0], got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)r;
	assert_int_equal(r, 0);
	got[n] = '\0';
	assert_int_equal(strncmp(got, status, strlen(status)), 0);
	assert_non_null(strstr(got, text));
}

static int end(void **state)
{
	int status;

	(void)state;
	close(channel);
	if (clients[0] >= 0)
		close(clients[0]);
	close(engines[0]);
	if (waitpid(worker, &status, 0) != worker)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void a_client_is_relayed_with_both_half_closes(void **state)
{
	struct message m;

	(void)state;
	begin(0, 0);
	say(clients[0], "POST /exec/1/start?x=y HTTP/1.1\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE, .number = 5});
	expect_text(engines[0], "POST /exec/1/start?x=y HTTP/1.1\r\n");
	assert_int_equal(shutdown(clients[0], SHUT_WR), 0);
	expect_end(engines[0]);
	say(engines[0], "late");
	expect_text(clients[0], "late");
	assert_int_equal(shutdown(engines[0], SHUT_WR), 0);
	expect_end(clients[0]);
	m = next_message();
	if (m.kind == MESSAGE_BEGAN) /* on a slow machine that was longer than a moment */
		m = next_message();
	assert_int_equal(m.kind, MESSAGE_ENDED);
	assert_int_equal(m.number, 5);
	assert_int_equal(m.bytes[0], 33);
	assert_int_equal(m.bytes[1], 4);
	assert_string_equal(m.engine, "podman");
	assert_string_equal(m.request, "POST /exec/1/start");
	assert_string_equal(m.text, "");
}

static void a_connection_that_lasts_is_told(void **state)
{
	struct message m;

	(void)state;
	begin(0, 0);
	say(clients[0], "GET /events HTTP/1.1\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE, .number = 6});
	m = next_message();
	assert_int_equal(m.kind, MESSAGE_BEGAN);
	assert_int_equal(m.number, 6);
	assert_string_equal(m.request, "GET /events");
}

static void what_is_told_is_the_first_request_that_is_no_ping(void **state)
{
	static const char *const requests[] = {"HEAD /_ping HTTP/1.1\r\n\r\n", "GET /v1.41/_ping HTTP/1.1\r\n\r\n",
					       "GET /v1.41/events HTTP/1.1\r\n\r\n", "GET /later HTTP/1.1\r\n\r\n"};
	struct message m;

	(void)state;
	begin(0, 0);
	say(clients[0], requests[0]);
	hand_over((struct message){.kind = MESSAGE_SERVE, .number = 6});
	expect_text(engines[0], requests[0]);
	do
		m = next_message();
	while (m.kind != MESSAGE_BEGAN);
	assert_string_equal(m.request, "HEAD /_ping");
	for (size_t k = 1; k < sizeof(requests) / sizeof(*requests); k++) {
		say(clients[0], requests[k]);
		expect_text(engines[0], requests[k]);
	}
	do
		m = next_message();
	while (strcmp(m.request, "GET /v1.41/_ping") == 0);
	assert_int_equal(m.kind, MESSAGE_BEGAN);
	assert_string_equal(m.request, "GET /v1.41/events");
}

static void a_client_that_goes_ends_the_engines_side(void **state)
{
	struct pollfd p = {};

	(void)state;
	begin(0, 0);
	p.fd = engines[0];
	say(clients[0], "GET /events HTTP/1.1\r\n\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE});
	expect_text(engines[0], "GET /events HTTP/1.1\r\n\r\n");
	close(clients[0]);
	clients[0] = -1;
	/* Not a half-close: nobody is there to read. */
	assert_int_equal(poll(&p, 1, PATIENCE_MSEC), 1);
	assert_true(p.revents & POLLHUP);
}

static void a_client_that_says_nothing_starts_nothing(void **state)
{
	struct message m;

	(void)state;
	begin(ECONNREFUSED, 0);
	hand_over((struct message){.kind = MESSAGE_SERVE, .number = 3});
	assert_int_equal(shutdown(clients[0], SHUT_WR), 0);
	expect_end(clients[0]);
	m = next_message();
	assert_int_equal(m.kind, MESSAGE_ENDED);
	assert_string_equal(m.text, "the client sent nothing");
}

static void an_engine_is_started_for_the_first_request(void **state)
{
	(void)state;
	begin(ECONNREFUSED, 0);
	hand_over((struct message){.kind = MESSAGE_SERVE});
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(next_message().kind, MESSAGE_NEED);
	tell((struct message){.kind = MESSAGE_MANAGER}, -1);
	expect_text(engines[0], "GET / HTTP/1.1\r\n\r\n");
}

static void an_engine_that_does_not_start_is_an_answer(void **state)
{
	(void)state;
	begin(ECONNREFUSED, 0);
	hand_over((struct message){.kind = MESSAGE_SERVE});
	say(clients[0], "GET / HTTP/1.1\r\n");
	assert_int_equal(next_message().kind, MESSAGE_NEED);
	tell((struct message){.kind = MESSAGE_MANAGER, .text = "it is broken"}, -1);
	say(clients[0], "Host: d\r\n\r\n");
	expect_answer("HTTP/1.1 503 ", "\"message\":\"it is broken\"");
}

static void an_engine_that_may_not_be_used_once_it_runs_is_an_answer(void **state)
{
	(void)state;
	begin(ECONNREFUSED, EPERM);
	hand_over((struct message){.kind = MESSAGE_SERVE});
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(next_message().kind, MESSAGE_NEED);
	tell((struct message){.kind = MESSAGE_MANAGER}, -1);
	expect_answer("HTTP/1.1 403 ", "the reason");
}

static void an_engine_with_a_full_queue_is_tried_again(void **state)
{
	(void)state;
	begin(EAGAIN, 0);
	hand_over((struct message){.kind = MESSAGE_SERVE});
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	expect_text(engines[0], "GET / HTTP/1.1\r\n\r\n");
}

static void what_may_not_be_is_403(void **state)
{
	(void)state;
	begin(EPERM, 0);
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE});
	expect_answer("HTTP/1.1 403 ", "the reason");
}

static void what_does_not_work_is_503(void **state)
{
	(void)state;
	begin(EIO, 0);
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE});
	expect_answer("HTTP/1.1 503 ", "the reason");
}

static void a_container_is_told_of(void **state)
{
	(void)state;
	begin(0, 0);
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE, .contained = true});
	expect_answer("HTTP/1.1 403 ", "contained");
}

static void a_refusal_waits_for_the_whole_head(void **state)
{
	(void)state;
	begin(0, 0);
	hand_over((struct message){.kind = MESSAGE_REFUSE, .status = 429, .text = "too many"});
	say(clients[0], "HEAD /_ping HTTP/1.1\r\nHost:");
	assert_false(is_readable(clients[0], 50));
	say(clients[0], " d\r\n\r\nand a body");
	expect_answer("HTTP/1.1 429 ", "\r\n\r\n");
	assert_string_equal(next_message().request, "HEAD /_ping");
}

static void a_client_that_gives_up_while_the_engine_starts_is_let_go(void **state)
{
	struct message m;

	(void)state;
	begin(ECONNREFUSED, 0);
	hand_over((struct message){.kind = MESSAGE_SERVE});
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(next_message().kind, MESSAGE_NEED);
	close(clients[0]);
	clients[0] = -1;
	m = next_message();
	assert_int_equal(m.kind, MESSAGE_ENDED);
	assert_string_equal(m.text, "the client has gone");
}

static void draining_lets_connections_end(void **state)
{
	(void)state;
	begin(0, 0);
	say(clients[0], "GET / HTTP/1.1\r\n\r\n");
	hand_over((struct message){.kind = MESSAGE_SERVE});
	expect_text(engines[0], "GET / HTTP/1.1\r\n\r\n");
	tell((struct message){.kind = MESSAGE_DRAIN}, -1);
	say(engines[0], "served");
	expect_text(clients[0], "served");
	close(clients[0]);
	clients[0] = -1;
	while (next_message().kind != MESSAGE_IDLE)
		;
}

#define CASE(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_client_is_relayed_with_both_half_closes),
		CASE(a_connection_that_lasts_is_told),
		CASE(what_is_told_is_the_first_request_that_is_no_ping),
		CASE(a_client_that_goes_ends_the_engines_side),
		CASE(a_client_that_says_nothing_starts_nothing),
		CASE(an_engine_is_started_for_the_first_request),
		CASE(an_engine_that_does_not_start_is_an_answer),
		CASE(an_engine_that_may_not_be_used_once_it_runs_is_an_answer),
		CASE(an_engine_with_a_full_queue_is_tried_again),
		CASE(what_may_not_be_is_403),
		CASE(what_does_not_work_is_503),
		CASE(a_container_is_told_of),
		CASE(a_refusal_waits_for_the_whole_head),
		CASE(a_client_that_gives_up_while_the_engine_starts_is_let_go),
		CASE(draining_lets_connections_end),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
