/* The words of --health-check, and what each of them requires. Any other text is a shell command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "instance/publish.h"

/* The words that wait for something, for messages. */
#define HEALTH_CHECK_WORDS "listen, postgres, redis, greeting, http, http:/PATH, healthy"

enum readiness_kind {
	READY_LISTEN,
	READY_POSTGRES,
	READY_REDIS,
	READY_GREETING,
	READY_HTTP,
	READY_HEALTHY, /* the activator asks the engine; the proxy never checks it */
	READY_NONE,
	READY_COMMAND,
	READY_COMPLETED, /* for --with alone: the activator waits until the container has ended */
	READY_TLS,	 /* not for --health-check: a further question to a server that does not answer */
};
enum readiness_kind health_check_kind(const char *s);

/* The k-th word of --health-check; NULL after the last. */
const char *health_check_word(size_t k);

/* Is the dependency that this check belongs to a job, which has to end with status 0? NULL: no. */
#define HEALTH_CHECK_COMPLETED "completed"
bool health_check_is_completed(const char *s);

/* Is it a command rather than one of the words? NULL is neither. */
bool health_check_is_command(const char *s);

/* The rule for every health check. */
int health_check_validate(const char *s, struct error *err);

/* Does it require a port? A command need not contain one. */
bool health_check_needs_port(const char *s);

/* Does it talk to the server over a connection? */
bool health_check_needs_stream(const char *s);

/* The usual check for a server on this port, or on the Unix socket that is the target. targets: of the instance,
 * NULL-terminated, or NULL. */
const char *health_check_default(const struct publish *p, char *const *targets);
