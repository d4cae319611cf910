/* The containers that an instance needs, as they are given and found. */
#pragma once

#include "control/create_request.h"

/* Reads r->dependencies into the instance; what is not given there, dependencies_resolve() asks the engine for. */
int dependencies_parse(struct create_request *r, struct error *err);

/* Notes what of that a dry run does not know. */
void dependencies_note_unresolved(const struct create_request *r);

/* Finds the containers of --with and --with-project, and how they are ready. After create_check_fit_container(). */
int dependencies_resolve(struct create_request *r, struct manager *m, struct engine *engine, const struct subject *s,
			 struct error *err);
