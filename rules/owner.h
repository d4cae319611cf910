/* To whom an exec instance belongs: to the caller who created it, over any of his connections. A link in a directory that all
 * connections share has the ID for its name and the owner for its target. */
#pragma once

#include "common/error.h"
#include "rules/verdict.h"

/* Notes that the caller has created it, or still uses it. */
int owner_note(const struct rules_caller *caller, const char *exec, struct error *err);

/* Fails with ENOENT if it is not the caller's. */
int owner_check(const struct rules_caller *caller, const char *exec, struct error *err);

/* Forgets whose instances in this directory have not been used for four hours. */
void owner_sweep(int directory);
