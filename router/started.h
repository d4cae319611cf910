/* What the router has started and still has to stop: it outlives the router, in a file of its runtime directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct started_entry {
	uid_t uid;
	char what[16]; /* "docker", "podman", or "manager" */
};

struct started {
	const char *path; /* NULL: nothing outlives the router */
	struct started_entry *all;
	size_t n;
};

/* Reads what an earlier router has left. A file that cannot be read is an empty one. */
void started_open(struct started *s, const char *path);
void started_close(struct started *s);

/* Both write the file, if that changes anything. */
void started_add(struct started *s, uid_t uid, const char *what);
void started_remove(struct started *s, uid_t uid, const char *what);
