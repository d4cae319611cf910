/* What the dispatcher hands on to the next one: the engines and managers that it has to stop again (started.h). */
#pragma once

#include "router/managers.h"
#include "router/started.h"
#include "router/team.h"

struct heritage {
	struct started started;
	struct team *team;
	struct managers *managers;
};

/* Takes over from an earlier dispatcher, by the file in $RUNTIME_DIRECTORY: for each engine a worker of its user's. */
void heritage_take(struct heritage *h, struct team *team, struct managers *managers);

/* The member has started this engine, or with "" has stopped it. */
void heritage_keep_engine(struct heritage *h, struct member *m, const char *engine);

void heritage_keep_manager(struct heritage *h, uid_t uid, bool ours);
