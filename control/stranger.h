/* Somebody else's container that has the name of a unit's own. The unit would replace it (`podman run --replace`), and the
 * wake refuses to start such a unit (activator/start_job.c). */
#pragma once

#include "instance/instance.h"
#include "units/manager.h"

/* A container runs under the name: is it not the one of the instance's unit? m may be NULL: it cannot be told. */
bool stranger_is(struct manager *m, const struct instance *i);

/* Is the unit down? */
bool stranger_unit_rests(struct manager *m, const char *unit);

#define STRANGER_MAX 1024
const char *stranger_describe(const struct instance *i, char ret[static STRANGER_MAX]);
