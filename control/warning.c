/* Finds what runs a container although its instance sleeps. */
#include "control/warning.h"

#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "common/clock.h"
#include "control/container_check.h"
#include "control/dns_port.h"
#include "control/instance_engine.h"
#include "control/kept_up.h"
#include "control/listen_check.h"
#include "control/network_check.h"
#include "control/observe.h"
#include "control/settle.h"
#include "control/stranger.h"
#include "control/unattended.h"
#include "control/unit_ports.h"
#include "units/container_unit.h"
#include "units/drop_in.h"

#define ENGINE_TIMEOUT (10 * USEC_PER_SEC)

void warning_describe_hidden(const struct instance *i, const char *path, char ret[static HIDDEN_MAX])
{
	const char *unit = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	snprintf(ret, HIDDEN_MAX,
		 "it hides %s, so that 'systemctl %srestart %s' acts on this instance: 'sockwake remove %s' brings the "
		 "other unit back; then create the instance with --name %s-wake",
		 path, i->scope == SCOPE_USER ? "--user " : "", unit, i->name, i->name);
}

/* Does a target start the unit, at boot or at login? */
static bool find_target(const struct instance *i, const struct container_unit *run_by, char *ret, size_t size)
{
	const struct pod_unit *pod = &run_by->pod;

	if (!run_by->wanted_by && !pod->wanted_by)
		return false;
	if (pod->wanted_by)
		snprintf(
			ret, size,
			"%s starts %s, and with it all containers of that pod, asleep or not: without its WantedBy= in "
			"'%s' that is left to the first connection",
			pod->wanted_by, pod->unit, pod->file ? pod->file : pod->unit);
	else if (run_by->quadlet && i->adopted) /* no label, and no 'set', changes that */
		snprintf(
			ret, size,
			"%s starts %s at boot, asleep or not: without its WantedBy= in the Quadlet that is left to the "
			"first connection",
			run_by->wanted_by, i->unit);
	else if (run_by->quadlet)
		snprintf(ret, size,
			 "%s starts %s at boot, asleep or not: 'sockwake set %s --no-boot' leaves that to the first "
			 "connection",
			 run_by->wanted_by, i->unit, i->name);
	else
		snprintf(ret, size,
			 "%s starts %s at boot, asleep or not: 'systemctl %sdisable %s' leaves that to the first "
			 "connection",
			 run_by->wanted_by, i->unit, i->scope == SCOPE_USER ? "--user " : "", i->unit);
	return true;
}

/* What is looked for: all that is strange, or only what prevents a wake. The time is for the engine. */
struct search {
	bool conflicts_alone;
	uint64_t limit;
};

/* The container may have been replaced since the instance was created. */
static bool find_container_surprise(const struct instance *i, struct search s, char *ret, size_t size)
{
	_cleanup_container_ struct container c = {};
	_cleanup_engine_ struct engine *engine = NULL;
	struct error ignored, err;

	if (instance_open_engine(i, s.limit, &engine, &ignored) < 0 ||
	    engine->backend->inspect(engine, i->container_name, &c, &ignored) < 0)
		return false;
	if (container_check_fit(i, i->unit, &c, &err) == 0 && network_check(engine, i, &c, &err) == 0)
		return !s.conflicts_alone && !i->unit && container_check_describe_policy(i, &c, true, ret, size);
	snprintf(ret, size, "%.*s", (int)size - 1, err.text);
	return true;
}

/* The unit, or its pod's, may have been changed since. */
static bool find_unit_surprise(const struct instance *i, struct search s, char *ret, size_t size)
{
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_container_unit_ struct container_unit run_by = {};
	struct error ignored, err;
	char path[PATH_MAX] = "";

	if (manager_connect(i->scope, &m, &ignored) < 0 || container_unit_read(m, i->unit, &run_by, &ignored) < 0 ||
	    container_unit_find_owner(m, &run_by, &ignored) < 0)
		return false;
	if (run_by.quadlet)
		(void)drop_in_path(i->scope, run_by.quadlet, i->name, path, &ignored);
	if (unit_ports_check(i, &run_by, path, &err) == 0 &&
	    (!run_by.has_hosts_network || network_check_hosts(i, i->container_name, &err) == 0))
		return !s.conflicts_alone && find_target(i, &run_by, ret, size);
	snprintf(ret, size, "%.*s", (int)size - 1, err.text);
	return true;
}

/* Root's engine, for a user's instance: create refuses it, and earlier versions did not. */
static bool find_engine_surprise(const struct instance *i, char *ret, size_t size)
{
	char socket[ENGINE_SOCKET_MAX];
	struct error err;

	if (engine_find_socket(i->backend, i->scope, i->engine_socket, socket, &err) == 0 &&
	    engine_check_socket(i->scope, socket, &err) == 0)
		return false;
	snprintf(ret, size, "%.*s", (int)size - 1, err.text);
	return true;
}

static bool find_obstacle(const struct instance *i, bool answered, struct search s, char *ret, size_t size)
{
	return find_engine_surprise(i, ret, size) || dns_port_describe(i, DNS_NETWORKS, ret, size) ||
	       (i->unit && find_unit_surprise(i, s, ret, size)) ||
	       (answered && find_container_surprise(i, s, ret, size));
}

bool warning_find_obstacle(const struct instance *i, bool answered, char *ret, size_t size)
{
	return find_obstacle(i, answered, (struct search){.limit = ENGINE_TIMEOUT}, ret, size);
}

/* Else the engine need not be asked again. */
static bool has_answered(const struct observation *o)
{
	return strcmp(o->container_state, "unknown") != 0 && strcmp(o->container_state, "missing") != 0;
}

void warning_find_conflicts(struct observation *os, size_t n, uint64_t limit)
{
	uint64_t end = time_from_now(limit);

	for (size_t k = 0; k < n && !time_is_over(end); k++) {
		char stranger[STRANGER_MAX];
		struct observation *o = &os[k];
		struct search s = {.conflicts_alone = true, .limit = limit};

		/* Whose reason says why it cannot wake needs no other; and who is awake has woken. */
		if (o->stranger && !o->reason[0])
			snprintf(o->conflict, sizeof(o->conflict), "%.*s", (int)sizeof(o->conflict) - 1,
				 stranger_describe(&o->stored->instance, stranger));
		else if (!o->stored->problem && !o->stored->instance.legacy && !o->reason[0] &&
			 o->state == STATE_ASLEEP &&
			 !find_obstacle(&o->stored->instance, has_answered(o), s, o->conflict, sizeof(o->conflict)))
			o->conflict[0] = '\0';
	}
}

void warning_find(const struct observation *o, char ret[static WARNING_MAX])
{
	bool runs = o->state == STATE_ASLEEP && strcmp(o->container_state, "running") == 0;
	bool answered = has_answered(o);
	const struct instance *i = &o->stored->instance;
	char why[WARNING_MAX / 2], command[STOP_COMMAND_MAX];

	ret[0] = '\0';
	if (o->stored->problem)
		return;
	if (o->stranger)
		stranger_describe(i, ret);
	else if (warning_find_obstacle(i, answered, why, sizeof(why)))
		snprintf(ret, WARNING_MAX, "%s%s", runs ? "the container runs although nobody woke it; " : "", why);
	else if (runs && i->keep_running)
		snprintf(ret, WARNING_MAX,
			 "the container runs although nobody woke it, and stays up (--keep-running): '%s' stops it",
			 settle_stop_command(i, command));
	else if (!o->stored->enabled && o->state != STATE_OFF)
		snprintf(ret, WARNING_MAX,
			 "somebody has disabled %s.socket: after the next boot nobody can wake it; 'systemctl %senable "
			 "%s.socket' brings it back",
			 i->name, i->scope == SCOPE_USER ? "--user " : "", i->name);
	else if (o->hides[0])
		warning_describe_hidden(i, o->hides, ret);
	else if (unattended_is(o))
		snprintf(ret, WARNING_MAX,
			 "the container runs although nobody woke it: 'sockwake sleep %s' stops it, 'sockwake attend' "
			 "starts its idle clock, and so does the next use",
			 i->name);
	else if (listen_check_describe_absent(i, why, sizeof(why)) || (answered && kept_up_describe(i, why)))
		snprintf(ret, WARNING_MAX, "%s", why);
}
