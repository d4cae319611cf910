/* A shell command as a health check. */
#pragma once

#include "readiness/probes.h"

/* Runs the command once, as sh -c, with {container_port} replaced; at the deadline of patience kills it and everything
 * it started. Returns as probe(), or VERDICT_FUTILE. */
int probe_command(const char *command, uint16_t port, const struct patience *patience, char seen[static SEEN_MAX],
		  struct error *err);
