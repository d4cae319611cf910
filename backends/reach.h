/* What runs in a container's user namespace on behalf of its instance must not be within reach of the container's own
 * processes: nshelper(8), "--unreachable". Two cases remain that only a container can bring about which sees the host's
 * processes (--pid=host, or a mount of the host's /proc), and these are refused:
 *
 *	a command as health check	 the shell and what it runs are programs that everybody may read
 *	programs in a user's own home	 are within reach of CAP_SYS_PTRACE, because the container's user namespace knows
 *					 their owner
 */
#pragma once

#include "backends/backend.h"

/* Must reach_check() see what inspect() says about the container? Only then can it refuse. */
bool reach_matters(const char *health_check);

/* Of an inspected container; c->pid is looked at as well when it is not 0. health_check may be NULL. */
int reach_check(const struct container *c, const char *health_check, struct error *err);

/* The same with another /proc, and `own`: the programs belong to the user themself. */
int reach_check_at(const char *proc, bool own, const struct container *c, const char *health_check, struct error *err);
