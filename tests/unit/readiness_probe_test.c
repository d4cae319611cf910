/* readiness/probe.h through readiness_wait(), against servers that misbehave in every way a starting one does. */
#include "tests/unit/readiness_fixture.h"

static int next_client(int fd)
{
	char buffer[2048];
	int client = accept(fd, NULL, NULL);

	if (client < 0 || recv(client, buffer, sizeof(buffer), 0) <= 0)
		_exit(1);
	return client;
}

static void answer(int client, const char *bytes, size_t len)
{
	if (send(client, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(1);
	close(client);
}

#define ANSWER(client, s) answer(client, s, sizeof(s) - 1)

static void answer_in_pieces(int client, const char *bytes, size_t len)
{
	int on = 1;

	setsockopt(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	for (; len > 1; len--) {
		send(client, bytes++, 1, MSG_NOSIGNAL);
		usleep(200);
	}
	answer(client, bytes, len);
}

#define STARTING_UP "E\0\0\0\x27SFATAL\0VFATAL\0C57P03\0Mstarting up\0"

/* Listens before it serves, in every way; the last answer is the good one. */
static void postgres_starts(int fd)
{
	int client;

	listen(fd, 8);
	close(accept(fd, NULL, NULL));
	ANSWER(next_client(fd), STARTING_UP "\0");
	ANSWER(next_client(fd), "");
	client = next_client(fd);
	answer_in_pieces(client, STARTING_UP "\0", sizeof(STARTING_UP));
	close(fd);
	fd = bound(SOCK_STREAM, ipv4("127.0.0.1"));
	usleep(5000);
	listen(fd, 8);
	client = next_client(fd);
	answer_in_pieces(client, "R\0\0\0\x08\0\0\0\0", 9);
	pause();
}

static void postgres_never_starts(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), STARTING_UP "\0");
}

static void is_silent(int fd)
{
	listen(fd, 8);
	for (;;)
		(void)next_client(fd);
}

/* Begins to answer, and then hangs. */
static void stops_halfway(int fd)
{
	listen(fd, 8);
	for (;;)
		(void)send(next_client(fd), "HTTP/1.1 2", 10, MSG_NOSIGNAL);
}

/* The first question falls on deaf ears, the second is answered. */
static void answers_the_second_question(int fd)
{
	listen(fd, 8);
	(void)next_client(fd);
	ANSWER(next_client(fd), "+PONG\r\n");
	pause();
}

static void redis_loads(int fd)
{
	listen(fd, 8);
	ANSWER(next_client(fd), "-LOADING Redis is loading the dataset in memory\r\n");
	ANSWER(next_client(fd), "-LOADING Redis is loading the dataset in memory\r\n");
	ANSWER(next_client(fd), "-NOAUTH Authentication required.\r\n");
	pause();
}

static void greets_late(int fd)
{
	int client;

	listen(fd, 8);
	close(accept(fd, NULL, NULL));
	client = accept(fd, NULL, NULL);
	usleep(20000);
	ANSWER(client, "2");
	pause();
}

static void http_warms_up(int fd)
{
	listen(fd, 8);
	ANSWER(next_client(fd), "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	ANSWER(next_client(fd), "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n");
	pause();
}

static void http_is_broken(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), "HTTP/1.1 502 Bad Gateway\r\n\r\n");
}

/* Never stops sending, and never what was asked for. */
static void floods(int fd)
{
	static char junk[65536];

	memset(junk, 'E', sizeof(junk));
	listen(fd, 8);
	for (;;) {
		int client = next_client(fd);

		while (send(client, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
			;
		close(client);
	}
}

/* A server that speaks TLS, to somebody who does not: it closes, or says so. Which it did in the end is seen. */
static void tls_closes(int fd)
{
	listen(fd, 8);
	for (;;) {
		char first;
		int client = accept(fd, NULL, NULL);

		if (recv(client, &first, 1, 0) == 1 && first == 0x16)
			ANSWER(client, "\x16\x03\x03\0\x7a\x02\0\0\x76");
		else
			ANSWER(client, "");
	}
}

static void tls_sends_an_alert(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), "\x15\x03\x01\0\x02\x02\x46");
}

/* It is no TLS that starts: its first answer comes late. */
static void redis_closes_at_first(int fd)
{
	listen(fd, 8);
	for (int k = 0; k < 3; k++)
		ANSWER(next_client(fd), "");
	ANSWER(next_client(fd), "+PONG\r\n");
	pause();
}

static void closes_always(int fd)
{
	listen(fd, 8);
	for (;;)
		close(accept(fd, NULL, NULL));
}

static void expect_tls(const char *kind, void (*body)(int fd), bool tls)
{
	struct target target = ipv4("127.0.0.1");
	struct readiness_seen seen = {};
	pid_t pid = serve(body);
	struct readiness r;
	struct error err;

	assert_int_equal(readiness_parse(kind, &r, &err), 0);
	r.seen = &seen;
	if (readiness_wait(&r, SOCK_STREAM, PORT, &target, 1, now_usec() + 10 * SECOND, -1, &err) < 0)
		fail_msg("%s: %s", kind, err.text);
	assert_int_equal(seen.tls, tls);
	end(pid);
}

static void test_tls(void **state)
{
	static const char *const kinds[] = {"postgres", "redis", "greeting", "http"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_tls(kinds[i], tls_closes, true);
		expect_timeout(kinds[i], closes_always, "--health-check listen does without");
	}
	expect_tls("redis", tls_sends_an_alert, true);
	expect_tls("http", tls_sends_an_alert, true);
	expect_tls("redis", redis_closes_at_first, false);
	expect_tls("redis", redis_loads, false);
}

static void test_probes(void **state)
{
	(void)state;
	expect_ready("postgres", postgres_starts);
	expect_ready("redis", redis_loads);
	expect_ready("redis", answers_the_second_question);
	expect_ready("greeting", greets_late);
	expect_ready("http", http_warms_up);
	expect_ready("http:/health?deep=1", http_warms_up);
}

static void test_probes_give_up(void **state)
{
	static const char *const kinds[] = {"postgres", "redis", "greeting", "http"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_timeout(kinds[i], never_listens, "nothing listens on port 5432");
		expect_timeout(kinds[i], is_silent, "does not answer");
	}
	expect_timeout("postgres", postgres_never_starts, "57P03");
	expect_timeout("http", http_is_broken, "status 502");
	expect_timeout("http", stops_halfway, "begins to answer, and does not go on");
	expect_timeout("http", floods, "not HTTP");
	expect_timeout("postgres", floods, "PostgreSQL answers with an error that has no code");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_probes_give_up),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
