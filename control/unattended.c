#include "control/unattended.h"

#include <string.h>

#include "control/note.h"
#include "control/stranger.h"
#include "lifecycle/decide.h"
#include "units/paths.h"

static bool serves(const struct instance *i, bool runs, bool awake)
{
	struct situation s = {.event = EVENT_FOUND, .condition = runs ? CONDITION_RUNNING : CONDITION_OFF};

	s.run = RUN_FOUND;
	s.circumstances = (awake ? CIRCUMSTANCE_AWAKE : 0U) | (i->keep_running ? CIRCUMSTANCE_KEEP_RUNNING : 0U);
	return !i->legacy && decide(&s)->action == ACTION_SERVE;
}

bool unattended_is(const struct observation *o)
{
	bool awake = (o->state != STATE_ASLEEP && o->state != STATE_FAILED) || o->attended_by[0];

	return !o->stored->problem && !o->stranger &&
	       serves(&o->stored->instance, strcmp(o->container_state, container_state_name(CONTAINER_RUNNING)) == 0,
		      awake);
}

bool unattended_start(struct manager *m, const struct instance *i)
{
	char unit[UNIT_NAME_MAX];
	struct error why;

	if (manager_start(m, unit_name(i->name, SERVICE_SUFFIX, unit), 0, &why) == 0)
		return true;
	note_print("the idle clock of '%s' is not started: %s", i->name, why.text);
	return false;
}

bool unattended_start_if(struct manager *m, const struct instance *i, enum container_state state)
{
	char stranger[STRANGER_MAX];

	if (!serves(i, state == CONTAINER_RUNNING, false))
		return false;
	if (!stranger_is(m, i))
		return unattended_start(m, i);
	note_print("%s", stranger_describe(i, stranger));
	return false;
}
