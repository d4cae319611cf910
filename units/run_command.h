/* What the command line of a unit says about the container that it runs: `podman run …`, as Quadlet writes it, or
 * `docker run …`, as people do. Pure functions. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/publish.h"

#define RUN_PUBLISH_MAX 64
#define RUN_LABELS_MAX	64
#define RUN_VOLUMES_MAX 64

#define RUN_VOLUME_NAME_MAX 256

struct run_command {
	const char *container;		      /* --name, or what `start` names; NULL: not told */
	const char *publish[RUN_PUBLISH_MAX]; /* the values of --publish and -p */
	size_t n_publish;
	const char *labels[RUN_LABELS_MAX]; /* "KEY=VALUE" of those whose key begins with "sockwake." */
	size_t n_labels;
	const char *volumes[RUN_VOLUMES_MAX]; /* the values of --volume, -v and --mount that mount something */
	size_t n_volumes;
};

/* False when argv runs no container. Strings belong to argv. */
bool run_command_parse(const char *const *argv, struct run_command *ret);

/* The name of the volume that such a value mounts ("NAME:/data", "type=volume,source=NAME,target=/data"). False where it is
 * a directory of the host's, or a volume without a name. */
bool run_volume_name(const char *value, char ret[static RUN_VOLUME_NAME_MAX]);

/* Does publishing this value ("[[ADDR]:][PORT[-PORT]]:CPORT[/PROTO]") take the port that p listens on? False for what
 * is no such value. */
bool run_publish_takes(const char *value, const struct publish *p);
