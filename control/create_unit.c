/* Container units: finding the unit, and changing it so that its container can sleep. */
#include "control/create_unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "backends/make.h"
#include "common/parse.h"
#include "control/create_check.h"
#include "control/create_request.h"
#include "control/note.h"
#include "control/unit_ports.h"
#include "units/drop_in.h"
#include "units/manager.h"
#include "units/query.h"

/* In a pod, other containers have the label, too. */
static bool has_label(const struct container *c, const char *unit)
{
	const char *label = container_label(c, UNIT_LABEL);

	return label && strcmp(label, unit) == 0 && !c->is_infra && !container_name_is_service(c->name);
}

/* Finds the container that this unit runs by the label of a running one. */
static int find_by_label(struct engine *engine, struct instance *i, const char *kube, struct error *err)
{
	_cleanup_container_list_ struct container_list list = {};
	const char *found = NULL;

	if (engine->backend->list(engine, &list, err) < 0)
		return -1;
	for (size_t k = 0; k < list.n; k++) {
		if (!has_label(&list.items[k], i->unit))
			continue;
		if (found)
			return error_set(
				err, EINVAL,
				"'%s' runs more than one container, '%s' and '%s' among them: name the one that "
				"clients connect to with --container-name",
				i->unit, found, list.items[k].name);
		found = list.items[k].name;
	}
	if (found)
		return text_replace(&i->container_name, found, err);
	if (kube)
		return error_set(err, ENOENT,
				 "'%s' runs '%s', whose containers are not to be seen while it does not run: "
				 "name the one that clients connect to, as in '--container-name POD-CONTAINER'",
				 i->unit, kube);
	return error_set(err, ENOENT,
			 "what container '%s' runs is not to be seen from its ExecStart=: name it with "
			 "--container-name",
			 i->unit);
}

/* An instance named after its unit would have the same NAME.service. */
static int avoid_its_name(struct create_request *r, struct error *err)
{
	struct instance *i = &r->instance;
	char text[UNIT_REASON_MAX];
	size_t len = strlen(i->name);

	if (!r->name_assumed || strncmp(i->unit, i->name, len) != 0 || strcmp(i->unit + len, ".service") != 0)
		return 0;
	snprintf(text, sizeof(text), "%s-wake", i->name);
	return text_replace(&i->name, text, err);
}

static int check_claim(const struct subject *s, struct error *err)
{
	const struct container_unit *r = &s->run_by;

	if (container_unit_runs(r, s->container.name))
		return 0;
	return error_set(err, EINVAL,
			 "the label PODMAN_SYSTEMD_UNIT of the container '%s' says that %s runs it, but that unit's "
			 "ExecStart= does not: if it does, use 'sockwake create --unit %s --container-name %s'",
			 s->container.name, r->unit, r->unit, s->container.name);
}

static int find_unit(struct create_request *r, struct manager *m, struct subject *s, struct error *err)
{
	struct instance *i = &r->instance;
	const char *label = s->exists ? container_label(&s->container, UNIT_LABEL) : NULL;

	if (label && service_name_is_valid(label)) {
		if (container_unit_read(m, label, &s->run_by, err) == 0)
			return check_claim(s, err);
		container_unit_clear(&s->run_by);
		/* podman-compose sets this label even if that unit was never installed. */
		return error_forgive(err, ENOENT) ? 0 : -1;
	}
	if (s->exists || !engine_backend(i->backend)->has_quadlets)
		return 0;
	if (container_unit_find(m, i->container_name, &s->run_by, err) == 0)
		return 0;
	return error_forgive(err, ENOENT) ? 0 : -1;
}

static int inspect(struct engine *engine, const char *name, struct subject *s, struct error *err)
{
	if (engine->backend->inspect(engine, name, &s->container, err) < 0)
		return error_forgive(err, ENOENT) ? 0 : -1;
	s->exists = true;
	return 0;
}

/* Rootless Podman before 4.4 moves the container, its monitor and itself out of the unit's control group. */
static void note_old_podman(const struct instance *i, struct engine *engine, const struct container_unit *run_by)
{
	struct error ignored;
	bool is_new;

	if (i->scope != SCOPE_USER || !engine_backend(i->backend)->has_quadlets || run_by->quadlet ||
	    engine_has_quadlet(engine, &is_new, &ignored) < 0 || is_new)
		return;
	note_print(
		"rootless Podman before 4.4 leaves the control group of %s: systemd may lose track of the container; "
		"one that sockwake starts itself ('podman create', and 'sockwake create' without a unit) does "
		"without",
		run_by->unit);
}

/* Adds why the unit of a Quadlet is missing for good. */
static int no_unit(struct engine *engine, struct error *err)
{
	struct error why = *err, ignored;
	bool is_new;

	if (err->code != ENOENT || !engine->backend->has_quadlets ||
	    engine_has_quadlet(engine, &is_new, &ignored) < 0 || is_new)
		return -1;
	return error_set(err, ENOENT,
			 "%.900s Podman before 4.4, as here, reads no Quadlets ('.container' files): 'podman generate "
			 "systemd' writes such a unit for a container",
			 why.text);
}

/* The unit that was found runs the container. */
static int use_unit(struct create_request *r, const struct subject *s, struct error *err)
{
	struct instance *i = &r->instance;

	note_print("%s runs the container: it is started and stopped through that unit", s->run_by.unit);
	if (text_replace(&i->unit, s->run_by.unit, err) < 0 ||
	    (!s->exists && s->run_by.container && text_replace(&i->container_name, s->run_by.container, err) < 0))
		return -1;
	return avoid_its_name(r, err);
}

static int find(struct create_request *r, struct manager *m, struct engine *engine, struct subject *s,
		struct error *err)
{
	struct instance *i = &r->instance;

	if (i->unit) {
		if (container_unit_read(m, i->unit, &s->run_by, err) < 0)
			return no_unit(engine, err);
		if (s->run_by.quadlet && !engine_backend(i->backend)->has_quadlets)
			return error_set(err, EINVAL,
					 "the unit '%s' is a Quadlet, and those are Podman's: add --backend podman",
					 i->unit);
		if (r->container_assumed && s->run_by.container &&
		    text_replace(&i->container_name, s->run_by.container, err) < 0)
			return -1;
		if (r->container_assumed && !s->run_by.container && find_by_label(engine, i, s->run_by.kube, err) < 0)
			return -1;
		return inspect(engine, i->container_name, s, err);
	}
	if (inspect(engine, i->container_name, s, err) < 0 || find_unit(r, m, s, err) < 0)
		return -1;
	return s->run_by.unit ? use_unit(r, s, err) : 0;
}

int create_unit_preview(struct create_request *r, struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	_cleanup_subject_ struct subject s = {};
	struct instance *i = &r->instance;
	struct error ignored;

	if (r->to_make.image || !engine_backend(i->backend)->has_quadlets ||
	    manager_connect(i->scope, &m, &ignored) < 0)
		return 0;
	if (!i->unit)
		return container_unit_find(m, i->container_name, &s.run_by, &ignored) == 0 ? use_unit(r, &s, err) : 0;
	return r->container_assumed && container_unit_read(m, i->unit, &s.run_by, &ignored) == 0 && s.run_by.container
		       ? text_replace(&i->container_name, s.run_by.container, err)
		       : 0;
}

int subject_find(struct create_request *r, struct manager *m, struct engine *engine, struct subject *s,
		 struct error *err)
{
	if (find(r, m, engine, s, err) < 0)
		return -1;
	if (!s->run_by.unit)
		return 0;
	note_old_podman(&r->instance, engine, &s->run_by);
	return container_unit_find_owner(m, &s->run_by, err);
}

/* A pod's unit starts all its containers. The drop-in of one of them does not change that. */
static int refuse_boot_of_pod(const struct instance *i, const struct container_unit *run_by, struct error *err)
{
	const struct pod_unit *pod = &run_by->pod;

	return error_set(err, EINVAL,
			 "%s starts %s, and with it all containers of that pod, which --no-boot does not change: take "
			 "its WantedBy= out of '%s', and run 'systemctl %sdaemon-reload'",
			 pod->wanted_by, pod->unit, pod->file ? pod->file : pod->unit,
			 i->scope == SCOPE_USER ? "--user " : "");
}

static void note_boot(const struct create_request *r, const struct container_unit *run_by)
{
	const struct pod_unit *pod = &run_by->pod;
	const struct instance *i = &r->instance;
	char remedy[320];

	if (pod->wanted_by)
		note_print("%s starts %s, and with it all containers of that pod, asleep or not: without its WantedBy= "
			   "in '%s' that is left to the first connection",
			   pod->wanted_by, pod->unit, pod->file ? pod->file : pod->unit);
	if (pod->wanted_by || !run_by->wanted_by || i->no_boot)
		return;
	if (!run_by->quadlet)
		snprintf(remedy, sizeof(remedy), "disabling the unit");
	else if (i->adopted)
		snprintf(remedy, sizeof(remedy), "taking WantedBy= out of the Quadlet");
	else if (r->dry_run)
		snprintf(remedy, sizeof(remedy), "--no-boot");
	else
		snprintf(remedy, sizeof(remedy), "'sockwake set %s --no-boot'", i->name);
	note_print("%s starts %s, asleep or not: %s leaves that to the first connection", run_by->wanted_by,
		   run_by->unit, remedy);
}

static int check_boot(const struct instance *i, const struct container_unit *run_by, struct error *err)
{
	return i->no_boot && run_by->pod.wanted_by ? refuse_boot_of_pod(i, run_by, err) : 0;
}

/* Without a Quadlet there is no drop-in that these options could write. */
static int check_no_quadlet(const struct instance *i, const char *unit, struct error *err)
{
	if (!i->no_boot && !i->drop_publish)
		return 0;
	if (!unit)
		return error_set(err, EINVAL,
				 "no unit runs the container '%s': --no-boot and --drop-publish are for Quadlets",
				 i->container_name);
	if (i->no_boot)
		return error_set(
			err, EINVAL,
			"%s is no Quadlet, and --no-boot is for those: 'systemctl %sdisable %s' leaves its start "
			"to the first connection",
			unit, i->scope == SCOPE_USER ? "--user " : "", unit);
	return error_set(
		err, EINVAL,
		"%s is no Quadlet, and --drop-publish is for those: take the port out of its ExecStart=", unit);
}

/* Earlier versions accepted them for any unit. */
static void forget_stored(struct instance *i, const struct instance *old)
{
	i->no_boot &= !old || !old->no_boot;
	i->drop_publish &= !old || !old->drop_publish;
}

#define NETWORK_TARGET "network-online.target"

/* Such a unit delays each wake by a minute and a half: Podman's service waits in vain for the system's target. */
static void note_network(const struct container_unit *run_by)
{
	_cleanup_manager_ struct manager *system = NULL;
	const char *const target = NETWORK_TARGET;
	struct unit_state state = {};
	struct error ignored;

	if (!run_by->waits_for_network || manager_connect(SCOPE_SYSTEM, &system, &ignored) < 0)
		return;
	if (manager_query(system, &target, 1, &state, &ignored) == 0 && strcmp(state.active_state, "active") != 0)
		note_print("%s waits for " NETWORK_TARGET ", which nothing brings up here, for up to 90s at each wake: "
			   "'DefaultDependencies=false' under [Quadlet] does without",
			   run_by->unit);
	unit_states_clear(&state, 1);
}

int create_unit_fit(struct create_request *r, const struct instance *old, const struct container_unit *run_by,
		    char **ret_drop_in, struct error *err)
{
	struct instance *i = &r->instance;
	char path[PATH_MAX] = "";

	*ret_drop_in = NULL;
	if (r->changes && !run_by->quadlet)
		forget_stored(i, old);
	free_ptr(&i->drop_in); /* that of the instance that is changed */
	if (!run_by->quadlet && check_no_quadlet(i, run_by->unit, err) < 0)
		return -1;
	if (!run_by->unit)
		return 0;
	if (!r->changes && old && old->drop_in && old->unit && strcmp(old->unit, i->unit) == 0) {
		i->no_boot |= old->no_boot; /* the unit no longer shows what they have changed */
		i->drop_publish |= old->drop_publish;
	}
	if (run_by->quadlet && drop_in_path(i->scope, run_by->quadlet, i->name, path, err) < 0)
		return -1;
	if (check_boot(i, run_by, err) < 0 || unit_ports_check(i, run_by, path, err) < 0)
		return -1;
	if (!run_by->quadlet || (!i->no_boot && !i->drop_publish))
		return 0;
	if (text_replace(&i->drop_in, path, err) < 0)
		return -1;
	*ret_drop_in =
		drop_in_render(i, run_by->kube ? "Kube" : "Container", (const char *const *)run_by->publish, err);
	return *ret_drop_in ? 0 : -1;
}

/* A new Quadlet of ours: control/lost.h notes it. */
static void note_writes(const struct create_request *r, const struct container_unit *run_by)
{
	if (run_by->quadlet && !run_by->kube && !run_by->keeps_writes && !r->as_quadlet &&
	    r->instance.idle_action == IDLE_STOP)
		note_print("%s removes its container whenever it sleeps, and what that wrote goes with it: "
			   "'Volume=NAME:/PATH' under [Container] in '%s' keeps a directory",
			   run_by->unit, run_by->quadlet);
}

/* While the unit is down, only a container that runs is certainly somebody else's (activator/name_check.c). */
static void note_replacing(const struct container_unit *run_by)
{
	if (run_by->replaces_any)
		note_print(
			"%s removes whatever container has the name of its own ('--replace'), and only the label of "
			"Podman's own units tells whose that is: 'Environment=PODMAN_SYSTEMD_UNIT=%%n' under [Service] "
			"sets it, and then nobody wakes the unit while somebody else's has the name",
			run_by->unit);
}

void create_unit_note(const struct create_request *r, const struct container_unit *run_by)
{
	if (!run_by->unit)
		return;
	note_boot(r, run_by);
	note_network(run_by);
	note_writes(r, run_by);
	note_replacing(run_by);
	unit_ports_note(&r->instance, run_by);
}

/* Does the drop-in take effect? Another one may override it. */
static int check_effect(struct manager *m, const struct instance *i, struct error *err)
{
	_cleanup_container_unit_ struct container_unit run_by = {};
	const char *taken;

	if (container_unit_read(m, i->unit, &run_by, err) < 0)
		return -1;
	if (i->no_boot && run_by.wanted_by)
		return error_set(err, EEXIST, "%s still starts %s: another drop-in or a link says so", run_by.wanted_by,
				 i->unit);
	taken = i->drop_publish ? unit_ports_taken(i, run_by.publish) : NULL;
	return taken ? error_set(err, EEXIST, "%s still publishes '%s': another drop-in says so", i->unit, taken) : 0;
}

int create_unit_apply_drop_in(struct manager *m, const struct instance *i, const char *text, char **ret_before,
			      struct error *err)
{
	*ret_before = NULL;
	if (!text)
		return 0;
	if (drop_in_write(i->drop_in, text, ret_before, err) < 0)
		return -1;
	if (manager_reload(m, err) == 0 && check_effect(m, i, err) == 0)
		return 0;
	create_unit_revert_drop_in(m, i, *ret_before);
	return -1;
}

void create_unit_revert_drop_in(struct manager *m, const struct instance *i, const char *before)
{
	_cleanup_free_ char *unused = NULL;
	struct error ignored;

	if (!i->drop_in)
		return;
	if (before)
		(void)drop_in_write(i->drop_in, before, &unused, &ignored);
	else
		(void)drop_in_remove(i->drop_in, &ignored);
	(void)manager_reload(m, &ignored);
}
