/* The locks of a container, and the content of the first.
 *
 * A user of a container holds two locks shared (flock(2)): first the activator, from before its first request to the
 * engine, then the keeper. A process that puts the container to sleep, or removes it, holds both exclusively.
 *
 *	BACKEND-HASH.lock	by the name that an instance has for it: FNV-1a 64 (RFC 9923) of the engine's socket, its
 *				links resolved, a newline and the container's name, in hexadecimal
 *	ID.lock			by its identity: its full identifier, by whatever name instances know it or its engine
 *	unit-HASH.lock		instead, if a unit runs the container, which then has a new identifier at each start;
 *				it contains where Podman lists the containers (activator/free_name.h)
 *
 * The first lock contains the run of the container (identifier and start time) that a wake began or found, or only the
 * identifier of a sleeping container: so the next wake knows the second lock before it asks the engine.
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

/* Locks shared; waits until the deadline (CLOCK_MONOTONIC microseconds) for a process that puts the container to sleep.
 * Error ETIMEDOUT. The caller owns the descriptor; closing its last copy releases the lock. *ret_fd is -1 if the
 * directory is full: the caller does without. */
int lock_shared(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* Locks exclusively. Error EWOULDBLOCK: the container is in use. If another process puts it to sleep, waits until the
 * deadline (error ETIMEDOUT); with deadline 0 that is EWOULDBLOCK, too. A process that holds several such locks does
 * not wait for the next one. The holder may remove the file as its last step under the lock. */
int lock_exclusive(const char *path, uint64_t deadline, int *ret_fd, struct error *err);

/* How long processes that put to sleep, or remove, wait for each other. */
#define LOCK_PATIENCE (90 * USEC_PER_SEC)

/* Both locks of one container; {-1, -1} for none. */
struct container_lock {
	int named, identity;
	char id[65]; /* of the container that `identity` locks; "" for none, or for a unit's */
};
#define NO_CONTAINER_LOCK ((struct container_lock){.named = -1, .identity = -1})
void container_lock_release(struct container_lock *l);
#define _cleanup_container_lock_ _cleanup_(container_lock_release)

/* Takes the first lock, and the second if it is known: by the unit, or by the identifier in the first. `directory` is
 * the runtime directory. */
int container_lock_shared(struct container_lock *l, const char *directory, const char *named, const char *unit,
			  uint64_t deadline, struct error *err);
int container_lock_exclusive(struct container_lock *l, const char *directory, const char *named, const char *unit,
			     uint64_t deadline, struct error *err);

/* Takes the second lock for the identifier that the engine reported, unless it is held already. Returns 1 if it was
 * taken just now: somebody may have put the container to sleep before. */
int container_lock_found_shared(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				struct error *err);
int container_lock_found_exclusive(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				   struct error *err);

/* The content of the first lock is a short text, read back whole. A run that cannot be recorded is forgotten. */
#define RUN_TEXT_MAX (sizeof(((struct container *)0)->id) + sizeof(((struct container *)0)->started_at) + 2)
void lock_record(int lock_fd, const char *run);
void lock_read(int lock_fd, char ret[static RUN_TEXT_MAX]);
bool lock_holds(int lock_fd, const char *run);

/* A wake asked for a start and has no answer yet: the run that follows is the wake's. */
#define RUN_STARTING "own starting"
#define RUN_STARTED  "own started" /* the start was answered; its run is not known yet */

/* Records that a wake began (own) or found this run of the container. */
void lock_record_run(int lock_fd, const struct container *c, bool own);

/* Records that the container with this identifier sleeps. lock_is_asleep(): is that recorded? */
void lock_record_asleep(int lock_fd, const char *id);
bool lock_is_asleep(int lock_fd);

/* Did a wake begin (own), or find, this run of the container? */
bool lock_is_own_run(int lock_fd, const struct container *c);
bool lock_is_found_run(int lock_fd, const struct container *c);

/* Is this another run of the container whose run a wake began (own) or found? */
bool lock_is_run_of(int lock_fd, const char *id, bool own);

/* The identifier in the lock; false if there is none. */
bool lock_read_id(int lock_fd, char ret[static 65]);
