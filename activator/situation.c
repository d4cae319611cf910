#include "activator/situation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/lock.h"

static unsigned circumstances(const struct options *o)
{
	return (o->keep_running ? CIRCUMSTANCE_KEEP_RUNNING : 0U) | (o->idle_pause ? CIRCUMSTANCE_PAUSES : 0U) |
	       (o->by_label ? CIRCUMSTANCE_LABEL : 0U) | (o->job ? CIRCUMSTANCE_JOB : 0U);
}

static enum condition condition_of_container(const struct container *c)
{
	switch (c->state) {
	case CONTAINER_RUNNING:
		return CONDITION_RUNNING;
	case CONTAINER_PAUSED:
		return CONDITION_PAUSED;
	case CONTAINER_RESTARTING:
	case CONTAINER_UNKNOWN: /* a state of a future engine: better stopped than left up */
		return CONDITION_RESTARTING;
	case CONTAINER_STOPPING:
	case CONTAINER_REMOVING:
		return CONDITION_IN_HAND;
	default:
		return CONDITION_OFF;
	}
}

/* A run that the restart policy has begun continues the previous run: nobody has requested it. */
static bool is_continued(const struct container *c, int lock_fd, bool own)
{
	return c->restarts > 0 && lock_is_run_of(lock_fd, c->id, own);
}

bool container_is_own(const struct container *c, int lock_fd)
{
	return lock_is_own_run(lock_fd, c) || lock_holds(lock_fd, RUN_STARTING) || lock_holds(lock_fd, RUN_STARTED) ||
	       is_continued(c, lock_fd, true);
}

/* Without a record, nothing shows that somebody restarted it. */
static enum run run_of_container(const struct container *c, int lock_fd)
{
	char id[sizeof(c->id)];

	if (container_is_own(c, lock_fd))
		return RUN_OURS;
	if (lock_is_found_run(lock_fd, c) || is_continued(c, lock_fd, false) || !lock_read_id(lock_fd, id) ||
	    lock_is_asleep(lock_fd))
		return RUN_FOUND;
	return RUN_OTHERS;
}

bool container_is_in_between(const struct error *err)
{
	return err->code == ENOENT || err->code == EREMOTEIO;
}

struct situation situation_of_container(const struct options *o, enum event event, const struct container *c,
					int lock_fd)
{
	struct situation s = {.event = event, .run = RUN_FOUND, .circumstances = circumstances(o)};

	if (!c)
		return s;
	s.condition = condition_of_container(c);
	if (c->auto_remove && !o->idle_pause)
		s.circumstances |= CIRCUMSTANCE_EPHEMERAL;
	if (s.condition != CONDITION_OFF)
		s.run = run_of_container(c, lock_fd);
	return s;
}

bool container_may_restart(const struct container *c)
{
	const char *policy = c->restart_policy;

	return strcmp(policy, "always") == 0 || strcmp(policy, "unless-stopped") == 0 ||
	       (strncmp(policy, "on-failure", strlen("on-failure")) == 0 && c->exit_code != 0);
}

bool container_may_come_back(const struct container *c)
{
	return container_may_restart(c) || c->exit_code == 0 || c->exit_code > 128;
}

/* An invocation has 32 digits: shorter than any container's identifier. */
static const char *run_text(const struct unit_view *v, bool own, char ret[static RUN_TEXT_MAX])
{
	snprintf(ret, RUN_TEXT_MAX, "%s %s", own ? "own" : "found", v->invocation);
	return ret;
}

static bool is_recorded(int lock_fd, const struct unit_view *v, bool own)
{
	char text[RUN_TEXT_MAX];

	return lock_holds(lock_fd, run_text(v, own, text));
}

/* A run that systemd itself has restarted continues the previous run: nobody has requested it. */
bool unit_is_own(int lock_fd, const struct unit_view *v)
{
	static const char own[] = "own ";
	char text[RUN_TEXT_MAX];

	if (is_recorded(lock_fd, v, true))
		return true;
	lock_read(lock_fd, text);
	return v->restarts > 0 && strncmp(text, own, sizeof(own) - 1) == 0;
}

void unit_record(int lock_fd, const struct unit_view *v, bool own)
{
	char text[RUN_TEXT_MAX];

	lock_record(lock_fd, run_text(v, own, text));
}

static bool is_up(const struct unit_view *v)
{
	return strcmp(v->active, "inactive") != 0 && strcmp(v->active, "failed") != 0;
}

/* A run that systemd itself has restarted belongs to nobody, unless the previous one was ours: it must not keep an
 * unused container awake. */
static enum run run_of_unit(const struct unit_view *v, int lock_fd)
{
	char text[RUN_TEXT_MAX];

	if (unit_is_restarting(v) || lock_holds(lock_fd, RUN_STARTING) || unit_is_own(lock_fd, v))
		return RUN_OURS;
	lock_read(lock_fd, text);
	if (is_recorded(lock_fd, v, false) || v->restarts > 0 || !text[0])
		return RUN_FOUND;
	return RUN_OTHERS;
}

struct situation situation_of_unit(const struct options *o, enum event event, const struct unit_view *v, int lock_fd)
{
	struct situation s = {.event = event, .run = RUN_FOUND, .circumstances = circumstances(o)};
	bool ours = lock_holds(lock_fd, RUN_STARTING); /* and so may the job be */

	if (unit_is_restarting(v))
		s.condition = CONDITION_RESTARTING;
	else if (v->job && !ours)
		s.condition = CONDITION_IN_HAND;
	else if (is_up(v) || v->job)
		s.condition = CONDITION_RUNNING;
	else
		s.condition = CONDITION_OFF;
	if (s.condition != CONDITION_OFF)
		s.run = run_of_unit(v, lock_fd);
	return s;
}
