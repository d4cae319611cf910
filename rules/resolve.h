/* From the names in a request to the objects of the engine. With a label in the rules only what carries it exists for the caller:
 * anything else is answered as if it did not exist (ENOENT). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/verdict.h"

#define RESOLVE_ID_MAX 256

enum resolve_kind { RESOLVE_CONTAINER, RESOLVE_NETWORK, RESOLVE_VOLUME };

/* The full ID of the object with this name; its name, if the rules have no label. */
int resolve_object(const struct verdict *v, enum resolve_kind kind, const char *name, char ret[static RESOLVE_ID_MAX],
		   struct error *err);

/* The same for a container that a request refers to in a string of JSON. */
int resolve_reference(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX], struct error *err);

/* May a container use this network, or this named volume? What carries the label may be used, and what the rules name. A volume
 * that does not exist is created, with the label, because the engine would create it without. */
int resolve_network_use(const struct verdict *v, const char *name, struct error *err);
int resolve_volume_use(const struct verdict *v, const char *name, struct error *err);

/* A volume of this name may be created: there is none, or it carries the label. The engine would answer with the existing one. */
int resolve_new_volume(const struct verdict *v, const char *name, struct error *err);

/* Is the engine Podman? */
int resolve_is_podman(const struct verdict *v, bool *ret, struct error *err);
