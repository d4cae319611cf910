/* `sockwake set` of what the container has no part in: its engine, which may hang, and its dependencies, which may be gone, are
 * not asked. */
#pragma once

#include "control/create_write.h"

/* Does the container, or what runs beside it, decide whether an existing instance may become that of the request? */
bool change_asks_engine(const struct instance *before, const struct create_request *r);

/* Does it listen where it did, for the same ports of the container? Was this one of its dependencies, all the same? */
bool change_keeps_ports(const struct instance *a, const struct instance *b);
bool change_keeps_dependency(const struct instance *before, const struct dependency *d);

/* Writes a request for which no engine is asked; as create_instance(). */
int change_instance(const struct create_request *r, struct manager *m, const char *directory, const struct stored *old,
		    const struct stored_list *all, enum outcome *ret, struct error *err);
