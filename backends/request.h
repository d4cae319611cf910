/* The common part of both engines' tables: requests about one container, and the meaning of their answers. */
#pragma once

#include "backends/backend.h"
#include "backends/transport/http.h"
#include "common/clock.h"

#define REPLY_MAX      (4U * 1024 * 1024)
#define LIST_REPLY_MAX (64U * 1024 * 1024)

/* Time limits of single requests, in microseconds. An inspection can wait for a lock that a start holds. A start and a
 * health check may take any time: only engine->deadline limits them. */
#define REQUEST_LIMIT (30 * USEC_PER_SEC)
#define LOG_LIMIT     (600 * USEC_PER_SEC)

/* Members of struct backend; see there. */
int container_inspect(struct engine *e, const char *container, struct container *ret, struct error *err);
int container_start(struct engine *e, const char *container, enum start_result *ret, struct error *err);
int container_stop(struct engine *e, const char *container, uint64_t stop_timeout, enum stop_result *ret,
		   struct error *err);
int container_pause(struct engine *e, const char *container, struct error *err);
int container_unpause(struct engine *e, const char *container, struct error *err);
int container_logs(struct engine *e, const char *container, const struct log_options *options, log_sink sink,
		   void *data, struct error *err);

/* Sends `method` to PREFIX/containers/CONTAINER/ACTION (ACTION may carry a query) and fills in the reply, whatever its
 * status. Fails as struct backend says if the reply is invalid. limit is in microseconds. */
int container_request(struct engine *e, const char *method, const char *container, const char *action, const char *json,
		      uint64_t limit, struct http_reply *ret, struct error *err);

/* Makes *container safe to send: engines take a name that no container has for the beginning of an identifier. If
 * *container could be one, it becomes `id`, that of the container with exactly this name; ENOENT: there is none. */
int container_resolve(struct engine *e, const char **container, char id[static CONTAINER_ID_SIZE], struct error *err);

/* As container_request(), for any path. The request's deadline is a limit; an earlier engine->deadline cuts it. */
int engine_request(struct engine *e, const struct http_request *request, struct http_reply *ret, struct error *err);

/* The same within REQUEST_LIMIT, for a reply of at most REPLY_MAX. json: the body, NULL for none. */
int engine_call(struct engine *e, const char *method, const char *path, const char *json, struct http_reply *ret,
		struct error *err);

/* CLOCK_MONOTONIC: now + limit, at most engine->deadline. */
uint64_t request_deadline(const struct engine *e, uint64_t limit);

/* Turns an unsuccessful reply into an error: ENOENT, EBUSY or EREMOTEIO. `verb` completes "cannot … the
 * container". Always returns -1. */
int reply_error(const struct engine *e, const char *verb, const char *container, const struct http_reply *reply,
		struct error *err);

/* Sets *err to EPROTO, for an invalid answer. Always returns -1. */
int reply_nonsense(const struct engine *e, struct error *err);
