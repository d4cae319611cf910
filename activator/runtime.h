/* The runtime directory: $RUNTIME_DIRECTORY; in a program run by hand, /run/sockwake or $XDG_RUNTIME_DIR/sockwake,
 * which is then created. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "common/error.h"
#include "handover/stats.h"

/* The directory's path; creates it if it is missing. */
int runtime_directory(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* The path of a file there. */
int runtime_file(enum scope scope, const char *file, char ret[static PATH_MAX], struct error *err);

/* The statistics: shared with the keeper, else a copy of NAME.stats. Never NULL. */
struct stats *runtime_stats(const struct options *o);
