/* Detects, before a wake, data that has gone while the container slept. */
#pragma once

#include "activator/options.h"
#include "backends/backend.h"

/* Refuses a wake if a volume of the container, or of a dependency, is not the one that it had when it last slept
 * (backends/volumes.h): the image would initialise an empty one. Sends no request unless a volume has changed; then it
 * accepts a container that runs all the same. */
int volumes_check(struct engine *e, const struct options *o, struct error *err);

/* Records the volumes of the container, which is about to be put to sleep. `c` was inspected; NULL: asks the engine. A
 * failure does not keep the container awake. */
void volumes_note(struct engine *e, const struct options *o, const struct container *c);
