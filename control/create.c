#include "control/create.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "control/advice.h"
#include "control/change.h"
#include "control/create_check.h"
#include "control/create_unit.h"
#include "control/create_view.h"
#include "control/create_write.h"
#include "control/dependencies.h"
#include "control/health_word.h"
#include "control/image.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/keep.h"
#include "control/kept_up.h"
#include "control/known.h"
#include "control/leftovers.h"
#include "control/listen_check.h"
#include "control/no_effect.h"
#include "control/note.h"
#include "control/other_engine.h"
#include "control/programs.h"
#include "control/replaced.h"
#include "control/rights.h"
#include "control/selinux.h"
#include "control/units_lock.h"
#include "units/paths.h"

#define ENGINE_TIMEOUT (30 * USEC_PER_SEC)

/* Without lingering the user's manager, and the sockets with it, ends at the last logout (loginctl(1)). */
static void check_lingering(enum scope scope)
{
	const struct passwd *pw = scope == SCOPE_USER ? getpwuid(geteuid()) : NULL;
	struct error ignored;
	char path[PATH_MAX];

	if (pw && path_join("/var/lib/systemd/linger", pw->pw_name, path, &ignored) == 0 && access(path, F_OK) != 0)
		note_print("nothing listens any more after the last logout of '%s', nor after a boot, until 'loginctl "
			   "enable-linger %s' was run",
			   pw->pw_name, pw->pw_name);
}

int create_check_directory(struct manager *m, enum scope scope, const char *directory, struct error *err)
{
	bool looks;

	if (manager_looks_in(m, directory, &looks, err) < 0)
		return -1;
	if (looks)
		return 0;
	return error_set(err, EINVAL, "the service manager does not look for units in '%s': %s", directory,
			 scope == SCOPE_USER ? "set XDG_CONFIG_HOME and HOME to what they are when you log in"
					     : "its configuration is unusual");
}

/* The existing instance of that name; NULL: none. */
static const struct stored *find(const struct stored_list *all, const char *name)
{
	for (size_t k = 0; k < all->n; k++) {
		if (strcmp(all->items[k].instance.name, name) == 0)
			return &all->items[k];
	}
	return NULL;
}

/* Does `sockwake set` change it (control/set.c)? */
static bool can_be_set(const struct stored *s)
{
	return !s->problem && !s->instance.legacy && !s->instance.adopted;
}

/* May this instance replace the old one? */
static int check_old(const struct create_request *r, const struct stored *old, struct error *err)
{
	const char *name = r->instance.name;

	if (!old)
		return 0;
	if (r->instance.adopted && (old->problem || !old->instance.adopted))
		return error_set(
			err, EEXIST,
			"there is an instance '%s' that was not adopted: remove it with 'sockwake remove %s', or give "
			"the container another name for its instance by the label 'sockwake.name'",
			name, name);
	if (r->instance.adopted && old->instance.backend != r->instance.backend)
		return error_set(err, EEXIST,
				 "there is an instance '%s' that was adopted for the container '%s' of %s: give one of "
				 "them another name by the label 'sockwake.name'",
				 name, old->instance.container_name, engine_backend(old->instance.backend)->title);
	if (!r->instance.adopted && !r->force)
		return error_set(err, EEXIST, "there is an instance '%s' already: %s%s%s--force replaces it", name,
				 can_be_set(old) ? "'sockwake set " : "", can_be_set(old) ? name : "",
				 can_be_set(old) ? "' changes its options, " : "");
	return 0;
}

static int check_free(struct manager *m, const char *directory, const char *name, struct error *err)
{
	return store_check_owner(directory, name, err) < 0 ? -1 : install_check_name(m, directory, name, err);
}

/* A person who creates an instance accepts the container's volumes; labels that request it again do not. */
static void remember(const struct create_request *r, struct manager *m, const struct subject *subject,
		     const struct instance *before, const struct stored_list *all)
{
	const struct instance *i = &r->instance;

	if (before && (before->backend != i->backend || strcmp(before->container_name, i->container_name) != 0))
		keep_forget(before, all);
	/* An instance that replaces one of the same container does not accept other volumes. */
	if (subject->exists && subject->container.state != CONTAINER_RUNNING)
		known_remember(i, subject->container.id);
	keep_remember(m, i, !i->adopted && !(before && strcmp(before->container_name, i->container_name) == 0));
	if (!i->adopted && !before) /* only once */
		keep_note_pruning(i, subject, all);
}

/* Refuses as early as possible, before there is a container: the engine makes volumes with it, which stay. */
static int prepare_container(struct create_request *r, struct manager *m, const struct stored_list *all,
			     struct made *made, struct error *err)
{
	const struct stored *old = find(all, r->instance.name);

	if (create_check_ports(&r->instance, all, old ? &old->instance : NULL, r->freed, err) < 0)
		return -1;
	return made_make(r, m, made, err);
}

/* It may be a mistake, or come up later. */
static void note_absent(const struct instance *i)
{
	char text[256];

	if (listen_check_describe_absent(i, text, sizeof(text)))
		note_print("%s", text);
}

int create_instance(struct create_request *r, struct manager *m, const char *directory, const struct stored_list *all,
		    enum outcome *ret, struct error *err)
{
	_cleanup_subject_ struct subject subject = {};
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_free_ char *drop_in = NULL;
	_cleanup_made_ struct made made = {};
	struct instance *i = &r->instance;
	const struct instance *before;
	const struct stored *old;

	old = find(all, i->name);
	before = old && !old->problem ? &old->instance : NULL;
	if (r->changes && before && !change_asks_engine(before, r))
		return change_instance(r, m, directory, old, all, ret, err);
	if (programs_check(err) < 0 || (!r->name_assumed && check_free(m, directory, i->name, err) < 0) ||
	    (r->to_make.image && prepare_container(r, m, all, &made, err) < 0) ||
	    instance_open_engine(i, ENGINE_TIMEOUT, &engine, err) < 0 ||
	    (!r->to_make.image && !i->unit && !r->dry_run && replaced_settle(engine, i->container_name, err) < 0) ||
	    subject_find(r, m, engine, &subject, err) < 0)
		return -1;
	i->made_container |= made_is(i, &subject);
	old = find(all, i->name); /* which may have got another name */
	before = old && !old->problem ? &old->instance : NULL;
	if (check_old(r, old, err) < 0 || check_free(m, directory, i->name, err) < 0 ||
	    create_check_fit_container(r, engine, &subject, err) < 0 ||
	    (subject.exists && create_view_check(engine, &subject.container, i->health_check, err) < 0) ||
	    dependencies_resolve(r, r->changes ? before : NULL, m, engine, &subject, err) < 0 ||
	    create_unit_fit(r, before, &subject.run_by, &drop_in, err) < 0 ||
	    create_write_compare(r, directory, old, ret, err) < 0)
		return -1;
	if (*ret != OUTCOME_UNCHANGED && create_check_ports(i, all, old ? &old->instance : NULL, r->freed, err) < 0)
		return -1;
	kept_up_note(i, engine, all);
	if (*ret == OUTCOME_UNCHANGED)
		return 0;
	if (i->adopted && !old) /* nobody needs to read it again */
		advice_note_name(r);
	dependencies_note_unknown(i, before);
	no_effect_note(i);
	health_word_note(i);
	note_absent(i);
	create_write_note_hidden(m, directory, i);
	if (!r->dry_run && create_write(m, directory, r, before, drop_in, err) < 0)
		return -1;
	create_unit_note(r, &subject.run_by); /* it speaks of an instance that is there */
	if (r->dry_run)
		return 0;
	made_keep(r, &made);
	if (before)
		made_leave(before, i, m);
	if (old)
		leftovers_sweep_locks(i->scope, directory);
	remember(r, m, &subject, before, all);
	create_write_warm_up(m, i, engine, ENGINE_TIMEOUT,
			     before && subject.exists && subject.container.state == CONTAINER_RUNNING);
	if (before)
		selinux_unlabel_ports(before, all);
	selinux_label_ports(i);
	return 0;
}

static int create_installed(struct create_request *r, const char *directory, enum outcome *ret, struct error *err)
{
	_cleanup_stored_list_ struct stored_list all = {};
	_cleanup_manager_ struct manager *m = NULL;
	struct instance *i = &r->instance;

	if (store_scan(directory, &all, err) < 0 || check_old(r, find(&all, i->name), err) < 0 ||
	    (!r->name_assumed && store_check_owner(directory, i->name, err) < 0) ||
	    manager_connect(i->scope, &m, err) < 0 || create_check_directory(m, i->scope, directory, err) < 0)
		return -1;
	return create_instance(r, m, directory, &all, ret, err);
}

int create_requested(struct create_request *r, enum outcome *ret, struct error *err)
{
	_cleanup_close_ int lock = -1;
	char directory[PATH_MAX];

	if (rights_require(r->instance.scope, err) < 0 || unit_directory(r->instance.scope, directory, err) < 0 ||
	    units_lock_take(r->instance.scope, directory, &lock, err) < 0)
		return -1;
	if (create_installed(r, directory, ret, err) < 0) {
		other_engine_mention(&r->instance, r->backend_assumed, err);
		return -1;
	}
	check_lingering(r->instance.scope);
	advice_note(r);
	return 0;
}
