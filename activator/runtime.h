/* The runtime directory: $RUNTIME_DIRECTORY, or by hand /run/sockwake or $XDG_RUNTIME_DIR/sockwake, which is then made.
 *
 * BACKEND-HASH.lock is one container's lock. Whoever uses the container holds it shared (flock(2)), from before the
 * first request to the engine until its process ends, whatever it has become by exec; who puts the container to sleep
 * holds it exclusively. Its content is the run of the container (identifier and start time) that was begun by a wake:
 * any other run was begun by somebody else.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "common/error.h"
#include "common/stats.h"

/* The directory's path; made if it is missing. */
int runtime_directory(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* The path of the lock: FNV-1a 64 over engine socket, newline, container, in hexadecimal. */
int lock_path(const struct options *o, const char *engine_socket, char ret[static PATH_MAX], struct error *err);

/* Locks shared, waiting for one that sleeps until the deadline (CLOCK_MONOTONIC microseconds). Error ETIMEDOUT. The
 * descriptor belongs to the caller; the lock ends with its last copy. */
int lock_shared(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* Locks exclusively without waiting. Error EWOULDBLOCK: it is in use. Who holds it so may remove the file as
 * the last thing done under it. */
int lock_exclusive(const char *path, int *ret_fd, struct error *err);

/* What is written into the lock is a short text, and read back whole. */
#define RUN_TEXT_MAX (sizeof(((struct container *)0)->id) + sizeof(((struct container *)0)->started_at) + 2)
int lock_record(int lock_fd, const char *run, struct error *err);
bool lock_holds(int lock_fd, const char *run);

/* Writes down that this run of the container was begun by a wake. */
int lock_record_run(int lock_fd, const struct container *c, struct error *err);

/* Was this run of the container begun by a wake? */
bool lock_is_own_run(int lock_fd, const struct container *c);

/* The path of NAME.stats. */
int runtime_stats_path(const struct options *o, char ret[static PATH_MAX], struct error *err);

/* Opens and maps NAME.stats for writing. *ret_fd belongs to the caller. */
struct stats *runtime_stats(const struct options *o, int *ret_fd, struct error *err);

/* Reads NAME.stats; all zero when there is none. */
void runtime_read_stats(const struct options *o, struct stats *ret);
