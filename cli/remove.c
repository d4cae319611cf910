#include "control/remove.h"
#include "cli/arguments.h"
#include "cli/commands.h"

static const struct option_table table = {
	.usage = "sockwake remove [--with-container] [--no-selinux] [--scope system|user] NAME... | --all",
	.about = "Removes instances: their containers are put to sleep and stay as they are",
	ARGUMENTS(TAKES_NAMES | TAKES_ALL | TAKES_SELINUX | TAKES_CONTAINER),
};

static int remove_named(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
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

const struct command remove_command = {"remove", &table, remove_named};
