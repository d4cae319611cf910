#include "control/sleep.h"

#include <errno.h>

#include "common/clock.h"
#include "control/kept_up.h"
#include "control/note.h"
#include "control/schedule.h"
#include "control/settle.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/query.h"

#define NOTE_AFTER (3 * USEC_PER_SEC)

/* The service has ended. Does the container sleep? */
static int look(struct manager *m, const struct stored *s, struct error *err)
{
	const char *name = s->instance.name;
	struct error why;

	if (s->problem) {
		note_print("it cannot be told whether the container sleeps: %s", s->problem);
		return 0;
	}
	if (settle(m, &s->instance, SETTLE_ALL, &why) == 0)
		return 0;
	return error_set(err, why.code, "'%s' may not be asleep: %.600s; 'sockwake sleep %s' tries again", name,
			 why.text, name);
}

void sleep_begin(enum scope scope, const struct stored_list *list)
{
	_cleanup_manager_ struct manager *m = NULL;
	char unit[UNIT_NAME_MAX];
	struct error ignored;

	if (list->n < 2 || manager_connect(scope, &m, &ignored) < 0)
		return;
	for (size_t k = 0; k < list->n; k++) {
		const struct instance *i = &list->items[k].instance;

		if (!i->legacy)
			(void)manager_stop(m, unit_name(i->name, SERVICE_SUFFIX, unit), 0, &ignored);
	}
}

/* A service that cannot put its container to sleep tries for as long as the unit's TimeoutStopSec= allows. */
static int stop_patiently(struct manager *m, const char *name, const char *unit, struct error *err)
{
	struct unit_state state = {};
	struct error ignored;
	bool says_why;

	if (manager_stop(m, unit, NOTE_AFTER, err) == 0)
		return 0;
	if (!error_forgive(err, ETIMEDOUT))
		return -1;
	says_why = manager_examine(m, &unit, 1, &state, &ignored) == 0 && *state.status_text;
	note_print("'%s' is still being put to sleep%s%s", name, says_why ? ": " : "",
		   says_why ? state.status_text : "");
	unit_states_clear(&state, 1);
	return manager_stop(m, unit, USEC_INFINITY, err);
}

int sleep_instance(enum scope scope, const struct stored *s, struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	const char *name = s->instance.name;
	char unit[UNIT_NAME_MAX];
	struct error ignored;

	if (manager_connect(scope, &m, err) < 0)
		return -1;
	if (s->instance.legacy && manager_stop(m, unit_name(name, LEGACY_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (stop_patiently(m, name, unit_name(name, SERVICE_SUFFIX, unit), err) < 0)
		return -1;
	if (look(m, s, err) < 0)
		return -1;
	(void)manager_reset_failed(m, unit, &ignored); /* it sleeps, whatever failed before */
	if (!s->problem)
		note_done("'%s' sleeps.", name);
	if (!s->problem)
		kept_up_look(&s->instance);
	if (schedule_is_on(&s->instance))
		note_print("its schedule wakes it again: 'systemctl %sstop %s" SOCKET_SUFFIX "' keeps it asleep",
			   scope == SCOPE_USER ? "--user " : "", name);
	return 0;
}
