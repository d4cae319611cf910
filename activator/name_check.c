#include "activator/name_check.h"

#include <errno.h>

#include "activator/free_name.h"
#include "activator/situation.h"
#include "activator/unit_container.h"
#include "backends/podman/command.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "handover/environment.h"

/* What Podman has stored is read in no time; Podman itself is asked less often. */
#define READ_PERIOD (100 * USEC_PER_MSEC)
#define ASK_PERIOD  USEC_PER_SEC
#define ASK_LIMIT   (2 * USEC_PER_SEC)

static int ask_command(struct unit *u, struct engine *e, const struct options *o, struct error *err)
{
	_cleanup_container_ struct container c = {};
	_cleanup_free_ char **env = environment_for_others();

	if (!env)
		return error_errno(err, ENOMEM, "cannot run 'podman ps'");
	if (podman_command_find(o->container, env, e->deadline, &c, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	return unit_container_check(u, o, &c, err);
}

/* A container that is just being removed (EREMOTEIO) was the unit's own. */
static int ask(struct unit *u, struct engine *e, const struct options *o, struct error *err)
{
	_cleanup_container_ struct container c = {};

	if (unit_container_inspect(u, e, o, &c, err) == 0 || container_is_in_between(err))
		return error_clear(err);
	return error_forgive(err, ENOTCONN) ? ask_command(u, e, o, err) : -1;
}

int name_check(struct unit *u, struct engine *e, const struct options *o, const struct container_lock *lock,
	       struct error *err)
{
	if (!unit_labels_containers(u, o->unit) || free_name_is_sure(lock->identity, o->scope, o->container) ||
	    ask(u, e, o, err) == 0)
		return 0;
	return err->code == EEXIST ? -1
				   : error_context(err,
						   "the unit '%s' is not started, which would replace a container "
						   "'%s' of others",
						   o->unit, o->container);
}

uint64_t name_check_again(struct unit *u, struct engine *e, const struct options *o, const struct container_lock *lock,
			  struct error *err)
{
	uint64_t deadline = e->deadline;
	struct unit_view v;

	if (!unit_labels_containers(u, o->unit) || unit_look(u, &v, err) < 0 || v.main_pid) {
		error_clear(err);
		return USEC_INFINITY;
	}
	if (free_name_is_sure(lock->identity, o->scope, o->container))
		return READ_PERIOD;
	e->deadline = least_of(deadline, time_from_now(ASK_LIMIT));
	if (ask(u, e, o, err) < 0 && err->code != EEXIST)
		error_clear(err);
	e->deadline = deadline;
	return ASK_PERIOD;
}
