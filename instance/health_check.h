/* The words of --health-check, and what each of them needs. Whatever is none of them is a shell command. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "instance/publish.h"

/* The rule for every health check. */
int health_check_validate(const char *s, struct error *err);

/* Can it be asked for without a port? A command need not have a port in it. */
bool health_check_needs_port(const char *s);

/* Does it talk to the server, over a connection? */
bool health_check_needs_stream(const char *s);

/* The one that a person would choose for a server on this port, or on the Unix socket that is the target. targets: of
 * the instance, NULL-terminated, or NULL. */
const char *health_check_default(const struct publish *p, char *const *targets);
