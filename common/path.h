/* Composes paths; the user's runtime directory. */
#pragma once

#include <limits.h>

#include "common/error.h"

/* Formats a path from the arguments after err. Fails if the result is longer than a path can be. */
int path_print(char ret[static PATH_MAX], const char *format, struct error *err, ...)
	__attribute__((format(printf, 2, 4)));

/* "DIRECTORY/NAME": the path of a file in a directory. Fails if that is longer than a path can be. */
int path_join(const char *directory, const char *name, char ret[static PATH_MAX], struct error *err);

/* The value of an environment variable if it is an absolute path, otherwise NULL: the XDG base directory specification
 * says to ignore relative ones. */
const char *path_from_variable(const char *name);

/* $XDG_RUNTIME_DIR, or /run/user/UID if that is not set. */
int path_user_runtime(char ret[static PATH_MAX], struct error *err);
