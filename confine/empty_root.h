/* A step of confine(): an empty root. */
#pragma once

#include "confine/confine.h"

/* Moves this process into new user and mount namespaces and there into an empty root that nobody can write to. Nothing
 * maps to the new user namespace's ids. The working directory becomes the new root, or stays with keep_directory.
 * Returns 1 where the system forbids it. All capabilities of the new namespace are held afterwards: drop them. */
int empty_root(bool keep_directory, struct error *err);
