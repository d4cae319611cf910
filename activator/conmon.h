/* conmon(8), Podman's monitor of a container: the main process of a Quadlet unit. The unit of a Kubernetes file has one for
 * each container; its main process is that of a container that does nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/podman/names.h"
#include "common/error.h"

#define CONTAINER_ID_MAX 65

struct monitored {
	pid_t pid;		   /* the container's first process */
	pid_t monitor;		   /* its conmon */
	char id[CONTAINER_ID_MAX]; /* of the container */
	bool frozen;		   /* the container is paused */
};

/* Finds the container that a unit's main process `monitor`, or another conmon of the unit, watches, and opens a pidfd
 * that certainly belongs to its first process. 1: *ret is the container, and *ret_pidfd belongs to the caller; 0: the
 * process is not conmon, has no container (any more), or the kernel cannot tell (CONFIG_PROC_CHILDREN): ask the engine.
 * -1: error. proc: "/proc"; root: where the unified hierarchy is mounted. */
int conmon_pin(pid_t monitor, const char *container, const char *proc, const char *root, struct monitored *ret,
	       int *ret_pidfd, struct error *err);

/* Where the Podman that has started this conmon lists its containers. False if that cannot be told. */
bool conmon_lists(const struct monitored *m, const char *proc, struct podman_lists *ret);

/* Are the processes of a control group frozen? Reads cgroup.events (cgroup-v2, "Core Interface Files"), which also
 * shows when a group further up is frozen; cgroup.freeze of this group does not. `root` is the mount point of the
 * unified hierarchy, `group` begins with a slash. */
bool cgroup_is_frozen(const char *root, const char *group);

/* Pure functions of text from /proc, for conmon_pin(). */

/* The path in the unified hierarchy, from the text of /proc/PID/cgroup: "0::PATH", perhaps among other hierarchies
 * (cgroups(7)). False if there is none, or it does not fit. */
bool conmon_group(const char *cgroup, char *ret, size_t size);

/* The identifier after "libpod-" or "libpod-payload-" in the path of a control group. */
bool conmon_id(const char *group, char ret[static CONTAINER_ID_MAX]);

/* The value of an option, such as -n for the name of the container, from the text of /proc/PID/cmdline. False if there is
 * none, or it does not fit. */
bool conmon_option(const char *cmdline, size_t len, const char *option, char *ret, size_t size);

/* The first of "PID PID …", and moves *children past it; 0 at the end. */
pid_t conmon_child(const char **children);
