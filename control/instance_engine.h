/* The engine of an instance. */
#pragma once

#include <stdbool.h>

#include "backends/engine.h"
#include "instance/instance.h"

/* All requests must be answered within timeout_usec from now. *ret belongs to the caller. */
int instance_open_engine(const struct instance *i, uint64_t timeout_usec, struct engine **ret, struct error *err);

/* For a command over this many instances: an engine that hangs is waited for once, and not by each of them. */
void instance_engine_ask_once(size_t n);

/* In such a command: has the engine left a request without an answer? */
bool instance_engine_is_silent(const struct instance *i);

/* In such a command: refuses an engine that hangs, before another program waits for it. Else it is success. */
int instance_engine_check(const struct instance *i, struct error *err);
