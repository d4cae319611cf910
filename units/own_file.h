/* Our files among those of others (Quadlets and their drop-ins). Their first line marks them; only marked files are
 * ever replaced or removed. */
#pragma once

#include <sys/types.h>

#include "common/error.h"

/* The beginning of their first line. */
#define OWN_FILE_MARK "# Made by sockwake"

/* *ret is the text, malloc()ed, or NULL if there is no such file. Code EEXIST: the file is not ours. */
int own_file_read(const char *path, char **ret, struct error *err);

/* Writes the file, all or nothing, and the directories above it. *ret_before is the previous text, or NULL. Code
 * EEXIST as above. */
int own_file_write(const char *path, const char *text, mode_t mode, char **ret_before, struct error *err);

/* Removes the file. A missing file is not an error; a file that is not ours stays, without an error. */
int own_file_remove(const char *path, struct error *err);
