/* The steps of confine(), each in a file of its own. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "proxy/confine.h"

/* Moves this process into new user and mount namespaces and there into an empty root that nobody can write to. Nothing
 * maps to the new user namespace's ids. The working directory becomes the new root, or stays with keep_directory.
 * Returns 1 where the system forbids it. All capabilities of the new namespace are held afterwards: drop them. */
int empty_root(bool keep_directory, struct error *err);

/* Gives up every capability but CAP_NET_RAW (and that too, unless keep_net_raw) in all sets, and no_new_privs. */
int drop_capabilities(bool keep_net_raw, struct error *err);

/* Makes the TCP sockets among those that are kept useless for connecting elsewhere. Adds UNCONFINED_SOCKETS to *missing
 * where the kernel does not let us. */
int disarm_sockets(const struct confinement *c, unsigned *missing, struct error *err);

/* Adds UNCONFINED_* bits to *missing for what this kernel's Landlock cannot do. */
int landlock_restrict(const struct confinement *c, unsigned *missing, struct error *err);

/* From here on only the system calls of the list. */
int seccomp_restrict(const struct confinement *c, struct error *err);
