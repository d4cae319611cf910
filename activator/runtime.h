/* The runtime directory: $RUNTIME_DIRECTORY, or by hand /run/sockwake or $XDG_RUNTIME_DIR/sockwake, which is then made.
 *
 * BACKEND-HASH.lock is one container's lock. Whoever uses the container holds it shared (flock(2)): the activator from
 * before its first request to the engine, then the keeper; who puts the container to sleep holds it exclusively. Its
 * content is the run of the container (identifier and start time) that was begun by a wake:
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
 * descriptor belongs to the caller; the lock ends with its last copy. -1 where the directory is full: done without. */
int lock_shared(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* Locks exclusively without waiting. Error EWOULDBLOCK: it is in use. Who holds it so may remove the file as
 * the last thing done under it. */
int lock_exclusive(const char *path, int *ret_fd, struct error *err);

/* What is written into the lock is a short text, and read back whole. What cannot be written down is forgotten. */
#define RUN_TEXT_MAX (sizeof(((struct container *)0)->id) + sizeof(((struct container *)0)->started_at) + 2)
void lock_record(int lock_fd, const char *run);
void lock_read(int lock_fd, char ret[static RUN_TEXT_MAX]);
bool lock_holds(int lock_fd, const char *run);

/* A start was asked for and not answered: the run that it begins is a wake's. */
#define RUN_STARTING "own starting"
#define RUN_STARTED  "own started" /* it was answered; which run it began is not known yet */

/* Writes down that this run of the container was begun by a wake. */
void lock_record_run(int lock_fd, const struct container *c);

/* Was this run of the container begun by a wake? */
bool lock_is_own_run(int lock_fd, const struct container *c);

/* What is counted: shared with the keeper, else a copy of what NAME.stats has. Never NULL. */
struct stats *runtime_stats(const struct options *o);
