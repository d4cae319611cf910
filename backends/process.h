/* Does the process of this number belong to the container? The numbers of an engine in a virtual machine, or in
 * another PID namespace, name other processes here, or none. */
#pragma once

#include "backends/backend.h"

/* Call it while you hold a pidfd of c->pid, and check afterwards that the process is alive: then the answer is about
 * that process. It trusts only evidence from outside the container: the control group, which contains the container's
 * identifier; the engine's own reference to the process's network namespace; the parent, a monitor that was started
 * for that identifier. proc: "/proc". EREMOTE: the process is another's. */
int process_check(const struct container *c, const char *proc, struct error *err);
