/* What the values in the query of a request may be. Each key of each endpoint names a grammar (endpoint.h), and no value passes
 * without one: engines make commands, lines of a Dockerfile, names and JSON of these values. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "rules/verdict.h"

/* Is there a grammar of this name? */
bool query_has_grammar(const char *grammar);

/* Refuses a value that its grammar does not have (EPERM). */
int query_check(const struct verdict *v, const char *grammar, const char *key, const char *value, struct error *err);
