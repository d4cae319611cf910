#include "cli/cli.h"
#include "common/clock.h"
#include "common/parse.h"
#include "units/manager.h"
#include "units/paths.h"

#define MARGIN (60 * USEC_PER_SEC)

/* systemd itself ends the start after a while; this is only for a manager that does not answer. */
static uint64_t patience(const struct stored *s)
{
	struct error ignored;
	uint64_t usec;

	if (s->problem || parse_duration("", s->instance.startup_timeout, &usec, &ignored) < 0 ||
	    __builtin_add_overflow(usec, MARGIN, &usec))
		return USEC_INFINITY;
	return usec;
}

/* Says why the service failed rather than that its job did. */
static int explain(struct manager *m, const struct arguments *a, const char *unit, struct error *err)
{
	struct unit_state state = {};
	char reason[UNIT_REASON_MAX];
	struct error ignored;

	if (manager_examine(m, &unit, 1, &state, &ignored) == 0) {
		unit_reason(&state, reason);
		if (reason[0])
			error_set(err, EREMOTEIO, "'%s' did not wake: %s; '%s %s' has the whole story", a->name, reason,
				  journal_of(a->scope), unit);
	}
	unit_states_clear(&state, 1);
	return -1;
}

static int wake(int argc, char *argv[], struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_stored_ struct stored stored = {};
	char directory[PATH_MAX], unit[UNIT_NAME_MAX];
	struct arguments a;

	if (parse_arguments(argc, argv, NEEDS_NAME, &a, err) < 0 || find_instance(&a, directory, &stored, err) < 0 ||
	    manager_connect(a.scope, &m, err) < 0)
		return -1;
	unit_name(a.name, stored.instance.legacy ? LEGACY_SUFFIX : SERVICE_SUFFIX, unit);
	if (manager_start(m, unit, patience(&stored), err) == 0)
		return 0;
	return err->code == EREMOTEIO ? explain(m, &a, unit, err) : -1;
}

const struct command wake_command = {
	"wake",
	"[--scope system|user] NAME | --name NAME",
	"Wakes an instance, as a connection would, and waits until it is awake",
	"  --scope system|user   whose instance (default: the system's for root, else one's own)\n",
	wake,
};
