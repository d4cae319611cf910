/* Paths that are put together, and the user's runtime directory. */
#pragma once

#include <limits.h>

#include "common/error.h"

/* What the format makes of the arguments behind err. Fails if that is longer than a path can be. */
int path_print(char ret[static PATH_MAX], const char *format, struct error *err, ...)
	__attribute__((format(printf, 2, 4)));

/* "DIRECTORY/NAME": the path of a file in a directory. Fails if that is longer than a path can be. */
int path_join(const char *directory, const char *name, char ret[static PATH_MAX], struct error *err);

/* The value of a variable of the environment, where it is an absolute path, else NULL: the XDG base directory
 * specification has relative ones ignored. */
const char *path_from_variable(const char *name);

/* $XDG_RUNTIME_DIR; without that variable /run/user/UID. */
int path_user_runtime(char ret[static PATH_MAX], struct error *err);
