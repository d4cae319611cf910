/* The connection to the service manager that the files of units/ share. */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "units/manager.h"

#define SYSTEMD_NAME	"org.freedesktop.systemd1"
#define SYSTEMD_PATH	"/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

struct manager {
	sd_bus *bus;
	enum scope scope;
	unsigned revivals;
	const char *job;     /* the object path of the job that is waited for */
	char job_result[32]; /* "" until it is over */
};

/* ENOTCONN; the text says why, and what helps. */
int bus_connect(struct manager *m, struct error *err);
void bus_disconnect(struct manager *m);

/* Sets *err from what sd-bus returned (a negative errno) and, where there is one, the peer's own error; ENOTCONN, whatever
 * they say, once the connection is lost. Returns -1. */
int bus_failed(const struct manager *m, struct error *err, const char *what, int r, const sd_bus_error *bus_error);

/* Tells the debug level of a call of which sd-bus returned r, and what it was about ("": nothing in particular). */
void bus_tell(const char *method, const char *about, uint64_t began, int r);

/* Has it failed because the connection was lost, as when systemd executes itself anew, and is there a new one? Then what
 * has failed is to be asked again. Waits some seconds for that. */
bool bus_revive(struct manager *m, const struct error *err);

/* Calls a method of the manager, which must do no harm when it is called twice. ret may be NULL. */
int bus_call(struct manager *m, sd_bus_message **ret, uint64_t timeout_usec, const char *what, struct error *err,
	     const char *method, const char *types, ...);
