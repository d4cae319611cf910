/* Shared by the commands of sockwake(1). Each command is one file and one function; commands.c has their table. */
#pragma once

#include "common/error.h"
#include "common/option_table.h"

struct command {
	const char *name;
	const struct option_table *options; /* its `about` is one line */

	/* argv[0] is the command. Returns 0, or -1 with *err set. */
	int (*run)(int argc, char *argv[], struct error *err);
};
extern const struct command create_command, remove_command, list_command, status_command, wake_command, sleep_command,
	logs_command, adopt_command, refresh_command, set_command, attend_command, router_command;

/* All of main() except the exit. */
int sockwake(int argc, char *argv[]);
