/* Questions to the service manager, asked again when it executes itself anew meanwhile: what is called must do no harm when
 * it is called twice. Error codes: units/manager.h. */
#pragma once

#include "units/bus.h"
#include "units/manager.h"

/* Has what failed to be asked again? Waits some seconds for the manager; then nothing has failed so far. */
bool ask_again(struct manager *m, struct error *err);

/* Calls a method of the manager. ret may be NULL. */
int ask_manager(struct manager *m, sd_bus_message **ret, uint64_t timeout_usec, const char *what, struct error *err,
		const char *method, const char *types, ...);

/* A property of one of its objects. */
int ask_property(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		 const char *what, sd_bus_message **ret, struct error *err);
