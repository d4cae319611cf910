/* Container labels that request an instance: `sockwake adopt`. */
#pragma once

#include <stdbool.h>

#include "backends/container.h"

#define LABEL_PREFIX "sockwake."

bool wish_is(const struct label *l);

/* Does any label of the container request an instance? */
bool wish_is_there(const struct container *c);
