/* `sockwake create`, once it is known what is asked for. */
#pragma once

#include "control/create_request.h"

/* Writes and starts the instance of a request, for an existing container (or after making one). `all` are the instances
 * that there are. An adopted one replaces what adoption made before, unless nothing has changed; with dry_run that is
 * only found out. */
enum outcome { OUTCOME_CREATED, OUTCOME_REPLACED, OUTCOME_UNCHANGED };
int create_instance(struct create_request *r, struct manager *m, const char *directory, const struct stored_list *all,
		    enum outcome *ret, struct error *err);

/* All of `sockwake create`, for a person. */
int create_requested(struct create_request *r, struct error *err);

/* Refuses a directory in which the manager does not look for units. */
int create_check_directory(struct manager *m, enum scope scope, const char *directory, struct error *err);
