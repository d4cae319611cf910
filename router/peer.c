#include "router/peer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define PROC_TEXT_MAX 4096
#define HEX_OF_ID     64 /* an identifier of a container, of both engines */

/* Reads a file of /proc/PID; a text that is longer is cut off. */
static int read_proc(pid_t pid, const char *file, char ret[static PROC_TEXT_MAX])
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	n = read(fd, ret, PROC_TEXT_MAX - 1);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -1;
}

/* The identifier in "docker-ID.scope", "libpod-ID.scope", "/docker/ID", …: both engines, and those of Kubernetes, name the
 * control group of a container after its 64 digits. */
static bool find_identifier(const char *cgroup, char ret[static PEER_CONTAINER_MAX])
{
	size_t digits = 0;

	ret[0] = '\0';
	for (const char *p = cgroup;; p++) {
		if (isxdigit((unsigned char)*p) && !isupper((unsigned char)*p)) {
			digits++;
			continue;
		}
		if (digits == HEX_OF_ID) {
			(void)snprintf(ret, PEER_CONTAINER_MAX, "%.*s", HEX_OF_ID, p - HEX_OF_ID);
			return true;
		}
		digits = 0;
		if (*p == '\0')
			return false;
	}
}

/* Is it below the slice that the service manager has made for this user's processes? */
static bool is_in_slice_of(const char *cgroup, uid_t uid)
{
	char slice[64];

	(void)snprintf(slice, sizeof(slice), "0::/user.slice/user-%u.slice/", (unsigned)uid);
	return strncmp(cgroup, slice, strlen(slice)) == 0;
}

enum peer_place peer_place_of(const char *cgroup, size_t pid_namespaces, bool host_users, uid_t uid,
			      char container[static PEER_CONTAINER_MAX])
{
	bool is_container = find_identifier(cgroup, container);

	if (!is_container && pid_namespaces == 1 && host_users)
		return PEER_ON_HOST;
	/* Rootless containers always have a user namespace; a rootful one may be anywhere (--cgroup-parent). */
	return !host_users && is_in_slice_of(cgroup, uid) ? PEER_IN_OWN_CONTAINER : PEER_IN_CONTAINER;
}

/* In how many PID namespaces the process is, from that of this procfs on: the numbers in "NSpid:	12	3"; 0: unknown. */
static size_t count_pid_namespaces(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	size_t n = 0;

	if (!line)
		return 0;
	for (const char *p = line + strlen("\nNSpid:"); *p && *p != '\n'; p++)
		n += isdigit((unsigned char)*p) && !isdigit((unsigned char)p[-1]);
	return n;
}

/* Do the two processes map the same users? A process that has made a namespace of its own does not. */
static int has_users_of_host(pid_t pid, bool *ret)
{
	char theirs[PROC_TEXT_MAX], ours[PROC_TEXT_MAX];

	if (read_proc(pid, "uid_map", theirs) < 0 || read_proc(getpid(), "uid_map", ours) < 0)
		return -1;
	*ret = strcmp(theirs, ours) == 0;
	return 0;
}

/* -1: the kernel has none (before Linux 6.5), or the process has ended. */
static int peer_pidfd(int fd)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0 ? pidfd : -1;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

static void read_command(const char *status, char ret[static 16])
{
	const char *name = strncmp(status, "Name:\t", 6) == 0 ? status + 6 : "";

	(void)snprintf(ret, 16, "%.*s", (int)strcspn(name, "\n"), name);
	text_make_printable(ret);
}

/* The number of the process stands for the process only as long as the pidfd says that it has not ended. */
static enum peer_place find_place(struct peer *p)
{
	char cgroup[PROC_TEXT_MAX], status[PROC_TEXT_MAX];
	size_t namespaces;
	bool host_users;

	if (read_proc(p->pid, "status", status) < 0 || read_proc(p->pid, "cgroup", cgroup) < 0 ||
	    has_users_of_host(p->pid, &host_users) < 0)
		return PEER_UNKNOWN;
	namespaces = count_pid_namespaces(status);
	if (p->pidfd < 0 || namespaces == 0 || has_ended(p->pidfd))
		return PEER_UNKNOWN;
	read_command(status, p->command);
	return peer_place_of(cgroup, namespaces, host_users, p->uid, p->container);
}

int peer_read(int fd, struct peer *ret, struct error *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	memset(ret, 0, offsetof(struct peer, groups));
	ret->n_groups = 0;
	ret->container[0] = ret->command[0] = '\0';
	ret->pidfd = -1;
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
	ret->pidfd = peer_pidfd(fd);
	ret->place = find_place(ret);
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
	pidfd = peer_pidfd(fd);
	if (pidfd < 0)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)cred.pid);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	return namespace >= 0 && !has_ended(pidfd) && ioctl(namespace, NS_GET_OWNER_UID, &owner) == 0 && owner == uid;
}
