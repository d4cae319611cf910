/* `sockwake remove`. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "instance/scope.h"

struct removal {
	enum scope scope;
	char *const *names; /* NULL-terminated; NULL with all */
	bool all;
	bool with_container; /* also the container that create --image made */
	bool no_selinux;
};

/* Removes instances one after another, and notes each (note.h). A failure does not stop the others. */
int remove_instances(const struct removal *what, struct error *err);
