/* A container that makes place for another one of its name is called NAME.replaced until that is done. */
#pragma once

#include "backends/backend.h"

#define REPLACED_NAME_MAX 256
int replaced_name(const char *name, char ret[static REPLACED_NAME_MAX], struct error *err);

/* Has `create --image` made it for the instance of this name? c is of inspect(). */
bool is_made_for(const struct container *c, const char *name);

/* What a replacement that was broken off has left gets its name back, unless somebody else's container has that. What was
 * made in its place goes, but for one that has run: EEXIST. Nothing of the kind is success. */
int replaced_settle(struct engine *e, const char *name, struct error *err);
