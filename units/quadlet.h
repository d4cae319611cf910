/* The Quadlet of a container that `sockwake create --image` makes (podman-systemd.unit(5)): NAME-container.container,
 * which Podman's generator turns into NAME-container.service. */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "instance/made_container.h"
#include "instance/scope.h"
#include "units/paths.h"

/* Where it belongs. */
int quadlet_path(enum scope scope, const char *name, char ret[static PATH_MAX], struct error *err);

/* "NAME-container.service" */
const char *quadlet_unit(const char *name, char ret[static UNIT_NAME_MAX]);

/* Its text, malloc()ed. Validates the order first: nothing in it can become a key, a specifier or a variable. */
char *quadlet_render(const char *name, const struct made_container *o, struct error *err);

/* The value of Image= in a .container file, whoever wrote it; *ret is malloc()ed, NULL where it has none, or one with
 * specifiers. */
int quadlet_image(const char *path, char **ret, struct error *err);

/* Reads the text of a .container file, whoever wrote it, and cuts it to pieces: begins as {.rest = TEXT}. */
struct quadlet_reader {
	char *rest;
	bool inside; /* the section [Container] */
};

/* The next value of this key in [Container], as it stands, within the text; NULL after the last. */
char *quadlet_next(struct quadlet_reader *r, const char *key);

/* "%%" → "%" and "$$" → "$", in place. False, and the value is spoilt: it has specifiers or variables. */
bool quadlet_undouble(char *value);
