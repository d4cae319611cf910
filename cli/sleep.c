#include <stdio.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "common/clock.h"
#include "control/note.h"
#include "control/schedule.h"
#include "control/settle.h"
#include "units/manager.h"
#include "units/paths.h"

/* The service has ended. Does the container sleep? */
static int look(struct manager *m, const struct stored *s, struct error *err)
{
	const char *name = s->instance.name;
	struct error why;

	if (s->problem) {
		note_print("it cannot be told whether the container sleeps: %s", s->problem);
		return 0;
	}
	if (settle(m, &s->instance, SETTLE_ALL, &why) == 0)
		return 0;
	return error_set(err, why.code, "'%s' may not be asleep: %.600s; 'sockwake sleep %s' tries again", name,
			 why.text, name);
}

static int sleep_container(const struct arguments *a, const char *directory, const struct stored *s, struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	char unit[UNIT_NAME_MAX];
	struct error ignored;

	(void)directory;
	if (manager_connect(a->scope, &m, err) < 0)
		return -1;
	/* The units' own TimeoutStopSec= are the limit. */
	if (s->instance.legacy && manager_stop(m, unit_name(a->name, LEGACY_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (manager_stop(m, unit_name(a->name, SERVICE_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (look(m, s, err) < 0)
		return -1;
	(void)manager_reset_failed(m, unit, &ignored); /* whatever went wrong before, it sleeps */
	if (!s->problem)
		printf("'%s' sleeps.\n", a->name);
	if (schedule_is_on(&s->instance))
		note_print("its schedule wakes it again: 'systemctl %sstop %s" SOCKET_SUFFIX "' keeps it asleep",
			   a->scope == SCOPE_USER ? "--user " : "", a->name);
	return 0;
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
	return each_instance(&a, sleep_container, err);
}

const struct command sleep_command = {"sleep", &table, sleep_instances};
