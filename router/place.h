/* Where a process runs: on the host, or in a container. A process of a rootful container may have the uid of a user of the
 * host, but is not that user. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum place_kind {
	PLACE_HOST,
	/* In a container of its own user's: in namespaces, but in the user's own slice of the control groups. Whoever
	 * relies on that also compares the owner of the user namespace (peer_owns_namespace()): root chooses the slices of
	 * its containers. */
	PLACE_OWN_CONTAINER,
	PLACE_CONTAINER,
	PLACE_UNKNOWN, /* it has ended, or there is no pidfd of it */
};

#define PLACE_CONTAINER_MAX 128
#define PLACE_NOBODY	    ((uid_t)-1)

struct place {
	enum place_kind kind;
	char container[PLACE_CONTAINER_MAX]; /* its identifier, if its control group proves it; "" */
	char command[16];		     /* the name of the process (comm), made printable */
	uid_t slice; /* the user in whose slice a container with users of its own is; PLACE_NOBODY */
};

/* Where the process of this pidfd runs, which has this number and uid. With pidfd -1 it is unknown. */
void place_find(pid_t pid, int pidfd, uid_t uid, struct place *ret);

/* Has this process ended? Then its number may be another's. */
bool place_has_ended(int pidfd);

/* The user in whose slice this control group is; PLACE_NOBODY if it is in none. */
uid_t place_slice(const char *cgroup);

/* What the text of /proc/PID/cgroup and the number of PID namespaces (NSpid in /proc/PID/status) say of a process of this user
 * whose users are, or are not, mapped as on the host. */
enum place_kind place_of(const char *cgroup, size_t pid_namespaces, bool host_users, uid_t uid,
			 char container[static PLACE_CONTAINER_MAX]);
