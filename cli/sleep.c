#include "cli/cli.h"
#include "common/clock.h"
#include "units/manager.h"
#include "units/paths.h"

static int put_to_sleep(int argc, char *argv[], struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_stored_ struct stored stored = {};
	char directory[PATH_MAX], unit[UNIT_NAME_MAX];
	struct arguments a;

	if (parse_arguments(argc, argv, NEEDS_NAME, &a, err) < 0 || find_instance(&a, directory, &stored, err) < 0 ||
	    manager_connect(a.scope, &m, err) < 0)
		return -1;
	/* The units' own TimeoutStopSec= are the limit. */
	if (stored.instance.legacy && manager_stop(m, unit_name(a.name, LEGACY_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
	if (manager_stop(m, unit_name(a.name, SERVICE_SUFFIX, unit), USEC_INFINITY, err) < 0)
		return -1;
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
