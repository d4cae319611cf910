/* What is lost with the container of a Quadlet: `sockwake create --image` says it. */
#pragma once

#include "control/create_request.h"

/* Notes that what the container writes does not outlast its sleep, where it is a Quadlet's and has no volume. */
void lost_note_writes(const struct create_request *r);

/* Notes the volumes of the Quadlet that was replaced, `before`, that the new one at this path does not mount there. */
void lost_note_volumes(const struct create_request *r, const char *before, const char *path);
