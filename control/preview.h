/* What `sockwake create --dry-run` shows: as text, that of the units, and of the container to be made before. */
#pragma once

#include "control/create_request.h"

/* *ret is malloc()ed. Notes what could be better, and what only the engine can tell. */
int preview_render(struct create_request *r, char **ret, struct error *err);
