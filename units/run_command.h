/* The container options in the command line of a unit: `podman run …`, as Quadlet writes it, or `docker run …`, as
 * people do; also `podman kube play …` and `podman pod create …`. Pure functions. */
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
	const char *container;		      /* --name, or the argument of `start`; NULL: not given */
	const char *publish[RUN_PUBLISH_MAX]; /* the values of --publish and -p */
	size_t n_publish;
	const char *labels[RUN_LABELS_MAX]; /* "KEY=VALUE", if the key begins with "sockwake." */
	size_t n_labels;
	const char *volumes[RUN_VOLUMES_MAX]; /* the values of --volume, -v and --mount that mount something */
	size_t n_volumes;
	const char *network; /* the first --network: "host", "pasta:…", …; NULL: not given */
	bool replaces;	     /* --replace: removes whoever has the name */
	const char *kube;    /* the Kubernetes file whose pods it runs; NULL: it runs a container */
};

/* False: argv does not run a container. Strings belong to argv. */
bool run_command_parse(const char *const *argv, struct run_command *ret);

/* The same for a command that makes a pod; `container` is the pod's name. */
bool run_command_parse_pod(const char *const *argv, struct run_command *ret);

/* The name of the volume that such a value mounts ("NAME:/data", "type=volume,source=NAME,target=/data"). False: a
 * host directory, or a volume without a name. */
bool run_volume_name(const char *value, char ret[static RUN_VOLUME_NAME_MAX]);

/* Does what is written there outlive a container that was run with --rm? */
bool run_volume_stays(const char *value);

/* Does publishing this value ("[[ADDR]:][PORT[-PORT]]:CPORT[/PROTO]") take the port that p listens on? False if the
 * value is invalid. */
bool run_publish_takes(const char *value, const struct publish *p);
