/* Data of sleeping containers: recorded, protected from pruning, or warned about. */
#pragma once

#include "control/create_request.h"

/* Records and protects the data of an instance's containers (backends/keep.h), dependencies included. `anew`: accepts
 * the current volumes, whatever was recorded. Notes failures. */
void keep_remember(struct manager *m, const struct instance *i, bool anew);

/* Accepts the current volumes of all its containers, whatever was recorded. The engine need not answer for that. */
int keep_accept(const struct instance *i, struct error *err);

/* Deletes the records of containers that no other instance of `all` uses. Notes failures. */
void keep_forget(const struct instance *i, const struct stored_list *all);

/* Notes what pruning would remove while the instance sleeps, and how to prevent it; in short if another instance of `all`
 * has had the same said. */
void keep_note_pruning(const struct instance *i, const struct subject *s, const struct stored_list *all);
