#include "control/refresh.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static int refresh(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, TAKES_NAMES | TAKES_ALL | TAKES_VOLUMES, &a, err) < 0)
		return -1;
	return refresh_instances(a.scope, a.names, a.accept_volumes, err);
}

const struct command refresh_command = {
	"refresh",
	"[--accept-volumes] [--scope system|user] NAME... | --all",
	"Renders the units of instances anew, after another version was installed, and opens closed sockets",
	"  --all                 all instances of the scope\n"
	"  --accept-volumes      their containers' volumes are right as they are, although they were replaced or removed\n"
	"  --scope system|user   whose instances (default: the system's for root, else one's own)\n",
	refresh,
};
