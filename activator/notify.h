/* Desktop notifications, as the original tool had them: "started" and "stopped". */
#pragma once

#include "activator/options.h"

/* Notifies o->user over that user's own bus. Success also if no desktop listens there. As root, the process first
 * becomes that user for good: a user's bus refuses root. */
int notify_person(const struct options *o, struct error *err);
