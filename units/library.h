/* Libraries that are loaded on demand: what is linked is loaded by every wake, and loading dominates its start. */
#pragma once

#include "common/error.h"

/* Loads a library and fills a table with the addresses of its functions, whose names follow one another in `names`, each
 * with its terminator, and after the last an empty one. Code ENOENT; remedy: what to install. */
int library_load(const char *file, const char *names, void *table, const char *remedy, struct error *err);
