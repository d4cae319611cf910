/* Where an instance is between asleep and awake, for commands that change it. */
#pragma once

#include "units/manager.h"

enum stage {
	STAGE_ASLEEP,
	STAGE_REFUSING, /* asleep, but its service runs: it resets clients that may not wake it */
	STAGE_WAKING,
	STAGE_AWAKE,
	STAGE_STOPPING,
};

int stage_find(struct manager *m, const char *name, enum stage *ret, struct error *err);

/* For "'web' …": "is waking". */
const char *stage_words(enum stage s);
