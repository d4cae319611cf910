/* Data of containers that sleep: remembered, kept from pruning, or said to be in danger. */
#pragma once

#include "control/create_request.h"

/* Remembers and keeps what the containers of an instance have (backends/keep.h), those of --with included. `anew`: that
 * is right as it is, whatever was remembered. What fails is noted. */
void keep_remember(struct manager *m, const struct instance *i, bool anew);

/* Forgets it, for containers that no other instance of `all` uses. What fails is noted. */
void keep_forget(const struct instance *i, const struct stored_list *all);

/* Notes what pruning takes from the instance while it sleeps, and what spares it. */
void keep_note_pruning(const struct instance *i, const struct subject *s);
