#include "activator/unit_needs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/log.h"
#include "common/path.h"
#include "lifecycle/lock.h"
#include "units/paths.h"

#define SUFFIX		".needed"
#define RECORD_NAME_MAX (UNIT_NAME_MAX + sizeof(SUFFIX))
#define RECORD_MAX	64
#define RECORD_MODE	0600

static const struct need *find(const struct needs *needs, const char *name)
{
	for (size_t k = 0; k < needs->n; k++) {
		if (strcmp(needs->items[k].name, name) == 0)
			return &needs->items[k];
	}
	return NULL;
}

static struct need *add(struct needs *needs, const char *name)
{
	struct need *one = &needs->items[needs->n];

	if (needs->n == NEEDS_MAX || strlen(name) >= sizeof(one->name) || find(needs, name))
		return NULL;
	needs->n++;
	*one = (struct need){};
	strcpy(one->name, name);
	return one;
}

static int record_path(const struct options *o, const char *name, char ret[static PATH_MAX], struct error *err)
{
	char file[RECORD_NAME_MAX];

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	return runtime_file(o->scope, file, ret, err);
}

/* A service that cannot be recorded is forgotten: it stays up. */
static void write_record(const struct options *o, const struct need *one)
{
	struct error ignored;
	char path[PATH_MAX];

	if (record_path(o, one->name, path, &ignored) == 0)
		(void)file_write_atomic(path, one->invocation, strlen(one->invocation), RECORD_MODE, &ignored);
}

static void remove_record(const struct options *o, const char *name)
{
	struct error ignored;
	char path[PATH_MAX];

	if (record_path(o, name, path, &ignored) == 0)
		(void)unlink(path);
}

static bool is_service(const char *name)
{
	size_t len = strlen(name), end = strlen(SERVICE_SUFFIX);

	return len > end && strcmp(name + len - end, SERVICE_SUFFIX) == 0;
}

static void add_service(void *data, const char *name)
{
	if (is_service(name))
		(void)add(data, name);
}

static bool is_down(struct unit *u, const char *name)
{
	struct error ignored;
	char state[16];

	return unit_state(u, name, state, &ignored) == 0 &&
	       (strcmp(state, "inactive") == 0 || strcmp(state, "failed") == 0);
}

/* Adds the services that this one brings up. */
static void expand(struct unit *u, const char *name, const char *root, struct needs *ret)
{
	static const char *const properties[] = {"Requires", "BindsTo", "Wants"};
	struct needs found = {};
	struct error ignored;

	for (size_t k = 0; k < sizeof(properties) / sizeof(*properties); k++)
		(void)unit_each(u, name, properties[k], add_service, &found, &ignored);
	for (size_t k = 0; k < found.n; k++) {
		const char *one = found.items[k].name;

		if (strcmp(one, root) != 0 && !find(ret, one) && is_down(u, one))
			(void)add(ret, one);
	}
}

/* Collects the services that the start brings up, and those that they bring up. */
void unit_needs_find(struct unit *u, const char *unit, struct needs *ret)
{
	*ret = (struct needs){};
	expand(u, unit, unit, ret);
	for (size_t k = 0; k < ret->n; k++)
		expand(u, ret->items[k].name, unit, ret);
}

void unit_needs_before(struct unit *u, const struct options *o, struct needs *ret)
{
	unit_needs_find(u, o->unit, ret);
	for (size_t k = 0; k < ret->n; k++)
		write_record(o, &ret->items[k]);
}

void unit_needs_after(struct unit *u, const struct options *o, struct needs *needs)
{
	struct error ignored;
	struct unit_view v;

	for (size_t k = 0; k < needs->n; k++) {
		struct need *one = &needs->items[k];

		if (unit_look_at(u, one->name, &v, &ignored) < 0)
			continue;
		strcpy(one->invocation, v.invocation);
		write_record(o, one);
	}
}

/* Does it run, and is it still the run that a wake has brought up? */
static bool is_ours(struct unit *u, const struct need *one)
{
	struct error ignored;
	struct unit_view v;

	if (unit_look_at(u, one->name, &v, &ignored) < 0 || strcmp(v.active, "inactive") == 0 ||
	    strcmp(v.active, "failed") == 0 || strcmp(v.sub, "exited") == 0)
		return false;
	return !one->invocation[0] || strcmp(one->invocation, v.invocation) == 0 || v.restarts > 0;
}

/* "SERVICE.needed" → SERVICE, cut off in place. */
static bool is_record(char *file)
{
	size_t len = strlen(file), end = strlen(SUFFIX);

	if (len <= end || strcmp(file + len - end, SUFFIX) != 0)
		return false;
	file[len - end] = '\0';
	return is_service(file);
}

static void read_record(int directory, const char *name, struct needs *ret)
{
	_cleanup_free_ char *text = NULL;
	char file[RECORD_NAME_MAX];
	struct need *one = add(ret, name);
	struct error ignored;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	if (one && file_read(directory, file, RECORD_MAX, &text, NULL, &ignored) == 0)
		snprintf(one->invocation, sizeof(one->invocation), "%s", text);
}

/* Reads the records that are still true. */
static int read_records(struct unit *u, const struct options *o, struct needs *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = NULL;
	char directory[PATH_MAX];
	struct dirent *entry;

	if (runtime_directory(o->scope, directory, err) < 0)
		return -1;
	dir = opendir(directory);
	while (dir && (entry = readdir(dir))) {
		if (is_record(entry->d_name))
			read_record(dirfd(dir), entry->d_name, ret);
	}
	for (size_t k = 0; k < ret->n;) {
		if (is_ours(u, &ret->items[k])) {
			k++;
			continue;
		}
		remove_record(o, ret->items[k].name);
		ret->items[k] = ret->items[--ret->n];
	}
	return 0;
}

/* The question whether somebody needs one of them. */
struct inquiry {
	struct unit *unit;
	const struct needs *needs;
	bool needed;
};

static void ask(void *data, const char *name)
{
	struct inquiry *i = data;
	const struct need *among = find(i->needs, name);

	if (!i->needed && (!among || among->stays))
		i->needed = !is_down(i->unit, name) || unit_has_job(i->unit, name);
}

/* The properties that name the units that need a unit; those that require it come first. */
static const char *const inverses[] = {"RequiredBy", "RequisiteOf", "BoundBy", "WantedBy", "UpheldBy"};
#define N_INVERSES  (sizeof(inverses) / sizeof(*inverses))
#define N_REQUIRING 3

static bool is_needed_by(struct unit *u, const struct needs *needs, const char *name, size_t n_inverses)
{
	struct inquiry i = {u, needs, false};
	struct error ignored;

	for (size_t k = 0; k < n_inverses && !i.needed; k++)
		(void)unit_each(u, name, inverses[k], ask, &i, &ignored);
	return i.needed;
}

static bool is_needed(struct unit *u, const struct needs *needs, const char *name)
{
	return is_needed_by(u, needs, name, N_INVERSES);
}

bool unit_needs_is_required(struct unit *u, const char *name)
{
	static const struct needs none;

	return is_needed_by(u, &none, name, N_REQUIRING);
}

/* Services may need one another, even in a circle (a pod and its containers): so repeat until no further service must
 * stay. */
static void find_needed(struct unit *u, struct needs *needs)
{
	bool changed;

	do {
		changed = false;
		for (size_t k = 0; k < needs->n; k++) {
			struct need *one = &needs->items[k];

			if (!one->stays && is_needed(u, needs, one->name))
				changed = one->stays = true;
		}
	} while (changed);
}

/* The container of the service, according to its label; NULL for none. */
static const char *container_of(const struct container_list *list, const char *service)
{
	for (size_t k = 0; k < list->n; k++) {
		const char *label = container_label(&list->items[k], UNIT_LABEL);

		if (label && strcmp(label, service) == 0)
			return list->items[k].name;
	}
	return NULL;
}

/* Excludes services that do not run a container, and those whose container another instance uses; locks the others. */
static int choose(struct unit *u, struct engine *e, const struct options *o, struct needs *needs,
		  struct container_lock locks[static NEEDS_MAX], struct error *err)
{
	_cleanup_container_list_ struct container_list list = {};
	char directory[PATH_MAX], named[LOCK_NAME_MAX];

	if (runtime_directory(o->scope, directory, err) < 0 || e->backend->list(e, &list, err) < 0)
		return -1;
	for (size_t k = 0; k < needs->n; k++) {
		struct need *one = &needs->items[k];
		const char *container = container_of(&list, one->name);

		one->stays = !container && !unit_is_quadlet(u, one->name);
		if (!container)
			continue;
		lock_name(o->backend, e->socket, container, named);
		if (container_lock_exclusive(&locks[k], directory, named, one->name, 0, err) < 0) {
			if (!error_forgive(err, EWOULDBLOCK))
				return -1;
			one->stays = true;
		}
	}
	return 0;
}

static int stop_one(const struct options *o, const char *service, int lock_fd, struct error *err)
{
	_cleanup_unit_ struct unit *u = NULL;

	if (unit_open(o->scope, service, &u, err) < 0 || unit_stop(u, USEC_INFINITY, NULL, err) < 0)
		return -1;
	lock_record(lock_fd, "");
	remove_record(o, service);
	log_line(LOG_INFO, "the unit '%s', which was started for others, was stopped, too", service);
	return 0;
}

static int stop_chosen(const struct options *o, const struct needs *needs, const struct container_lock *locks,
		       struct error *err)
{
	struct error failure;
	int r = 0;

	for (size_t k = 0; k < needs->n; k++) {
		if (!needs->items[k].stays &&
		    stop_one(o, needs->items[k].name, locks[k].named, r < 0 ? &failure : err) < 0)
			r = -1;
	}
	return r;
}

int unit_needs_stop(struct unit *u, struct engine *e, const struct options *o, struct error *err)
{
	struct needs needs = {};
	struct container_lock locks[NEEDS_MAX];
	int r;

	if (read_records(u, o, &needs, err) < 0)
		return -1;
	if (needs.n == 0)
		return 0;
	for (size_t k = 0; k < NEEDS_MAX; k++)
		locks[k] = NO_CONTAINER_LOCK;
	r = choose(u, e, o, &needs, locks, err);
	if (r < 0) {
		log_line(LOG_INFO, "what was started for '%s' stays up: %s", o->unit, err->text);
		r = error_clear(err);
	} else {
		find_needed(u, &needs);
		r = stop_chosen(o, &needs, locks, err);
	}
	for (size_t k = 0; k < NEEDS_MAX; k++)
		container_lock_release(&locks[k]);
	return r;
}
