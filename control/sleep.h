/* `sockwake sleep`. */
#pragma once

#include "units/store.h"

/* Tells these instances to go to sleep, and waits for none: a container may take long to stop, and an engine that hangs
 * takes its time for each. Whoever wants to know puts each to sleep then. */
void sleep_begin(enum scope scope, const struct stored_list *list);

/* Puts one instance to sleep, and waits until it sleeps. */
int sleep_instance(enum scope scope, const struct stored *s, struct error *err);
