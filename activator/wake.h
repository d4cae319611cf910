/* Brings the container up for a keeper. */
#pragma once

#include "activator/options.h"

/* Returns when the container runs and the keeper, which now holds it, knows. */
int wake(const struct options *o, struct error *err);
