/* Instances by the names that a person has given. */
#pragma once

#include <limits.h>

#include "common/error.h"
#include "units/store.h"

/* Reads one instance of the scope. If it does not exist, the error names the other scope that has it, or a similar
 * name. *ret_directory is the directory of its units. The caller clears *ret, also after an error. */
int find_instance(enum scope scope, const char *name, char ret_directory[static PATH_MAX], struct stored *ret,
		  struct error *err);

/* Reads the named instances (NULL-terminated), or none: an error if one of them does not exist. The caller clears
 * *ret, also after an error. */
int find_instances(enum scope scope, char *const *names, char ret_directory[static PATH_MAX], struct stored_list *ret,
		   struct error *err);
