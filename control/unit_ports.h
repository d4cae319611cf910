/* The ports that a container's unit, or the unit of its pod, publishes, as its command line says: the container itself
 * may not exist while it sleeps. */
#pragma once

#include "instance/instance.h"
#include "units/container_unit.h"

/* The first of these values that takes a port of the instance; NULL: none does. */
const char *unit_ports_taken(const struct instance *i, char *const *publish);

/* Such a port is free while the container sleeps; when it wakes, the engine could not listen there. drop_in: the path of
 * the instance's drop-in, which --drop-publish writes. */
int unit_ports_check(const struct instance *i, const struct container_unit *run_by, const char *drop_in,
		     struct error *err);

/* Notes the other ports, which bypass the instance. */
void unit_ports_note(const struct instance *i, const struct container_unit *run_by);
