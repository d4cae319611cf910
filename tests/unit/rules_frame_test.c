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

#include "rules/frame.h"

static int frame_of(const char *fields, bool answer, struct frame *ret)
{
	static struct head h;
	char text[512];
	struct error err = {};
	int n = snprintf(text, sizeof(text), "%s\r\n%s\r\n", answer ? "HTTP/1.1 200 OK" : "POST / HTTP/1.1", fields);

	if (answer) {
		assert_int_equal(head_parse_answer(text, (size_t)n, &h, &err), 0);
		return frame_of_answer(&h, "GET", ret, &err);
	}
	assert_int_equal(head_parse_request(text, (size_t)n, &h, &err), 0);
	return frame_of_request(&h, ret, &err);
}

static void a_body_has_one_length(void **state)
{
	static const struct {
		const char *fields;
		int kind; /* -1: refused */
		uint64_t left;
	} cases[] = {
		{"", FRAME_NONE, 0},
		{"Content-Length: 0\r\n", FRAME_LENGTH, 0},
		{"Content-Length: 12\r\n", FRAME_LENGTH, 12},
		{"Content-Length: 999999999999999999\r\n", FRAME_LENGTH, 999999999999999999},
		{"Transfer-Encoding: chunked\r\n", FRAME_CHUNKED, 0},
		{"Transfer-Encoding: Chunked\r\n", FRAME_CHUNKED, 0},
		{"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", -1, 0},
		{"Transfer-Encoding: gzip, chunked\r\n", -1, 0},
		{"Transfer-Encoding: identity\r\n", -1, 0},
		{"Transfer-Encoding: chunked, chunked\r\n", -1, 0},
		{"Transfer-Encoding:\r\n", -1, 0},
		{"Content-Length:\r\n", -1, 0},
		{"Content-Length: +1\r\n", -1, 0},
		{"Content-Length: -1\r\n", -1, 0},
		{"Content-Length: 1, 1\r\n", -1, 0},
		{"Content-Length: 0x1\r\n", -1, 0},
		{"Content-Length: 1 2\r\n", -1, 0},
		{"Content-Length: 9999999999999999999\r\n", -1, 0},
	};
	struct frame f;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		int r = frame_of(cases[k].fields, false, &f);

		if (r != (cases[k].kind < 0 ? -1 : 0))
			fail_msg("'%s': %d", cases[k].fields, r);
		if (r < 0)
			continue;
		assert_int_equal(f.kind, cases[k].kind);
		assert_int_equal(f.left, cases[k].left);
		assert_int_equal(frame_has_ended(&f), f.kind == FRAME_NONE || (f.kind == FRAME_LENGTH && f.left == 0));
	}
}

/* Decodes with pieces of this size; -1 if it is refused, else how many bytes were taken. */
static ssize_t decode(struct frame *f, const char *in, size_t len, size_t piece_max, char *ret)
{
	size_t done = 0, have = 0;
	struct error err = {};

	*ret = '\0';
	while (!frame_has_ended(f)) {
		const char *piece;
		size_t piece_len;
		ssize_t n = frame_next(f, in + done, have - done, &piece, &piece_len, &err);

		if (n < 0) {
			assert_int_equal(err.code, EINVAL);
			return -1;
		}
		strncat(ret, piece, piece_len);
		done += (size_t)n;
		if (n > 0)
			continue;
		if (have == len)
			return 0;
		have = have + piece_max < len ? have + piece_max : len;
	}
	return (ssize_t)done;
}

static void chunks_are_strict(void **state)
{
	static const struct {
		const char *text, *body; /* NULL: refused */
	} cases[] = {
		{"3\r\nabc\r\n0\r\n\r\n", "abc"},
		{"1\r\na\r\n00B\r\nbcdefghijkl\r\n0\r\n\r\n", "abcdefghijkl"},
		{"0\r\n\r\n", ""},
		{"000000000000003\r\nabc\r\n000000000000000\r\n\r\n", "abc"},
		{"3;x=y\r\nabc\r\n0\r\n\r\n", NULL},
		{"3 \r\nabc\r\n0\r\n\r\n", NULL},
		{"3\nabc\r\n0\r\n\r\n", NULL},
		{"0x3\r\nabc\r\n0\r\n\r\n", NULL},
		{"-3\r\nabc\r\n0\r\n\r\n", NULL},
		{"\r\nabc\r\n0\r\n\r\n", NULL},
		{"3\r\nabcd\r\n0\r\n\r\n", NULL},
		{"3\r\nabc\n0\r\n\r\n", NULL},
		{"0\r\nA: b\r\n\r\n", NULL},
		{"fffffffffffffffff\r\nabc", NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		for (size_t piece = 1; piece < 20; piece++) {
			struct frame f;
			char body[64];
			ssize_t n;

			assert_int_equal(frame_of("Transfer-Encoding: chunked\r\n", false, &f), 0);
			n = decode(&f, cases[k].text, strlen(cases[k].text), piece, body);
			if (!cases[k].body) {
				if (n != -1)
					fail_msg("'%s' is not refused", cases[k].text);
				continue;
			}
			assert_int_equal(n, strlen(cases[k].text));
			assert_string_equal(body, cases[k].body);
		}
	}
}

/* What can only be wrong is refused at once; what is complete is taken at once. */
static void nothing_is_awaited_in_vain(void **state)
{
	static const struct {
		const char *text;
		int state;
		bool lenient;
		ssize_t taken; /* -1: refused */
	} cases[] = {
		{"0000000000000000", FRAME_SIZE, false, 0},
		{"00000000000000000", FRAME_SIZE, false, -1},
		{"00000000000000f\r\n", FRAME_SIZE, false, 17},
		{"00000000000000f\r\n", FRAME_SIZE, true, 17},
		{"000000000000000f\r\n", FRAME_SIZE, true, -1},
		{"\r", FRAME_AFTER_DATA, false, 0},
		{"\r\n", FRAME_AFTER_DATA, false, 2},
		{"\r", FRAME_TRAILER, false, 0},
		{"\r\n", FRAME_TRAILER, false, 2},
		{"ab", FRAME_TRAILER, false, -1},
		{"ab", FRAME_TRAILER, true, 0},
		{"a\n", FRAME_TRAILER, true, -1},
		{"\n", FRAME_TRAILER, true, -1},
		{"3\n", FRAME_SIZE, true, -1},
		{"3;x\n", FRAME_SIZE, true, -1},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct frame f = {.kind = FRAME_CHUNKED, .state = cases[k].state, .lenient = cases[k].lenient};
		struct error err;
		const char *piece;
		size_t len;

		if (frame_next(&f, cases[k].text, strlen(cases[k].text), &piece, &len, &err) != cases[k].taken)
			fail_msg("'%s' in state %d", cases[k].text, cases[k].state);
		assert_int_equal(len, 0);
	}
}

static void a_line_of_an_engine_is_limited(void **state)
{
	static char text[4096];
	const char *piece;
	size_t len;
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '1';
	text[1] = ';';
	for (size_t n = sizeof(text) - 1; n <= sizeof(text); n++) {
		struct frame f = {.kind = FRAME_CHUNKED, .lenient = true};

		assert_int_equal(frame_next(&f, text, n, &piece, &len, &err), n < sizeof(text) ? 0 : -1);
	}
	memcpy(text + sizeof(text) - 2, "\r\n", 2);
	{
		struct frame f = {.kind = FRAME_CHUNKED, .lenient = true};

		assert_int_equal(frame_next(&f, text, sizeof(text), &piece, &len, &err), sizeof(text));
		assert_int_equal(f.left, 1);
	}
}

static void nothing_is_taken_behind_the_end(void **state)
{
	struct frame f;
	struct error err;
	const char *piece;
	size_t len;

	(void)state;
	assert_int_equal(frame_of("Content-Length: 0\r\n", false, &f), 0);
	assert_int_equal(frame_next(&f, "abc", 3, &piece, &len, &err), 0);
	assert_int_equal(len, 0);
}

static void an_engine_may_send_extensions_and_trailers(void **state)
{
	static const char text[] = "3;x=y\r\nabc\r\n0 \r\nA: b\r\n\r\n";
	struct frame f;
	char body[64];

	(void)state;
	assert_int_equal(frame_of("Transfer-Encoding: chunked\r\n", true, &f), 0);
	assert_int_equal(decode(&f, text, strlen(text), 1, body), strlen(text));
	assert_string_equal(body, "abc");
	assert_int_equal(frame_of("", true, &f), 0);
	assert_int_equal(f.kind, FRAME_UNTIL_END);
	assert_int_equal(decode(&f, "abc", 3, 2, body), 0);
	assert_string_equal(body, "abc");
}

static void some_answers_have_no_body(void **state)
{
	static const struct {
		const char *method, *status;
		bool none;
	} cases[] = {{"HEAD", "200", true},
		     {"GET", "204", true},
		     {"GET", "304", true},
		     {"GET", "101", true},
		     {"GET", "200", false}};
	static struct head h;
	struct frame f;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		char text[64];
		int n = snprintf(text, sizeof(text), "HTTP/1.1 %s x\r\nContent-Length: 5\r\n\r\n", cases[k].status);

		assert_int_equal(head_parse_answer(text, (size_t)n, &h, &err), 0);
		assert_int_equal(frame_of_answer(&h, cases[k].method, &f, &err), 0);
		assert_int_equal(frame_has_ended(&f), cases[k].none);
	}
}

static void a_body_is_framed_anew(void **state)
{
	static struct wire w;
	struct frame f = {.kind = FRAME_CHUNKED};
	static char large[WIRE_MAX];

	(void)state;
	wire_begin(&w, -1);
	frame_put(&f, &w, "abcdefghijklmnopq", 17);
	frame_put(&f, &w, "", 0);
	frame_put_end(&f, &w);
	assert_int_equal(wire_out_len(&w), 4 + 17 + 2 + 5);
	assert_memory_equal(w.out, "11\r\nabcdefghijklmnopq\r\n0\r\n\r\n", 28);
	wire_begin(&w, -1);
	frame_put(&f, &w, large, frame_room(&f, &w));
	frame_put_end(&f, &w);
	assert_true(wire_out_len(&w) <= WIRE_MAX);
	assert_int_equal(frame_room(&f, &w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_has_one_length),
		cmocka_unit_test(chunks_are_strict),
		cmocka_unit_test(some_answers_have_no_body),
		cmocka_unit_test(an_engine_may_send_extensions_and_trailers),
		cmocka_unit_test(a_body_is_framed_anew),
		cmocka_unit_test(nothing_is_taken_behind_the_end),
		cmocka_unit_test(nothing_is_awaited_in_vain),
		cmocka_unit_test(a_line_of_an_engine_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
