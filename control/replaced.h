/* A container that is replaced by another of its name is called NAME.replaced until the new one is permanent, then
 * NAME.discarded until it is removed. The engine may carry out a request of a killed program at any time later. Such a
 * request uses these names, so it cannot remove a restored container. */
#pragma once

#include "backends/backend.h"

enum replaced_stage { REPLACED_SET_ASIDE, REPLACED_DISCARDED, N_REPLACED_STAGES };

#define REPLACED_NAME_MAX 256
int replaced_name(const char *name, enum replaced_stage s, char ret[static REPLACED_NAME_MAX], struct error *err);

/* Did `create --image` make it for the instance of this name? c comes from inspect(). */
bool replaced_is_made_for(const struct container *c, const char *name);

/* Settles an interrupted replacement. The old container gets its name back, unless a foreign container has it; the new
 * one is removed, or EEXIST if it has run. If the new one was permanent already, the old one is removed instead.
 * Succeeds if there is nothing to settle. */
int replaced_settle(struct engine *e, const char *name, struct error *err);
