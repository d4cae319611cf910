/* The output of `sockwake create --dry-run`: the units, and the container to be made first, as text. */
#pragma once

#include "control/create_request.h"

/* *ret is malloc()ed. Notes possible improvements, and facts that only the engine knows. */
int preview_render(struct create_request *r, char **ret, struct error *err);
