/* What the service manager says about instances: a part of observe(). */
#pragma once

#include "control/observe.h"

/* os has an item for each instance of the list, with its statistics. */
int observe_units(enum scope scope, const struct stored_list *list, struct observation *os, struct error *err);
