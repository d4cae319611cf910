/* A step of confine(): an empty root. */
#pragma once

#include "confine/confine.h"

/* Moves this process into new user and mount namespaces, and there into an empty root that nobody can write to. No id
 * is mapped in the new user namespace. The working directory becomes the new root, or stays with keep_directory.
 * Returns 1 if the system forbids it. Afterwards the process has all capabilities in the new namespace: drop them. */
int empty_root(bool keep_directory, struct error *err);
