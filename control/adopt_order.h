/* `sockwake adopt --all`, when instances want each other's ports: one that another one gives up in the same run is waited
 * for, and those that wait for each other in a circle exchange them. */
#pragma once

#include "control/adoption.h"

/* Adopts every container with a wish; tells the failures. *ret: how many there are. */
int adopt_in_order(struct adoption *a, size_t *ret, struct error *err);
