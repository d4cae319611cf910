/* A container to be made from an image: the options of `sockwake create --image`. */
#pragma once

#include "common/error.h"

/* The label that marks a container as made by sockwake; its value is the instance's name. */
#define MADE_LABEL "sockwake.made-for"
/* … and from which image: no image can contain its own name, so the two together cannot be an image's labels. */
#define MADE_OF_LABEL "sockwake.made-of"
/* … and of which request, as a fingerprint: the same request need not make it anew. */
#define MADE_AS_LABEL "sockwake.made-as"

/* The label of the container that keeps the image and the volumes of a sleeping one; its value is the sleeping
 * container's name. */
#define KEEPS_LABEL "sockwake.keeps"

/* The options; the instance's name gives the container its own. Strings may be NULL; lists are NULL-terminated and may
 * be NULL. */
struct made_container {
	char *image;
	char **environment; /* "K=V" */
	char **volumes;	    /* "SOURCE:DESTINATION[:OPTIONS]"; SOURCE is an absolute path or a volume's name */
	char *network;
	char **command; /* NULL: the image's own */
};
void made_container_clear(struct made_container *o);

/* Checks every member: afterwards they can be written into a Quadlet and into a request. The error names the value and
 * the rule. */
int made_container_validate(const struct made_container *o, struct error *err);
