/* The output of a unit's container after the container is gone: the journal still has it. */
#pragma once

#include "backends/backend.h"
#include "instance/instance.h"

/* Passes on what journalctl(1) shows of the instance's unit, as a backend's logs() does. */
int unit_log_show(const struct instance *i, const struct log_options *options, log_sink sink, void *data,
		  struct error *err);
