#include "rules/frame.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/extremes.h"

#define CHUNK_OVERHEAD 24U /* the line of a chunk's size, and the line end behind its data */
#define SIZE_DIGITS    15U
#define LINE_MAX_LEN   4096U /* of a chunk's size with its extensions, and of a trailer */

static int parse_length(const char *s, uint64_t *ret, struct error *err)
{
	uint64_t n = 0;
	size_t digits = strspn(s, "0123456789");

	if (digits == 0 || s[digits] || digits > 18)
		return error_set(err, EINVAL, "the Content-Length '%.32s' is not a number", s);
	for (const char *p = s; *p; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	*ret = n;
	return 0;
}

static int frame_of(const struct head *h, bool lenient, enum frame_kind without, struct frame *ret, struct error *err)
{
	const char *length = head_field(h, "content-length"), *encoding = head_field(h, "transfer-encoding");

	*ret = (struct frame){.kind = without, .lenient = lenient};
	if (length && encoding)
		return error_set(err, EINVAL, "the head has both Content-Length and Transfer-Encoding");
	if (encoding) {
		if (strcasecmp(encoding, "chunked") != 0)
			return error_set(err, EINVAL, "the only Transfer-Encoding here is chunked");
		ret->kind = FRAME_CHUNKED;
		ret->state = FRAME_SIZE;
	} else if (length) {
		if (parse_length(length, &ret->left, err) < 0)
			return -1;
		ret->kind = FRAME_LENGTH;
		ret->state = ret->left ? FRAME_DATA : FRAME_ENDED;
	} else {
		ret->state = without == FRAME_NONE ? FRAME_ENDED : FRAME_DATA;
	}
	return 0;
}

int frame_of_request(const struct head *h, struct frame *ret, struct error *err)
{
	return frame_of(h, false, FRAME_NONE, ret, err);
}

int frame_of_answer(const struct head *h, const char *method, struct frame *ret, struct error *err)
{
	if (strcmp(method, "HEAD") == 0 || h->status < 200 || h->status == 204 || h->status == 304) {
		*ret = (struct frame){.kind = FRAME_NONE, .state = FRAME_ENDED};
		return 0;
	}
	return frame_of(h, true, FRAME_UNTIL_END, ret, err);
}

/* The length of the line at the beginning, with its end; 0: it is not complete. */
static ssize_t line_length(const char *in, size_t len, size_t max, struct error *err)
{
	const char *end = memchr(in, '\n', (size_t)least_of(len, max));

	if (!end)
		return len < max ? 0 : error_set(err, EINVAL, "a line of the chunked body is too long");
	if (end == in || end[-1] != '\r')
		return error_set(err, EINVAL, "a line of the chunked body ends with LF alone");
	return end - in + 1;
}

static ssize_t next_size(struct frame *f, const char *in, size_t len, struct error *err)
{
	ssize_t line = line_length(in, len, f->lenient ? LINE_MAX_LEN : SIZE_DIGITS + 2, err);
	size_t k = 0;

	if (line <= 0)
		return line;
	for (f->left = 0; k < SIZE_DIGITS && isxdigit((unsigned char)in[k]); k++)
		f->left = f->left * 16 +
			  (uint64_t)(isdigit((unsigned char)in[k]) ? in[k] - '0' : (in[k] | 0x20) - 'a' + 10);
	if (k == 0 || (in[k] != '\r' && !(f->lenient && strchr("; \t", in[k]))))
		return error_set(err, EINVAL, "the size of a chunk is not a hexadecimal number");
	f->state = f->left ? FRAME_DATA : FRAME_TRAILER;
	return line;
}

static ssize_t next_trailer(struct frame *f, const char *in, size_t len, struct error *err)
{
	ssize_t line = line_length(in, len, f->lenient ? LINE_MAX_LEN : 2, err);

	if (line == 2)
		f->state = FRAME_ENDED;
	else if (line > 0 && !f->lenient)
		return error_set(err, EINVAL, "the chunked body has a trailer");
	return line;
}

static ssize_t next_data(struct frame *f, const char *in, size_t len, const char **ret, size_t *ret_len)
{
	*ret = in;
	*ret_len = f->kind == FRAME_UNTIL_END ? len : (size_t)least_of(len, f->left);
	if (f->kind != FRAME_UNTIL_END) {
		f->left -= *ret_len;
		if (f->left == 0)
			f->state = f->kind == FRAME_CHUNKED ? FRAME_AFTER_DATA : FRAME_ENDED;
	}
	return (ssize_t)*ret_len;
}

ssize_t frame_next(struct frame *f, const char *in, size_t len, const char **ret, size_t *ret_len, struct error *err)
{
	*ret = in;
	*ret_len = 0;
	if (len == 0)
		return 0;
	switch (f->state) {
	case FRAME_SIZE:
		return next_size(f, in, len, err);
	case FRAME_DATA:
		return next_data(f, in, len, ret, ret_len);
	case FRAME_AFTER_DATA:
		if (len < 2)
			return 0;
		if (memcmp(in, "\r\n", 2) != 0)
			return error_set(err, EINVAL, "a chunk is longer than its size");
		f->state = FRAME_SIZE;
		return 2;
	case FRAME_TRAILER:
		return next_trailer(f, in, len, err);
	case FRAME_ENDED:
		break;
	}
	return 0;
}

size_t frame_room(const struct frame *f, const struct wire *to)
{
	return (size_t)beyond(wire_room(to), (f->kind == FRAME_CHUNKED ? CHUNK_OVERHEAD : 0) + FRAME_END_MAX);
}

void frame_put(const struct frame *f, struct wire *to, const char *data, size_t len)
{
	char line[CHUNK_OVERHEAD];

	if (len == 0)
		return;
	if (f->kind == FRAME_CHUNKED)
		wire_put(to, line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", len));
	wire_put(to, data, len);
	if (f->kind == FRAME_CHUNKED)
		wire_put(to, "\r\n", 2);
}

void frame_put_end(const struct frame *f, struct wire *to)
{
	if (f->kind == FRAME_CHUNKED)
		wire_put(to, "0\r\n\r\n", 5);
}
