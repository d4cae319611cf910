/* HTTP/1.1 over a transport: one connection that is kept alive, one thread, one request at a time.
 *
 * No proxies, redirects, cookies or credentials; the environment cannot change that. Time and the size of a reply are
 * bounded. Built on libcurl.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct http;
struct transport;

/* Gets a piece of a successful reply's body. Returns false to end the transfer, which is not an error. */
typedef bool (*http_sink)(void *data, const char *piece, size_t len);

struct http_request {
	const char *method; /* "GET", "POST" */
	const char *path;   /* "/containers/pg/start", with the query; percent-encoded */
	const char *json;   /* the body, or NULL for none */
	uint64_t deadline;  /* CLOCK_MONOTONIC microseconds, USEC_INFINITY for none */
	size_t max_reply;   /* bytes: the largest body that is kept */
	http_sink sink;	    /* NULL: the body stays in the reply; else a body with status 2xx goes there, unbounded */
	void *sink_data;
};

struct http_reply {
	long status;
	char *body; /* malloc()ed, with a NUL that len does not count; never NULL after success */
	size_t len;
};

/* A client of the address; the first request connects to it. *ret belongs to the caller. */
int http_open(const struct transport *transport, const char *address, struct http **ret, struct error *err);

void http_close(struct http **h);

/* Sends one request and awaits its reply, whatever its status. Connects again if the server has closed the connection
 * meanwhile. The caller clears *ret, also after an error. Errors: ENOENT, ECONNREFUSED, EACCES, … as from connect(2);
 * ETIMEDOUT; EFBIG: the reply is larger than max_reply; EPROTO: it is not HTTP or breaks off. */
int http_perform(struct http *h, const struct http_request *request, struct http_reply *ret, struct error *err);

void http_reply_clear(struct http_reply *r);

#define _cleanup_http_	     _cleanup_(http_close)
#define _cleanup_http_reply_ _cleanup_(http_reply_clear)
