/* Desktop notifications, as of the original tool: "started" and "stopped". */
#pragma once

#include "activator/options.h"

/* Tells the person o->user, over the person's own bus. Nobody listening there is success. As root it becomes that user
 * for good first: a user's bus refuses root. */
int notify_person(const struct options *o, struct error *err);
