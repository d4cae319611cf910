/* What the dispatcher knows, as one JSON object for `sockwake router status`:
 *
 *	connections	uid, user, pid, command, engine, request, bytes_in, bytes_out, since_usec (CLOCK_REALTIME)
 *	workers		kind, uid, pid, connections
 *	managers	uid, user: user managers that were started here and are to be stopped again
 *	engines		uid, user, engine, since_usec: users' engines that were started here
 *
 * `user` is null for a uid without an account; `engine` and `request` are null until the client has sent a request.
 */
#pragma once

#include <stdio.h>

#include "router/managers.h"
#include "router/records.h"
#include "router/team.h"

/* The engines that workers have started: the last ones. */
#define STARTED_MAX 64

struct started_engine {
	uid_t uid;
	uint64_t when; /* CLOCK_MONOTONIC microseconds */
	char engine[16];
};

struct status_report {
	const struct records *records;
	const struct team *team;
	const struct managers *managers;
	struct started_engine started[STARTED_MAX];
	unsigned n_started; /* all; beyond STARTED_MAX the oldest was replaced */
};

/* A worker says that it has started an engine of its user. */
void status_report_note_engine(struct status_report *s, uid_t uid, const char *engine);

/* False: not all could be written. Looks up accounts, which may take long. */
bool status_report_write(const struct status_report *s, FILE *to);
