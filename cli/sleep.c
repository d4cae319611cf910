#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/note.h"
#include "cli/schedule.h"
#include "cli/settle.h"
#include "common/clock.h"
#include "units/manager.h"
#include "units/paths.h"

/* The service has ended. Does the container sleep? */
static int look(struct manager *m, const struct stored *s, struct error *err)
{
	const char *name = s->instance.name;
	struct error why;

	if (s->problem) {
		print_note("it cannot be told whether the container sleeps: %s", s->problem);
		return 0;
	}
	if (settle(m, &s->instance, SETTLE_ALL, &why) == 0)
		return 0;
	return error_set(err, why.code, "'%s' may not be asleep: %.600s; 'sockwake sleep %s' tries again", name,
			 why.text, name);
}

static int put_to_sleep(int argc, char *argv[], struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_stored_ struct stored stored = {};
	char directory[PATH_MAX], unit[UNIT_NAME_MAX];
	struct arguments a;
	struct error ignored;

	if (parse_arguments(argc, argv, NEEDS_NAME, &a, err) < 0 || find_instance(&a, directory, &stored, err) < 0 ||
	    manager_connect(a.scope, &m, err) < 0)
		return -1;
	/* The units' own TimeoutStopSec= are the limit. */
	if (stored.instance.legacy && manager_stop(m, unit_name(a.name, LEGACY_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (manager_stop(m, unit_name(a.name, SERVICE_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (look(m, &stored, err) < 0)
		return -1;
	(void)manager_reset_failed(m, unit, &ignored); /* whatever went wrong before, it sleeps */
	if (schedule_is_on(&stored.instance))
		print_note("its schedule wakes it again: 'systemctl %sstop %s" SOCKET_SUFFIX "' keeps it asleep",
			   a.scope == SCOPE_USER ? "--user " : "", a.name);
	return 0;
}

const struct command sleep_command = {
	"sleep",
	"[--scope system|user] NAME | --name NAME",
	"Puts an instance to sleep now, and waits until it is; a client that still waits wakes it again",
	"  --scope system|user   whose instance (default: the system's for root, else one's own)\n",
	put_to_sleep,
};
