#include "rules/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "common/parse.h"
#include "rules/decide.h"
#include "rules/exchange.h"
#include "rules/frame.h"
#include "rules/head.h"
#include "rules/owner.h"
#include "rules/refusal.h"
#include "rules/strict.h"
#include "rules/wire.h"

/* A head and a parsed body must come within this time once they have begun. */
#define REQUEST_LIMIT (30 * USEC_PER_SEC)
#define BODY_MAX      (1024U * 1024)

struct session {
	struct verdict verdict;
	struct wire client, engine; /* engine.fd is -1 without a connection */
	struct head head, answer;
	struct frame body;
};

static void close_engine(struct session *s)
{
	if (s->engine.fd < 0)
		return;
	s->verdict.report->to_engine += s->engine.sent;
	close(s->engine.fd);
	s->engine.fd = -1;
}

/* A connection that the engine has closed meanwhile, or on which it says something unasked, is of no use. */
static bool is_usable(const struct session *s)
{
	struct pollfd p = {.fd = s->engine.fd, .events = POLLIN};

	return s->engine.fd >= 0 && wire_in_len(&s->engine) == 0 && poll(&p, 1, 0) == 0;
}

static int connect_engine(struct session *s, struct error *err)
{
	int fd;

	if (is_usable(s))
		return 0;
	close_engine(s);
	fd = s->verdict.engine.open_engine(s->verdict.engine.data, err);
	if (fd < 0)
		return -1;
	wire_begin(&s->engine, fd);
	return 0;
}

/* Reads the head of the next request. Returns 1; 0 if the client sends none. */
static int await_head(struct session *s, struct error *err)
{
	uint64_t deadline = USEC_INFINITY;

	for (;;) {
		ssize_t len = head_length(wire_in(&s->client), wire_in_len(&s->client), err);
		int r;

		if (len < 0)
			return -1;
		if (len > 0) {
			r = head_parse_request(wire_in(&s->client), (size_t)len, &s->head, err);
			wire_take(&s->client, (size_t)len);
			return r < 0 ? -1 : 1;
		}
		if (s->client.ended || s->client.gone)
			return 0;
		if (deadline == USEC_INFINITY && wire_in_len(&s->client) > 0)
			deadline = time_from_now(REQUEST_LIMIT);
		r = wire_turn(&s->client, true, NULL, false, timeout_msec(deadline), err);
		if (r <= 0)
			return r;
	}
}

/* A head is printable, or it would have been refused. */
static void note_request(struct session *s)
{
	struct rules_report *report = s->verdict.report;

	/* docker(1) begins each connection by a ping. */
	if (report->requests++ > 0 && !strstr(report->first, "/_ping"))
		return;
	snprintf(report->first, sizeof(report->first), "%s %.*s", s->head.method, (int)strcspn(s->head.target, "?"),
		 s->head.target);
}

static void say_continue(struct session *s)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!frame_has_ended(&s->body) && head_field(&s->head, "expect"))
		wire_put(&s->client, line, sizeof(line) - 1);
}

static int keep(char **text, size_t *text_len, const char *piece, size_t len, struct error *err)
{
	char *longer;

	if (len > BODY_MAX - *text_len)
		return error_set(err, EINVAL, "the body of the request is longer than %u bytes", BODY_MAX);
	longer = realloc(*text, *text_len + len + 1);
	if (!longer)
		return error_errno(err, ENOMEM, "cannot read the body of the request");
	memcpy(longer + *text_len, piece, len);
	*text = longer;
	*text_len += len;
	return 0;
}

/* Reads all of the request's body. */
static int read_body(struct session *s, char **ret, size_t *ret_len, struct error *err)
{
	uint64_t deadline = time_from_now(REQUEST_LIMIT);

	say_continue(s);
	while (!frame_has_ended(&s->body)) {
		const char *piece;
		size_t len;
		ssize_t n = frame_next(&s->body, wire_in(&s->client), wire_in_len(&s->client), &piece, &len, err);
		int r;

		if (n < 0 || keep(ret, ret_len, piece, len, err) < 0)
			return -1;
		wire_take(&s->client, (size_t)n);
		if (n > 0)
			continue;
		if (s->client.ended || s->client.gone)
			return error_set(err, EINVAL, "the body of the request is not complete");
		r = wire_turn(&s->client, true, NULL, false, timeout_msec(deadline), err);
		if (r <= 0)
			return r < 0 ? -1 : error_set(err, EINVAL, "the body of the request takes too long");
	}
	return keep(ret, ret_len, "", 0, err);
}

/* Fields of requests that engines read. Others are not passed on. */
static bool is_passed_on(const char *name)
{
	static const char *const names[] = {"user-agent",	    "accept",
					    "content-type",	    "x-registry-auth",
					    "x-registry-config",    "x-docker-expose-session-uuid",
					    "traceparent",	    "x-docker-expose-session-name",
					    "tracestate",	    "x-docker-expose-session-sharedkey",
					    "x-requested-platform", "x-docker-expose-session-grpc-method"};

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		if (strcmp(names[k], name) == 0)
			return true;
	}
	return false;
}

static void write_framing(const struct session *s, const struct decision *d, FILE *f)
{
	if (d->json)
		fprintf(f, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(d->json));
	else if (s->body.kind == FRAME_CHUNKED && !frame_has_ended(&s->body))
		fputs("Transfer-Encoding: chunked\r\n", f);
	else if (strcmp(s->head.method, "POST") == 0 || strcmp(s->head.method, "PUT") == 0)
		fprintf(f, "Content-Length: %llu\r\n", (unsigned long long)s->body.left);
}

/* The request as it goes to the engine: written anew, with the body if that was parsed. */
static int write_request(const struct session *s, const struct decision *d, char **ret, size_t *ret_len,
			 struct error *err)
{
	_cleanup_free_ char *target = NULL;
	FILE *f;

	if (uri_write(&d->uri, &target, err) < 0)
		return -1;
	f = open_memstream(ret, ret_len);
	if (!f)
		return error_errno(err, ENOMEM, "cannot compose the request");
	fprintf(f, "%s %s HTTP/1.1\r\nHost: docker\r\n", s->head.method, target);
	for (size_t k = 0; k < s->head.n; k++) {
		const struct head_field *field = &s->head.fields[k];

		if (is_passed_on(field->name) && !(d->json && strcmp(field->name, "content-type") == 0))
			fprintf(f, "%s: %s\r\n", field->name, field->value);
	}
	if (d->upgrade)
		fprintf(f, "Connection: Upgrade\r\nUpgrade: %s\r\n", head_field(&s->head, "upgrade"));
	write_framing(s, d, f);
	fprintf(f, "\r\n%s", d->json ? d->json : "");
	if (fclose(f) != 0) {
		free_ptr(ret);
		return error_errno(err, ENOMEM, "cannot compose the request");
	}
	return 0;
}

/* Creates an exec instance: we read the answer, because the ID in it belongs to the caller. */
static int make_exec(struct session *s, const struct decision *d, struct error *err)
{
	_cleanup_answer_ struct inquiry_answer a = {};
	_cleanup_cjson_ cJSON *answer = NULL;
	_cleanup_free_ char *target = NULL;
	const char *id;

	if (uri_write(&d->uri, &target, err) < 0 ||
	    inquiry_make(&s->verdict.engine, "POST", target, d->json, &a, err) < 0)
		return -1;
	if (a.status == 201) {
		answer = cJSON_ParseWithLength(a.body, a.len);
		id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "Id"));
		if (owner_note(s->verdict.caller, id ? id : "", err) < 0)
			return -1;
	}
	return refusal_relay(&s->client, a.status, a.body, a.len, err);
}

/* Passes the request on. Returns 1 if another one may follow on this connection, else 0. */
static int pass_on(struct session *s, const struct decision *d, struct error *err)
{
	enum endpoint_body kind = d->endpoint->body;
	_cleanup_free_ char *text = NULL;
	struct exchange x = {
		.client = &s->client,
		.engine = &s->engine,
		.method = s->head.method,
		.body = &s->body,
		.may_stream = kind == BODY_ATTACH || kind == BODY_EXEC || kind == BODY_UPGRADE,
		.upgrade = d->upgrade,
		.close = head_field_has(&s->head, "connection", "close"),
		.answer = &s->answer,
	};
	struct error ignored;
	int r;

	if (write_request(s, d, &text, &x.text_len, err) < 0 || connect_engine(s, err) < 0)
		return -1;
	say_continue(s);
	x.text = text;
	r = exchange_run(&x, err);
	if (r < 0 || x.streamed || x.engine_closes || !frame_has_ended(&s->body) || s->client.gone)
		close_engine(s);
	if (r < 0 && !x.answered)
		return -1;
	if (d->endpoint->object == OBJECT_EXEC) /* a stream may have lasted for hours */
		(void)owner_note(s->verdict.caller, d->object, &ignored);
	if (r < 0 || x.streamed || x.close || s->client.gone) {
		wire_linger(&s->client);
		return 0;
	}
	return 1;
}

static int perform(struct session *s, struct decision *d, struct error *err)
{
	_cleanup_free_ char *body = NULL;
	size_t len = 0;

	if (frame_of_request(&s->head, &s->body, err) < 0 ||
	    decide_by_head(&s->verdict, &s->head, &s->body, d, err) < 0)
		return -1;
	if (decide_needs_body(d, &s->body) &&
	    (read_body(s, &body, &len, err) < 0 || decide_by_body(&s->verdict, d, body, len, err) < 0))
		return -1;
	if (d->endpoint->flags & ENDPOINT_MAKES_EXEC)
		return make_exec(s, d, err) < 0 ? -1 : !head_field_has(&s->head, "connection", "close");
	return pass_on(s, d, err);
}

/* The engine's faults are none of ours. */
static void note_refusal(struct rules_report *report, const struct error *why)
{
	if (why->code != EPERM && why->code != EINVAL && why->code != ENOENT)
		return;
	report->refused++;
	snprintf(report->refusal, sizeof(report->refusal), "%.*s", REPORT_FIRST_MAX - 1, why->text);
	text_make_printable(report->refusal);
}

/* Serves one request. Returns 1 if another one may follow on this connection, else 0. Errors are answered. */
static int serve_one(struct session *s, struct error *err)
{
	_cleanup_decision_ struct decision d = {};
	bool close;
	int r;

	/* The next answer has all the room. */
	if (!wire_flush(&s->client, USEC_INFINITY))
		return 0;
	r = await_head(s, err);
	if (r == 0)
		return 0;
	if (r < 0) {
		s->head.method = "";
		s->body = (struct frame){.state = FRAME_ENDED};
	} else {
		note_request(s);
		r = perform(s, &d, err);
	}
	if (r >= 0)
		return r;
	note_refusal(s->verdict.report, err);
	close = err->code != EPERM && err->code != ENOENT;
	close |= !frame_has_ended(&s->body) || head_field(&s->head, "upgrade") ||
		 head_field_has(&s->head, "connection", "close");
	refusal_answer(&s->client, strcmp(s->head.method, "HEAD") == 0, close, err);
	error_clear(err);
	if (close)
		wire_linger(&s->client);
	return !close;
}

int rules_serve(const struct rules *r, const struct rules_caller *caller, int client_fd,
		int (*open_engine)(void *data, struct error *err), void *data, struct rules_report *report,
		struct error *err)
{
	_cleanup_free_ struct session *s = calloc(1, sizeof(*s));
	int more = 1;

	*report = (struct rules_report){};
	if (!s)
		return error_errno(err, ENOMEM, "cannot serve a connection");
	s->verdict = (struct verdict){.rules = r, .caller = caller, .report = report, .engine = {open_engine, data}};
	s->engine.fd = -1;
	wire_begin(&s->client, client_fd);
	while (more > 0)
		more = serve_one(s, err);
	(void)wire_flush(&s->client, time_from_now(REQUEST_LIMIT));
	close_engine(s);
	report->to_client = s->client.sent;
	return more;
}
