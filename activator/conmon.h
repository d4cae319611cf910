/* Podman's monitor of a container, conmon(8): the main process of a unit that Quadlet made. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct monitored {
	pid_t pid;   /* the container's first process */
	char id[65]; /* of the container */
	bool frozen; /* the container is paused */
};

/* Finds the container whose monitor `monitor` is, and opens a pidfd that is certainly that of its first process. 1: it
 * is *ret, and *ret_pidfd belongs to the caller; 0: that process is no conmon, has no container (any more), or the
 * kernel cannot tell (CONFIG_PROC_CHILDREN): the engine has to be asked. -1: error. */
int conmon_pin(pid_t monitor, struct monitored *ret, int *ret_pidfd, struct error *err);

/* Whether the processes of a control group are stopped: cgroup.events tells (cgroup-v2, "Core Interface Files"), also
 * when it is a group further up that was frozen, which cgroup.freeze of this one does not. `root` is where the unified
 * hierarchy is mounted, `group` begins with a slash. */
bool group_is_frozen(const char *root, const char *group);
