/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rules/head.h"

#define FIRST "GET /_ping HTTP/1.1\r\n"
#define HOST  "Host: docker\r\n"

/* Reads a request: its length, 0 if it is not complete, -1 if it is refused. */
static ssize_t read_request(const char *text, size_t len, struct head *ret)
{
	struct error err = {};
	ssize_t n = head_length(text, len, &err);

	if (n > 0 && head_parse_request(text, (size_t)n, ret, &err) < 0)
		n = -1;
	if (n < 0) {
		assert_int_equal(err.code, EINVAL);
		assert_true(err.text[0] != '\0');
	}
	return n;
}

static void what_engines_read_differently_is_refused(void **state)
{
	static const struct {
		const char *what, *text;
	} refused[] = {
		{"LF alone", "GET /_ping HTTP/1.1\nHost: docker\n\n"},
		{"LF alone behind a field", FIRST HOST "A: b\n\r\n"},
		{"CR alone", FIRST "Host: doc\rker\r\n\r\n"},
		{"a folded field", FIRST HOST "A: b\r\n c\r\n\r\n"},
		{"a blank before the colon", FIRST HOST "Content-Length : 3\r\n\r\n"},
		{"a field without a name", FIRST HOST ": b\r\n\r\n"},
		{"a field without a colon", FIRST HOST "ab\r\n\r\n"},
		{"two Hosts", FIRST HOST HOST "\r\n"},
		{"two lengths", FIRST HOST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n"},
		{"two encodings", FIRST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"a control character", FIRST HOST "A: \x1f\r\n\r\n"},
		{"a byte beyond ASCII", FIRST HOST "A: \xc3\xa4\r\n\r\n"},
		{"DEL", FIRST HOST "A: \x7f\r\n\r\n"},
		{"HTTP/1.0", "GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"HTTP/1.1 in another case", "GET /_ping http/1.1\r\n\r\n"},
		{"no version", "GET /_ping\r\n\r\n"},
		{"two blanks", "GET  /_ping HTTP/1.1\r\n\r\n"},
		{"no path", "GET  HTTP/1.1\r\n\r\n"},
		{"a blank in the path", "GET /_ping x HTTP/1.1\r\n\r\n"},
		{"a blank at the end", "GET /_ping HTTP/1.1 \r\n\r\n"},
		{"a blank first", " GET /_ping HTTP/1.1\r\n\r\n"},
		{"an empty line first", "\r\nGET /_ping HTTP/1.1\r\n\r\n"},
		{"nothing but an empty line", "\r\n\r\n"},
		{"a method in another case", "get /_ping HTTP/1.1\r\n\r\n"},
	};
	static struct head h;

	(void)state;
	for (size_t k = 0; k < sizeof(refused) / sizeof(refused[0]); k++) {
		if (read_request(refused[k].text, strlen(refused[k].text), &h) >= 0)
			fail_msg("%s is not refused", refused[k].what);
	}
	assert_int_equal(read_request("GET /\0 HTTP/1.1\r\n\r\n", 19, &h), -1);
}

static void a_head_is_cut_into_its_parts(void **state)
{
	static const char text[] =
		"POST /v1.41/x?y=z HTTP/1.1\r\nHost: docker\r\nCONNECTION: keep-alive ,Upgrade,\tx\r\nA:\t b c \r\n"
		"Empty:\r\nBlank: \t \r\nTilde: ~\r\n\r\nrest";
	static struct head h;
	ssize_t n;

	(void)state;
	n = read_request(text, strlen(text), &h);
	assert_int_equal(n, strlen(text) - 4);
	assert_string_equal(h.method, "POST");
	assert_string_equal(h.target, "/v1.41/x?y=z");
	assert_int_equal(h.n, 6);
	assert_string_equal(head_field(&h, "host"), "docker");
	assert_string_equal(head_field(&h, "a"), "b c");
	assert_string_equal(head_field(&h, "empty"), "");
	assert_string_equal(head_field(&h, "blank"), "");
	assert_string_equal(head_field(&h, "tilde"), "~");
	assert_null(head_field(&h, "b"));
	assert_true(head_field_has(&h, "connection", "upgrade"));
	assert_true(head_field_has(&h, "connection", "keep-alive"));
	assert_true(head_field_has(&h, "connection", "x"));
	assert_false(head_field_has(&h, "connection", "keep"));
	assert_false(head_field_has(&h, "connection", ""));
	assert_false(head_field_has(&h, "b", "upgrade"));
	/* Each beginning of it is not complete. */
	for (size_t len = 0; len < (size_t)n; len++)
		assert_int_equal(read_request(text, len, &h), 0);
}

static void a_head_has_limits(void **state)
{
	static char text[2 * HEAD_MAX];
	static struct head h;
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(read_request(text, HEAD_MAX - 1, &h), 0);
	assert_int_equal(read_request(text, HEAD_MAX, &h), -1);
	for (int n = HEAD_FIELDS_MAX; n <= HEAD_FIELDS_MAX + 1; n++) {
		len = (size_t)sprintf(text, FIRST);
		for (int k = 0; k < n; k++)
			len += (size_t)sprintf(text + len, "a%d: b\r\n", k);
		len += (size_t)sprintf(text + len, "\r\n");
		assert_int_equal(read_request(text, len, &h), n > HEAD_FIELDS_MAX ? -1 : (ssize_t)len);
	}
	/* The longest that fits. */
	len = (size_t)sprintf(text, FIRST "a: ");
	memset(text + len, 'b', HEAD_MAX - len - 4);
	memcpy(text + HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(read_request(text, HEAD_MAX, &h), HEAD_MAX);
}

static void an_answer_has_a_status(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *reason;
	} answers[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", 200, "OK"},
		{"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n", 101, "UPGRADED"},
		{"HTTP/1.1 304\r\n\r\n", 304, ""},
		{"HTTP/1.1 404 Not Found\r\n\r\n", 404, "Not Found"},
		{"HTTP/1.0 200 OK\r\n\r\n", -1, NULL},
		{"HTTP/1.1 20 OK\r\n\r\n", -1, NULL},
		{"HTTP/1.1 2000 OK\r\n\r\n", -1, NULL},
		{"SSH-2.0-x\r\n\r\n", -1, NULL},
	};
	static struct head h;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(answers) / sizeof(answers[0]); k++) {
		int r = head_parse_answer(answers[k].text, strlen(answers[k].text), &h, &err);

		assert_int_equal(r, answers[k].status < 0 ? -1 : 0);
		if (r == 0) {
			assert_int_equal(h.status, answers[k].status);
			assert_string_equal(h.reason, answers[k].reason);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_engines_read_differently_is_refused),
		cmocka_unit_test(a_head_is_cut_into_its_parts),
		cmocka_unit_test(a_head_has_limits),
		cmocka_unit_test(an_answer_has_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
