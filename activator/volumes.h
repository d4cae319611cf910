/* Data that went away while its container slept: seen before the container is woken. */
#pragma once

#include "activator/options.h"
#include "backends/backend.h"

/* Refuses to wake when a volume of the container, or of one of --with, is not the one that it had when it last slept
 * (backends/volumes.h): the image would initialise an empty one. Costs no request unless that is so; a container that runs
 * all the same is accepted. */
int volumes_check(struct engine *e, const struct options *o, struct error *err);

/* Remembers what the container has, which is about to be put to sleep. `c` was inspected; NULL: it is asked for. What
 * fails does not keep it awake. */
void volumes_note(struct engine *e, const struct options *o, const struct container *c);
