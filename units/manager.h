/* The service manager over D-Bus (org.freedesktop.systemd1(5)): the system's, or the user's own.
 *
 * Every call has a time-out. Functions that start or stop a unit wait for their job. Error codes:
 *
 *	ENOTCONN	there is no such manager to talk to, or it went away
 *	EACCES		this user may not do that
 *	ETIMEDOUT	no answer in time
 *	ENOENT		there is no such unit
 *	EREMOTEIO	the manager refused, or the job failed; the text says why
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "instance/scope.h"

struct manager;

int manager_connect(enum scope scope, struct manager **ret, struct error *err);

/* Has the manager run since the boot, or the login? Then it runs, or soon will again. */
bool manager_is_there(enum scope scope);

/* *m may be NULL; it is NULL afterwards. */
void manager_close(struct manager **m);
#define _cleanup_manager_ _cleanup_(manager_close)

/* The option of systemctl(1) that selects this manager: "" or "--user ". */
const char *manager_option(const struct manager *m);

/* Calls `visit` for each directory from which the manager loads units; of two files of one name the first one's
 * counts. */
typedef void (*directory_visitor)(void *data, const char *directory);
int manager_each_directory(struct manager *m, directory_visitor visit, void *data, struct error *err);

/* Does the manager load units from this directory? (Its environment may differ from ours.) */
int manager_looks_in(struct manager *m, const char *directory, bool *ret, struct error *err);

/* Reloads all unit files, as `systemctl daemon-reload` does. */
int manager_reload(struct manager *m, struct error *err);

/* Starts or stops a unit; waits for the job at most timeout_usec microseconds (USEC_INFINITY: for ever; 0: not at
 * all). Stopping a unit that is not loaded succeeds; a stop overrides start requests that arrive meanwhile. */
int manager_start(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err);
int manager_stop(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err);

/* Restarts a unit, or starts it, and in the same transaction those that require it and are active. Waits as above. */
int manager_restart(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err);

/* Has another job replaced the last one that was waited for, as a stop replaces a start? */
bool manager_was_overruled(const struct manager *m);

/* Starts a unit that takes no time, regardless of its ordering; does not wait. An ordinary job, also for an active
 * unit, would wait for other jobs, and delay the units that are ordered after it. */
int manager_start_at_once(struct manager *m, const char *unit, struct error *err);

/* Resets the failed state of a unit. Succeeds if the unit is not loaded. */
int manager_reset_failed(struct manager *m, const char *unit, struct error *err);
