/* The processes of an instance that run in the container's user namespace must be out of reach of the container's own
 * processes: nshelper(8), "--unreachable". A container that sees the host's processes (--pid=host, or a mount of the
 * host's /proc) still reaches them in two cases, which are refused:
 *
 *	a command as health check	 the shell and its commands are programs that everybody may read
 *	programs in a user's own home	 CAP_SYS_PTRACE reaches them, because the container's user namespace maps their
 *					 owner
 */
#pragma once

#include "backends/backend.h"

/* Does reach_check() need the inspection of the container? Otherwise it never refuses. */
bool reach_matters(const char *health_check);

/* Checks an inspected container; also looks at c->pid unless it is 0. health_check may be NULL. */
int reach_check(const struct container *c, const char *health_check, struct error *err);

/* The same with another /proc. own: the programs belong to the user themself. */
int reach_check_at(const char *proc, bool own, const struct container *c, const char *health_check, struct error *err);
