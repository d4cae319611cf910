/* The process whose namespaces nshelper enters: the container's first process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/error.h"

struct target {
	pid_t pid; /* in the PID namespace of /proc, for messages */
	int pidfd;
	int netns; /* its network namespace, close-on-exec */
	int root;  /* O_PATH of its root directory; -1 unless asked for */
};

/* Opens what belongs to the process `pid`, or, if pid is -1, to the process of the inherited `pidfd`. All descriptors
 * refer to the same process, which was alive when this returned: a number that was reused meanwhile is refused. So are
 * PID 0, kernel threads, zombies, descriptors that are not pidfds, and processes of another PID namespace. On success
 * the caller owns the descriptors. */
int target_open(pid_t pid, int pidfd, bool with_root, struct target *ret, struct error *err);

/* Lets the next program inherit the pidfd and the root directory. */
int target_keep_over_exec(const struct target *t, struct error *err);
