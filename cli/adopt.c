/* `sockwake adopt`: instances that the labels of containers ask for. */
#include <stdio.h>
#include <string.h>

#include "backends/engine.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/create.h"
#include "cli/labels.h"
#include "common/clock.h"
#include "common/parse.h"
#include "control/install.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/units_lock.h"
#include "instance/json.h"
#include "units/container_unit.h"
#include "units/paths.h"
#include "units/query.h"

#define ENGINE_TIMEOUT (60 * USEC_PER_SEC)

enum { OPTION_ALL = 256, OPTION_PRUNE, OPTION_DRY_RUN, OPTION_SCOPE, OPTION_BACKEND, OPTION_ENGINE_SOCKET };

struct adoption {
	struct instance base; /* scope, backend and engine alone */
	const char *name;     /* of one container; NULL for none */
	bool all, prune, dry_run;

	char directory[PATH_MAX];
	struct manager *manager;
	struct container_list containers;
	struct stored_list instances;
	unsigned failed;
};

static void adoption_clear(struct adoption *a)
{
	instance_clear(&a->base);
	manager_close(&a->manager);
	container_list_clear(&a->containers);
	stored_list_clear(&a->instances);
}
#define _cleanup_adoption_ _cleanup_(adoption_clear)

static int take_option(int option, struct adoption *a, const char **engine_socket, bool *backend_given,
		       struct error *err)
{
	switch (option) {
	case OPTION_ALL:
		a->all = true;
		return 0;
	case OPTION_PRUNE:
		a->prune = true;
		return 0;
	case OPTION_DRY_RUN:
		a->dry_run = true;
		return 0;
	case OPTION_SCOPE:
		if (scope_from_name(optarg, &a->base.scope) < 0)
			return error_set(err, USAGE_ERROR, "the scope '%s' is neither system nor user", optarg);
		return 0;
	case OPTION_BACKEND:
		*backend_given = true;
		if (backend_kind_from_name(optarg, &a->base.backend) < 0)
			return error_set(err, USAGE_ERROR, "the backend '%s' is neither docker nor podman", optarg);
		return 0;
	default:
		*engine_socket = optarg;
		return 0;
	}
}

static int take_name(int argc, char *argv[], struct adoption *a, struct error *err)
{
	if (optind < argc)
		a->name = argv[optind++];
	if (optind < argc)
		return error_set(err, USAGE_ERROR, "'%s' is one argument too many", argv[optind]);
	if (a->name && !container_name_is_valid(a->name))
		return error_set(err, USAGE_ERROR, "'%s' is not the name of a container", a->name);
	if (a->name ? a->all : !a->all && !a->prune)
		return error_set(err, USAGE_ERROR, "give the name of one container, or --all, or --prune");
	return 0;
}

static int parse(int argc, char *argv[], struct adoption *a, struct error *err)
{
	static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
						{"prune", no_argument, NULL, OPTION_PRUNE},
						{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
						{"scope", required_argument, NULL, OPTION_SCOPE},
						{"backend", required_argument, NULL, OPTION_BACKEND},
						{"engine-socket", required_argument, NULL, OPTION_ENGINE_SOCKET},
						{}};
	const char *engine_socket = NULL;
	char socket[ENGINE_SOCKET_MAX];
	bool backend_given = false;
	int option, ignored;

	a->base.scope = scope_default();
	optind = 0; /* glibc: start anew */
	while ((option = arguments_next(argc, argv, ":", options, &ignored, err)) > 0) {
		if (take_option(option, a, &engine_socket, &backend_given, err) < 0)
			return -1;
	}
	if (option < 0)
		return -1;
	if (!backend_given)
		a->base.backend = a->base.scope == SCOPE_SYSTEM ? BACKEND_DOCKER : BACKEND_PODMAN;
	if (take_name(argc, argv, a, err) < 0 ||
	    engine_find_socket(a->base.backend, a->base.scope, engine_socket, socket, err) < 0 ||
	    engine_check_socket(a->base.scope, socket, err) < 0)
		return -1;
	a->base.engine_socket = strdup(socket);
	return a->base.engine_socket ? 0 : error_errno(err, ENOMEM, "cannot read the command line");
}

static int list_containers(struct adoption *a, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;

	if (engine_open(a->base.backend, a->base.scope, a->base.engine_socket, &engine, err) < 0)
		return -1;
	engine->deadline = now_usec() + ENGINE_TIMEOUT;
	return engine->backend->list(engine, &a->containers, err);
}

static struct container *find_container(const struct adoption *a, const char *name)
{
	for (size_t k = 0; k < a->containers.n; k++) {
		if (strcmp(a->containers.items[k].name, name) == 0)
			return &a->containers.items[k];
	}
	return NULL;
}

/* "KEY=VALUE" */
static void add_label(struct container *c, const char *text)
{
	struct label *l = &c->labels[c->n_labels];
	const char *equals = strchrnul(text, '=');
	const char *value = *equals ? equals + 1 : "";

	l->key = strndup(text, (size_t)(equals - text));
	if (!l->key || !text_is_printable(l->key)) {
		free_ptr(&l->key);
		return;
	}
	c->n_labels++;
	l->value = text_is_printable(value) ? strdup(value) : NULL;
}

/* What the Quadlet of a container that runs asks for by now. Labels that it does not have may be the image's. */
static bool renew_labels(struct container *c, char *const *labels)
{
	struct label *more;
	size_t n = 0;

	while (labels[n])
		n++;
	more = reallocarray(c->labels, c->n_labels + n + 1, sizeof(*more));
	if (!more)
		return false;
	c->labels = more;
	for (size_t k = 0; k < n; k++) {
		size_t len = strcspn(labels[k], "=");

		for (size_t old = 0; old < c->n_labels; old++) {
			if (strncmp(c->labels[old].key, labels[k], len) == 0 && !c->labels[old].key[len]) {
				free(c->labels[old].key);
				free(c->labels[old].value);
				c->labels[old--] = c->labels[--c->n_labels];
			}
		}
		add_label(c, labels[k]);
	}
	return true;
}

static bool is_of_unit(const struct container *c, const char *unit)
{
	const char *label = container_label(c, UNIT_LABEL);

	return label && unit && strcmp(label, unit) == 0;
}

/* A Quadlet whose container is not there, because its unit does not run, counts as the container that it would be:
 * without an identifier. */
static bool add_quadlet(void *data, struct container_unit *r)
{
	struct container_list *list = &((struct adoption *)data)->containers;
	struct container *more, *c;
	size_t n = 0;

	if (!r->container || !container_name_is_valid(r->container))
		return true;
	c = find_container(data, r->container);
	if (c)
		return !is_of_unit(c, r->unit) || renew_labels(c, r->labels);
	more = reallocarray(list->items, list->n + 1, sizeof(*more));
	if (!more)
		return false;
	list->items = more;
	c = &more[list->n++];
	*c = (struct container){};
	strcpy(c->name, r->container);
	while (r->labels[n])
		n++;
	c->labels = calloc(n + 1, sizeof(*c->labels));
	for (size_t k = 0; c->labels && k < n; k++)
		add_label(c, r->labels[k]);
	return true;
}

static int list_quadlets(struct adoption *a, struct error *err)
{
	return engine_backend(a->base.backend)->has_quadlets ? container_unit_each(a->manager, add_quadlet, a, err) : 0;
}

static int scan_again(struct adoption *a, struct error *err)
{
	stored_list_clear(&a->instances);
	return store_scan(a->directory, &a->instances, err);
}

/* Made by adoption, from this engine? */
static bool is_adopted(const struct adoption *a, const struct stored *s)
{
	const struct instance *i = &s->instance;

	return !s->problem && i->adopted && instances_share_engine(i, &a->base);
}

/* Does the manager find no file of this unit any more? *ret_runs: the unit runs all the same. */
static int unit_is_gone(const struct adoption *a, const char *unit, bool *ret, bool *ret_runs, struct error *err)
{
	struct unit_state state = {};
	int r = manager_query(a->manager, &unit, 1, &state, err);

	*ret = r == 0 && strcmp(state.load_state, "loaded") != 0;
	*ret_runs = r == 0 && strcmp(state.active_state, "active") == 0;
	unit_states_clear(&state, 1);
	return r;
}

/* A unit may remove its container whenever that sleeps, and an image may have the labels: then the unit has to be gone. */
static int is_lost(const struct adoption *a, const struct instance *i, bool *ret, struct error *err)
{
	const struct container *c = find_container(a, i->container_name);
	bool runs;

	*ret = false;
	if (c && c->unreadable)
		return 0;
	*ret = c && c->id[0] ? !labels_have_wishes(c) : !i->unit;
	return i->unit && !*ret ? unit_is_gone(a, i->unit, ret, &runs, err) : 0;
}

static int remove_instance(struct adoption *a, const struct stored *s, struct error *err)
{
	/* the container itself may go on, without labels or under another instance */
	if (install_remove(a->manager, a->directory, a->base.scope, s, &a->instances, SETTLE_OWN, err) < 0)
		return error_context(err, "'%s' is not removed", s->instance.name);
	if (!s->instance.no_selinux)
		selinux_unlabel_ports(&s->instance, &a->instances);
	return install_forget(a->manager, a->base.scope, &s, 1, err);
}

static int prune_one(struct adoption *a, const struct stored *s, struct error *err)
{
	bool lost;

	if (is_lost(a, &s->instance, &lost, err) < 0)
		return -1;
	if (!lost)
		return 0;
	if (!a->dry_run && remove_instance(a, s, err) < 0)
		return -1;
	printf("%s '%s': the container '%s' is gone, or its labels are\n", a->dry_run ? "Would remove" : "Removed",
	       s->instance.name, s->instance.container_name);
	return 0;
}

/* One that fails does not keep the others. */
static void tell(struct adoption *a, const struct error *err)
{
	a->failed++;
	note_print("%s", err->text);
}

static int prune(struct adoption *a, struct error *err)
{
	struct error one;

	for (size_t k = 0; k < a->instances.n; k++) {
		const struct stored *s = &a->instances.items[k];

		if (is_adopted(a, s) && (!a->name || strcmp(s->instance.container_name, a->name) == 0) &&
		    prune_one(a, s, &one) < 0)
			tell(a, &one);
	}
	return scan_again(a, err);
}

/* Is that what an instance of this name would be called where a unit has it? (create_unit.c) */
static bool is_wake_of(const char *name, const char *container)
{
	size_t len = strlen(container);

	return strncmp(name, container, len) == 0 && strcmp(name + len, "-wake") == 0;
}

/* What was adopted for the same container under another name, which its labels no longer give. */
static const struct stored *find_renamed(const struct adoption *a, const struct create_request *r)
{
	for (size_t k = 0; k < a->instances.n; k++) {
		const struct stored *s = &a->instances.items[k];

		if (is_adopted(a, s) && strcmp(s->instance.container_name, r->instance.container_name) == 0 &&
		    strcmp(s->instance.name, r->instance.name) != 0 &&
		    !(r->name_assumed && is_wake_of(s->instance.name, s->instance.container_name)))
			return s;
	}
	return NULL;
}

static int create(struct adoption *a, struct create_request *r, struct error *err)
{
	static const char *const done[] = {
		[OUTCOME_CREATED] = "Created", [OUTCOME_REPLACED] = "Replaced", [OUTCOME_UNCHANGED] = "Unchanged"};
	static const char *const planned[] = {[OUTCOME_CREATED] = "Would create",
					      [OUTCOME_REPLACED] = "Would replace",
					      [OUTCOME_UNCHANGED] = "Unchanged"};
	enum outcome outcome;

	r->dry_run = a->dry_run;
	if (create_instance(r, a->manager, a->directory, &a->instances, &outcome, err) < 0)
		return error_context(err, "the container '%s'", r->instance.container_name);
	printf("%s '%s' for the container '%s'\n", (a->dry_run ? planned : done)[outcome], r->instance.name,
	       r->instance.container_name);
	return outcome == OUTCOME_UNCHANGED || a->dry_run ? 0 : scan_again(a, err);
}

/* The old name makes place first: both would listen on the same ports. When the new one fails it comes back. */
static int rename_instance(struct adoption *a, const struct stored *old, struct create_request *r, struct error *err)
{
	_cleanup_free_ char *json = instance_to_json(&old->instance);
	_cleanup_instance_ struct instance before = {};
	struct error ignored;

	if (!json)
		return error_errno(err, ENOMEM, "cannot rename '%s'", old->instance.name);
	if (remove_instance(a, old, err) < 0 || scan_again(a, err) < 0)
		return -1;
	if (create(a, r, err) == 0)
		return 0;
	if (instance_from_json(json, &before, &ignored) == 0)
		(void)install_write(a->manager, a->directory, &before, false, &ignored);
	(void)scan_again(a, &ignored);
	return -1;
}

/* What is left of a Quadlet that was deleted while its container ran. */
static int check_leftover(const struct adoption *a, const struct container *c, struct error *err)
{
	const char *engine = backend_kind_name(a->base.backend), *unit = container_label(c, UNIT_LABEL);
	bool gone = false, runs = false;

	if (!unit || !c->id[0] || !service_name_is_valid(unit))
		return 0;
	if (unit_is_gone(a, unit, &gone, &runs, err) < 0)
		return -1;
	return gone && runs
		       ? error_set(
				 err, ENOENT,
				 "the container '%s' is left of '%s', whose file is gone: '%s rm --force %s' removes it",
				 c->name, unit, engine, c->name)
		       : 0;
}

static int adopt_one(struct adoption *a, const struct container *c, struct error *err)
{
	_cleanup_create_request_ struct create_request r = {};
	const struct stored *renamed;

	if (check_leftover(a, c, err) < 0)
		return -1;
	if (labels_to_request(c, &a->base, &r, err) < 0)
		return -1;
	renamed = find_renamed(a, &r);
	if (!renamed)
		return create(a, &r, err);
	if (!a->dry_run)
		return rename_instance(a, renamed, &r, err);
	printf("Would rename '%s' to '%s' for the container '%s'\n", renamed->instance.name, r.instance.name, c->name);
	return 0;
}

static int adopt_some(struct adoption *a, struct error *err)
{
	const struct container *c = a->name ? find_container(a, a->name) : NULL;
	struct error one;

	if (a->name && !c)
		return error_set(err, ENOENT, "there is no container '%s': '%s ps -a' lists those there are", a->name,
				 backend_kind_name(a->base.backend));
	if (c && !labels_have_wishes(c))
		return error_set(err, EINVAL,
				 "the container '%s' has no label that begins with '" LABEL_PREFIX "': give it "
				 "'" LABEL_PREFIX "publish=PORT:CPORT', or use 'sockwake create'",
				 a->name);
	if (c)
		return adopt_one(a, c, err);
	for (size_t k = 0; k < a->containers.n; k++) {
		c = &a->containers.items[k];
		if (labels_have_wishes(c) && adopt_one(a, c, &one) < 0)
			tell(a, &one);
	}
	return 0;
}

static int find_containers(struct adoption *a, struct error *err)
{
	container_list_clear(&a->containers);
	return list_containers(a, err) < 0 || list_quadlets(a, err) < 0 ? -1 : 0;
}

/* A Quadlet's container goes when it is put to sleep. */
static int prune_and_adopt(struct adoption *a, struct error *err)
{
	if (find_containers(a, err) < 0 || (a->prune && (prune(a, err) < 0 || find_containers(a, err) < 0)))
		return -1;
	if ((a->name || a->all) && adopt_some(a, err) < 0)
		return -1;
	if (a->failed)
		return error_set(err, 0, "%u of them could not be done: the reasons are above", a->failed);
	return 0;
}

static int adopt(int argc, char *argv[], struct error *err)
{
	_cleanup_adoption_ struct adoption a = {};
	_cleanup_close_ int lock = -1;
	int r;

	if (parse(argc, argv, &a, err) < 0 || scope_require_rights(a.base.scope, err) < 0 ||
	    unit_directory(a.base.scope, a.directory, err) < 0 ||
	    units_lock_take(a.base.scope, a.directory, &lock, err) < 0 ||
	    store_scan(a.directory, &a.instances, err) < 0 || manager_connect(a.base.scope, &a.manager, err) < 0 ||
	    create_check_directory(a.manager, a.base.scope, a.directory, err) < 0)
		return -1;
	r = prune_and_adopt(&a, err);
	if (!a.dry_run)
		leftovers_sweep_locks(a.base.scope, a.directory);
	return r;
}

const struct command adopt_command = {
	"adopt",
	"[--prune] [--dry-run] CONTAINER | --all",
	"Creates the instances that labels of containers ask for",
	"  --all                  of all containers\n"
	"  --prune                remove adopted instances whose container is gone, or its labels are\n"
	"  --dry-run              say what would be done and do nothing\n"
	"  --backend docker|podman (default: docker for the system, podman for a user)\n"
	"  --engine-socket PATH   of the engine's API\n"
	"  --scope system|user    (default: system for root)\n"
	"Labels of a container, each like the option of 'create' (lists are separated by commas, schedules by semicolons):\n"
	"  sockwake.publish, which it must have, sockwake.name, sockwake.startup-timeout, sockwake.idle-timeout,\n"
	"  sockwake.health-check (no shell command), sockwake.idle-action, sockwake.keep-running, sockwake.target,\n"
	"  sockwake.no-wake-from, sockwake.no-hold-from, sockwake.ignore-from, sockwake.hold,\n"
	"  sockwake.connection-timeout, sockwake.flow-timeout, sockwake.keepalive,\n"
	"  sockwake.drain-timeout, sockwake.proxy-protocol, sockwake.transparent, sockwake.workers,\n"
	"  sockwake.no-notifications, sockwake.warm-for, sockwake.schedule, sockwake.with, sockwake.with-project\n",
	adopt,
};
