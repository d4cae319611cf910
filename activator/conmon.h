/* Podman's monitor of a container, conmon(8): the main process of a unit that Quadlet made. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

#define CONTAINER_ID_MAX 65

struct monitored {
	pid_t pid;		   /* the container's first process */
	char id[CONTAINER_ID_MAX]; /* of the container */
	bool frozen;		   /* the container is paused */
};

/* Finds the container whose monitor `monitor` is, and opens a pidfd that is certainly that of its first process. 1: it
 * is *ret, and *ret_pidfd belongs to the caller; 0: that process is no conmon, has no container (any more), or the
 * kernel cannot tell (CONFIG_PROC_CHILDREN): the engine has to be asked. -1: error. proc: "/proc". */
int conmon_pin(pid_t monitor, const char *proc, struct monitored *ret, int *ret_pidfd, struct error *err);

/* Whether the processes of a control group are stopped: cgroup.events tells (cgroup-v2, "Core Interface Files"), also
 * when it is a group further up that was frozen, which cgroup.freeze of this one does not. `root` is where the unified
 * hierarchy is mounted, `group` begins with a slash. */
bool cgroup_is_frozen(const char *root, const char *group);

/* Pure functions of what /proc says, for conmon_pin(). */

/* The path in the unified hierarchy, from the text of /proc/PID/cgroup: "0::PATH", beside which there may be other
 * hierarchies (cgroups(7)). False when there is none, or it does not fit. */
bool conmon_group(const char *cgroup, char *ret, size_t size);

/* The identifier behind "libpod-" or "libpod-payload-" in the path of a control group. */
bool conmon_id(const char *group, char ret[static CONTAINER_ID_MAX]);

/* The first of "PID PID …", which *children then goes beyond; 0 at the end. */
pid_t conmon_child(const char **children);
