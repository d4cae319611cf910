#include "control/router_units.h"

#include <string.h>

#include "common/clock.h"

#define START_TIMEOUT (120 * USEC_PER_SEC)
/* TimeoutStopSec= of the router, and some more. */
#define STOP_TIMEOUT (30 * USEC_PER_SEC)

bool router_units_is_active(struct manager *m, const char *unit)
{
	struct unit_state state = {};
	struct error ignored;
	bool active = manager_query(m, &unit, 1, &state, &ignored) == 0 &&
		      (strcmp(state.active_state, "active") == 0 || strcmp(state.active_state, "activating") == 0 ||
		       strcmp(state.active_state, "reloading") == 0);

	unit_states_clear(&state, 1);
	return active;
}

static int reload(void *data, struct error *err)
{
	return manager_reload(data, err);
}

static int start(void *data, const char *unit, struct error *err)
{
	return manager_start(data, unit, START_TIMEOUT, err);
}

static int stop(void *data, const char *unit, struct error *err)
{
	return manager_stop(data, unit, STOP_TIMEOUT, err);
}

/* Docker's unit may be started three times a minute: starts that somebody wants do not count. */
static int restart(void *data, const char *unit, struct error *err)
{
	struct error ignored;

	(void)manager_reset_failed(data, DOCKER_SERVICE_UNIT, &ignored);
	return manager_restart(data, unit, START_TIMEOUT, err);
}

static bool is_active(void *data, const char *unit)
{
	return router_units_is_active(data, unit);
}

struct router_units router_units_of(struct manager *m)
{
	return (struct router_units){
		.reload = reload,
		.start = start,
		.stop = stop,
		.restart = restart,
		.is_active = is_active,
		.data = m,
	};
}
