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

struct status_report {
	const struct records *records;
	const struct team *team;
	const struct managers *managers;
};

/* False: not all could be written. Looks up accounts, which may take long. */
bool status_report_write(const struct status_report *s, FILE *to);
