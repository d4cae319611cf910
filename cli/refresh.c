#include "control/refresh.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static const struct option_table table = {
	.usage = "sockwake refresh [--accept-volumes] [--scope system|user] NAME... | --all",
	.about = "Renders the units of instances anew, after another version was installed, and opens closed sockets",
	ARGUMENTS(TAKES_NAMES | TAKES_ALL | TAKES_VOLUMES),
};

static int refresh(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
		return -1;
	return refresh_instances(a.scope, a.names, a.accept_volumes, err);
}

const struct command refresh_command = {"refresh", &table, refresh};
