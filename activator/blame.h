/* The start of a unit was given up because of another one that it needs. */
#pragma once

#include "activator/options.h"
#include "activator/unit.h"

/* Names the unit that has failed, and where it says why, instead of *err; leaves *err if none is found. Returns -1. */
int blame_needed(struct unit *u, const struct options *o, struct error *err);
