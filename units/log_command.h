/* The command that shows a container's output. A container that a unit runs is removed at its end, with its log
 * (Quadlets, `podman run --rm`); its output is in the unit's journal. */
#pragma once

#include "instance/scope.h"

#define LOG_COMMAND_MAX 320

/* The command for the journal of a unit, without the unit's name: "journalctl -u", with --user for a user's. */
const char *journal_command(enum scope scope);

/* "journalctl --user -u UNIT", "journalctl -u UNIT", or, if unit is NULL, "ENGINE logs CONTAINER". Returns ret. */
const char *log_command(enum scope scope, const char *unit, enum backend_kind engine, const char *container,
			char ret[static LOG_COMMAND_MAX]);
