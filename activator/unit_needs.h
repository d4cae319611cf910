/* The services that the start of a unit also brings up (Requires=, BindsTo=, Wants=). They stop when the instances that
 * need them fall asleep, unless somebody else needs or has started them.
 *
 * Before the start, each service that does not run gets a file SERVICE.needed in the runtime directory; after the start,
 * its invocation is recorded there. Whenever a unit was put to sleep, all recorded services are checked, for two
 * instances may need the same one. A service stays if
 *
 *	- it is another invocation now: it belongs to whoever restarted it;
 *	- a unit that is active or starting, other than these services, requires or wants it;
 *	- another instance uses its container;
 *	- it does not run a container: others may rely by now on the server or the engine that it started;
 *	- it has no process: the service of a volume or a network has done its work.
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
		char invocation[INVOCATION_MAX]; /* "": not recorded yet */
		bool stays;			 /* unit_needs_stop(): it must not be stopped */
	} items[NEEDS_MAX];
	size_t n;
};

/* The services that the start of a unit would bring up, NEEDS_MAX at most. */
void unit_needs_find(struct unit *u, const char *unit, struct needs *ret);

/* Call them before and after the start of o->unit. A service that cannot be examined or recorded stays up. */
void unit_needs_before(struct unit *u, const struct options *o, struct needs *ret);
void unit_needs_after(struct unit *u, const struct options *o, struct needs *needs);

/* Does a running or starting unit require this one, and so would be stopped with it (systemd.unit(5), Requires=)? */
bool unit_needs_is_required(struct unit *u, const char *name);

/* Stops the services that nobody needs any more. One that fails does not keep the others up; reports the first
 * failure. */
int unit_needs_stop(struct unit *u, struct engine *e, const struct options *o, struct error *err);
