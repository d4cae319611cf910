/* `sockwake create`, after the command line is read. */
#pragma once

#include "control/create_request.h"
#include "control/create_write.h"

/* Writes and starts the instance of a request, for an existing container or one that it makes. `all` are the existing
 * instances. An adopted or changed instance (r->changes) replaces its predecessor, unless it is the same; an awake one
 * of the same container and sockets keeps its connections. OUTCOME_REFRESHED: the instance is the same, but its units
 * are rendered differently now. dry_run only determines the outcome. A change that does not concern the container asks no engine (change.h). */
int create_instance(struct create_request *r, struct manager *m, const char *directory, const struct stored_list *all,
		    enum outcome *ret, struct error *err);

/* All of `sockwake create`, for a person. */
int create_requested(struct create_request *r, enum outcome *ret, struct error *err);

/* Refuses a directory from which the manager does not load units. */
int create_check_directory(struct manager *m, enum scope scope, const char *directory, struct error *err);
