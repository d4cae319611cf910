/* `sockwake remove`. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "instance/scope.h"

struct removal {
	enum scope scope;
	char *const *names; /* NULL-terminated; NULL with all */
	bool all;
	bool with_container; /* also what create --image made */
	bool no_selinux;
};

/* Removes instances, one after another, and says so by notes (note.h): one that cannot be removed does not keep the
 * others. */
int remove_instances(const struct removal *what, struct error *err);
