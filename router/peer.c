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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/hash.h"

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

int peer_read(int fd, const struct ucred *cred, struct peer *ret, struct error *err)
{
	_cleanup_close_ int pidfd = -1;
	socklen_t len = sizeof(ret->groups);

	memset(ret, 0, offsetof(struct peer, groups));
	ret->n_groups = 0;
	ret->since = now_usec();
	ret->pid = cred->pid;
	ret->uid = cred->uid;
	ret->gid = cred->gid;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &len) < 0)
		return error_errno(err, errno, "cannot read the groups of who has connected");
	ret->n_groups = len / sizeof(*ret->groups);
	pidfd = peer_pidfd(fd, ret->pid);
	place_find(ret->pid, pidfd, ret->uid, &ret->place);
	return 0;
}

uint64_t peer_account(const struct peer *p)
{
	static const uint64_t container = 1ULL << 63;

	return p->place.kind == PLACE_CONTAINER ? container | fnv1a(FNV1A_BASIS, p->place.container) : p->uid;
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

static int open_namespace(pid_t pid, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_owned(int users, uid_t uid)
{
	uid_t owner;

	return users >= 0 && ioctl(users, NS_GET_OWNER_UID, &owner) == 0 && owner == uid;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* From the process's own up to ours. */
static bool owns_pid_namespaces(pid_t pid, uid_t uid)
{
	_cleanup_close_ int ours = open_namespace(getpid(), "pid"), theirs = open_namespace(pid, "pid");

	while (ours >= 0 && theirs >= 0 && !is_same_file(ours, theirs)) {
		_cleanup_close_ int users = ioctl(theirs, NS_GET_USERNS);
		int parent = is_owned(users, uid) ? ioctl(theirs, NS_GET_PARENT) : -1;

		close_fd(&theirs);
		theirs = parent;
	}
	return ours >= 0 && theirs >= 0;
}

bool peer_owns_namespace(int fd, uid_t uid)
{
	_cleanup_close_ int pidfd = -1, users = -1;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	pidfd = peer_pidfd(fd, cred.pid);
	users = open_namespace(cred.pid, "user");
	return pidfd >= 0 && is_owned(users, uid) && owns_pid_namespaces(cred.pid, uid) && !place_has_ended(pidfd);
}
