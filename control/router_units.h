/* The service manager for control/router_move.h. */
#pragma once

#include "control/router_move.h"
#include "units/manager.h"
#include "units/query.h"

struct router_units router_units_of(struct manager *m);

/* Does the unit run, or is it about to? */
bool router_units_is_active(struct manager *m, const char *unit);
