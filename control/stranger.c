#include "control/stranger.h"

#include <stdio.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "units/query.h"

bool stranger_unit_rests(struct manager *m, const char *unit)
{
	struct unit_state state = {};
	struct error ignored;
	bool rests = m && manager_query(m, &unit, 1, &state, &ignored) == 0 &&
		     (strcmp(state.active_state, "inactive") == 0 || strcmp(state.active_state, "failed") == 0);

	unit_states_clear(&state, 1);
	return rests;
}

/* A container does not outlive its unit where the unit's main process is the container's monitor. */
bool stranger_is(struct manager *m, const struct instance *i)
{
	return i->unit && engine_backend(i->backend)->monitors_in_units && stranger_unit_rests(m, i->unit);
}

const char *stranger_describe(const struct instance *i, char ret[static STRANGER_MAX])
{
	const char *name = i->container_name, *engine = engine_backend(i->backend)->name;

	snprintf(
		ret, STRANGER_MAX,
		"the container '%s' that runs is not the one of '%s', which is down: somebody else has made it, and no "
		"client wakes the unit's own meanwhile; '%s rename %s %s-other' keeps it, '%s rm -f %s' removes it with "
		"its data",
		name, i->unit, engine, name, name, engine, name);
	return ret;
}
