/* What a program that is not ours prints until it ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* All from fd until its end, of at most `max` bytes and within ten seconds; *ret is malloc()ed, and ends with a NUL. */
int program_output_read(int fd, size_t max, char **ret, size_t *ret_len, struct error *err);

/* Runs the program. *ret: its output, malloc()ed, with its error messages if `errors`; they go where ours go otherwise.
 * *ret_good: it has ended with status 0. Fails if it could not be run, or did not end. */
int program_output(const char *const *argv, bool errors, char **ret, bool *ret_good, struct error *err);
