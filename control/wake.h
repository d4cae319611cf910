/* `sockwake wake`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "units/store.h"

struct woken {
	bool was_awake; /* before; else it has woken now, or a start has ended that ran already */
	uint64_t took;	/* microseconds */
};

/* Wakes one instance, as a connection would, and waits until it is awake. hold: keeps it awake for this many
 * microseconds; 0: no hold. */
int wake_instance(enum scope scope, const struct stored *s, uint64_t hold, struct woken *ret, struct error *err);
