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

/* Starts that somebody wants do not count for the limits of these units: docker.service may be started three times a minute. */
static void reset_limits(struct manager *m, const char *unit)
{
	const char *const units[] = {unit, DOCKER_SOCKET_UNIT, DOCKER_SERVICE_UNIT, "sockwake-attend.service"};
	struct error ignored;

	for (size_t k = 0; k < sizeof(units) / sizeof(*units); k++)
		(void)manager_reset_failed(m, units[k], &ignored);
}

static int explain(int r, const char *unit, struct error *err)
{
	struct error why;

	if (r == 0 || strncmp(unit, "docker.", 7) != 0)
		return r;
	why = *err;
	return error_set(err, why.code, "%s ('sudo journalctl -u %s' shows why)", why.text, unit);
}

static int reload(void *data, struct error *err)
{
	return manager_reload(data, err);
}

static int start(void *data, const char *unit, struct error *err)
{
	reset_limits(data, unit);
	return explain(manager_start(data, unit, START_TIMEOUT, err), unit, err);
}

static int stop(void *data, const char *unit, struct error *err)
{
	return manager_stop(data, unit, STOP_TIMEOUT, err);
}

static int restart(void *data, const char *unit, struct error *err)
{
	reset_limits(data, unit);
	return explain(manager_restart(data, unit, START_TIMEOUT, err), unit, err);
}

static bool is_active(void *data, const char *unit)
{
	return router_units_is_active(data, unit);
}

static enum router_place look(void *data, const char *path)
{
	(void)data;
	return router_place_look(path, 1);
}

struct router_units router_units_of(struct manager *m)
{
	return (struct router_units){
		.reload = reload,
		.start = start,
		.stop = stop,
		.restart = restart,
		.is_active = is_active,
		.look = look,
		.data = m,
	};
}
