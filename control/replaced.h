/* A container that makes place for another one of its name is called NAME.replaced until that one has come to stay, then
 * NAME.discarded until it is gone. What a program that was killed has asked the engine for may happen at any time later, but
 * names what it means so: nothing that was brought back is removed by it. */
#pragma once

#include "backends/backend.h"

enum replaced_stage { REPLACED_SET_ASIDE, REPLACED_DISCARDED, N_REPLACED_STAGES };

#define REPLACED_NAME_MAX 256
int replaced_name(const char *name, enum replaced_stage s, char ret[static REPLACED_NAME_MAX], struct error *err);

/* Has `create --image` made it for the instance of this name? c is of inspect(). */
bool replaced_is_made_for(const struct container *c, const char *name);

/* What a replacement that was broken off has left gets its name back, unless somebody else's container has that. What was
 * made in its place goes, but for one that has run: EEXIST; or stays, where that was decided already, and the old one
 * goes. Nothing of the kind is success. */
int replaced_settle(struct engine *e, const char *name, struct error *err);
