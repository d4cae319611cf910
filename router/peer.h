/* Who is at the other end of an accepted Unix socket: credentials(7), unix(7). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* Where the process runs that connected. */
enum peer_place {
	PEER_ON_HOST,
	/* In a container of its own user's: in namespaces, but in the user's own slice of the control groups. Whoever
	 * relies on that also compares the owner of the user namespace (peer_owns_namespace()): root chooses the slices of
	 * its containers. */
	PEER_IN_OWN_CONTAINER,
	PEER_IN_CONTAINER,
	PEER_UNKNOWN, /* it has ended, or the kernel cannot say which process it was */
};

#define PEER_GROUPS_MAX	   1024
#define PEER_CONTAINER_MAX 128

struct peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	gid_t groups[PEER_GROUPS_MAX]; /* supplementary */
	size_t n_groups;
	int pidfd; /* -1: the kernel has no SO_PEERPIDFD (Linux 6.5) */
	enum peer_place place;
	char container[PEER_CONTAINER_MAX]; /* its identifier, as far as its control group tells; "" */
	char command[16];		    /* comm, made printable */
	uint64_t since;			    /* when it was accepted, CLOCK_MONOTONIC microseconds */
};

/* Reads everything about the peer of this socket. The caller closes ret->pidfd. */
int peer_read(int fd, struct peer *ret, struct error *err);

/* Does this user own the user namespace of the peer of this socket? Asked by a process of that user in the host's
 * namespaces: the kernel lets nobody else see it (ioctl_nsfs(2)). */
bool peer_owns_namespace(int fd, uid_t uid);

/* For tests, and for peer_read(): what the text of /proc/PID/cgroup and the line NSpid of /proc/PID/status say of a process
 * of this user whose user namespace is, or is not, the host's. */
enum peer_place peer_place_of(const char *cgroup, size_t pid_namespaces, bool host_users, uid_t uid,
			      char container[static PEER_CONTAINER_MAX]);
