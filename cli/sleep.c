#include "control/sleep.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/each.h"

static int sleep_one(const struct arguments *a, const char *directory, const struct stored *s, struct error *err)
{
	(void)directory;
	return sleep_instance(a->scope, s, err);
}

static const struct option_table table = {
	.usage = "sockwake sleep [--scope system|user] NAME... | --all",
	.about = "Puts instances to sleep now, and waits until they are; a client that still waits wakes its own again",
	ARGUMENTS(TAKES_NAMES | TAKES_ALL),
};

static int sleep_instances(int argc, char *argv[], struct error *err)
{
	struct arguments a;

	if (arguments_parse(argc, argv, &table, &a, err) < 0)
		return -1;
	return each_instance(&a, sleep_begin, sleep_one, err);
}

const struct command sleep_command = {"sleep", &table, sleep_instances};
