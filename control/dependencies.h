/* The dependencies of an instance: given and found. */
#pragma once

#include "control/create_request.h"

/* Reads r->dependencies into the instance; dependencies_resolve() gets the rest from the engine. */
int dependencies_parse(struct create_request *r, struct error *err);

/* Notes those that count as ready once they run, after dependencies_resolve(). before: the instance that is replaced, of which
 * somebody has read the same; NULL if none is. */
void dependencies_note_unknown(const struct instance *i, const struct instance *before);

/* Notes what a dry run cannot know about them. */
void dependencies_note_unresolved(const struct create_request *r);

/* Finds the containers of --with and --with-project, and their readiness checks. Call it after
 * create_check_fit_container(). before: the instance that is changed, NULL if none is; those that it has stay as they are,
 * even gone. */
int dependencies_resolve(struct create_request *r, const struct instance *before, struct manager *m,
			 struct engine *engine, const struct subject *s, struct error *err);
