/* From the names in a request to the objects of the engine. With a label in the rules only what carries it exists for the caller:
 * anything else is answered as if it did not exist (ENOENT). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "common/error.h"
#include "rules/verdict.h"

#define RESOLVE_ID_MAX 256

enum resolve_kind { RESOLVE_CONTAINER, RESOLVE_NETWORK, RESOLVE_VOLUME, RESOLVE_IMAGE };

/* The full ID of the container, network or volume with this name; its name, if the rules have no label. A container whose image
 * has the label, too, is nobody's: whoever runs that image gets such a container. */
int resolve_object(const struct verdict *v, enum resolve_kind kind, const char *name, char ret[static RESOLVE_ID_MAX],
		   struct error *err);

/* The same for a container that a request refers to in a string of JSON. */
int resolve_reference(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX], struct error *err);

/* May a container use this network? It may if that carries the label, or the rules name it. The same as above goes to ret. */
int resolve_network_use(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX], struct error *err);

/* The same for a named volume. One that does not exist is created, with the label, because the engine would create it without. */
int resolve_volume_use(const struct verdict *v, const char *name, struct error *err);

/* A volume of this name may be created: there is none, or it carries the label. The engine would answer with the existing one. */
int resolve_new_volume(const struct verdict *v, const char *name, struct error *err);

/* Something new may get this name: it is not the beginning of the ID of something else. */
int resolve_new_name(const struct verdict *v, enum resolve_kind kind, const char *name, struct error *err);

/* A network may get this name. */
int resolve_new_network(const struct verdict *v, const char *name, struct error *err);

/* Could the image give its label to a container? One that is not there could have. */
int resolve_image_gives_label(const struct verdict *v, const char *image, bool *ret, struct error *err);

/* Containers of this image are the caller's: it does not have the label. Nor has it one that root acts on. */
int resolve_image_use(const struct verdict *v, const char *name, struct error *err);

/* All that the engine tells of an object; *ret belongs to the caller, NULL: there is none. */
int resolve_inspect(const struct verdict *v, enum resolve_kind kind, const char *name, cJSON **ret, bool *ret_podman,
		    struct error *err);

/* The volume with the label may be removed. When there is none of this name any more, because of another request at this moment,
 * Podman removes one whose name begins like this, whoever's it is. */
int resolve_check_remove(const struct verdict *v, const char *volume, struct error *err);

/* Is the engine Podman? */
int resolve_is_podman(const struct verdict *v, bool *ret, struct error *err);
