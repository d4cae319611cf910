/* A connection under rules, with an engine that answers from a table. */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "rules/serve.h"

#define ID_OURS	  "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_OTHERS "2222222222222222222222222222222222222222222222222222222222222222"
#define ID_EXEC	  "3333333333333333333333333333333333333333333333333333333333333333"

/* What the engine answers to a request whose first line begins like this. Without a length in the answer's head, the fixture adds
 * one; with `echo` all that follows the request is sent back until it ends. */
struct play {
	const char *request;
	const char *answer; /* "STATUS REASON\nBODY"; or a whole answer, if it begins with "HTTP/" */
	bool echo;
};

#define LABELLED(id)                                                                                                   \
	"200 OK\n{\"Id\":\"" id                                                                                        \
	"\",\"Image\":\"sha256:1\",\"Name\":\"vol\",\"Labels\":{\"team\":\"ci\"},\"Config\":{\"Labels\":{\"team\":\"ci\"}}}"
#define UNLABELLED(id)                                                                                                 \
	"200 OK\n{\"Id\":\"" id                                                                                        \
	"\",\"Image\":\"sha256:1\",\"Name\":\"vol\",\"Labels\":{\"team\":\"x\"},\"Config\":{\"Labels\":{\"team\":\"x\"}}}"

/* With this in its answer the engine reads no more. */
#define FREEZES "freezes"

#define FAKES_MAX 64

/* The client does not end its side. */
static bool client_stays;

/* The connection with this number, from 1 on, fails; 0: none. */
static size_t fake_fails_at;

struct fake {
	const struct play *plays;
	size_t opened; /* connections that were asked for */
	char seen[256 * 1024];
	size_t seen_len;
	pthread_mutex_t lock;
	pthread_t threads[FAKES_MAX];
	size_t connections;
	bool is_down;
};

struct fake_connection {
	struct fake *fake;
	int fd;
};

static inline void fake_see(struct fake *f, const char *text, size_t len)
{
	pthread_mutex_lock(&f->lock);
	if (f->seen_len + len < sizeof(f->seen)) {
		memcpy(f->seen + f->seen_len, text, len);
		f->seen_len += len;
		f->seen[f->seen_len] = '\0';
	}
	pthread_mutex_unlock(&f->lock);
}

static inline void fake_send(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static inline const struct play *fake_find(const struct fake *f, const char *request)
{
	for (const struct play *p = f->plays; p && p->request; p++) {
		if (strncmp(request, p->request, strlen(p->request)) == 0)
			return p;
	}
	return NULL;
}

static inline void fake_answer(const struct fake_connection *c, const char *answer)
{
	const char *body = strchr(answer, '\n');
	char head[512];
	int n;

	if (strncmp(answer, "HTTP/", 5) == 0) {
		fake_send(c->fd, answer, strlen(answer));
		return;
	}
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 %.*s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		     (int)(body - answer), answer, strlen(body + 1));
	fake_send(c->fd, head, (size_t)n);
	fake_send(c->fd, body + 1, strlen(body + 1));
}

/* Reads one request with its body. Returns the length of what was read; 0 at the end. */
static inline size_t fake_read(int fd, char *text, size_t max)
{
	size_t len = 0, want = SIZE_MAX;

	while (len < want && len < max - 1) {
		size_t left = (want < max - 1 ? want : max - 1) - len;
		ssize_t n = recv(fd, text + len, want == SIZE_MAX ? 1 : left, 0);
		const char *length;

		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		if (want == SIZE_MAX && len >= 4 && memcmp(text + len - 4, "\r\n\r\n", 4) == 0) {
			length = strstr(text, "Content-Length: ");
			want = len + (length ? strtoul(length + 16, NULL, 10) : 0);
		}
	}
	/* A chunked body: until its last chunk. */
	while (strstr(text, "Transfer-Encoding: chunked") && !strstr(text, "\r\n0\r\n\r\n") && len < max - 1) {
		ssize_t n = recv(fd, text + len, 1, 0);

		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
	}
	return len;
}

static inline void fake_echo(const struct fake_connection *c)
{
	char buffer[8192];
	ssize_t n;

	while ((n = recv(c->fd, buffer, sizeof(buffer), 0)) > 0)
		fake_send(c->fd, buffer, (size_t)n);
	fake_send(c->fd, "END", 3);
}

static inline void *fake_serve(void *data)
{
	struct fake_connection *c = data;
	char *text = malloc(65536);
	size_t len;

	while ((len = fake_read(c->fd, text, 65536)) > 0) {
		const struct play *p = fake_find(c->fake, text);

		fake_see(c->fake, text, len);
		fake_see(c->fake, "\n====\n", 6);
		fake_answer(c, p ? p->answer : "200 OK\n{}");
		if (p && strstr(p->answer, FREEZES)) {
			/* until the other side is gone */
			(void)ppoll(&(struct pollfd){.fd = c->fd}, 1, &(struct timespec){.tv_sec = 20}, NULL);
			break;
		}
		if (p && p->echo) {
			fake_echo(c);
			break;
		}
		if (p && strncmp(p->answer, "HTTP/", 5) == 0 && !strstr(p->answer, "Content-Length") &&
		    !strstr(p->answer, "chunked"))
			break;
	}
	free(text);
	close(c->fd);
	free(c);
	return NULL;
}

static inline int fake_open(void *data, struct error *err)
{
	struct fake *f = data;
	struct fake_connection *c;
	int pair[2];

	if (f->is_down || ++f->opened == fake_fails_at)
		return error_set(err, ECONNREFUSED, "the engine does not listen");
	c = malloc(sizeof(*c));
	assert_non_null(c);
	assert_true(f->connections < FAKES_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*c = (struct fake_connection){f, pair[1]};
	assert_int_equal(pthread_create(&f->threads[f->connections++], NULL, fake_serve, c), 0);
	return pair[0];
}

/* What came of a connection. */
struct outcome {
	char *answer; /* all that the client got */
	int status;   /* of the first answer; 0: none */
	struct fake fake;
	struct rules_report report;
};

static inline void outcome_free(struct outcome **o)
{
	free((*o)->answer);
	rules_report_clear(&(*o)->report);
	free_ptr(o);
}
#define _cleanup_outcome_ _cleanup_(outcome_free)

static inline struct rules *rules_of(const char *text)
{
	char path[] = "/tmp/rules-XXXXXX";
	struct rules *r = NULL;
	struct error err;
	_cleanup_close_ int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	if (rules_read(path, &r, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	assert_non_null(r);
	return r;
}

static inline char *read_all(int fd)
{
	size_t len = 0, room = 4096;
	char *text = malloc(room);
	ssize_t n;

	while ((n = recv(fd, text + len, room - len - 1, 0)) > 0) {
		len += (size_t)n;
		if (room - len < 2)
			text = realloc(text, room *= 2);
	}
	text[len] = '\0';
	return text;
}

/* Sends these bytes under these rules ("[rules]" is put before them), and ends the sending side. */
static inline struct outcome *ask_as(const char *rules, const struct rules_caller *caller, const struct play *plays,
				     const char *request, size_t len)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_rules_ struct rules *r = NULL;
	struct outcome *o = calloc(1, sizeof(*o));
	struct error err = {};
	int pair[2];

	if (!o || asprintf(&text, "[rules]\n%s\n", rules) < 0)
		abort();
	r = rules_of(text);
	o->fake.plays = plays;
	pthread_mutex_init(&o->fake.lock, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[0], request, len, MSG_DONTWAIT), len);
	if (!client_stays)
		shutdown(pair[0], SHUT_WR);
	if (rules_serve(r, caller, pair[1], fake_open, &o->fake, &o->report, &err) < 0)
		fail_msg("%s", err.text);
	close(pair[1]);
	o->answer = read_all(pair[0]);
	close(pair[0]);
	for (size_t k = 0; k < o->fake.connections; k++)
		pthread_join(o->fake.threads[k], NULL);
	if (sscanf(o->answer, "HTTP/1.1 %d", &o->status) != 1)
		o->status = 0;
	return o;
}

static inline struct outcome *ask(const char *rules, const struct play *plays, const char *request)
{
	static const struct rules_caller caller = {.owner = "uid-1000"};

	return ask_as(rules, &caller, plays, request, strlen(request));
}

/* A request with a body of JSON. */
static inline char *post(const char *path, const char *json)
{
	char *text;

	assert_true(
		asprintf(
			&text,
			"POST %s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			path, strlen(json), json) > 0);
	return text;
}
