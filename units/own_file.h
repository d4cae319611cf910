/* Files of ours among other people's (Quadlets and their drop-ins): the first line says so, and only such are ever
 * replaced or removed. */
#pragma once

#include <sys/types.h>

#include "common/error.h"

/* How their first line begins. */
#define OWN_FILE_MARK "# Made by sockwake"

/* *ret is the text, malloc()ed, or NULL when there is no such file. Code EEXIST: it is somebody else's. */
int own_file_read(const char *path, char **ret, struct error *err);

/* Writes the file, all or nothing, and the directories above it. *ret_before is what was there, or NULL. Code EEXIST as
 * above. */
int own_file_write(const char *path, const char *text, mode_t mode, char **ret_before, struct error *err);

/* Takes it away. What is not there, or not ours, stays; neither is an error. */
int own_file_remove(const char *path, struct error *err);
