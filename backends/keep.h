/* The record of a sleeping container's volumes; and its image and volumes, which the engine keeps from pruning (struct
 * backend, keep). The latter is for a container that does not exist while it sleeps, because its unit creates it at
 * each start, and for one of `sockwake create --image`, which pruning might remove. */
#pragma once

#include "backends/backend.h"
#include "backends/volumes.h"

/* Records the volumes of the inspected container in the file `path` (backends/volumes.h), and keeps them. by_unit: a
 * unit runs the container; directories of the host are not recorded, because the unit may mount them. Cheap if nothing
 * has changed. Also records volumes that cannot be kept. */
int volumes_remember(struct engine *e, const char *path, const struct container *c, bool by_unit, struct error *err);

/* The same for a container that does not exist, from the image's name or identifier and the names of its volumes, a
 * NULL-terminated list; missing volumes are left out. A volume that has a record keeps it. Does nothing if the engine
 * cannot keep, or the image is missing. */
int volumes_keep_new(struct engine *e, const char *path, const char *container, const char *image,
		     const char *const *volumes, struct error *err);

/* Lets the image and volumes go, and removes the record. */
int volumes_forget(struct engine *e, const char *path, const char *container, struct error *err);

/* The name of Podman's container that refers to them; its pod has the suffix. */
#define ANCHOR_NAME_MAX	  300
#define ANCHOR_POD_SUFFIX "-pod"
const char *anchor_name(const char *container, char ret[static ANCHOR_NAME_MAX]);
