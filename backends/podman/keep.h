/* A pod that keeps the image and volumes of a sleeping container from being pruned. */
#pragma once

#include "backends/podman/podman.h"

/* Members of struct backend; see there. */
int podman_keep(struct engine *e, const char *container, const char *image, const char *const *volumes,
		struct error *err);
int podman_let_go(struct engine *e, const char *container, struct error *err);
