/* The pod and the container that Podman is asked for to keep the image and volumes of a container: backends/podman/keep.c
 * explains them. */
#pragma once

#include "backends/keep.h"

#define POD_NAME_MAX (ANCHOR_NAME_MAX + 8)

const char *podman_pod_name(const char *container, char ret[static POD_NAME_MAX]);

/* Return the JSON of their creation, which the caller frees, or NULL if there is no memory. VOLUMES: of the engine, NULL
 * after the last one. */
char *podman_format_pod(const char *container);
char *podman_format_anchor(const char *container, const char *image, const char *const *volumes);
