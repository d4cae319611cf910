/* The containers that an instance needs, as they are given and found. */
#pragma once

#include "control/create_request.h"

/* Reads r->with into the instance; what is not given there, resolve_with() asks the engine for. */
int parse_with(struct create_request *r, struct error *err);

/* Notes what of that a dry run does not know. */
void note_unresolved(const struct create_request *r);

/* Finds the containers of --with and --with-project, and how they are ready. After fit_container(). */
int resolve_with(struct create_request *r, struct manager *m, struct engine *engine, const struct subject *s,
		 struct error *err);
