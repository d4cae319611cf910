/* The directories of the host in which a container keeps its data: recorded when it falls asleep, checked before it is
 * woken. An image initialises an empty volume, so nobody would notice that the old one is gone.
 *
 * A volume is the same if its directory has the same inode and birth time (statx(2)); only the inode counts if the file
 * system does not tell the birth time. A volume that is mounted only while the container runs (NFS, for example) has two
 * of each: it need only exist. A directory of the host may be replaced at any time: it must exist and, if it was a mount
 * point, still be one.
 *
 * Not recorded, because nothing can be said about them: files that are not directories, directories in memory (/run:
 * whatever starts the container may create them), and directories that this process cannot see.
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
	char *name; /* NULL: a directory of the host */
	char *path;
	uint64_t inode;
	uint64_t birth;	     /* nanoseconds; 0: the file system does not tell */
	bool is_mount_point; /* something is mounted there */
};

struct volumes {
	struct volume *items;
	size_t n;
	char image[VOLUME_IMAGE_MAX]; /* the image that is kept with them (struct backend, keep); "": none */
};
void volumes_clear(struct volumes *v);
#define _cleanup_volumes_ _cleanup_(volumes_clear)

/* Examines a directory and adds it, unless nothing can be said about it. Errors: ENOMEM. */
int volumes_add(struct volumes *v, const char *name, const char *path, struct error *err);

bool volumes_are_equal(const struct volumes *a, const struct volumes *b);

/* Read and replace the file of the record. Code ENOENT: there is none; EINVAL: it is invalid. volumes_write() removes
 * the file if the record is empty. The caller clears *ret, also after an error. */
int volumes_read(const char *path, struct volumes *ret, struct error *err);
int volumes_write(const char *path, const struct volumes *v, struct error *err);

enum volume_change {
	VOLUME_SAME,	  /* or it cannot be seen */
	VOLUME_GONE,	  /* its directory does not exist any more */
	VOLUME_NEW,	  /* its directory is another one */
	VOLUME_UNMOUNTED, /* nothing is mounted there any more */
};
enum volume_change volume_look(const struct volume *v);
