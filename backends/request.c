#include "backends/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/lost_network.h"
#include "backends/reply.h"
#include "backends/silence.h"
#include "backends/transport/transport.h"
#include "common/extremes.h"
#include "common/log.h"
#include "common/parse.h"

uint64_t request_deadline(const struct engine *e, uint64_t limit)
{
	return least_of(time_from_now(limit), e->deadline);
}

/* Replaces the HTTP client's error by its meaning for an engine, and what to do about it. */
static int explain(const struct engine *e, uint64_t waited, struct error *err)
{
	const struct backend *b = e->backend;
	const char *enable = b->enable[e->scope];
	const struct transport_peer peer = {
		.title = b->title, .address = e->socket, .enable = enable, .group = b->socket_group};

	if (e->transport->explain(&peer, err))
		return -1;
	switch (err->code) {
	case ECONNRESET:
		return error_set(
			err, ECONNRESET,
			"%s went away before it had answered on '%s'; if it does not come back, start it with '%s'",
			b->title, e->socket, enable);
	case ETIMEDOUT:
		return error_set(
			err, ETIMEDOUT,
			"%s did not answer in time on '%s': it hangs or has too much to do, as 'systemctl %sstatus %s' "
			"may show%s",
			b->title, e->socket, e->scope == SCOPE_USER ? "--user " : "", b->name,
			silence_note(e->socket, waited) ? "; it is not asked about other instances" : "");
	default:
		if (err->code == EFBIG)
			err->code = EPROTO;
		return error_context(err, "%s", b->title);
	}
}

int engine_request(struct engine *e, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	uint64_t began = log_clock(), sent = now_usec();
	int r;

	if (silence_is_known(e->socket))
		return error_set(
			err, EALREADY,
			"%s has not answered before on '%s', and was not asked again: 'systemctl %sstatus %s' may "
			"show why",
			e->backend->title, e->socket, e->scope == SCOPE_USER ? "--user " : "", e->backend->name);
	r = http_perform(e->http, request, ret, err);
	/* Only this: a body may contain secrets. */
	if (r < 0)
		log_debug("%s: %s %s: no answer after %.1f ms: %s", e->backend->title, request->method, request->path,
			  log_took(began), err->text);
	else
		log_debug("%s: %s %s: status %ld after %.1f ms", e->backend->title, request->method, request->path,
			  ret->status, log_took(began));
	return r < 0 ? explain(e, time_since(sent), err) : 0;
}

static int perform(struct engine *e, const char *method, const char *path, const char *json, uint64_t limit,
		   struct http_reply *ret, struct error *err)
{
	struct http_request request = {
		.method = method,
		.path = path,
		.json = json,
		.deadline = request_deadline(e, limit),
		.max_reply = REPLY_MAX,
	};

	return engine_request(e, &request, ret, err);
}

int engine_call(struct engine *e, const char *method, const char *path, const char *json, struct http_reply *ret,
		struct error *err)
{
	return perform(e, method, path, json, REQUEST_LIMIT, ret, err);
}

/* More than the longest name and action have. */
#define PATH_SIZE 1000

static int container_path(const struct engine *e, const char *container, const char *action, char ret[static PATH_SIZE],
			  struct error *err)
{
	/* None of a name's characters has a meaning in a path (RFC 3986, 2.3). */
	if (!container_name_is_valid(container))
		return error_set(err, EINVAL,
				 "'%s' is not a container's name or identifier: those are at most 255 letters, digits, "
				 "'_', '.' and '-', and begin with a letter or digit",
				 container);
	snprintf(ret, PATH_SIZE, "%s/containers/%s/%s", e->backend->prefix, container, action);
	return 0;
}

static int send_request(struct engine *e, const char *method, const char *container, const char *action,
			const char *json, uint64_t limit, struct http_reply *ret, struct error *err)
{
	char path[PATH_SIZE];

	if (container_path(e, container, action, path, err) < 0)
		return -1;
	return perform(e, method, path, json, limit, ret, err);
}

/* Engines take a name that no container has for the beginning of an identifier. A name as long as the identifiers in
 * `ps` is meant as one. */
#define SHORT_ID_LENGTH 12
static bool may_begin_an_identifier(const char *container)
{
	size_t len = strlen(container);

	return len < SHORT_ID_LENGTH && strspn(container, "0123456789abcdef") == len;
}

int container_resolve(struct engine *e, const char **container, char id[static CONTAINER_ID_SIZE], struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (!may_begin_an_identifier(*container))
		return 0;
	if (container_inspect(e, *container, &c, err) < 0)
		return -1;
	strcpy(id, c.id);
	*container = id;
	return 0;
}

int container_request(struct engine *e, const char *method, const char *container, const char *action, const char *json,
		      uint64_t limit, struct http_reply *ret, struct error *err)
{
	char id[CONTAINER_ID_SIZE];

	if (container_resolve(e, &container, id, err) < 0)
		return -1;
	return send_request(e, method, container, action, json, limit, ret, err);
}

/* Independent of the status: Podman answers 500 if a container is removed between two steps of a request, and Docker
 * answers 404 to a start also if something that the container needs is missing, such as a network. */
static bool is_missing(const struct http_reply *reply, const char *verb, const char *message)
{
	return strcasestr(message, "no such container") ||
	       (reply->status == 404 && (strcmp(verb, "start") != 0 || !message[0]));
}

/* Nobody knows a container by its identifier. */
static const char *name_of(const struct engine *e, const char *container)
{
	return strcmp(container, e->known_id) == 0 ? e->known_name : container;
}

int reply_error(const struct engine *e, const char *verb, const char *asked, const struct http_reply *reply,
		struct error *err)
{
	const struct backend *b = e->backend;
	const char *container = name_of(e, asked);
	char message[512];

	reply_message(reply->body, reply->len, message, sizeof(message));
	if (is_missing(reply, verb, message))
		return error_set(err, ENOENT, "%s has no container '%s': '%s ps -a' lists those that it has", b->title,
				 container, b->name);
	return error_set(err, b->is_busy(reply->status, reply->body, reply->len) ? EBUSY : EREMOTEIO,
			 "%s cannot %s the container '%s': %s (status %ld)", b->title, verb, container,
			 message[0] ? message : "it does not say why", reply->status);
}

int reply_nonsense(const struct engine *e, struct error *err)
{
	return error_set(err, EPROTO, "the answer from '%s' is not what %s's API promises: is it really its socket?",
			 e->socket, e->backend->title);
}

int container_inspect(struct engine *e, const char *container, struct container *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};

	container_clear(ret);
	if (send_request(e, "GET", container, "json", NULL, REQUEST_LIMIT, &reply, err) < 0)
		return -1;
	if (reply.status != 200)
		return reply_error(e, "inspect", container, &reply, err);
	if (!e->backend->parse_inspect(reply.body, reply.len, ret)) {
		container_clear(ret);
		return reply_nonsense(e, err);
	}
	strcpy(e->known_id, ret->id);
	strcpy(e->known_name, ret->name);
	if (ret->pid)
		log_debug("the container '%s' is %s, its PID %d", ret->name, container_state_name(ret->state),
			  ret->pid);
	else
		log_debug("the container '%s' is %s", ret->name, container_state_name(ret->state));
	/* A container renamed just now no longer has the name, but its identifier does not begin with it. */
	if (!may_begin_an_identifier(container) || strcmp(container, ret->name) == 0 ||
	    strncmp(container, ret->id, strlen(container)) != 0)
		return 0;
	error_set(
		err, ENOENT,
		"%s has no container '%s', which is only the beginning of the identifier of '%s': '%s ps -a' lists those "
		"that it has",
		e->backend->title, container, ret->name, e->backend->name);
	container_clear(ret);
	return -1;
}

int container_start(struct engine *e, const char *container, enum start_result *ret, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};

	if (container_request(e, "POST", container, "start", NULL, USEC_INFINITY, &reply, err) < 0)
		return -1;
	if (reply.status != 204 && reply.status != 304) {
		(void)reply_error(e, "start", container, &reply, err);
		lost_network_explain(e, container, err);
		return -1;
	}
	*ret = reply.status == 204 ? START_STARTED : START_ALREADY_RUNNING;
	return 0;
}

int container_stop(struct engine *e, const char *container, uint64_t stop_timeout, enum stop_result *ret,
		   struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	char action[80] = "stop";
	uint64_t limit = time_after(time_of_seconds(stop_timeout), REQUEST_LIMIT);

	/* Usually this is the container's own time-out, but not always; each engine has its own word for it. */
	if (stop_timeout <= UINT32_MAX)
		snprintf(action, sizeof(action), "stop?t=%u&timeout=%u", (unsigned)stop_timeout,
			 (unsigned)stop_timeout);
	if (container_request(e, "POST", container, action, NULL, limit, &reply, err) < 0)
		return -1;
	if (reply.status != 204 && reply.status != 304)
		return reply_error(e, "stop", container, &reply, err);
	*ret = reply.status == 204 ? STOP_STOPPED : STOP_HAD_ENDED;
	return 0;
}

/* pause and unpause answer 204 or fail. */
static int simple_action(struct engine *e, const char *action, const char *container, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};

	if (container_request(e, "POST", container, action, NULL, REQUEST_LIMIT, &reply, err) < 0)
		return -1;
	return reply.status == 204 ? 0 : reply_error(e, action, container, &reply, err);
}

int container_pause(struct engine *e, const char *container, struct error *err)
{
	return simple_action(e, "pause", container, err);
}

int container_unpause(struct engine *e, const char *container, struct error *err)
{
	return simple_action(e, "unpause", container, err);
}

/* Splits Docker's stream into frames. Each has a header of 8 bytes, {stream, 0, 0, 0, big-endian length}; stream 1 is
 * standard output, 2 standard error (Engine API, ContainerAttach, "Stream format"). */
struct log_reader {
	bool framed;
	unsigned char header[8];
	size_t header_len;
	uint32_t left; /* of the frame's text */
	log_sink sink;
	void *data;
};

static bool on_log(void *data, const char *piece, size_t len)
{
	struct log_reader *r = data;

	if (!r->framed)
		return r->sink(r->data, STDOUT_FILENO, piece, len);
	while (len > 0) {
		if (r->left == 0) {
			r->header[r->header_len++] = (unsigned char)*piece++;
			len--;
			if (r->header_len == sizeof(r->header)) {
				r->header_len = 0;
				r->left = (uint32_t)r->header[4] << 24 | (uint32_t)r->header[5] << 16 |
					  (uint32_t)r->header[6] << 8 | r->header[7];
			}
		} else {
			size_t n = len < r->left ? len : r->left;

			if (!r->sink(r->data, r->header[0] == 2 ? STDERR_FILENO : STDOUT_FILENO, piece, n))
				return false;
			piece += n;
			len -= n;
			r->left -= (uint32_t)n;
		}
	}
	return true;
}

int container_logs(struct engine *e, const char *container, const struct log_options *options, log_sink sink,
		   void *data, struct error *err)
{
	_cleanup_http_reply_ struct http_reply reply = {};
	_cleanup_container_ struct container c = {};
	struct log_reader reader = {.sink = sink, .data = data};
	char action[96], tail[16] = "all", path[PATH_SIZE];
	struct http_request request = {
		.method = "GET",
		.path = path,
		.deadline = options->follow ? e->deadline : request_deadline(e, LOG_LIMIT),
		.max_reply = REPLY_MAX,
		.sink = on_log,
		.sink_data = &reader,
	};

	if (container_inspect(e, container, &c, err) < 0)
		return -1;
	reader.framed = e->backend->log_is_framed(&c);
	if (options->tail)
		snprintf(tail, sizeof(tail), "%u", options->tail);
	snprintf(action, sizeof(action), "logs?stdout=true&stderr=true&follow=%s&timestamps=%s&tail=%s",
		 options->follow ? "true" : "false", options->times ? "true" : "false", tail);
	if (container_path(e, c.id, action, path, err) < 0 || engine_request(e, &request, &reply, err) < 0)
		return -1;
	return reply.status == 200 ? 0 : reply_error(e, "read the log of", container, &reply, err);
}
