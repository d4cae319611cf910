/* Who is at the other end of an accepted Unix socket: credentials(7), unix(7). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/error.h"
#include "router/place.h"

#define PEER_GROUPS_MAX 1024

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	gid_t groups[PEER_GROUPS_MAX]; /* supplementary */
	size_t n_groups;
	struct place place;
	uint64_t since; /* when it was accepted, CLOCK_MONOTONIC microseconds */
};

/* Reads everything else about the peer of this socket, whose credentials are these. */
int peer_read(int fd, const struct ucred *cred, struct peer *ret, struct error *err);

/* Whose limit of connections a client has: its user's, or its container's, whose users are not those of the host. */
uint64_t peer_account(const struct peer *p);

/* Puts this user into the place of who has connected, with the groups that a login gives. */
int peer_become(struct peer *p, uid_t uid, struct error *err);

/* Does this user own the user namespace of the peer of this socket, and all PID namespaces between it and the host's? A process
 * in a rootful container can make a user namespace of its own, but its container's PID namespace is root's. Asked by a process
 * of that user in the host's namespaces: the kernel lets nobody else see them (ioctl_nsfs(2)). */
bool peer_owns_namespace(int fd, uid_t uid);
