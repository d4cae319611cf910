/* The connection to the service manager (org.freedesktop.systemd1(5)): the system's, or the user's own.
 *
 * A manager that executes itself anew (`systemctl daemon-reexec`, an upgrade of systemd) drops its connections and is there
 * again at once; what was asked meanwhile is to be asked again:
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
	bool for_command; /* as systemctl(1): over the bus daemon, too, and an error says what helps a person */
	sd_bus *bus;	  /* NULL: there is no connection */
	bool lost;	  /* the call failed because the connection is gone, or not there yet */
	bool subscribed;
	unsigned
		revivals; /* each is another connection, over which nothing is heard of a job that was asked for before */
	char job[64];	  /* the object path of the job that is waited for */
	char job_result[32]; /* "done", "failed", "timeout", …; "" until it is over */
};

/* The socket of the service manager's own, over which systemctl(1) speaks to it, too. */
int manager_socket(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* Waits until the deadline (CLOCK_MONOTONIC microseconds) for a manager that is just executing itself anew. Codes: ENOTCONN;
 * ENOENT libsystemd is missing; with for_command those of bus_failed(), too. */
int bus_connect(struct manager *m, uint64_t deadline, struct error *err);
void bus_disconnect(struct manager *m);

/* Has it failed because there is no connection, and is there a new one before the deadline? Then what has failed is to be
 * asked again. It may be the first one, of a manager that was there a moment ago: `lost` is set before. */
bool bus_revive(struct manager *m, uint64_t deadline);

/* Why something failed, by what sd-bus returned (a negative errno) and, where there is one, the peer's own error. Sets
 * m->lost. Belongs to bus_error, or is strerror()'s. */
const char *bus_reason(struct manager *m, int r, const sd_bus_error *bus_error);

/* Sets *err to "WHAT: REASON". Codes: ENOTCONN, whatever they say, when the connection is lost; ENOENT, EACCES, ETIMEDOUT,
 * EREMOTEIO, or else what sd-bus returned. Returns -1. */
int bus_failed(struct manager *m, struct error *err, const char *what, int r, const sd_bus_error *bus_error);

/* Tells the debug level of a call of which sd-bus returned r, and what it was about ("": nothing in particular). */
void bus_tell(const char *method, const char *about, uint64_t began, int r);

/* Asks for a job of a unit ("StartUnit", "StopUnit") in place of the one that it has. Returns a negative errno. A time-out of
 * 0 is sd-bus's own. */
int bus_begin_job(struct manager *m, const char *method, const char *unit, uint64_t timeout_usec,
		  sd_bus_error *bus_error);

/* Waits until that job is over, or until then. Returns whether it is over, or a negative errno. */
int bus_await_job(struct manager *m, uint64_t until);
