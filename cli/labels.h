/* Container labels as requests for `sockwake adopt`.
 *
 * Labels come from the author of the image or the compose file, and are less trusted than a command line: each is
 * checked separately. Labels cannot request anything that reaches beyond the container (a shell command, a host path,
 * a unit, another user, another engine). */
#pragma once

#include "control/create_request.h"

/* Reads the instance that the labels request, as from a command line; scope, backend and engine are those of `base`.
 * The error names container, label and rule. The caller clears *ret, also after an error. */
int labels_to_request(const struct container *c, const struct instance *base, struct create_request *ret,
		      struct error *err);

/* A message about options, for somebody who has written labels: "--with db" becomes "sockwake.with db". Commands in
 * quotation marks stay as they are. */
void labels_name_options(const char *text, char *ret, size_t size);
