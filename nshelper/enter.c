/* Which processes may enter a network namespace (setns(2), user_namespaces(7), ioctl_ns(2)).
 *
 * setns() requires CAP_SYS_ADMIN in the user namespace that owns the network namespace; that is not always the
 * container's own. A process with CAP_SYS_ADMIN in its user namespace has it in all namespaces below. So root, or a
 * service in system scope, enters the network namespace directly, even if the engine remaps users, and keeps its
 * identity. An ordinary user has no capability, but owns the user namespaces they made, and may enter those: that gives
 * all capabilities inside, including CAP_SYS_ADMIN, and no privilege over anything else.
 */
#include "nshelper/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "nshelper/privileges.h"

/* Does this path lead to the namespace of the descriptor? Two descriptors of one namespace have the same device and
 * inode (namespaces(7)). */
static int is_same(int fd, const char *path, bool *ret, struct error *err)
{
	struct stat a, b;

	if (fstat(fd, &a) < 0 || stat(path, &b) < 0)
		return error_errno(err, errno, "cannot examine '%s'", path);
	*ret = a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	return 0;
}

static int open_owner(int netns, struct error *err)
{
	int fd = ioctl(netns, NS_GET_USERNS); /* already close-on-exec */

	if (fd >= 0)
		return fd;
	if (errno == EPERM)
		return error_set(err, EPERM,
				 "its user namespace lies outside of the one this runs in: start this outside of "
				 "'podman unshare', containers and units with PrivateUsers=");
	return error_errno(err, errno, "cannot find the user namespace that owns it");
}

int entry_plan(int netns, struct entry *ret, struct error *err)
{
	_cleanup_close_ int owner = -1;
	bool same, privileged;

	*ret = (struct entry){.netns = -1, .userns = -1};
	if (is_same(netns, "/proc/self/ns/net", &same, err) < 0)
		return -1;
	if (same)
		return 0;
	owner = open_owner(netns, err);
	if (owner < 0 || is_same(owner, "/proc/self/ns/user", &same, err) < 0 ||
	    capability_is_effective(CAP_SYS_ADMIN, &privileged, err) < 0)
		return -1;
	if (same && !privileged)
		return error_set(
			err, EPERM,
			"it belongs to the host, which takes CAP_SYS_ADMIN: run this as root, or the container "
			"rootless");
	ret->netns = netns;
	if (!privileged)
		ret->userns = steal_fd(&owner);
	return 0;
}

int entry_enter(const struct entry *e, struct error *err)
{
	if (e->userns >= 0 && setns(e->userns, CLONE_NEWUSER) < 0) {
		if (errno == EPERM)
			return error_set(err, EPERM,
					 "its user namespace was made by another user: run this as that user, or as "
					 "root with CAP_SYS_ADMIN");
		return error_errno(err, errno, "setns() into its user namespace failed");
	}
	if (e->netns >= 0 && setns(e->netns, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "setns() failed");
	return 0;
}
