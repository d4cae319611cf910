/* Instances by the names that a person has given. */
#pragma once

#include <limits.h>

#include "common/error.h"
#include "units/store.h"

/* Reads one instance of the scope; when there is none, says where else there is one, or which may have been meant.
 * *ret_directory is where its units are. The caller clears *ret, also after an error. */
int find_instance(enum scope scope, const char *name, char ret_directory[static PATH_MAX], struct stored *ret,
		  struct error *err);

/* Reads those that are named, NULL-terminated, or none; an error where there is one that does not exist. The caller clears
 * *ret, also after an error. */
int find_instances(enum scope scope, char *const *names, char ret_directory[static PATH_MAX], struct stored_list *ret,
		   struct error *err);
