#include "control/create_write.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "control/create_unit.h"
#include "control/install.h"
#include "control/note.h"
#include "control/refresh.h"
#include "control/schedule.h"
#include "control/sharing.h"
#include "control/stage.h"
#include "control/unattended.h"
#include "control/warning.h"
#include "instance/defaults.h"
#include "instance/json.h"
#include "units/drop_in.h"
#include "units/hidden.h"
#include "units/paths.h"

/* May the predecessor go on serving its clients? */
static bool is_successor(const struct create_request *r, const struct instance *old)
{
	const struct instance *i = &r->instance;
	bool same_unit = i->unit && old && old->unit ? strcmp(i->unit, old->unit) == 0 : old && i->unit == old->unit;

	return (r->changes || i->adopted) && same_unit && !old->legacy &&
	       strcmp(old->container_name, i->container_name) == 0 && instances_share_engine(old, i) &&
	       instances_listen_alike(old, i);
}

/* A person who replaces an instance that is in use may wait for long. */
static void note_wait(struct manager *m, const struct instance *old)
{
	unsigned long long stop = old->stop_timeout;
	enum stage stage = STAGE_ASLEEP;
	struct error ignored;

	if (old->legacy || stage_find(m, old->name, &stage, &ignored) < 0 || stage == STAGE_ASLEEP ||
	    stage == STAGE_REFUSING)
		return;
	if (stage == STAGE_WAKING)
		note_print("'%s' is waking: ends this start, and waits until its container has stopped, for %llus at "
			   "most",
			   old->name, stop);
	else
		note_print("'%s' %s: waits until its open connections have ended, for %s at most (--drain-timeout), "
			   "and its container has stopped, for %llus at most",
			   old->name, stage_words(stage),
			   old->drain_timeout ? old->drain_timeout : DEFAULT_DRAIN_TIMEOUT_TEXT, stop);
}

int create_write(struct manager *m, const char *directory, const struct create_request *r, const struct instance *old,
		 const char *drop_in, struct error *err)
{
	const struct instance *i = &r->instance;
	_cleanup_free_ char *before = NULL;
	struct error ignored;

	if (old && !is_successor(r, old))
		note_wait(m, old);
	if (create_unit_apply_drop_in(m, i, drop_in, &before, err) < 0)
		return -1;
	if ((is_successor(r, old) ? refresh_install(m, directory, old, i, err)
				  : install_write(m, directory, i, old && old->legacy, err)) < 0) {
		create_unit_revert_drop_in(m, i, before);
		return -1;
	}
	if (old && old->drop_in && (!i->drop_in || strcmp(old->drop_in, i->drop_in) != 0)) {
		(void)drop_in_remove(old->drop_in, &ignored);
		(void)manager_reload(m, &ignored);
	}
	return 0;
}

int create_write_compare(const struct create_request *r, const char *directory, const struct stored *old,
			 enum outcome *ret, struct error *err)
{
	_cleanup_free_ char *one = instance_to_json(&r->instance);
	_cleanup_free_ char *other = old && !old->problem ? instance_to_json(&old->instance) : NULL;
	bool current;

	*ret = old ? OUTCOME_REPLACED : OUTCOME_CREATED;
	if (!one || (old && !old->problem && !other))
		return error_errno(err, ENOMEM, "cannot compare instances");
	if (!other || strcmp(one, other) != 0 || !(r->instance.adopted || r->changes))
		return 0;
	if (store_is_current(directory, &r->instance, &current, err) < 0)
		return -1;
	*ret = current ? OUTCOME_UNCHANGED : OUTCOME_REFRESHED;
	return 0;
}

void create_write_note_hidden(struct manager *m, const char *directory, const struct instance *i)
{
	struct hidden hidden;
	struct error ignored;
	char text[HIDDEN_MAX];

	if (hidden_find(m, directory, &i, 1, &hidden, &ignored) < 0 || !hidden.path[0])
		return;
	warning_describe_hidden(i, hidden.path, text);
	note_print("'%s': %s", i->name, text);
}

void create_write_warm_up(struct manager *m, const struct instance *i, struct engine *engine, uint64_t limit, bool ran)
{
	_cleanup_container_ struct container now = {};
	char unit[UNIT_NAME_MAX];
	struct error ignored;
	enum stage stage;

	if (stage_find(m, i->name, &stage, &ignored) == 0 && stage != STAGE_ASLEEP) /* one that was changed */
		return;
	engine->deadline = time_from_now(limit);
	/* A container that the replaced instance had woken sleeps by now. */
	if (engine->backend->inspect(engine, i->container_name, &now, &ignored) == 0 &&
	    unattended_start_if(m, i, now.state))
		note_print("the container '%s' runs already: it sleeps when nobody has used it for --idle-timeout",
			   i->container_name);
	else if (schedule_is_on(i))
		(void)manager_start(m, unit_name(i->name, SERVICE_SUFFIX, unit), 0, &ignored);
	else if (ran && now.state != CONTAINER_RUNNING)
		note_print("the container '%s', which ran, was put to sleep with the instance that was replaced",
			   i->container_name);
}
