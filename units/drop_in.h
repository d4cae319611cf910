/* The drop-in of a Quadlet that an instance needs (podman-systemd.unit(5)): the user's own file stays as it is. */
#pragma once

#include <limits.h>

#include "instance/instance.h"
#include "units/container_unit.h"

/* Its path: X.container.d/sockwake-NAME.conf in the administrator's or user's directory of Quadlets. */
int drop_in_path(enum scope scope, const char *quadlet, const char *name, char ret[static PATH_MAX], struct error *err);

/* The text for i->no_boot and i->drop_publish: it keeps published ports, except those that the instance listens on.
 * section: where PublishPort= is. malloc()ed. */
char *drop_in_render(const struct instance *i, const char *section, const char *const *publish, struct error *err);

/* Writes the file, all or nothing. *ret_before is the previous text, or NULL. Code EEXIST: the file is not ours. */
int drop_in_write(const char *path, const char *text, char **ret_before, struct error *err);

/* Removes it, and its directory if that is then empty. A missing file is not an error; a file that is not ours stays,
 * without an error. */
int drop_in_remove(const char *path, struct error *err);
