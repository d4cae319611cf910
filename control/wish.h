/* Labels of a container that ask for an instance of it: `sockwake adopt`. */
#pragma once

#include <stdbool.h>

#include "backends/container.h"

#define LABEL_PREFIX "sockwake."

bool wish_is(const struct label *l);

/* Does any label of the container ask for something? */
bool wish_is_there(const struct container *c);
