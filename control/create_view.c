/* The checks of `sockwake create` on the container's process and on its view of the host. A stopped container has no
 * process to check: each wake checks again. */
#include "control/create_view.h"

#include <string.h>

#include "backends/process.h"
#include "backends/reach.h"
#include "control/create_request.h"

/* The process may have ended since the engine named it: then the engine now names another one, or none. */
static int check_process(struct engine *e, const struct container *c, struct error *err)
{
	_cleanup_container_ struct container again = {};
	struct error ignored;

	if (c->pid <= 1 || process_check(c, "/proc", err) == 0)
		return 0;
	if (e->backend->inspect(e, c->id, &again, &ignored) < 0 || again.pid != c->pid ||
	    strcmp(again.started_at, c->started_at) != 0)
		return error_clear(err);
	return -1;
}

int create_view_check(struct engine *e, const struct container *c, const char *health_check, struct error *err)
{
	return check_process(e, c, err) < 0 ? -1 : reach_check(c, health_check, err);
}
