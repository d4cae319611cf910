/* readiness/probes.h: what is made of a server's reply, whole, in pieces, cut off, and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "readiness/probes.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* The whole reply gets this verdict; every shorter piece gets it as well or is not enough; and it never depends on
 * bytes behind the piece. */
static void expect(enum readiness_kind kind, enum verdict verdict, const uint8_t *reply, size_t len)
{
	uint8_t copy[REPLY_MAX];
	char seen[SEEN_MAX] = "";

	assert_int_equal(probe_judge(kind, reply, len, true, seen), verdict);
	if (verdict == VERDICT_NOT_YET)
		assert_true(seen[0]);
	for (size_t n = 0; n < len; n++) {
		enum verdict piece;

		memset(copy, 0xaa, sizeof(copy));
		memcpy(copy, reply, n);
		piece = probe_judge(kind, copy, n, false, seen);
		assert_true(piece == VERDICT_MORE || piece == verdict);
		assert_int_not_equal(probe_judge(kind, copy, n, true, seen), VERDICT_MORE);
	}
}

/* An ErrorResponse as PostgreSQL 15 sends it, with this SQLSTATE. */
static size_t postgres_error(uint8_t *ret, const char *code)
{
	static const char before[] = "SFATAL\0VFATAL\0C", after[] = "\0Mthe text\0Fpostmaster.c\0L2351\0";
	size_t n = 5;

	memcpy(ret + n, before, sizeof(before) - 1);
	n += sizeof(before) - 1;
	memcpy(ret + n, code, strlen(code));
	n += strlen(code);
	memcpy(ret + n, after, sizeof(after));
	n += sizeof(after);
	memcpy(ret, (uint8_t[]){'E', 0, 0, 0, (uint8_t)(n - 1)}, 5);
	return n;
}

static void test_postgres(void **state)
{
	uint8_t reply[256];

	(void)state;
	expect(READY_POSTGRES, VERDICT_NOT_YET, reply, postgres_error(reply, "57P03"));
	expect(READY_POSTGRES, VERDICT_READY, reply, postgres_error(reply, "53300"));
	expect(READY_POSTGRES, VERDICT_READY, reply, postgres_error(reply, "28000"));
	expect(READY_POSTGRES, VERDICT_READY, reply, postgres_error(reply, "57P0"));
	expect(READY_POSTGRES, VERDICT_READY, reply, postgres_error(reply, "57P033"));
	expect(READY_POSTGRES, VERDICT_READY, BYTES("R\0\0\0\x08\0\0\0\0"));
	expect(READY_POSTGRES, VERDICT_READY, BYTES("N"));
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES(""));
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES("E"));
	/* The text of a postmaster that could not fork; an absurd length; fields without an end. */
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES("Ecould not fork new process for connection\n"));
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES("E\xff\xff\xff\xff"));
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES("E\0\0\0\0C57P03\0\0"));
	expect(READY_POSTGRES, VERDICT_NOT_YET,
	       BYTES("E\0\0\0\x0a"
		     "C57P0"));
	expect(READY_POSTGRES, VERDICT_NOT_YET, BYTES("E\0\0\0\x05\0"));
}

static void test_redis(void **state)
{
	(void)state;
	expect(READY_REDIS, VERDICT_READY, BYTES("+PONG\r\n"));
	expect(READY_REDIS, VERDICT_READY, BYTES("-NOAUTH Authentication required.\r\n"));
	expect(READY_REDIS, VERDICT_DENIED, BYTES("-DENIED Redis is running in protected mode\r\n"));
	expect(READY_REDIS, VERDICT_NOT_YET, BYTES("-DEN"));
	expect(READY_REDIS, VERDICT_READY, BYTES("-MASTERDOWN Link with MASTER is down\r\n"));
	expect(READY_REDIS, VERDICT_READY, BYTES("-ERR max number of clients reached\r\n"));
	expect(READY_REDIS, VERDICT_NOT_YET, BYTES("-LOADING Redis is loading the dataset in memory\r\n"));
	expect(READY_REDIS, VERDICT_NOT_YET, BYTES("-LOAD"));
	expect(READY_REDIS, VERDICT_NOT_YET, BYTES(""));
}

static void test_greeting(void **state)
{
	(void)state;
	expect(READY_GREETING, VERDICT_READY, BYTES("SSH-2.0-OpenSSH_9.2\r\n"));
	expect(READY_GREETING, VERDICT_READY, BYTES("220 mail ESMTP\r\n"));
	expect(READY_GREETING, VERDICT_READY, BYTES("x"));
	expect(READY_GREETING, VERDICT_READY,
	       BYTES("\x4a\0\0\0\x0a"
		     "8.0.36\0\0\0\0\0"));
	/* Too many connections: the server serves. Shutdown in progress, not available: it does not. */
	expect(READY_GREETING, VERDICT_READY, BYTES("\x17\0\0\0\xff\x10\x04Too many connections"));
	expect(READY_GREETING, VERDICT_NOT_YET, BYTES("\x1f\0\0\0\xff\x1d\x04Server shutdown in progress"));
	expect(READY_GREETING, VERDICT_NOT_YET, BYTES("\x19\0\0\0\xff\x60\x0cServer isn't available"));
	/* The longest of them has 1023 bytes. */
	expect(READY_GREETING, VERDICT_NOT_YET, BYTES("\xff\x03\0\0\xff\x1d\x04Server shutdown in progress"));
	expect(READY_GREETING, VERDICT_READY, BYTES("\0\x04\0\0\xff\x1d\x04Server shutdown in progress"));
	expect(READY_GREETING, VERDICT_READY, BYTES("\x1f\0\x01\0\xff\x1d\x04"));
	expect(READY_GREETING, VERDICT_READY, BYTES("\x1f\0\0\x01\xff\x1d\x04"));
	expect(READY_GREETING, VERDICT_NOT_YET, BYTES(""));
}

static void test_http(void **state)
{
	(void)state;
	expect(READY_HTTP, VERDICT_READY, BYTES("HTTP/1.1 200 OK\r\n\r\n"));
	expect(READY_HTTP, VERDICT_READY, BYTES("HTTP/1.0 404 Not Found\r\n\r\n"));
	expect(READY_HTTP, VERDICT_READY, BYTES("HTTP/1.1 401"));
	expect(READY_HTTP, VERDICT_READY, BYTES("HTTP/9.9 499"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES("HTTP/1.1 500"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES("HTTP/1.1 50"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES("HTTP/1.1  200"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES("\x15\x04\x01\0\x02\x02\x16"));
	expect(READY_HTTP, VERDICT_NOT_YET, BYTES(""));
}

/* An alert of any kind of server that expects TLS, in answer to what is no TLS; and anything to a ClientHello. */
static void test_tls(void **state)
{
	(void)state;
	expect(READY_HTTP, VERDICT_TLS, BYTES("\x15\x03\x01\0\x02\x02\x16"));
	expect(READY_REDIS, VERDICT_TLS, BYTES("\x15\x03\x03\0\x02\x02\x46"));
	expect(READY_POSTGRES, VERDICT_TLS, BYTES("\x15\x03\x03\0\x02\x02\x46"));
	expect(READY_TLS, VERDICT_TLS, BYTES("\x16\x03\x03\0\x7a\x02\0\0\x76"));
	expect(READY_TLS, VERDICT_TLS, BYTES("\x15\x03\x03\0\x02\x02\x46"));
	expect(READY_TLS, VERDICT_NOT_YET, BYTES("-ERR unknown command\r\n"));
	expect(READY_TLS, VERDICT_NOT_YET, BYTES("\x16\x04"));
	expect(READY_TLS, VERDICT_NOT_YET, BYTES(""));
}

static void test_requests(void **state)
{
	static const char startup[] =
		"\0\0\0\x43\0\3\0\0user\0postgres\0database\0postgres\0application_name\0sockwake\0";
	struct readiness http = {.kind = READY_HTTP}, postgres = {.kind = READY_POSTGRES},
			 greeting = {.kind = READY_GREETING}, tls = {.kind = READY_TLS};
	char path[HTTP_PATH_MAX + 1] = "/", request[REQUEST_MAX];
	size_t n;

	(void)state;
	/* Here the terminating zero of C is the message's. */
	assert_int_equal(probe_request(&postgres, request), sizeof(startup));
	assert_memory_equal(request, startup, sizeof(startup));
	assert_int_equal(probe_request(&greeting, request), 0);
	/* A record of its own length, and in it a ClientHello. */
	n = probe_request(&tls, request);
	assert_memory_equal(request, ((char[]){0x16, 3, 1, 0, (char)(n - 5), 1, 0, 0, (char)(n - 9), 3, 3}), 11);
	memset(path + 1, 'a', HTTP_PATH_MAX - 1);
	http.argument = path;
	n = probe_request(&http, request);
	assert_true(n < REQUEST_MAX);
	assert_memory_equal(request + n - 4, "\r\n\r\n", 4);
}

/* Said before anything else, also to a server that would speak first. */
static void test_proxy_protocol(void **state)
{
	struct readiness greeting = {.kind = READY_GREETING, .proxy_protocol = PROXY_PROTOCOL_V1};
	struct readiness http = {.kind = READY_HTTP, .proxy_protocol = PROXY_PROTOCOL_V2};
	static const char unknown[] = "PROXY UNKNOWN\r\n", local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET /aaa";
	char path[HTTP_PATH_MAX + 1] = "/", request[REQUEST_MAX];
	size_t n;

	(void)state;
	assert_int_equal(probe_request(&greeting, request), strlen(unknown));
	assert_memory_equal(request, unknown, strlen(unknown));
	memset(path + 1, 'a', HTTP_PATH_MAX - 1);
	http.argument = path;
	n = probe_request(&http, request);
	assert_true(n < REQUEST_MAX);
	assert_memory_equal(request, local, sizeof(local) - 1);
	assert_memory_equal(request + n - 4, "\r\n\r\n", 4);
}

/* What follows behind the bytes that have come, in the buffer, is not looked at. */
static void nothing_beyond_its_end_is_read(void **state)
{
	static const struct {
		enum readiness_kind kind;
		const char *reply;
		size_t len;
	} replies[] = {
#define REPLY(kind, text) {kind, text, sizeof(text) - 1}
		REPLY(READY_POSTGRES, "R\0\0\0\x08\0\0\0\0"),
		REPLY(READY_POSTGRES, "E\0\0\0\x14SFATAL\0C57P03\0Mx\0\0"),
		REPLY(READY_POSTGRES, "E\0\0\0\x14SFATAL\0C28000\0Mx\0\0"),
		REPLY(READY_POSTGRES, "E\0\0\0\x04"),
		REPLY(READY_REDIS, "+PONG\r\n"),
		REPLY(READY_REDIS, "-LOADING x\r\n"),
		REPLY(READY_REDIS, "-DENIED x\r\n"),
		REPLY(READY_GREETING, "J\0\0\0\x0a"
				      "8.0\0"),
		REPLY(READY_GREETING, "\x10\0\0\0\xff\x10\x04Too many"),
		REPLY(READY_GREETING, "\x10\0\0\0\xff\x6a\x04Host"),
		REPLY(READY_HTTP, "HTTP/1.1 200 OK\r\n"),
		REPLY(READY_HTTP, "HTTP/1.1 503 No\r\n"),
		REPLY(READY_TLS, "\x16\x03\x03"),
		REPLY(READY_TLS, "\x15\x03\x01"),
#undef REPLY
	};
	static const uint8_t fills[] = {0x00, 0x01, 0x35, 0x41, 0xaa, 0xff};

	(void)state;
	for (size_t k = 0; k < sizeof(replies) / sizeof(*replies); k++) {
		for (size_t len = 0; len <= replies[k].len; len++) {
			for (int complete = 0; complete < 2; complete++) {
				char seen[SEEN_MAX] = "", first_seen[SEEN_MAX] = "";
				int first = 0;

				for (size_t f = 0; f < sizeof(fills); f++) {
					uint8_t buffer[256];
					int verdict;

					memset(buffer, fills[f], sizeof(buffer));
					memcpy(buffer, replies[k].reply, len);
					memset(seen, 0, sizeof(seen));
					verdict = probe_judge(replies[k].kind, buffer, len, complete, seen);
					if (f == 0) {
						first = verdict;
						memcpy(first_seen, seen, sizeof(seen));
					}
					assert_int_equal(verdict, first);
					assert_string_equal(seen, first_seen);
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_beyond_its_end_is_read),
		cmocka_unit_test(test_postgres),
		cmocka_unit_test(test_redis),
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_proxy_protocol),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests_name("proxy/probes", tests, NULL, NULL);
}
