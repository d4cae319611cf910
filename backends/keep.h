/* What is remembered of a container that sleeps: its volumes; and what is kept for it (struct backend, keep): the image
 * and the volumes of one that does not exist meanwhile, because its unit makes it anew at each start, or that pruning may
 * take away although `sockwake create --image` has made it. */
#pragma once

#include "backends/backend.h"
#include "backends/volumes.h"

/* Writes down what the inspected container has in the file `path` (backends/volumes.h), and keeps it. Of a container that a
 * unit runs, directories of the host's are not remembered: the unit may be what mounts them. Cheap where nothing has
 * changed. What cannot be kept is written down all the same. */
int volumes_remember(struct engine *e, const char *path, const struct container *c, bool by_unit, struct error *err);

/* The same for a container that does not exist, by the image's name or identifier and the names of its volumes, a
 * NULL-terminated list; those that there are not are left out. A volume that was remembered before is remembered as it
 * was then. Nothing where the engine cannot keep, or the image is not there. */
int volumes_keep_new(struct engine *e, const char *path, const char *container, const char *image,
		     const char *const *volumes, struct error *err);

/* What is kept is let go, and what was written down is forgotten. */
int volumes_forget(struct engine *e, const char *path, const char *container, struct error *err);

/* How Podman's container that refers to them is called; its pod has the suffix. */
#define ANCHOR_NAME_MAX	  300
#define ANCHOR_POD_SUFFIX "-pod"
const char *anchor_name(const char *container, char ret[static ANCHOR_NAME_MAX]);
