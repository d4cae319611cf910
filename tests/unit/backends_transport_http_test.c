/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "backends/transport/http.h"
#include "backends/transport/transport.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/fake_engine.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct http *open_fake(const struct fake_engine *f)
{
	struct http *h = NULL;
	struct error err;

	if (http_open(&unix_transport, f->socket, &h, &err) < 0)
		fail_msg("%s", err.text);
	return h;
}

/* One GET with a limit of time and size. */
static int get(struct http *h, uint64_t msec, size_t max, struct http_reply *reply, struct error *err)
{
	struct http_request request = {
		.method = "GET",
		.path = "/containers/pg/json",
		.deadline = now_usec() + msec * USEC_PER_MSEC,
		.max_reply = max,
	};

	return http_perform(h, &request, reply, err);
}

static void one_connection_serves_all_requests(void **state)
{
	FAKE_ENGINE(f, SAY(OK_HELLO), SAY(NOT_MODIFIED), SAY(NO_CONTENT),
		    SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
	_cleanup_http_ struct http *h = open_fake(&f);
	_cleanup_http_reply_ struct http_reply reply = {};
	struct http_request post = {.method = "POST", .path = "/x/start", .deadline = USEC_INFINITY, .max_reply = 99};
	struct error err;

	(void)state;
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "hello");
	assert_int_equal(reply.len, 5);
	assert_int_equal(http_perform(h, &post, &reply, &err), 0);
	assert_int_equal(reply.status, 304);
	assert_string_equal(reply.body, "");
	post.json = "{\"a\":1}";
	assert_int_equal(http_perform(h, &post, &reply, &err), 0);
	assert_int_equal(reply.status, 204);
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_string_equal(reply.body, "abcdefg");
	assert_int_equal(f.seen->connections, 1);
	assert_int_equal(f.seen->requests, 4);
	assert_non_null(strstr(f.seen->text, "GET /containers/pg/json HTTP/1.1\r\n"));
	assert_non_null(strstr(f.seen->text, "POST /x/start HTTP/1.1\r\n"));
	assert_non_null(strstr(f.seen->text, "\r\n\r\n{\"a\":1}GET /containers/pg/json HTTP/1.1\r\n"));
	assert_non_null(strstr(f.seen->text, "Host: localhost\r\n"));
	assert_null(strstr(f.seen->text, "Expect:"));
	fake_stop(&f);
}

static void a_closed_connection_is_made_anew(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(OK_HELLO, CLOSE), SAY(OK_HELLO));
	_cleanup_http_ struct http *h = open_fake(&f);
	_cleanup_http_reply_ struct http_reply reply = {};
	struct error err;

	(void)state;
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_string_equal(reply.body, "hello");
	assert_int_equal(f.seen->connections, 2);
	fake_stop(&f);
}

static void an_engine_that_has_gone_is_refused(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(OK_HELLO, CLOSE));
	_cleanup_http_ struct http *h = open_fake(&f);
	_cleanup_http_reply_ struct http_reply reply = {};
	struct error err;

	(void)state;
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	kill(f.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)f.pid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	assert_int_equal(get(h, 5000, 99, &reply, &err), -1);
	assert_int_equal(err.code, ECONNREFUSED);
	fake_stop(&f);
}

static void missing_sockets_are_told_apart(void **state)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	struct http *h = NULL;
	struct error err;
	char lengthy[200] = "/";

	(void)state;
	memset(lengthy + 1, 'a', sizeof(lengthy) - 2);
	assert_int_equal(http_open(&unix_transport, lengthy, &h, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	assert_null(h);
	assert_int_equal(http_open(&unix_transport, "/nonexistent/engine.sock", &h, &err), 0);
	assert_int_equal(get(h, 5000, 99, &reply, &err), -1);
	assert_int_equal(err.code, ENOENT);
	http_close(&h);
}

/* Its backlog is full. */
static void an_engine_that_does_not_accept_is_given_up(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/tmp/sockwake-test-full.sock"};
	_cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_http_ struct http *h = NULL;
	struct error err;

	(void)state;
	(void)unlink(to.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(http_open(&unix_transport, to.sun_path, &h, &err), 0);
	assert_int_equal(get(h, 100, 99, &reply, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_int_equal(unlink(to.sun_path), 0);
}

static void silence_ends_at_the_deadline(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(NULL, STALL), SAY_THEN("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", STALL),
		    SAY(OK_HELLO));
	_cleanup_http_ struct http *h = open_fake(&f);
	_cleanup_http_reply_ struct http_reply reply = {};
	uint64_t begin = now_usec();
	struct error err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(get(h, 100, 99, &reply, &err), -1);
		assert_int_equal(err.code, ETIMEDOUT);
	}
	assert_in_range(now_usec() - begin, 190 * USEC_PER_MSEC, 5 * USEC_PER_SEC);
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0); /* a new connection */
	assert_int_equal(get(h, 0, 99, &reply, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	fake_stop(&f);
}

static void nonsense_is_refused(void **state)
{
	FAKE_ENGINE(f, SAY_THEN("SSH-2.0-OpenSSH_9.2p1\r\n", CLOSE),
		    SAY_THEN("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", CLOSE),
		    SAY_THEN("HTTP/9.9 banana\r\n\r\n", CLOSE), SAY_THEN(NULL, CLOSE),
		    SAY_THEN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", CLOSE));
	_cleanup_http_reply_ struct http_reply reply = {};
	struct error err;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		_cleanup_http_ struct http *h = open_fake(&f);

		assert_int_equal(get(h, 5000, 99, &reply, &err), -1);
		assert_int_equal(err.code, i == 3 ? ECONNRESET : EPROTO); /* the fourth hangs up without a word */
	}
	fake_stop(&f);
}

static void size_is_bounded(void **state)
{
	static char header[32768];
	const struct exchange script[] = {
		SAY_THEN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n",
			 CLOSE),
		{.reply = header, .after = STALL, .len = sizeof(header), .repeat = 100}, /* without end */
	};
	_cleanup_http_reply_ struct http_reply reply = {};
	struct fake_engine f;
	struct error err;

	(void)state;
	memset(header, 'a', sizeof(header));
	memcpy(header, "HTTP/1.1 200 OK\r\nX: ", 20);
	memcpy(header + sizeof(header) - 5, "\r\nY: ", 5);
	fake_start(&f, script, 2);
	for (int i = 0; i < 2; i++) {
		_cleanup_http_ struct http *h = open_fake(&f);

		assert_int_equal(get(h, 5000, 9, &reply, &err), -1);
		assert_int_equal(err.code, EFBIG);
	}
	fake_stop(&f);
}

static void a_request_that_is_too_long_is_not_made(void **state)
{
	FAKE_ENGINE(f, SAY(OK_HELLO), SAY(OK_HELLO));
	_cleanup_http_ struct http *h = open_fake(&f);
	_cleanup_http_reply_ struct http_reply reply = {};
	struct http_request request = {.method = "GET", .deadline = USEC_INFINITY, .max_reply = 99};
	char path[1024 - sizeof("http://localhost") + 2];
	struct error err;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	request.path = path;
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(http_perform(h, &request, &reply, &err), 0);
	path[sizeof(path) - 2] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(http_perform(h, &request, &reply, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(f.seen->requests, 1);
	fake_stop(&f);
}

/* What an environment or a server may try to make of a request. */
static void nothing_is_redirected(void **state)
{
	FAKE_ENGINE(f, SAY("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
		    SAY(OK_HELLO));
	_cleanup_http_reply_ struct http_reply reply = {};
	struct error err;
	struct http *h;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1/", 1);
	h = open_fake(&f);
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_int_equal(reply.status, 302);
	assert_int_equal(get(h, 5000, 99, &reply, &err), 0);
	assert_int_equal(reply.status, 200);
	assert_int_equal(f.seen->connections, 1);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	http_close(&h);
	fake_stop(&f);
}

static bool take_two(void *data, const char *piece, size_t len)
{
	unsigned *pieces = data;

	(void)piece;
	(void)len;
	return ++*pieces < 2;
}

static void a_sink_gets_what_succeeds_and_may_end_it(void **state)
{
	static char endless[100000] = "HTTP/1.1 200 OK\r\n\r\n";
	const struct exchange script[] = {SAY("HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nwrong"),
					  SAY("HTTP/1.1 300 Many\r\nContent-Length: 5\r\n\r\nwrong"),
					  SAY("HTTP/1.1 299 Odd\r\nContent-Length: 5\r\n\r\nright"),
					  {.reply = endless, .after = STALL, .len = sizeof(endless), .repeat = 1000}};
	_cleanup_http_reply_ struct http_reply reply = {};
	unsigned pieces = 0;
	struct http_request request = {
		.method = "GET",
		.path = "/logs",
		.deadline = now_usec() + 5 * USEC_PER_SEC,
		.max_reply = 99,
		.sink = take_two,
		.sink_data = &pieces,
	};
	struct fake_engine f;
	struct http *h;
	struct error err;

	(void)state;
	fake_start(&f, script, 4);
	h = open_fake(&f);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(http_perform(h, &request, &reply, &err), 0);
		assert_string_equal(reply.body, "wrong");
		assert_int_equal(pieces, 0);
	}
	assert_int_equal(http_perform(h, &request, &reply, &err), 0);
	assert_string_equal(reply.body, "");
	assert_int_equal(pieces, 1);
	/* Far more than is kept: the sink decides when it is enough. */
	assert_int_equal(http_perform(h, &request, &reply, &err), 0);
	assert_int_equal(reply.status, 200);
	assert_int_equal(pieces, 2);
	http_close(&h);
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_connection_serves_all_requests),
		cmocka_unit_test(a_closed_connection_is_made_anew),
		cmocka_unit_test(an_engine_that_has_gone_is_refused),
		cmocka_unit_test(missing_sockets_are_told_apart),
		cmocka_unit_test(an_engine_that_does_not_accept_is_given_up),
		cmocka_unit_test(silence_ends_at_the_deadline),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(a_request_that_is_too_long_is_not_made),
		cmocka_unit_test(nothing_is_redirected),
		cmocka_unit_test(a_sink_gets_what_succeeds_and_may_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
