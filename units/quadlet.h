/* The Quadlet of a container that `sockwake create --image` makes (podman-systemd.unit(5)): NAME-container.container,
 * which Podman's generator turns into NAME-container.service. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "instance/made_container.h"
#include "instance/scope.h"
#include "units/paths.h"

/* Its path. */
int quadlet_path(enum scope scope, const char *name, char ret[static PATH_MAX], struct error *err);

/* "NAME-container.service" */
const char *quadlet_unit(const char *name, char ret[static UNIT_NAME_MAX]);

/* Its text, malloc()ed. Validates *o first: none of its values can become a key, a specifier or a variable. */
char *quadlet_render(const char *name, const struct made_container *o, struct error *err);

/* The value of Image= in a .container file that anybody may have written. *ret is malloc()ed; NULL if there is none,
 * or if it has specifiers. */
int quadlet_image(const char *path, char **ret, struct error *err);

/* Reads the text of a .container file that anybody may have written, and cuts it to pieces: begins as {.rest =
 * TEXT}. */
struct quadlet_reader {
	char *rest;
	bool inside; /* the section [Container] */
};

/* The next value of this key in [Container], unchanged, within the text; NULL after the last. */
char *quadlet_next(struct quadlet_reader *r, const char *key);

/* "%%" → "%" and "$$" → "$", in place. False: it has specifiers or variables, and is now spoilt. */
bool quadlet_undouble(char *value);
