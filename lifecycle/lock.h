/* The locks of a container, and what is written into one of them.
 *
 * Whoever uses a container holds two locks shared (flock(2)): the activator from before its first request to the engine,
 * then the keeper. Whoever puts the container to sleep, or removes it, holds both exclusively.
 *
 *	BACKEND-HASH.lock	by the name that an instance has for it: FNV-1a 64 (RFC 9923) of the engine's socket, its
 *				links resolved, a newline and the container's name, in hexadecimal
 *	ID.lock			by what it is: its full identifier, the same whatever instances call it or its engine
 *	unit-HASH.lock		instead of that for a container that a unit runs, which has a new identifier each time
 *
 * The content of the first is the run of the container (identifier and start time) that a wake began, or the identifier
 * alone when it sleeps: so the next wake knows the second lock before it asks the engine.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "common/clock.h"
#include "common/error.h"

#define LOCK_NAME_MAX 80
const char *lock_name(enum backend_kind kind, const char *engine_socket, const char *container,
		      char ret[static LOCK_NAME_MAX]);

/* Locks shared, waiting for one that sleeps until the deadline (CLOCK_MONOTONIC microseconds). Error ETIMEDOUT. The
 * descriptor belongs to the caller; the lock ends with its last copy. -1 where the directory is full: done without. */
int lock_shared(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* Locks exclusively. Error EWOULDBLOCK: it is in use. Where somebody else puts to sleep, that is waited for until the
 * deadline (error ETIMEDOUT); 0: it is in use, too. Who holds several such locks does not wait for the next one. Who holds
 * one may remove the file as the last thing done under it. */
int lock_exclusive(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* How long one who puts to sleep, or removes, waits for another one who does. */
#define LOCK_PATIENCE (90 * USEC_PER_SEC)

/* Both locks of one container; {-1, -1} for none. */
struct container_lock {
	int named, identity;
	char id[65]; /* of the container that `identity` stands for; "" for none, or for a unit's */
};
#define NO_CONTAINER_LOCK ((struct container_lock){.named = -1, .identity = -1})
void container_lock_release(struct container_lock *l);
#define _cleanup_container_lock_ _cleanup_(container_lock_release)

/* Takes the first lock, and the second as far as it is known: by the unit, or by the identifier that the first has.
 * `directory` is the runtime directory. */
int container_lock_shared(struct container_lock *l, const char *directory, const char *named, const char *unit,
			  uint64_t deadline, struct error *err);
int container_lock_exclusive(struct container_lock *l, const char *directory, const char *named, const char *unit,
			     uint64_t deadline, struct error *err);

/* Takes the second lock of the container that was found to have this identifier, unless it is held already. 1: it was
 * taken just now, so that somebody may have put the container to sleep before. */
int container_lock_found_shared(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				struct error *err);
int container_lock_found_exclusive(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				   struct error *err);

/* What is written into the first lock is a short text, and read back whole. What cannot be written down is forgotten. */
#define RUN_TEXT_MAX (sizeof(((struct container *)0)->id) + sizeof(((struct container *)0)->started_at) + 2)
void lock_record(int lock_fd, const char *run);
void lock_read(int lock_fd, char ret[static RUN_TEXT_MAX]);
bool lock_holds(int lock_fd, const char *run);

/* A start was asked for and not answered: the run that it begins is a wake's. */
#define RUN_STARTING "own starting"
#define RUN_STARTED  "own started" /* it was answered; which run it began is not known yet */

/* Writes down that this run of the container was begun by a wake, or found by one. */
void lock_record_run(int lock_fd, const struct container *c, bool own);

/* Writes down that the container with this identifier sleeps; is that what is written there? */
void lock_record_asleep(int lock_fd, const char *id);
bool lock_is_asleep(int lock_fd);

/* Whose is this run of the container? */
bool lock_is_own_run(int lock_fd, const struct container *c);
bool lock_is_found_run(int lock_fd, const struct container *c);

/* Is it another run of the container whose run a wake has begun (own) or found? */
bool lock_is_run_of(int lock_fd, const char *id, bool own);

/* The identifier in the lock; false when there is none. */
bool lock_read_id(int lock_fd, char ret[static 65]);
