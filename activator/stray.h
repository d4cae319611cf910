/* A container that a wake started under its name and that had another name by the answer: nobody would stop it. Requests to
 * start go by name, since the container of a name may have been replaced while it slept, and a look before each start would make
 * every wake slower. The lock tells which container had the name before. */
#pragma once

#include "activator/options.h"
#include "backends/backend.h"

/* The start that was asked for, in CLOCK_REALTIME microseconds: from the request to the answer. {}: none. */
struct start_span {
	int64_t from, to;
};

/* The wake has found another container under the name than the one with this identifier. */
void stray_note(const struct options *o, const char *id, const struct start_span *span);

/* Stops those that were started by these requests, unless another instance uses them. Clients do not wait for it. */
void stray_stop(const struct options *o);
