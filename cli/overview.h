/* What `list` prints for a person: a line for each instance, what there is to say about them, and how many there are. */
#pragma once

#include "cli/terminal.h"
#include "control/observe.h"

/* `now` is CLOCK_REALTIME. */
int overview_print(FILE *to, const struct observation *os, size_t n, const struct terminal *t, uint64_t now,
		   struct error *err);

/* What the container does, in one or two words: a unit that does not run has no container, and misses none. */
const char *overview_container_word(const struct observation *o);
const char *overview_dependency_word(const struct observation *o, size_t k);

/* Does its container run for the sake of another instance alone? */
bool overview_is_kept_running(const struct observation *o);
