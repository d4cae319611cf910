/* The checks of `sockwake create` on the container's process and on its view of the host. A stopped container has no
 * process to check: each wake checks again. */
#include "control/create_view.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "backends/process.h"
#include "backends/reach.h"
#include "common/clock.h"
#include "control/create_request.h"

/* An engine that knows its processes notices the end of one within moments. */
#define NOTICE_LIMIT USEC_PER_SEC
#define NOTICE_MSEC  50

/* Does the engine still say that the container is this process? */
static bool is_still_said(struct engine *e, const struct container *c)
{
	_cleanup_container_ struct container again = {};
	struct error ignored;

	return e->backend->inspect(e, c->id, &again, &ignored) == 0 && again.pid == c->pid &&
	       strcmp(again.started_at, c->started_at) == 0;
}

/* The process may have ended since the engine named it. Then the engine soon names another one, or none. */
static int check_process(struct engine *e, const struct container *c, struct error *err)
{
	uint64_t until = now_usec() + NOTICE_LIMIT;

	if (c->pid <= 1 || process_check(c, "/proc", err) == 0)
		return 0;
	while (is_still_said(e, c)) {
		if (now_usec() >= until)
			return -1;
		(void)poll(NULL, 0, NOTICE_MSEC);
	}
	return error_clear(err);
}

int create_view_check(struct engine *e, const struct container *c, const char *health_check, struct error *err)
{
	return check_process(e, c, err) < 0 ? -1 : reach_check(c, health_check, err);
}
