#include "control/attend.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static const struct option_table table = {
	.usage = "sockwake attend [--scope system|user]",
	.about = "Starts the idle clock of instances that sleep while their container runs; done by itself at boot",
	ARGUMENTS(0),
};

static int attend_all(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	return arguments_parse(argc, argv, &table, &a, err) < 0 ? -1 : attend(a.scope, err);
}

const struct command attend_command = {"attend", &table, attend_all};
