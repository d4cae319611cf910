/* The connection to the service manager (org.freedesktop.systemd1(5)): the system's, or the user's own.
 *
 * A manager that re-executes itself (`systemctl daemon-reexec`, an upgrade of systemd) drops its connections and is
 * back at once. Repeat a question that it did not answer:
 *
 *	do
 *		r = ask(m, err);
 *	while (r < 0 && bus_revive(m, now_usec() + PATIENCE));
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "instance/scope.h"
#include "units/bus_library.h"

#define SYSTEMD_NAME	"org.freedesktop.systemd1"
#define SYSTEMD_PATH	"/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT	"org.freedesktop.systemd1.Unit"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"
#define SYSTEMD_JOB	"org.freedesktop.systemd1.Job"

struct manager {
	enum scope scope;
	bool for_command; /* as systemctl(1): also over the bus daemon, and errors give advice */
	sd_bus *bus;	  /* NULL: there is no connection */
	bool lost;	  /* the call failed because the connection is gone or not made yet */
	bool subscribed;
	unsigned revivals;   /* each is a new connection, which reports nothing of earlier jobs */
	char job[64];	     /* the object path of the awaited job */
	char job_result[32]; /* "done", "failed", "timeout", …; "" until it ends */
};

/* The service manager's own socket, which systemctl(1) uses too. */
int manager_socket(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* Waits until the deadline (CLOCK_MONOTONIC microseconds) for a manager that is re-executing itself. Codes: ENOTCONN;
 * ENOENT libsystemd is missing; with for_command also those of bus_failed(). */
int bus_connect(struct manager *m, uint64_t deadline, struct error *err);
void bus_disconnect(struct manager *m);

/* Did the call fail for lack of a connection, and is there a new one before the deadline? Then the caller repeats the
 * call. The new connection may be the first, to a manager that was there a moment ago: `lost` is set before. */
bool bus_revive(struct manager *m, uint64_t deadline);

/* The reason of a failure: from the return value of sd-bus (a negative errno) and the peer's own error, if any. Sets
 * m->lost. The text belongs to bus_error, or is strerror()'s. */
const char *bus_reason(struct manager *m, int r, const sd_bus_error *bus_error);

/* Sets *err to "WHAT: REASON". Codes: always ENOTCONN if the connection is lost; ENOENT, EACCES, ETIMEDOUT, EREMOTEIO,
 * or else the errno of sd-bus. Returns -1. */
int bus_failed(struct manager *m, struct error *err, const char *what, int r, const sd_bus_error *bus_error);

/* Logs a call at debug level: its subject ("" for none), and r, which sd-bus returned. */
void bus_tell(const char *method, const char *about, uint64_t began, int r);

/* Requests a job of a unit ("StartUnit", "StopUnit"), which replaces its current job. Returns a negative errno. A
 * time-out of 0 is sd-bus's default. */
int bus_begin_job(struct manager *m, const char *method, const char *unit, uint64_t timeout_usec,
		  sd_bus_error *bus_error);

/* Waits for the end of that job, at most until then. Returns whether it has ended, or a negative errno. */
int bus_await_job(struct manager *m, uint64_t until);
