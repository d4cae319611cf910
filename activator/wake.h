/* Bringing the container up for a keeper. */
#pragma once

#include "activator/options.h"

/* Returns with the container running and the keeper told so, which then holds on to it. */
int wake(const struct options *o, struct error *err);
