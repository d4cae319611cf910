/* The directories of the host in which a container keeps its data: written down when it falls asleep, looked at before
 * it is woken. An image that finds an empty volume initialises it, and nobody would notice that the old one is gone.
 *
 * A volume is the same as long as its directory has the same inode and the same birth time (statx(2)); where the file
 * system does not tell that time, the inode alone counts. What is mounted there only while the container runs (a volume
 * of NFS, for example) has two of them: of such a volume it is seen whether it exists. Of a directory of the host's, which
 * may be replaced at any time, it is seen whether it exists and, where it was one, whether it is still a mount point.
 *
 * Not written down, because nothing can be said: what is no directory, what lies in memory (/run: it may be made by
 * what starts the container), and what cannot be seen from here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

#define VOLUMES_MAX	 64
#define VOLUME_IMAGE_MAX 80 /* "sha256:" and 64 digits */

struct volume {
	char *name; /* NULL: a directory of the host's */
	char *path;
	uint64_t inode;
	uint64_t birth;	     /* nanoseconds; 0: the file system does not tell */
	bool is_mount_point; /* something is mounted there */
};

struct volumes {
	struct volume *items;
	size_t n;
	char image[VOLUME_IMAGE_MAX]; /* the image that is kept with them (struct backend, keep); "": nothing is */
};
void volumes_clear(struct volumes *v);
#define _cleanup_volumes_ _cleanup_(volumes_clear)

/* Looks at a directory and adds it, where something can be said about it. Errors: ENOMEM. */
int volumes_add(struct volumes *v, const char *name, const char *path, struct error *err);

bool volumes_are_equal(const struct volumes *a, const struct volumes *b);

/* Reads and replaces the file in which they are written down. Code ENOENT: there is none; EINVAL: it makes no sense. An
 * empty record is no file. The caller clears *ret, also after an error. */
int volumes_read(const char *path, struct volumes *ret, struct error *err);
int volumes_write(const char *path, const struct volumes *v, struct error *err);

enum volume_change {
	VOLUME_SAME,	  /* or it cannot be seen */
	VOLUME_GONE,	  /* its directory is */
	VOLUME_NEW,	  /* its directory is another one */
	VOLUME_UNMOUNTED, /* nothing is mounted there any more */
};
enum volume_change volume_look(const struct volume *v);
