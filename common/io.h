/* Reads and writes whole files, bounded and atomically. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/* Reads all of a regular file of at most max bytes. *ret is malloc()ed and belongs to the caller; it ends with a NUL
 * that *ret_len does not count. ret_len may be NULL. dirfd may be AT_FDCWD. max must be below SIZE_MAX - 1; the
 * function never allocates more than that needs. */
int file_read(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len, struct error *err);

/* Writes this content to a new file beside path, and to disk; its name goes to ret. The caller renames it to path or
 * removes it. */
int file_write_beside(const char *path, const char *data, size_t len, mode_t mode, char ret[static PATH_MAX],
		      struct error *err);

/* Is it a temporary file of this user's, made by file_write_beside() more than `age` seconds ago (0: at any time)? */
bool file_is_temporary(int directory, const char *file, time_t age);

/* Removes the temporary files that killed writers have left in the directory: no writer takes a minute. */
void file_sweep_temporary(const char *directory);

/* The canonical path of a file, such as /run/x for /var/run/x, whether the file exists or not; path itself if its
 * directory does not exist. */
const char *path_resolve(const char *path, char ret[static PATH_MAX]);

/* Replaces the whole file: temporary file in the same directory, fsync, rename. Sweeps that directory. */
int file_write_atomic(const char *path, const char *data, size_t len, mode_t mode, struct error *err);

/* "", or ": remove what is there" if something other than a file is in its place. */
const char *io_remedy(int code);

/* As mkdir -p; gives this mode to the directories that it makes. */
int directory_make(const char *path, mode_t mode, struct error *err);
