/* Whole files, bounded and atomic. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/* Reads all of a regular file of at most max bytes; *ret is malloc()ed, ends with a NUL that *ret_len does not count,
 * and belongs to the caller. ret_len may be NULL. dirfd may be AT_FDCWD. max is below SIZE_MAX - 1; never is memory for
 * more than that asked for. */
int file_read(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len, struct error *err);

/* A new file beside path with this content, on disk; its name goes to ret. To be renamed to path, or removed. */
int file_write_beside(const char *path, const char *data, size_t len, mode_t mode, char ret[static PATH_MAX],
		      struct error *err);

/* Is it a file of the caller's that was made by that, more than `age` seconds ago (0: ever), and was not renamed? */
bool file_is_temporary(int directory, const char *file, time_t age);

/* Removes those that a killed writer has left in the directory: no writer takes a minute. */
void file_sweep_temporary(const char *directory);

/* Where all paths to a file lead, as /run/x for /var/run/x, be it there or not; path itself when its directory is not. */
const char *path_resolve(const char *path, char ret[static PATH_MAX]);

/* Replaces path as a whole: temporary file in the same directory, fsync, rename. Sweeps that directory. */
int file_write_atomic(const char *path, const char *data, size_t len, mode_t mode, struct error *err);

/* "": nothing; or ": remove what is there", where something else than a file is in its place. */
const char *io_remedy(int code);

/* Like mkdir -p with this mode for what it makes. */
int directory_make(const char *path, mode_t mode, struct error *err);
