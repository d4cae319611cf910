#include "control/attend.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static int attend_all(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	return arguments_parse(argc, argv, 0, &a, err) < 0 ? -1 : attend(a.scope, err);
}

const struct command attend_command = {
	"attend",
	"[--scope system|user]",
	"Starts the idle clock of instances that sleep while their container runs; done by itself at boot",
	"  --scope system|user   whose instances (default: the system's for root, else one's own)\n",
	attend_all,
};
