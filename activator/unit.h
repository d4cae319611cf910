/* A container unit (Quadlet's, for example), as its service manager sees it.
 *
 * Connects to the manager's own socket, as systemctl(1) does: that needs no message bus. Errors: ENOENT: there is no
 * such unit; ENOTCONN: the manager cannot be reached; ETIMEDOUT; ECHILD: the unit failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "instance/scope.h"
#include "units/exec_command.h"

struct unit;

/* Is the system, or the user's session, shutting down? True also if the manager cannot be reached for some seconds. */
bool manager_is_stopping(enum scope scope);

/* *ret belongs to the caller; name must live as long. */
int unit_open(enum scope scope, const char *name, struct unit **ret, struct error *err);

/* What it runs, for the sentence that says why it failed; belongs to the caller. */
void unit_runs(struct unit *u, const char *container);
void unit_close(struct unit **u);
#define _cleanup_unit_ _cleanup_(unit_close)

/* org.freedesktop.systemd1(5), "Properties" of units and services. A unit that is not loaded is inactive. */
#define INVOCATION_MAX 33
/* However it is noticed that a container ended: its name, its status, the command that shows its log. */
#define ENDED_EARLY "the container '%s' ended with status %d before it was ready: '%s' may say why"

struct unit_view {
	char active[16];		 /* "active", "activating", "failed", … */
	char sub[32];			 /* "running", "auto-restart", … */
	char result[32];		 /* of the last run: "success", "exit-code", "start-limit-hit", … */
	char invocation[INVOCATION_MAX]; /* of the current or last run, in hexadecimal; "" for none */
	uint32_t main_pid;		 /* 0 if there is none */
	uint32_t restarts;		 /* automatic ones since somebody last started it */
	uint32_t job;			 /* the number of the job that somebody requested, 0 for none */
	int32_t main_code, main_status;	 /* how the last main process ended, as waitid(2) */
};
int unit_look(struct unit *u, struct unit_view *ret, struct error *err);

bool unit_is_active(const struct unit_view *v);

/* Will it restart by itself (Restart=)? */
bool unit_is_restarting(const struct unit_view *v);

/* What to do during a job that takes longer than most: `look` is called, and again after the number of microseconds
 * that it returns. */
struct meanwhile {
	uint64_t (*look)(struct unit *u, void *data);
	void *data;
};

/* Starts the unit, last seen as `before`, and waits for the job until the deadline (CLOCK_MONOTONIC microseconds). A
 * unit that is active already is success. m may be NULL. */
int unit_start(struct unit *u, const struct unit_view *before, uint64_t deadline, const struct meanwhile *m,
	       struct error *err);

/* Was the last start given up because a unit that it needs did not start? */
bool unit_lacks_dependency(const struct unit *u);

/* Requests its start, after a stop that is under way, and does not wait. */
int unit_start_later(struct unit *u, struct error *err);

/* Cancels the start that another function awaits, which then fails; or that of another service, which it brings up. */
void unit_give_up(struct unit *u, const char *name);

/* Stops it, whatever its Restart= says, and resets the count of its starts: sleeping must not use up its start limit.
 * One that is not active is success. m may be NULL. */
int unit_stop(struct unit *u, uint64_t deadline, const struct meanwhile *m, struct error *err);

/* The unit whose job must end before this unit's job begins. False: there is none, or the manager does not tell. */
#define UNIT_NAME_TEXT_MAX 256
bool unit_waits_for(struct unit *u, char ret[static UNIT_NAME_TEXT_MAX]);

/* Is it being stopped, at somebody's request? False if the manager does not tell. */
bool unit_is_being_stopped(struct unit *u);

/* The same for another service, over the same connection; for any unit, its ActiveState, and whether it has a job. */
int unit_look_at(struct unit *u, const char *name, struct unit_view *ret, struct error *err);
int unit_state(struct unit *u, const char *name, char ret[static 16], struct error *err);
bool unit_has_job(struct unit *u, const char *name);

/* Has Podman's generator created it, for a container, a pod or a Kubernetes file? */
bool unit_is_quadlet(struct unit *u, const char *name);

/* … for a container? */
bool unit_is_container_quadlet(struct unit *u, const char *name);

/* Does Podman label the containers that it makes with its name? Those of a .container or a .kube file, and of a unit that
 * `podman generate systemd --new` has written. All of them replace whatever container has the name. */
bool unit_labels_containers(struct unit *u, const char *name);

/* The same for a pod: does Podman label all that is in it? */
bool unit_labels_pods(struct unit *u, const char *name);

/* Its commands, as exec_command_each(). */
int unit_each_command(struct unit *u, const char *name, const char *property, exec_command_taker take, void *data,
		      struct error *err);

/* Was its file removed while it ran? Then the manager no longer knows how to stop it, and only kills. */
bool unit_has_lost_its_file(struct unit *u, const char *name);

/* Calls `visit` for each name in a property of a unit that is a list of units ("Requires", "WantedBy", …). */
typedef void (*unit_visitor)(void *data, const char *name);
int unit_each(struct unit *u, const char *name, const char *property, unit_visitor visit, void *data,
	      struct error *err);

/* Sets *err to the reason why the unit does not run. Returns -1. */
int unit_failed(const struct unit *u, const struct unit_view *v, struct error *err);
