/* What `sockwake set` makes of its options. */
#pragma once

#include "cli/create_line.h"

/* Is anything to be changed? */
bool set_options_are_given(const struct create_line *line);

/* Puts what is given in the place of what the instance of a request has. '' and --unset bring back the default. */
int set_options_apply(const struct create_line *line, struct create_request *r, struct error *err);
