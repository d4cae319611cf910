/* The dispatcher: accepts, finds out who has connected, and hands the connection to the worker that is to serve it. It reads no
 * byte of a client. It has CAP_SETUID and CAP_SETGID and no other privilege. */
#pragma once

#include "common/error.h"
#include "router/options.h"

struct dispatcher_options {
	const struct router_options *router;
	int status_fd; /* the listening socket of `sockwake router status`; -1: none */
};

/* Serves the listening socket that systemd has passed, until nobody is connected, or SIGTERM. */
int dispatcher_run(int listener, const struct dispatcher_options *options, struct error *err);
