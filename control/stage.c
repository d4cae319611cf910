#include "control/stage.h"

#include <string.h>

#include "handover/channel.h"
#include "units/paths.h"
#include "units/query.h"

static const struct {
	const char *active_state;
	enum stage stage;
} stages[] = {
	{"inactive", STAGE_ASLEEP},
	{"failed", STAGE_ASLEEP},
	{"activating", STAGE_WAKING},
	{"deactivating", STAGE_STOPPING},
};

static enum stage of_state(const char *active_state)
{
	for (size_t k = 0; k < sizeof(stages) / sizeof(*stages); k++) {
		if (strcmp(stages[k].active_state, active_state) == 0)
			return stages[k].stage;
	}
	return STAGE_AWAKE;
}

/* Does it only look at clients that may not wake it? */
static bool refuses(struct manager *m, struct unit_state *state)
{
	struct error ignored;

	state->details = DETAILS_ALL;
	return manager_ask_details(m, state, 1, &ignored) == 0 && state->status_text &&
	       strncmp(state->status_text, STATUS_NOBODY, strlen(STATUS_NOBODY)) == 0;
}

int stage_find(struct manager *m, const char *name, enum stage *ret, struct error *err)
{
	char unit[UNIT_NAME_MAX];
	const char *service = unit_name(name, SERVICE_SUFFIX, unit);
	struct unit_state state = {};
	int r = manager_query(m, &service, 1, &state, err);

	*ret = r == 0 ? of_state(state.active_state) : STAGE_ASLEEP;
	if (*ret == STAGE_WAKING && refuses(m, &state))
		*ret = STAGE_REFUSING;
	unit_states_clear(&state, 1);
	return r;
}

const char *stage_words(enum stage s)
{
	static const char *const words[] = {
		[STAGE_ASLEEP] = "is asleep",
		[STAGE_REFUSING] = "is refusing clients that may not wake it",
		[STAGE_WAKING] = "is waking",
		[STAGE_AWAKE] = "is awake",
		[STAGE_STOPPING] = "is being put to sleep",
	};

	return words[s];
}
