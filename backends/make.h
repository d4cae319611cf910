/* Creates and removes containers, for `sockwake create --image`: the part that both engines share. Errors as in
 * backends/backend.h. */
#pragma once

#include "backends/backend.h"
#include "instance/made_container.h"

/* An image, as the engine describes it. */
struct image {
	char id[IMAGE_ID_MAX]; /* as the engine accepts it */
	char **volumes;	       /* NULL-terminated: the directories for which the engine creates unnamed volumes */
	size_t n_volumes;
	uint16_t exposed_port; /* as in struct container */
};
void image_clear(struct image *i);
#define _cleanup_image_ _cleanup_(image_clear)

/* ENOENT: the image is not on this machine; the text says how to get it. The caller clears *ret, also after an
 * error. */
int engine_find_image(struct engine *e, const char *reference, struct image *ret, struct error *err);

/* Pure: parses the answer to that request. False if it is not what the engine's API promises. */
bool image_parse(const char *text, size_t len, struct image *ret);

/* ENOENT: there is no network of this name; the text says how to create it. */
int engine_find_network(struct engine *e, const char *network, struct error *err);

/* Does this Podman read Quadlets (4.4 and newer)? Docker does not. */
int engine_has_quadlet(struct engine *e, bool *ret, struct error *err);

/* Pure: is "5.4.2" 4.4 or newer? False also if it is not a version. */
bool version_has_quadlet(const char *version);

/* The body of the request that creates the container of an instance; malloc()ed, NULL on out of memory. image: the
 * image as the engine expects it. */
char *made_container_to_json(const struct made_container *o, const char *name, const char *image, const char *image_id);

/* Creates the container, without starting it. EEXIST: the name is taken; waits for a container of that name that the
 * engine is just creating or removing. */
int engine_create_container(struct engine *e, const struct made_container *o, const char *name,
			    const struct image *image, struct error *err);

/* Would that create the same as the container c, which it has created? False also without memory. */
bool engine_made_container_is_as(struct engine *e, const struct made_container *o, const char *name,
				 const struct image *image, const struct container *c);

/* EEXIST: as above. */
int engine_rename_container(struct engine *e, const char *container, const char *name, struct error *err);

/* Stops it with its own signal and time-out, so that it can be removed; c is from inspect(). One that does not run is
 * success. */
int engine_end_container(struct engine *e, const struct container *c, struct error *err);

/* Kills and removes it; its volumes stay, named or not. A missing container is success. */
int engine_remove_container(struct engine *e, const char *container, struct error *err);
