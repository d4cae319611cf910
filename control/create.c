#include "control/create.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/path.h"
#include "control/advice.h"
#include "control/create_check.h"
#include "control/create_unit.h"
#include "control/create_view.h"
#include "control/dependencies.h"
#include "control/image.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/keep.h"
#include "control/leftovers.h"
#include "control/note.h"
#include "control/other_engine.h"
#include "control/programs.h"
#include "control/refresh.h"
#include "control/replaced.h"
#include "control/rights.h"
#include "control/schedule.h"
#include "control/selinux.h"
#include "control/sharing.h"
#include "control/stage.h"
#include "control/unattended.h"
#include "control/units_lock.h"
#include "control/warning.h"
#include "instance/defaults.h"
#include "instance/json.h"
#include "units/drop_in.h"
#include "units/hidden.h"
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
			"there is an instance '%s' that was not adopted: remove it, or give the container another "
			"name for its instance by the label 'sockwake.name'",
			name);
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

/* May the predecessor go on serving its clients? */
static bool is_successor(const struct create_request *r, const struct instance *old)
{
	const struct instance *i = &r->instance;
	bool same_unit = i->unit && old && old->unit ? strcmp(i->unit, old->unit) == 0 : old && i->unit == old->unit;

	return (r->changes || i->adopted) && same_unit && !old->legacy &&
	       strcmp(old->container_name, i->container_name) == 0 && instances_share_engine(old, i) &&
	       instances_listen_alike(old, i);
}

/* A person who replaces an instance that is in use may wait for long. */
static void note_wait(struct manager *m, const struct instance *old)
{
	unsigned long long stop = old->stop_timeout;
	enum stage stage = STAGE_ASLEEP;
	struct error ignored;

	if (old->legacy || stage_find(m, old->name, &stage, &ignored) < 0 || stage == STAGE_ASLEEP)
		return;
	if (stage == STAGE_WAKING)
		note_print("'%s' is waking: ends this start, and waits until its container has stopped, for %llus at "
			   "most",
			   old->name, stop);
	else
		note_print("'%s' %s: waits until its open connections have ended, for %s at most (--drain-timeout), "
			   "and its container has stopped, for %llus at most",
			   old->name, stage_words(stage),
			   old->drain_timeout ? old->drain_timeout : DEFAULT_DRAIN_TIMEOUT_TEXT, stop);
}

/* The drop-in first: then the manager loads it together with the units, and its effect can be checked. */
static int install_all(struct manager *m, const char *directory, const struct create_request *r,
		       const struct instance *old, const char *drop_in, struct error *err)
{
	const struct instance *i = &r->instance;
	_cleanup_free_ char *before = NULL;
	struct error ignored;

	if (old && !is_successor(r, old))
		note_wait(m, old);
	if (create_unit_apply_drop_in(m, i, drop_in, &before, err) < 0)
		return -1;
	if ((is_successor(r, old) ? refresh_install(m, directory, old, i, err)
				  : install_write(m, directory, i, old && old->legacy, err)) < 0) {
		create_unit_revert_drop_in(m, i, before);
		return -1;
	}
	if (old && old->drop_in && (!i->drop_in || strcmp(old->drop_in, i->drop_in) != 0)) {
		(void)drop_in_remove(old->drop_in, &ignored);
		(void)manager_reload(m, &ignored);
	}
	return 0;
}

static int check_free(struct manager *m, const char *directory, const char *name, struct error *err)
{
	return store_check_owner(directory, name, err) < 0 ? -1 : install_check_name(m, directory, name, err);
}

/* Compares with the existing instance, if this request need not do anything for the same one. */
static int compare(const struct create_request *r, const char *directory, const struct stored *old, enum outcome *ret,
		   struct error *err)
{
	_cleanup_free_ char *one = instance_to_json(&r->instance);
	_cleanup_free_ char *other = old && !old->problem ? instance_to_json(&old->instance) : NULL;
	bool current;

	*ret = old ? OUTCOME_REPLACED : OUTCOME_CREATED;
	if (!one || (old && !old->problem && !other))
		return error_errno(err, ENOMEM, "cannot compare instances");
	if (!other || strcmp(one, other) != 0 || !(r->instance.adopted || r->changes))
		return 0;
	if (store_is_current(directory, &r->instance, &current, err) < 0)
		return -1;
	*ret = current ? OUTCOME_UNCHANGED : OUTCOME_REFRESHED;
	return 0;
}

/* Within its schedule the instance wakes at once, not only in the timer's next minute. A running container gets its
 * idle timeout; otherwise it would never sleep. Does not wait: status shows the result. */
static void warm_up(struct manager *m, const struct instance *i, struct engine *engine, bool ran)
{
	_cleanup_container_ struct container now = {};
	char unit[UNIT_NAME_MAX];
	struct error ignored;
	enum stage stage;

	if (stage_find(m, i->name, &stage, &ignored) == 0 && stage != STAGE_ASLEEP) /* one that was changed */
		return;
	engine->deadline = now_usec() + ENGINE_TIMEOUT;
	/* A container that the replaced instance had woken sleeps by now. */
	if (engine->backend->inspect(engine, i->container_name, &now, &ignored) == 0 &&
	    unattended_start_if(m, i, now.state))
		note_print("the container '%s' runs already: it sleeps when nobody has used it for --idle-timeout",
			   i->container_name);
	else if (schedule_is_on(i))
		(void)manager_start(m, unit_name(i->name, SERVICE_SUFFIX, unit), 0, &ignored);
	else if (ran && now.state != CONTAINER_RUNNING)
		note_print("the container '%s', which ran, was put to sleep with the instance that was replaced",
			   i->container_name);
}

/* A person who creates an instance accepts the container's volumes; labels that request it again do not. */
static void remember(const struct create_request *r, struct manager *m, const struct subject *subject,
		     const struct instance *before, const struct stored_list *all)
{
	const struct instance *i = &r->instance;

	if (before && (before->backend != i->backend || strcmp(before->container_name, i->container_name) != 0))
		keep_forget(before, all);
	/* An instance that replaces one of the same container does not accept other volumes. */
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

/* What nobody needs to read each time that labels are applied again. */
static void note_news(const struct create_request *r, struct engine *engine)
{
	advice_note_name(r);
	dependencies_note_running(&r->instance, engine);
}

/* A unit that came later than the instance, of which install_check_name() does not know: ours hides it. */
static void note_hidden(struct manager *m, const char *directory, const struct instance *i)
{
	struct hidden hidden;
	struct error ignored;
	char text[HIDDEN_MAX];

	if (hidden_find(m, directory, &i, 1, &hidden, &ignored) < 0 || !hidden.path[0])
		return;
	warning_describe_hidden(i, hidden.path, text);
	note_print("'%s': %s", i->name, text);
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

	if (programs_check(err) < 0 || (!r->name_assumed && check_free(m, directory, i->name, err) < 0) ||
	    (r->to_make.image && prepare_container(r, m, all, &made, err) < 0) ||
	    instance_open_engine(i, ENGINE_TIMEOUT, &engine, err) < 0 ||
	    (!r->to_make.image && !i->unit && !r->dry_run && replaced_settle(engine, i->container_name, err) < 0) ||
	    subject_find(r, m, engine, &subject, err) < 0)
		return -1;
	i->made_container |= made_is(i, &subject);
	old = find(all, i->name);
	before = old && !old->problem ? &old->instance : NULL;
	if (check_old(r, old, err) < 0 || check_free(m, directory, i->name, err) < 0 ||
	    create_check_fit_container(r, engine, &subject, err) < 0 ||
	    (subject.exists && create_view_check(engine, &subject.container, i->health_check, err) < 0) ||
	    dependencies_resolve(r, m, engine, &subject, err) < 0 ||
	    create_unit_fit(r, before, &subject.run_by, &drop_in, err) < 0 || compare(r, directory, old, ret, err) < 0)
		return -1;
	if (*ret == OUTCOME_UNCHANGED)
		return 0;
	if (create_check_ports(i, all, old ? &old->instance : NULL, r->freed, err) < 0)
		return -1;
	if (i->adopted && !old)
		note_news(r, engine);
	note_hidden(m, directory, i);
	if (r->dry_run)
		return 0;
	if (install_all(m, directory, r, before, drop_in, err) < 0)
		return -1;
	made_keep(r, &made);
	if (before)
		made_leave(before, i, m);
	if (old)
		leftovers_sweep_locks(i->scope, directory);
	remember(r, m, &subject, before, all);
	warm_up(m, i, engine, before && subject.exists && subject.container.state == CONTAINER_RUNNING);
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
