/* The dispatcher: accepts, finds out who has connected, and hands the connection to the worker that is to serve it. It reads no
 * byte of a client. It has CAP_SETUID and CAP_SETGID and no other privilege. */
#pragma once

#include <stdint.h>

#include "common/error.h"

struct dispatcher_options {
	const char *engine_socket; /* of the system's engine */
	const char *system_user;   /* who alone, besides root, may open it */
	const char *config;
	uint64_t idle_timeout, release_after; /* microseconds */
	int status_fd;			      /* the listening socket of `sockwake router status`; -1: none */
};

/* Serves the listening socket that systemd has passed, until nobody is connected, or SIGTERM. */
int dispatcher_run(int listener, const struct dispatcher_options *options, struct error *err);
