/* The process whose namespaces are entered: the first one of the container. */
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

/* Opens what belongs to the process `pid`, or to that of the inherited `pidfd` when pid is -1. All descriptors are of
 * one and the same process, which was alive when this returned: a number that was reused meanwhile is refused. Refused,
 * too: PID 0, kernel threads, zombies, what is not a pidfd, processes of another PID namespace. On success the caller
 * owns the descriptors. */
int target_open(pid_t pid, int pidfd, bool with_root, struct target *ret, struct error *err);

/* The next program inherits the pidfd and the root directory. */
int target_keep_over_exec(const struct target *t, struct error *err);
