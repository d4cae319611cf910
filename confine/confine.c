/* The order matters:
 *
 *	descriptors	first, so that none of them leads to the host later
 *	empty root	before Landlock and seccomp: needs unshare(2) and mount calls; before capabilities are
 *			dropped: gives some in the new user namespace
 *	capabilities	with no_new_privs, which Landlock and seccomp require
 *	sockets		disarms them, by options that seccomp denies
 *	keeper's end	dies with the keeper; after the capabilities, as a change of credentials undoes it
 *	dumpable	likewise
 *	seccomp		last: it denies all of the above
 */
#include "confine/confine.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/stack.h"
#include "confine/capabilities.h"
#include "confine/disarm.h"
#include "confine/empty_root.h"
#include "confine/landlock.h"
#include "confine/seccomp.h"

static int compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Calls close_range(2) for every gap between the descriptors that stay open. */
static int close_others(const struct confinement *c, struct error *err)
{
	_cleanup_free_ int *sorted = calloc(c->n_keep + 1, sizeof(*sorted));
	unsigned next = STDERR_FILENO + 1;

	if (!sorted)
		return error_errno(err, ENOMEM, "cannot close descriptors");
	if (c->n_keep > 0)
		memcpy(sorted, c->keep, c->n_keep * sizeof(*sorted));
	sorted[c->n_keep] = INT_MAX;
	qsort(sorted, c->n_keep, sizeof(*sorted), compare);
	for (size_t i = 0; i <= c->n_keep; i++) {
		if (sorted[i] < (int)next)
			continue;
		if ((unsigned)sorted[i] > next && close_range(next, (unsigned)sorted[i] - 1, 0) < 0)
			return error_errno(err, errno, "cannot close descriptors");
		next = (unsigned)sorted[i] + 1;
	}
	return 0;
}

static int make_root_empty(const struct confinement *c, unsigned *missing, struct error *err)
{
	int r = 1;

	/* Not with transparent: CAP_NET_RAW over the network namespace would not survive a new user namespace. */
	if (!c->transparent)
		r = empty_root(c->unix_target, err);
	if (r < 0)
		return -1;
	if (r > 0 && c->unix_target)
		return error_set(err, EPERM,
				 "a Unix socket as target needs user namespaces, which this system forbids; allow them "
				 "(user.max_user_namespaces, kernel.unprivileged_userns_clone) or use a TCP target");
	if (r > 0 && !c->transparent)
		*missing |= UNCONFINED_ROOT;
	/* A user's services start in the user's home. */
	if (r > 0 && chdir("/") < 0)
		return error_errno(err, errno, "cannot change the working directory");
	return 0;
}

int confine(const struct confinement *c, unsigned *ret_missing, struct error *err)
{
	*ret_missing = 0;
	if (close_others(c, err) < 0 || make_root_empty(c, ret_missing, err) < 0 ||
	    capabilities_drop(c->transparent, err) < 0 || disarm_sockets(c, ret_missing, err) < 0 ||
	    landlock_restrict(c, ret_missing, err) < 0)
		return -1;
	/* nshelper's change of credentials has undone the keeper's setting (prctl(2)). */
	if (c->has_keeper && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, errno, "cannot end with the keeper");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "cannot forbid tracing");
	if (seccomp_restrict(c, err) < 0)
		return -1;
	/* Frees the memory of libseccomp, and of everything before: from now on the proxy needs little. */
	malloc_trim(0);
	stack_trim();
	return 0;
}

const char *confine_missing_text(unsigned missing)
{
	if (missing & UNCONFINED_LANDLOCK)
		return missing & UNCONFINED_ROOT
			       ? "this system allows neither user namespaces nor Landlock: the proxy is confined by its "
				 "system call filter alone"
			       : "this kernel has no Landlock: if the proxy were taken over, it could connect to every "
				 "TCP port in the container's network";
	if (missing & UNCONFINED_ROOT)
		return "this system forbids user namespaces: the proxy's file system is closed by Landlock, not empty";
	if (missing & UNCONFINED_PORTS)
		return "this kernel is older than Linux 6.7: if the proxy were taken over, it could connect to every TCP "
		       "port in the container's network";
	return NULL;
}
