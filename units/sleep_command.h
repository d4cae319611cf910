/* The command that puts the container of an instance to sleep. */
#pragma once

#include "units/command_line.h"

/* The command that puts the container of an instance to sleep: the words of ExecStopPost= of its service. The caller
 * clears *ret, also after an error. */
int units_sleep_command(const struct instance *i, struct command_line *ret, struct error *err);
