#include "control/wake.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "common/path.h"
#include "control/install.h"
#include "control/instance_engine.h"
#include "control/note.h"
#include "control/programs.h"
#include "control/stage.h"
#include "control/units_lock.h"
#include "handover/channel.h"
#include "handover/start_limit.h"
#include "handover/stats.h"
#include "units/log_command.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/query.h"

#define MARGIN	  (60 * USEC_PER_SEC)
#define POLL_MSEC 50

/* By then the keeper has said what takes so long. */
#define NOTE_AFTER USEC_PER_SEC

static uint64_t startup_timeout(const struct stored *s)
{
	struct error ignored;
	uint64_t usec;

	return s->problem || parse_duration("", s->instance.startup_timeout, &usec, &ignored) < 0 ? USEC_INFINITY
												  : usec;
}

/* The keeper limits the start; this limit is for a manager that does not answer. */
static uint64_t patience(const struct stored *s)
{
	return time_after(start_limit(startup_timeout(s)), MARGIN);
}

/* Does the instance, or a part of its units, no longer exist because another command removes it? */
static bool explain_removal(enum scope scope, const struct stored *s, struct error *err)
{
	char directory[PATH_MAX], file[UNIT_NAME_MAX], path[PATH_MAX], holder[96];
	_cleanup_stored_ struct stored now = {};
	const char *name = s->instance.name;
	struct error why;

	if (s->instance.legacy || unit_directory(scope, directory, &why) < 0 ||
	    path_join(directory, unit_name(name, SERVICE_SUFFIX, file), path, &why) < 0)
		return false;
	if (store_read(directory, name, &now, &why) < 0 && why.code == ENOENT)
		error_set(err, ENOENT, "'%s' did not wake: it has been removed meanwhile", name);
	else if (access(path, F_OK) < 0 && units_lock_find_holder(scope, directory, holder, sizeof(holder)))
		error_set(err, EBUSY, "'%s' did not wake: %s is changing its units; try again when it has ended", name,
			  holder);
	else
		return false;
	return true;
}

/* Waits as long as a client would. Then notes what takes so long, and waits for the end of the start. A second start
 * request joins the first. */
static int start_patiently(struct manager *m, const struct stored *s, const char *unit, struct error *err)
{
	uint64_t first = startup_timeout(s);
	struct unit_state state = {};
	struct error ignored;

	if (first == USEC_INFINITY)
		return manager_start(m, unit, first, err);
	if (manager_start(m, unit, first + NOTE_AFTER, err) == 0)
		return 0;
	if (!error_forgive(err, ETIMEDOUT))
		return -1;
	if (manager_examine(m, &unit, 1, &state, &ignored) == 0 &&
	    strncmp(state.status_text, STATUS_STILL_STARTING, strlen(STATUS_STILL_STARTING)) == 0)
		note_print("%s", state.status_text);
	unit_states_clear(&state, 1);
	return manager_start(m, unit, patience(s), err);
}

/* Explains a start that did not even begin. */
static void explain_needs(struct manager *m, const struct stored *s, const char *unit, struct error *err)
{
	struct error before = *err;

	install_explain_socket(m, &s->instance, err); /* the service needs the socket */
	if (strcmp(err->text, before.text) != 0)
		return;
	if (manager_was_overruled(m))
		error_set(err, ECANCELED, "'%s' did not wake: it was put to sleep meanwhile", s->instance.name);
	else
		error_set(err, EREMOTEIO, "%.800s; '%s %s' has the whole story", before.text,
			  journal_command(s->instance.scope), unit);
}

/* Gives the reason why the service failed, instead of the failure of its job. */
static void explain(struct manager *m, enum scope scope, const struct stored *s, const char *unit,
		    const struct unit_state *state, struct error *err)
{
	_cleanup_programs_ struct programs programs = {};
	char directory[PATH_MAX], reason[UNIT_REASON_MAX] = "";
	struct error ignored;

	if (!s->problem && unit_directory(scope, directory, &ignored) == 0)
		programs_describe_units(&programs, directory, &s->instance, reason, sizeof(reason));
	if (reason[0]) {
		error_set(err, EREMOTEIO, "'%s' did not wake: %s", s->instance.name, reason);
		return;
	}
	unit_reason(state, reason);
	if (reason[0])
		error_set(err, EREMOTEIO, "'%s' did not wake: %s; '%s %s' has the whole story", s->instance.name,
			  reason, journal_command(scope), unit);
	else if (!s->problem)
		explain_needs(m, s, unit, err);
}

/* Does an error, rather than a slow stop, delay the sleep of the container? */
static bool is_in_trouble(const struct unit_state *s)
{
	return strncmp(s->status_text, STATUS_NOT_ASLEEP, strlen(STATUS_NOT_ASLEEP)) == 0;
}

/* Waits for the end of a service that goes to sleep, or stops after a failed wake. systemd limits that time. */
static int await_end(struct manager *m, const struct stored *s, const char *unit, struct unit_state *ret,
		     struct error *err)
{
	const char *name = s->instance.name;
	uint64_t begin = now_usec(), note = startup_timeout(s), limit = patience(s);

	for (;;) {
		uint64_t passed = now_usec() - begin;

		unit_states_clear(ret, 1);
		if (manager_examine(m, &unit, 1, ret, err) < 0)
			return -1;
		if (strcmp(ret->active_state, "deactivating") != 0)
			return 0;
		if (passed > limit || (passed > note && is_in_trouble(ret)))
			return error_set(err, EREMOTEIO,
					 "'%s' did not wake, for it is still being put to sleep (%.400s): try again "
					 "when 'sockwake status %s' shows that it sleeps",
					 name, ret->status_text, name);
		if (passed > note) {
			note_print("'%s' is still being put to sleep: %s", name, ret->status_text);
			note = USEC_INFINITY;
		}
		(void)poll(NULL, 0, POLL_MSEC);
	}
}

/* Did the failed start begin before this command, which only joined it? It may have been lost already: systemd keeps a
 * start job until the service has stopped after the failure, and new start requests join that job. A start that
 * somebody has stopped did not fail. */
static bool was_joined(const struct unit_state *before, const struct unit_state *after)
{
	return strcmp(before->active_state, "activating") == 0 && before->main_start == after->main_start &&
	       strcmp(after->result, "success") != 0;
}

/* Why a start has failed. 1: it was an earlier one, which this one had joined. */
static int explain_start(struct manager *m, enum scope scope, const struct stored *s, const char *unit,
			 const struct unit_state *before, struct error *err)
{
	struct unit_state after = {};
	struct error ignored;
	int r = -1;

	if (explain_removal(scope, s, err))
		return -1;
	if (err->code == ENOENT)
		error_set(err, ENOENT,
			  "the service manager does not know %s: 'sockwake refresh %s' has it read the unit", unit,
			  s->instance.name);
	if (err->code == EREMOTEIO && strcmp(before->active_state, "deactivating") != 0 &&
	    manager_examine(m, &unit, 1, &after, &ignored) == 0) {
		explain(m, scope, s, unit, &after, err);
		r = was_joined(before, &after) ? 1 : -1;
	}
	unit_states_clear(&after, 1);
	return r;
}

static int try_start(struct manager *m, enum scope scope, const struct stored *s, const char *unit, struct error *err)
{
	struct unit_state before = {};
	int r = await_end(m, s, unit, &before, err);

	if (r == 0)
		r = start_patiently(m, s, unit, err);
	if (r < 0)
		r = explain_start(m, scope, s, unit, &before, err);
	unit_states_clear(&before, 1);
	return r;
}

/* 0 before its first wake, or if unknown. */
static uint64_t count_wakes(enum scope scope, const struct stored *s, bool *ret_awake)
{
	char directory[PATH_MAX], path[PATH_MAX], file[UNIT_NAME_MAX];
	struct stats stats;
	struct error ignored;

	*ret_awake = true;
	if (runtime_directory_find(scope, directory, &ignored) < 0 ||
	    path_join(directory, unit_name(s->instance.name, ".stats", file), path, &ignored) < 0 ||
	    stats_read(path, &stats, &ignored) < 0)
		return 0;
	*ret_awake = stats.flags & STATS_AWAKE;
	return stats.wakes;
}

/* How many times the instance may turn a client away just when it should wake. */
#define START_TRIES 20

/* The start may join that of a client that may not wake the instance: then the service has ended without an error, and
 * the container sleeps. */
static int start(struct manager *m, enum scope scope, const struct stored *s, struct error *err)
{
	char unit[UNIT_NAME_MAX];
	bool awake;

	unit_name(s->instance.name, s->instance.legacy ? LEGACY_SUFFIX : SERVICE_SUFFIX, unit);
	for (int k = 0; k < START_TRIES; k++) {
		uint64_t before = count_wakes(scope, s, &awake);
		int r = try_start(m, scope, s, unit, err);

		if (r > 0) {
			error_clear(err);
			r = try_start(m, scope, s, unit, err);
		}
		if (r != 0)
			return -1;
		if (count_wakes(scope, s, &awake) > before || awake)
			return 0;
		(void)poll(NULL, 0, POLL_MSEC);
	}
	return error_set(err, EBUSY, "'%s' is not awake: clients who may not wake it come too often; try again",
			 s->instance.name);
}

/* How many times the instance may fall asleep before the hold takes effect. */
#define HOLD_TRIES 5

/* A hold counts only if it is still there after a start: an instance that was about to sleep forgets it. */
static int start_and_hold(struct manager *m, enum scope scope, const struct stored *s, uint64_t until,
			  struct error *err)
{
	char directory[PATH_MAX], path[PATH_MAX], file[UNIT_NAME_MAX];
	struct stats stats;

	if (runtime_directory_find(scope, directory, err) < 0 ||
	    path_join(directory, unit_name(s->instance.name, ".stats", file), path, err) < 0)
		return -1;
	for (int k = 0; k < HOLD_TRIES; k++) {
		if (start(m, scope, s, err) < 0)
			return -1;
		if (stats_read(path, &stats, err) < 0)
			return error_context(err, "'%s' is awake and cannot be held so (is there room in '%s'?)",
					     s->instance.name, directory);
		if (stats.held_until >= until)
			return 0;
		if (stats_hold(path, until, err) < 0)
			return -1;
	}
	return error_set(err, EBUSY, "'%s' falls asleep again and again: '%s %s.service' says why", s->instance.name,
			 journal_command(scope), s->instance.name);
}

/* Whoever closed it did not mean clients to come. */
static bool socket_is_stopped(struct manager *m, const struct stored *s)
{
	char unit[UNIT_NAME_MAX];
	const char *name = unit_name(s->instance.name, SOCKET_SUFFIX, unit);
	struct unit_state state = {};
	struct error ignored;
	bool stopped = manager_query(m, &name, 1, &state, &ignored) == 0 && strcmp(state.load_state, "loaded") == 0 &&
		       strcmp(state.active_state, "inactive") == 0;

	unit_states_clear(&state, 1);
	return stopped;
}

int wake_instance(enum scope scope, const struct stored *s, uint64_t hold, struct woken *ret, struct error *err)
{
	_cleanup_manager_ struct manager *m = NULL;
	uint64_t began = now_usec(), wakes;
	enum stage before;
	bool ignored, stopped;
	int r;

	if (hold && s->instance.legacy)
		return error_set(err, EINVAL,
				 "'%s' was made by the original tool, which cannot hold it awake: 'sockwake create "
				 "--force' takes it over",
				 s->instance.name);
	if (manager_connect(scope, &m, err) < 0 || stage_find(m, s->instance.name, &before, err) < 0)
		return -1;
	/* A wake would wait for the engine as long as a client does, and then the next one, and so on. */
	if (before == STAGE_ASLEEP && !s->problem && !s->instance.legacy && !s->instance.unit &&
	    instance_engine_check(&s->instance, err) < 0)
		return error_context(err, "'%s' is not woken", s->instance.name);
	stopped = socket_is_stopped(m, s);
	wakes = count_wakes(scope, s, &ignored);
	r = hold ? start_and_hold(m, scope, s, wall_usec() + hold, err) : start(m, scope, s, err);
	if (r == 0 && stopped)
		note_print("the socket of '%s', which was stopped, is open again: 'systemctl %sstop %s" SOCKET_SUFFIX
			   "' closes it",
			   s->instance.name, scope == SCOPE_USER ? "--user " : "", s->instance.name);
	*ret = (struct woken){
		.was_awake = before == STAGE_AWAKE && count_wakes(scope, s, &ignored) <= wakes,
		.took = now_usec() - began,
	};
	return r;
}
