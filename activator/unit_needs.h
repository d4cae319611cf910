/* The services that the start of a unit brings up besides (Requires=, BindsTo=, Wants=): when the instances fall asleep that
 * needed them they stop as well, unless somebody else needs or has started them.
 *
 * Before the start each of them that does not run gets a file SERVICE.needed in the runtime directory, and after it its
 * invocation is written there. Whenever a unit was put to sleep all such services are looked at, for two instances may
 * need one of them. One stays when
 *
 *	- it is another invocation now: somebody has restarted it, and it is theirs;
 *	- a unit that is active, or about to be, and none of them requires or wants it;
 *	- its container is in use by another instance;
 *	- it runs no container: others may have come to rely on a server or an engine that it started;
 *	- it has no process: that of a volume or a network has done what it is for.
 */
#pragma once

#include <stdbool.h>

#include "activator/options.h"
#include "activator/unit.h"
#include "backends/backend.h"
#include "units/paths.h"

#define NEEDS_MAX 32

struct needs {
	struct need {
		char name[UNIT_NAME_MAX];
		char invocation[INVOCATION_MAX]; /* "": not written down yet */
		bool stays;			 /* unit_needs_stop(): it is not to be stopped */
	} items[NEEDS_MAX];
	size_t n;
};

/* Before and after the start of o->unit. What cannot be found out or written down stays up. */
void unit_needs_before(struct unit *u, const struct options *o, struct needs *ret);
void unit_needs_after(struct unit *u, const struct options *o, struct needs *needs);

/* Does a unit that runs, or is about to, require this one, so that it would be stopped with it (systemd.unit(5),
 * Requires=)? */
bool unit_needs_is_required(struct unit *u, const char *name);

/* Stops what nobody needs any more. One that fails does not keep the others; the first failure is told. */
int unit_needs_stop(struct unit *u, struct engine *e, const struct options *o, struct error *err);
