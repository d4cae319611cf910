#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "router/answer.h"

static bool ends(const char *head)
{
	struct request_head h = {};

	return request_head_feed(&h, head, strlen(head));
}

static void a_head_ends_with_an_empty_line(void **state)
{
	(void)state;
	assert_true(ends("GET / HTTP/1.1\r\n\r\n"));
	assert_true(ends("GET / HTTP/1.1\r\nHost: d\r\n\r\n{}"));
	assert_true(ends("GET / HTTP/1.1\n\n"));
	assert_false(ends("GET / HTTP/1.1\r\nHost: d\r\n"));
	assert_false(ends("GET / HTTP/1.1\r\nA: b\r\nC: d\r\n"));
	assert_false(ends(""));
}

static void a_head_may_come_byte_by_byte(void **state)
{
	static const char head[] = "HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n";
	struct request_head h = {};

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(head); i++)
		assert_false(request_head_feed(&h, &head[i], 1));
	assert_true(request_head_feed(&h, "\n", 1));
	assert_int_equal(h.length, sizeof(head) - 1);
	assert_string_equal(h.method, "HEAD");
}

static void an_answer_is_what_docker_shows(void **state)
{
	const struct request_head get = {.method = "GET "};
	char text[ANSWER_MAX];
	size_t n = answer_format(403, "it's \"no\\body\"", &get, text);

	(void)state;
	assert_int_equal(n, strlen(text));
	assert_non_null(strstr(text, "HTTP/1.1 403 Forbidden\r\n"));
	assert_non_null(strstr(text, "Connection: close\r\n"));
	assert_non_null(strstr(text, "\r\n\r\n{\"message\":\"it's \\\"no\\\\body\\\"\","));
	assert_non_null(strstr(text, "\"response\":403}"));
}

static void an_answer_to_head_has_a_length_but_no_body(void **state)
{
	const struct request_head head = {.method = "HEAD"};
	char text[ANSWER_MAX];
	size_t n = answer_format(429, "no", &head, text);

	(void)state;
	assert_null(strstr(text, "{"));
	assert_null(strstr(text, "Content-Length: 0"));
	assert_int_equal(memcmp(text + n - 4, "\r\n\r\n", 4), 0);
	assert_non_null(strstr(text, "429 Too Many Requests"));
}

static void a_message_of_any_length_fits(void **state)
{
	const struct request_head get = {.method = "GET "};
	char text[ANSWER_MAX], message[512];

	(void)state;
	memset(message, '"', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	assert_in_range(answer_format(503, message, &get, text), 600, ANSWER_MAX - 1);
	assert_non_null(strstr(text, "\"response\":503}"));
}

static void check_line(const char *data, const char *line)
{
	char ret[REQUEST_LINE_MAX];

	request_line(data, strlen(data), ret);
	assert_string_equal(ret, line);
}

static void a_request_is_told_without_its_query(void **state)
{
	char longest[2 * REQUEST_LINE_MAX], line[REQUEST_LINE_MAX];

	(void)state;
	check_line("GET /v1.41/containers/json?all=1 HTTP/1.1\r\nHost: d\r\n", "GET /v1.41/containers/json");
	check_line("POST /build?buildargs=secret HTTP/1.1\r\n", "POST /build");
	check_line("GET /_ping HTTP/1.1\r\n", "GET /_ping");
	check_line("GET /_ping", "GET /_ping");
	check_line("GET\r\nnonsense", "GET");
	check_line("G\x1b[31m /x\n", "G?[31m /x");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	request_line(longest, sizeof(longest) - 1, line);
	assert_int_equal(strlen(line), REQUEST_LINE_MAX - 1);
}

static void a_ping_is_one_of_any_version(void **state)
{
	(void)state;
	assert_true(request_is_ping("GET /_ping"));
	assert_true(request_is_ping("HEAD /v1.41/_ping"));
	assert_false(request_is_ping("GET /_ping/x"));
	assert_false(request_is_ping("GET /x_ping"));
	assert_false(request_is_ping("GET"));
	assert_false(request_is_ping(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_ends_with_an_empty_line),
		cmocka_unit_test(a_head_may_come_byte_by_byte),
		cmocka_unit_test(an_answer_is_what_docker_shows),
		cmocka_unit_test(an_answer_to_head_has_a_length_but_no_body),
		cmocka_unit_test(a_message_of_any_length_fits),
		cmocka_unit_test(a_request_is_told_without_its_query),
		cmocka_unit_test(a_ping_is_one_of_any_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
