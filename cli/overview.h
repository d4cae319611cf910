/* The output of `list` for people: a line for each instance, remarks, and a count. */
#pragma once

#include "cli/terminal.h"
#include "control/observe.h"

/* `now` is CLOCK_REALTIME. */
int overview_print(FILE *to, const struct observation *os, size_t n, const struct terminal *t, uint64_t now,
		   struct error *err);

/* The container's state in one or two words. A unit that does not run has no container: that is not "missing". */
const char *overview_container_word(const struct observation *o);
const char *overview_dependency_word(const struct observation *o, size_t k);

/* Does its container run only for another instance? */
bool overview_is_kept_running(const struct observation *o);
