/* Whether a container's name is free, without Podman, whose API service takes 50 ms to start. Podman's storage library lists
 * containers, with their names, in JSON: containers.json and volatile-containers.json (those with --rm), each replaced
 * atomically (github.com/containers/storage, containers.go). With transient_store, they are in the run root.
 *
 * Podman without a root file system of its own for the container (--rootfs) does not list it there. */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* The folders with these lists, below the graph root and the run root. */
struct podman_lists {
	char graph[PATH_MAX], run[PATH_MAX];
};

/* Is there surely no container of this name? False if that cannot be said: ask Podman. */
bool podman_name_is_free(const struct podman_lists *l, const char *name);
