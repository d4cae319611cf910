/* The service manager over D-Bus (org.freedesktop.systemd1(5)): the system's, or the user's own.
 *
 * Every call has a time-out. Functions that start or stop a unit wait for the job they asked for. Error codes:
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

/* Has there been one since the boot, or the login? Then it is there, or soon will be again. */
bool manager_is_there(enum scope scope);

/* *m may be NULL, and is afterwards. */
void manager_close(struct manager **m);
#define _cleanup_manager_ _cleanup_(manager_close)

/* What systemctl(1) has to be told to mean this manager: "" or "--user ". */
const char *manager_option(const struct manager *m);

/* Does it load units from this directory? (Its environment may differ from ours.) */
int manager_looks_in(struct manager *m, const char *directory, bool *ret, struct error *err);

/* Reads all unit files anew, as `systemctl daemon-reload` does. */
int manager_reload(struct manager *m, struct error *err);

/* Starts or stops a unit; waits for the job at most so many microseconds (USEC_INFINITY: for ever; 0: not at all).
 * Stopping a unit that is not loaded is success; a stop beats a start that somebody asks for meanwhile. */
int manager_start(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err);
int manager_stop(struct manager *m, const char *unit, uint64_t timeout_usec, struct error *err);

/* Starts a unit that takes no time, whatever it is ordered after; does not wait. An ordinary job, also one for a unit that
 * is active, would wait for what others have to do, and keep waiting whoever is ordered after the unit. */
int manager_start_at_once(struct manager *m, const char *unit, struct error *err);

/* Forgets that a unit failed. One that is not loaded is success. */
int manager_reset_failed(struct manager *m, const char *unit, struct error *err);
