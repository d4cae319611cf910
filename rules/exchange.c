#include "rules/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/extremes.h"

/* Our own fields of an answer's head. */
#define OWN_FIELDS_MAX 256U

/* How long what a client has sent before it went is still passed on. */
#define LAST_WORDS (1 * USEC_PER_SEC)

/* Gives the engine what there is of the request. */
static int feed(struct exchange *x, struct error *err)
{
	size_t n = (size_t)least_of(x->text_len, wire_room(x->engine));

	wire_put(x->engine, x->text, n);
	x->text += n;
	x->text_len -= n;
	while (x->text_len == 0 && !frame_has_ended(x->body)) {
		size_t room = frame_room(x->body, x->engine), len;
		size_t given = (size_t)least_of(wire_in_len(x->client), room);
		const char *piece;
		ssize_t taken;

		if (room == 0)
			return 0;
		taken = frame_next(x->body, wire_in(x->client), given, &piece, &len, err);
		if (taken < 0)
			return -1;
		frame_put(x->body, x->engine, piece, len);
		wire_take(x->client, (size_t)taken);
		if (frame_has_ended(x->body))
			frame_put_end(x->body, x->engine);
		if (taken > 0)
			continue;
		/* An engine would wait for the rest for ever. */
		if (x->client->ended && wire_in_len(x->client) == given)
			return error_set(err, EINVAL, "the body of the request is not complete");
		return 0;
	}
	return 0;
}

/* Fields that concern one connection only, or the framing. */
static bool is_of_connection(const char *name)
{
	static const char *const names[] = {
		"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade",
		"trailer",    "te",	    "proxy-connection"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		if (strcmp(names[k], name) == 0)
			return true;
	}
	return false;
}

__attribute__((format(printf, 2, 3))) static void put_line(struct wire *w, const char *format, ...)
{
	char line[OWN_FIELDS_MAX];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	wire_put(w, line, (size_t)least_of((uint64_t)n, sizeof(line) - 1));
}

static void put_text(struct wire *w, const char *text)
{
	wire_put(w, text, strlen(text));
}

/* The lines that say how the client finds the end of the answer, and whether more follows. */
static void put_framing(struct exchange *x, const struct frame *f, bool stream)
{
	const char *length = head_field(x->answer, "content-length"), *protocol = head_field(x->answer, "upgrade");

	if (x->answer->status == 101) {
		put_line(x->client, "Connection: Upgrade\r\nUpgrade: %.32s\r\n", protocol ? protocol : "tcp");
	} else if (!stream) {
		if (f->kind == FRAME_CHUNKED)
			put_text(x->client, "Transfer-Encoding: chunked\r\n");
		else if (length)
			put_line(x->client, "Content-Length: %.20s\r\n", length);
		x->close |= f->kind == FRAME_UNTIL_END;
		if (x->close)
			put_text(x->client, "Connection: close\r\n");
	}
	put_text(x->client, "\r\n");
}

static void put_head(struct exchange *x, const struct frame *f, bool stream)
{
	const struct head *h = x->answer;

	put_line(x->client, "HTTP/1.1 %d ", h->status);
	put_text(x->client, h->reason);
	put_text(x->client, "\r\n");
	for (size_t k = 0; k < h->n; k++) {
		if (is_of_connection(h->fields[k].name))
			continue;
		put_text(x->client, h->fields[k].name);
		put_text(x->client, ": ");
		put_text(x->client, h->fields[k].value);
		put_text(x->client, "\r\n");
	}
	put_framing(x, f, stream);
	x->answered = true;
}

enum progress { MORE, HEAD, STREAM };

/* The head of the answer, if it is complete and there is room for it. */
static int take_head(struct exchange *x, struct frame *ret, enum progress *ret_progress, struct error *err)
{
	ssize_t len = head_length(wire_in(x->engine), wire_in_len(x->engine), err);
	bool stream;

	*ret_progress = MORE;
	if (len < 0)
		return -1;
	if (len == 0 && x->engine->ended)
		return error_set(err, ECONNRESET, "the engine hung up without an answer");
	if (len == 0 || wire_room(x->client) < (size_t)len + OWN_FIELDS_MAX)
		return 0;
	if (head_parse_answer(wire_in(x->engine), (size_t)len, x->answer, err) < 0 ||
	    frame_of_answer(x->answer, x->method, ret, err) < 0)
		return -1;
	wire_take(x->engine, (size_t)len);
	if (x->answer->status < 200 && x->answer->status != 101)
		return take_head(x, ret, ret_progress, err); /* "100 Continue" was answered by us */
	if (x->answer->status == 101 && !x->upgrade)
		return error_set(err, EPROTO, "the engine grants an Upgrade that nobody has asked for");
	/* The old way: the answer without a length is the stream. */
	stream =
		x->answer->status == 101 || (x->may_stream && x->answer->status == 200 && ret->kind == FRAME_UNTIL_END);
	x->engine_closes = head_field_has(x->answer, "connection", "close") || ret->kind == FRAME_UNTIL_END;
	/* What the client has sent behind its wish for a stream is not a request. */
	x->close |= !stream && x->may_stream && (x->upgrade || wire_in_len(x->client) > 0);
	x->close |= !frame_has_ended(x->body); /* the engine does not need the rest of the request */
	put_head(x, ret, stream);
	*ret_progress = stream ? STREAM : HEAD;
	return 0;
}

/* Passes on what there is of the answer's body. */
static int take_body(struct exchange *x, struct frame *f, struct error *err)
{
	while (!frame_has_ended(f)) {
		size_t room = frame_room(f, x->client), len;
		const char *piece;
		ssize_t taken;

		if (room == 0)
			return 0;
		taken = frame_next(f, wire_in(x->engine), (size_t)least_of(wire_in_len(x->engine), room), &piece, &len,
				   err);
		if (taken < 0)
			return -1;
		frame_put(f, x->client, piece, len);
		wire_take(x->engine, (size_t)taken);
		if (frame_has_ended(f))
			frame_put_end(f, x->client);
		if (taken > 0)
			continue;
		if (!x->engine->ended)
			return 0;
		if (f->kind != FRAME_UNTIL_END)
			return error_set(err, ECONNRESET, "the engine hung up in the middle of its answer");
		f->state = FRAME_ENDED;
	}
	return 0;
}

static void move(struct wire *from, struct wire *to)
{
	size_t n = (size_t)least_of(wire_in_len(from), wire_room(to));

	if (to->gone)
		n = wire_in_len(from); /* nobody reads it */
	else
		wire_put(to, wire_in(from), n);
	wire_take(from, n);
}

/* Passes the end of one direction on, once all before it has been written. */
static void pass_end(const struct wire *from, struct wire *to, bool *passed)
{
	if (*passed || !from->ended || wire_in_len(from) > 0 || (wire_out_len(to) > 0 && !to->gone))
		return;
	*passed = true;
	(void)shutdown(to->fd, SHUT_WR);
}

/* Bytes as they are, until both directions have ended. */
static int stream(struct exchange *x, struct error *err)
{
	uint64_t deadline = USEC_INFINITY;
	bool up = false, down = false; /* has the end been passed on? */

	x->streamed = true;
	for (;;) {
		int r;

		move(x->client, x->engine);
		move(x->engine, x->client);
		pass_end(x->client, x->engine, &up);
		pass_end(x->engine, x->client, &down);
		if ((up && down) || (x->engine->gone && down) || (x->client->gone && up))
			return 0;
		if (x->client->gone && deadline == USEC_INFINITY)
			deadline = time_from_now(LAST_WORDS);
		r = wire_turn(x->client, true, x->engine, true, timeout_msec(deadline), err);
		if (r <= 0)
			return r;
	}
}

/* One step of the way back. */
static int take(struct exchange *x, struct frame *f, enum progress *progress, struct error *err)
{
	if (*progress == MORE && take_head(x, f, progress, err) < 0)
		return -1;
	return *progress == HEAD ? take_body(x, f, err) : 0;
}

int exchange_run(struct exchange *x, struct error *err)
{
	enum progress progress = MORE;
	struct frame frame = {};

	for (;;) {
		if (feed(x, err) < 0)
			return -1;
		if (take(x, &frame, &progress, err) < 0) {
			err->code = err->code == EINVAL ? EPROTO : err->code; /* not the client's fault */
			return -1;
		}
		if (progress == STREAM)
			return stream(x, err);
		if (progress == HEAD && frame_has_ended(&frame))
			return 0;
		if (wire_turn(x->client, !frame_has_ended(x->body), x->engine, true, -1, err) < 0)
			return -1;
		if (x->client->gone)
			return 0;
	}
}
