/* The command that shows what a container wrote. One that a unit runs is removed when it ends (Quadlets, `podman run --rm`),
 * and its log with it; the unit's journal has what it wrote. */
#pragma once

#include "instance/scope.h"

#define LOG_COMMAND_MAX 320

/* What shows the journal of the unit whose name follows: "journalctl -u", with --user for a user's. */
const char *journal_command(enum scope scope);

/* "journalctl --user -u UNIT", "journalctl -u UNIT", or, where unit is NULL, "ENGINE logs CONTAINER". Returns ret. */
const char *log_command(enum scope scope, const char *unit, enum backend_kind engine, const char *container,
			char ret[static LOG_COMMAND_MAX]);
