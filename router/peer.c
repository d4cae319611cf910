#include "router/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/nsfs.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* -1: the process has ended. Before Linux 6.5 there is only the number of the process: then a process that has connected and
 * ended since could pass for the one that has got its number, within the moment in which we accept. */
static int peer_pidfd(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	return errno == ENOPROTOOPT ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

int peer_read(int fd, struct peer *ret, struct error *err)
{
	_cleanup_close_ int pidfd = -1;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	memset(ret, 0, offsetof(struct peer, groups));
	ret->n_groups = 0;
	ret->since = now_usec();
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return error_errno(err, errno, "cannot read who has connected");
	ret->pid = cred.pid;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	len = sizeof(ret->groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &len) < 0)
		return error_errno(err, errno, "cannot read the groups of who has connected");
	ret->n_groups = len / sizeof(*ret->groups);
	pidfd = peer_pidfd(fd, ret->pid);
	place_find(ret->pid, pidfd, ret->uid, &ret->place);
	return 0;
}

int peer_become(struct peer *p, uid_t uid, struct error *err)
{
	const struct passwd *user = getpwuid(uid);
	int n = PEER_GROUPS_MAX;

	if (!user)
		return error_set(err, 0, "uid %u is not the user of an account", (unsigned)uid);
	if (getgrouplist(user->pw_name, user->pw_gid, p->groups, &n) < 0)
		return error_set(err, 0, "%s has more than %d groups", user->pw_name, PEER_GROUPS_MAX);
	p->uid = uid;
	p->gid = user->pw_gid;
	p->n_groups = (size_t)n;
	return 0;
}

bool peer_owns_namespace(int fd, uid_t uid)
{
	_cleanup_close_ int pidfd = -1, namespace = -1;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char path[64];
	uid_t owner;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	pidfd = peer_pidfd(fd, cred.pid);
	if (pidfd < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)cred.pid);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	return namespace >= 0 && !place_has_ended(pidfd) && ioctl(namespace, NS_GET_OWNER_UID, &owner) == 0 &&
	       owner == uid;
}
