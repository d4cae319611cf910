/* The directory in which the owners of exec instances are noted (rules/owner.h). Engines keep the instances, so it outlives the
 * worker and the router; all policy workers of this user share it. */
#pragma once

#include "common/error.h"

#define EXEC_OWNERS_PATH_MAX 64

struct exec_owners {
	char path[EXEC_OWNERS_PATH_MAX];
	int fd; /* with a shared lock, as long as somebody uses it */
};

/* Opens the one of this user that is in `base`, or makes it. */
int exec_owners_open(const char *base, struct exec_owners *ret, struct error *err);

/* Removes it if nobody is noted in it and nobody uses it. */
void exec_owners_close(struct exec_owners *o);
