/* A shell command as a health check. */
#pragma once

#include "readiness/probes.h"

/* Runs the command once, as sh -c, {container_port} replaced; kills it, and what it started, at the deadline of
 * patience. Returns as probe(), or VERDICT_FUTILE. */
int probe_command(const char *command, uint16_t port, const struct patience *patience, char seen[static SEEN_MAX],
		  struct error *err);
