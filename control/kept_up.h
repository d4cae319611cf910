/* Dependencies that an instance leaves up: only a label names them, and sockwake did not start them (lifecycle/decide.c). */
#pragma once

#include "backends/backend.h"
#include "units/store.h"

#define KEPT_UP_MAX 512

/* Notes each of them. `all`: the instances that may put them to sleep. */
void kept_up_note(const struct instance *i, struct engine *e, const struct stored_list *all);

/* The same without an open engine and a list. Notes nothing if the engine does not answer. */
void kept_up_look(const struct instance *i);

/* Describes the first one; false: there is none, or the engine does not answer. */
bool kept_up_describe(const struct instance *i, char ret[static KEPT_UP_MAX]);
