/* What is lost with a Quadlet that is replaced: `sockwake create --image` says it. */
#pragma once

#include "cli/create.h"

/* Notes the volumes of the Quadlet that was replaced, `before`, that the new one at this path does not mount there. */
void note_lost_volumes(const struct create_request *r, const char *before, const char *path);
