/* The runtime directory: $RUNTIME_DIRECTORY, or by hand /run/sockwake or $XDG_RUNTIME_DIR/sockwake, which is then made. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "activator/options.h"
#include "backends/backend.h"
#include "common/error.h"
#include "handover/stats.h"

/* The directory's path; made if it is missing. */
int runtime_directory(enum scope scope, char ret[static PATH_MAX], struct error *err);

/* The path of a file there. */
int runtime_file(enum scope scope, const char *file, char ret[static PATH_MAX], struct error *err);

/* What is counted: shared with the keeper, else a copy of what NAME.stats has. Never NULL. */
struct stats *runtime_stats(const struct options *o);
