/* Is the process of this number the container's? An engine in a virtual machine, or in another PID namespace, tells
 * numbers that mean other processes here, or none. */
#pragma once

#include "backends/backend.h"

/* To be asked while a pidfd of c->pid is held, and its process alive afterwards: then the answer is about that process.
 * Believed is what says so from outside of the container: its control group, which has the container's identifier; the
 * engine's own reference to the network namespace that it is in; its parent, a monitor that was started for that
 * identifier. proc: "/proc". Fails with EREMOTE when it is another's. */
int process_check(const struct container *c, const char *proc, struct error *err);
