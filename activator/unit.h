/* Units that run containers (Quadlet's, for example), started and stopped by their service manager.
 *
 * Spoken to over the manager's own socket, as systemctl(1) does: it needs no message bus.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/scope.h"

/* Starts the unit and waits for the job until the deadline (CLOCK_MONOTONIC microseconds). *ret_ran: it was active before.
 * Errors: ENOENT there is no such unit, ENOTCONN the manager cannot be reached, ETIMEDOUT, ECHILD the job failed. */
int unit_start(enum scope scope, const char *unit, uint64_t deadline, bool *ret_ran, struct error *err);

/* Stops it likewise. One that is not active is success. */
int unit_stop(enum scope scope, const char *unit, uint64_t deadline, struct error *err);
