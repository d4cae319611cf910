/* The service managers of users (user@UID.service) that the dispatcher starts, by a child that is root without capabilities,
 * and stops again when nothing of theirs runs. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "relay/loop.h"

struct managers;

struct managers_events {
	/* It runs, or `why` says why not. */
	void (*started)(void *data, uid_t uid, const char *why);
	/* It has to be stopped again, or has been. */
	void (*kept)(void *data, uid_t uid, bool ours);
	void *data;
};

/* release_after: microseconds. */
struct managers *managers_new(struct loop *loop, uint64_t release_after, const struct managers_events *events);

/* Starts the user's manager; events->started follows, maybe at once. A second call while one is on its way does nothing. */
void managers_start(struct managers *m, uid_t uid);

/* An earlier router has started it, and nobody has used it since. */
void managers_adopt(struct managers *m, uid_t uid);

/* The user has no connection any more, or has one again. release_after the last one, a manager that was started here is
 * stopped if nothing else of the user's runs. */
void managers_unused(struct managers *m, uid_t uid);
void managers_used(struct managers *m, uid_t uid);

/* Is there a manager that was started here and still has to be stopped? */
bool managers_pending(const struct managers *m);

/* Calls `visit` for the user of each manager that was started here and is to be stopped again. */
void managers_each(const struct managers *m, void (*visit)(void *data, uid_t uid), void *data);

/* Does anything but the manager itself run in the slice of this user, below the directory of the control groups? */
bool managers_has_more(const char *cgroups, uid_t uid);
