/* Questions to the service manager, repeated if it re-executes itself meanwhile: a method called this way must be
 * harmless when called twice. Error codes: units/manager.h. */
#pragma once

#include "units/bus.h"
#include "units/manager.h"

/* Must the failed question be repeated? Waits some seconds for the manager. If true, *err is unset again. */
bool ask_again(struct manager *m, struct error *err);

/* Calls a method of the manager. ret may be NULL. */
int ask_manager(struct manager *m, sd_bus_message **ret, uint64_t timeout_usec, const char *what, struct error *err,
		const char *method, const char *types, ...);

/* A property of one of its objects. */
int ask_property(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		 const char *what, sd_bus_message **ret, struct error *err);
