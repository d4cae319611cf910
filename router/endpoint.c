#include "router/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"

/* Its path below the runtime directory. */
static const char *socket_path(enum engine_kind kind)
{
	return kind == ENGINE_DOCKER ? "docker.sock" : "podman/podman.sock";
}

static int open_beneath(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC | flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | resolve,
	};

	return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

int endpoint_directory(const char *parent, uid_t uid, struct error *err)
{
	_cleanup_close_ int above = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	struct stat st;
	char name[16];

	if (above < 0)
		return error_errno(err, errno, "cannot open '%s'", parent);
	(void)snprintf(name, sizeof(name), "%u", (unsigned)uid);
	fd = open_beneath(above, name, O_DIRECTORY, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s/%s'", parent, name);
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "cannot inspect '%s/%s'", parent, name);
	if (st.st_uid != uid || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return error_set(err, EPERM, "'%s/%s' does not belong to uid %s alone", parent, name, name);
	return steal_fd(&fd);
}

static int check_listener(int fd, enum engine_kind kind, uid_t uid, struct error *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return error_errno(err, errno, "cannot find out who listens on '%s'", socket_path(kind));
	if (cred.uid != uid)
		return error_set(err, EPERM, "/run/user/%u/%s is the socket of another user (uid %u): remove it",
				 (unsigned)uid, socket_path(kind), (unsigned)cred.uid);
	return 0;
}

int endpoint_connect(int directory, enum engine_kind kind, uid_t uid, struct error *err)
{
	_cleanup_close_ int place = open_beneath(directory, socket_path(kind), 0, RESOLVE_NO_XDEV);
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st = {};

	if (place < 0 && errno == ENOTDIR)
		errno = ENOENT;
	if (place < 0 ? errno == ELOOP || errno == EXDEV : fstat(place, &st) == 0 && S_ISLNK(st.st_mode))
		return error_set(err, EPERM, "/run/user/%u/%s is behind a link or another mount: remove that",
				 (unsigned)uid, socket_path(kind));
	if (place < 0)
		return error_errno(err, errno, "cannot open /run/user/%u/%s", (unsigned)uid, socket_path(kind));
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EPERM, "/run/user/%u/%s is not a socket: remove it", (unsigned)uid,
				 socket_path(kind));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, errno, "cannot open a socket");
	/* By the descriptor, so that it is the file that was looked at. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, errno, "cannot connect to /run/user/%u/%s", (unsigned)uid, socket_path(kind));
	return check_listener(fd, kind, uid, err) < 0 ? -1 : steal_fd(&fd);
}
