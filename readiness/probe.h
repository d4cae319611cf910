/* One attempt to talk to a server. */
#pragma once

#include "readiness/probes.h"

/* Connects to the target, whose port is set, asks and judges: one attempt, until attempt_deadline at most. READY_LISTEN
 * only connects. Returns a verdict other than VERDICT_MORE, or -1 if the container has ended. */
int probe(const struct readiness *r, int type, const struct target *t, uint64_t attempt_deadline,
	  const struct patience *patience, char seen[static SEEN_MAX], struct error *err);
