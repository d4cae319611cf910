#include "backends/transport/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/transport/transport.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"

/* Header lines of one reply; engines send a few hundred bytes. */
#define HEADERS_MAX (64U * 1024)

#define RECONNECT_PAUSE (20 * USEC_PER_MSEC)

struct http {
	CURL *curl;
	struct curl_slist *headers;
	const struct transport *transport;
	char *address;

	/* the request that is being performed */
	const struct http_request *request;
	struct http_reply *reply;
	size_t header_bytes;
	bool too_large;
	bool sink_ended;
	char detail[CURL_ERROR_SIZE];
};

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct http *h = data;

	(void)line;
	h->header_bytes += size * n;
	if (h->header_bytes > HEADERS_MAX) {
		h->too_large = true;
		return 0;
	}
	return size * n;
}

/* The memory of a body of this length: it doubles, as a list may come in thousands of pieces. */
static size_t room_for(size_t len)
{
	size_t room = 4096;

	while (room <= len)
		room *= 2;
	return room;
}

static size_t keep(struct http *h, const char *piece, size_t len)
{
	struct http_reply *r = h->reply;
	char *body = r->body;

	if (len > h->request->max_reply - r->len) {
		h->too_large = true;
		return 0;
	}
	if (!body || room_for(r->len + len) != room_for(r->len))
		body = realloc(r->body, room_for(r->len + len));
	if (!body)
		return 0;
	memcpy(body + r->len, piece, len);
	r->body = body;
	r->len += len;
	body[r->len] = '\0';
	return len;
}

static size_t on_body(char *piece, size_t size, size_t n, void *data)
{
	struct http *h = data;
	size_t len = size * n;
	long status = 0;

	if (!h->request->sink)
		return keep(h, piece, len);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299)
		return keep(h, piece, len);
	if (h->request->sink(h->request->sink_data, piece, len))
		return len;
	h->sink_ended = true;
	return 0;
}

/* Sets the options that all requests share. */
static bool set_options(struct http *h)
{
	CURL *c = h->curl;

	h->headers = curl_slist_append(NULL, "Content-Type: application/json");
	return h->headers && h->transport->prepare(c, h->address) &&
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "sockwake/" VERSION) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->detail) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, h) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, h) == CURLE_OK;
}

int http_open(const struct transport *transport, const char *address, struct http **ret, struct error *err)
{
	_cleanup_http_ struct http *h = NULL;

	if (transport->check(address, err) < 0)
		return -1;
	h = calloc(1, sizeof(*h));
	if (!h || !(h->address = strdup(address)))
		return error_errno(err, ENOMEM, "cannot connect to '%s'", address);
	h->transport = transport;
	if (curl_global_init(transport->curl_parts) != CURLE_OK || !(h->curl = curl_easy_init()) || !set_options(h))
		return error_set(err, ENOMEM, "cannot initialise libcurl");
	*ret = steal_ptr(&h);
	return 0;
}

void http_close(struct http **h)
{
	if (!*h)
		return;
	if ((*h)->curl)
		curl_easy_cleanup((*h)->curl);
	curl_slist_free_all((*h)->headers);
	free((*h)->address);
	free_ptr(h);
}

void http_reply_clear(struct http_reply *r)
{
	free(r->body);
	*r = (struct http_reply){};
}

static bool set_request(struct http *h, const struct http_request *request)
{
	int msec = timeout_msec(request->deadline);
	char url[1024];

	if (snprintf(url, sizeof(url), "%s%s", h->transport->origin, request->path) >= (int)sizeof(url))
		return false;
	/* libcurl takes 0 milliseconds for no limit. */
	return curl_easy_setopt(h->curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, msec < 0 ? 0L : (long)msec) == CURLE_OK &&
	       curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
	       (strcmp(request->method, "GET") == 0 ||
		(curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, request->json ? request->json : "") == CURLE_OK &&
		 curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE, request->json ? (long)strlen(request->json) : 0L) ==
			 CURLE_OK &&
		 curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK));
}

/* A listener with a full backlog refuses a connection for the moment (EAGAIN, unix(7)). libcurl first takes that for
 * success, then reports it without an error number: try again until the deadline. */
static CURLcode perform(struct http *h)
{
	for (;;) {
		CURLcode code = curl_easy_perform(h->curl);
		long os_errno = 0;

		if (code != CURLE_COULDNT_CONNECT)
			return code;
		curl_easy_getinfo(h->curl, CURLINFO_OS_ERRNO, &os_errno);
		if (os_errno != 0 && os_errno != EAGAIN)
			return code;
		if (!time_pause(RECONNECT_PAUSE, h->request->deadline))
			return CURLE_OPERATION_TIMEDOUT;
	}
}

/* CURLE_RECV_ERROR also means an invalid reply; only its text tells which. */
static bool hung_up(const struct http *h, CURLcode code)
{
	static const char failure[] = "Recv failure";

	return code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
	       (code == CURLE_RECV_ERROR && strncmp(h->detail, failure, sizeof(failure) - 1) == 0);
}

static int explain(const struct http *h, CURLcode code, struct error *err)
{
	long os_errno = 0;

	if (h->too_large)
		return error_set(err, EFBIG, "the reply from '%s' is too large", h->address);
	if (hung_up(h, code))
		return error_set(err, ECONNRESET, "'%s' took the request and hung up", h->address);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(h->curl, CURLINFO_OS_ERRNO, &os_errno);
		return error_errno(err, (int)os_errno, "cannot connect to '%s'", h->address);
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, ETIMEDOUT, "no answer from '%s' in time", h->address);
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR: /* keep() was out of memory */
		return error_errno(err, ENOMEM, "cannot read the reply from '%s'", h->address);
	default:
		return error_set(err, EPROTO, "the reply from '%s' makes no sense (%s)", h->address,
				 h->detail[0] && text_is_printable(h->detail) ? h->detail : curl_easy_strerror(code));
	}
}

int http_perform(struct http *h, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	CURLcode code;

	if (timeout_msec(request->deadline) == 0)
		return error_set(err, ETIMEDOUT, "no time is left for a request to '%s'", h->address);
	http_reply_clear(ret);
	h->request = request;
	h->reply = ret;
	h->header_bytes = 0;
	h->too_large = h->sink_ended = false;
	h->detail[0] = '\0';
	if (!set_request(h, request))
		return error_set(err, EINVAL, "the request '%s' is too long", request->path);
	code = perform(h);
	/* Reset for the next request: CURLOPT_HTTPGET does not. */
	(void)curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, NULL);
	if (code != CURLE_OK && !h->sink_ended)
		return explain(h, code, err);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	if (!ret->body && !(ret->body = strdup("")))
		return error_errno(err, ENOMEM, "cannot read the reply from '%s'", h->address);
	return 0;
}
