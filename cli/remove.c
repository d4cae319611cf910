#include "control/remove.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static int remove_named(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, TAKES_NAMES | TAKES_ALL | TAKES_SELINUX | TAKES_CONTAINER, &a, err) < 0)
		return -1;
	return remove_instances(
		&(struct removal){
			.scope = a.scope,
			.names = a.names,
			.all = a.all,
			.with_container = a.with_container,
			.no_selinux = a.no_selinux,
		},
		err);
}

const struct command remove_command = {
	"remove",
	"[--with-container] [--no-selinux] [--scope system|user] NAME... | --all",
	"Removes instances: their containers are put to sleep and stay as they are",
	"  --all                 all instances of the scope\n"
	"  --with-container      also the container that create --image made; its volumes stay\n"
	"  --no-selinux          leave SELinux port labels alone\n"
	"  --scope system|user   whose instances (default: the system's for root, else one's own)\n",
	remove_named,
};
