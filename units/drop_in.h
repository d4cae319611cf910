/* The drop-in of a Quadlet that an instance needs (podman-systemd.unit(5)): the user's own file stays as it is. */
#pragma once

#include <limits.h>

#include "instance/instance.h"
#include "units/container_unit.h"

/* Where it belongs: DIRECTORY/X.container.d/sockwake-NAME.conf below the directory of Quadlets that the administrator
 * or user writes. */
int drop_in_path(enum scope scope, const char *quadlet, const char *name, char ret[static PATH_MAX], struct error *err);

/* The text that i->no_boot and i->drop_publish ask for: published ports stay but those that the instance listens on.
 * malloc()ed. */
char *drop_in_render(const struct instance *i, const char *const *publish, struct error *err);

/* Writes the file, all or nothing. *ret_before is what was there, or NULL. Code EEXIST: it is somebody else's. */
int drop_in_write(const char *path, const char *text, char **ret_before, struct error *err);

/* Takes it away again, and its directory when that is empty. What is not there, or not ours, stays; neither is an
 * error. */
int drop_in_remove(const char *path, struct error *err);
