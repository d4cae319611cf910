#include "rules/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "rules/frame.h"
#include "rules/head.h"
#include "rules/wire.h"

#define ANSWER_MAX (8U * 1024 * 1024)
#define LIMIT	   (60 * USEC_PER_SEC)

struct inquirer {
	struct wire wire;
	struct head head;
	struct frame frame;
	uint64_t deadline;
};

void inquiry_answer_clear(struct inquiry_answer *a)
{
	free(a->body);
	*a = (struct inquiry_answer){};
}

static int wait_for_more(struct inquirer *q, struct error *err)
{
	int r = wire_turn(NULL, false, &q->wire, true, timeout_msec(q->deadline), err);

	if (r < 0)
		return -1;
	return r ? 0 : error_set(err, ETIMEDOUT, "the engine does not answer");
}

/* Sends a text of any length. */
static int send_text(struct inquirer *q, const char *text, size_t len, struct error *err)
{
	while (len > 0) {
		size_t n = (size_t)least_of(wire_room(&q->wire), len);

		wire_put(&q->wire, text, n);
		text += n;
		len -= n;
		if (!wire_flush(&q->wire, q->deadline))
			return error_set(err, EPIPE, "the engine does not take a request");
	}
	return 0;
}

static int send_request(struct inquirer *q, const char *method, const char *target, const char *json, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int n;

	if (json)
		n = asprintf(&text,
			     "%s %s HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     method, target, strlen(json), json);
	else
		n = asprintf(&text, "%s %s HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
			     method, target);
	if (n < 0) {
		text = NULL;
		return error_errno(err, ENOMEM, "cannot ask the engine");
	}
	return send_text(q, text, (size_t)n, err);
}

static int read_head(struct inquirer *q, struct error *err)
{
	for (;;) {
		ssize_t len = head_length(wire_in(&q->wire), wire_in_len(&q->wire), err);

		if (len < 0)
			return -1;
		if (len > 0) {
			if (head_parse_answer(wire_in(&q->wire), (size_t)len, &q->head, err) < 0)
				return -1;
			wire_take(&q->wire, (size_t)len);
			if (q->head.status >= 200)
				return 0;
			continue;
		}
		if (q->wire.ended)
			return error_set(err, ECONNRESET, "the engine hung up");
		if (wait_for_more(q, err) < 0)
			return -1;
	}
}

static int keep(struct inquiry_answer *a, const char *piece, size_t len, struct error *err)
{
	char *body;

	if (len > ANSWER_MAX - a->len)
		return error_set(err, EFBIG, "the engine's answer is too long");
	body = realloc(a->body, a->len + len + 1);
	if (!body)
		return error_errno(err, ENOMEM, "cannot read the engine's answer");
	memcpy(body + a->len, piece, len);
	a->body = body;
	a->len += len;
	body[a->len] = '\0';
	return 0;
}

static int read_body(struct inquirer *q, struct inquiry_answer *a, struct error *err)
{
	while (!frame_has_ended(&q->frame)) {
		const char *piece;
		size_t len;
		ssize_t n = frame_next(&q->frame, wire_in(&q->wire), wire_in_len(&q->wire), &piece, &len, err);

		if (n < 0 || keep(a, piece, len, err) < 0)
			return -1;
		wire_take(&q->wire, (size_t)n);
		if (n > 0)
			continue;
		if (q->wire.ended)
			return q->frame.kind == FRAME_UNTIL_END ? 0 : error_set(err, ECONNRESET, "the engine hung up");
		if (wait_for_more(q, err) < 0)
			return -1;
	}
	return keep(a, "", 0, err);
}

int inquiry_make(const struct inquiry *q, const char *method, const char *target, const char *json,
		 struct inquiry_answer *ret, struct error *err)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ struct inquirer *i = calloc(1, sizeof(*i));

	*ret = (struct inquiry_answer){};
	if (!i)
		return error_errno(err, ENOMEM, "cannot ask the engine");
	fd = q->open_engine(q->data, err);
	if (fd < 0)
		return -1;
	wire_begin(&i->wire, fd);
	i->deadline = time_from_now(LIMIT);
	if (send_request(i, method, target, json, err) < 0 || read_head(i, err) < 0 ||
	    frame_of_answer(&i->head, method, &i->frame, err) < 0 || read_body(i, ret, err) < 0) {
		/* Whatever is wrong with the engine's answer is not the client's fault. */
		err->code = err->code == EINVAL ? EPROTO : err->code;
		return error_context(err, "asked for '%.128s'", target);
	}
	ret->status = i->head.status;
	ret->of_podman = head_field(&i->head, "libpod-api-version") != NULL;
	return 0;
}
