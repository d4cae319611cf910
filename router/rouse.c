#include "router/rouse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/spawn.h"
#include "router/engine_unit.h"

#define START_USEC (90 * USEC_PER_SEC)
/* systemctl(1), EXIT STATUS: there is no such unit. */
#define NOT_INSTALLED 5

static void end(struct rouse *r, const char *why)
{
	r->active = false;
	timer_set(r->loop, &r->limit, USEC_INFINITY);
	r->ended(r, why);
}

/* systemctl(1) finds the manager below XDG_RUNTIME_DIR, and waits until the unit serves. */
static int start(struct rouse *r, const char *unit)
{
	const char *argv[] = {"systemctl", "--user", "--quiet", "start", unit, NULL};
	int error = spawn(&(struct spawn){.argv = argv, .output = SPAWN_NOWHERE, .errors = SPAWN_NOWHERE}, &r->pid);

	if (error)
		return error;
	r->child.fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	return r->child.fd < 0 || loop_watch(r->loop, &r->child, EPOLLIN) < 0 ? errno : 0;
}

static void start_next(struct rouse *r)
{
	const char *unit;
	char why[256];
	int error;

	if (r->next == r->config->n_engines) {
		end(r,
		    "no engine of your own is installed: there is neither a docker.service nor a podman.socket for you; install "
		    "one, for example: apt install podman, or dockerd-rootless-setuptool.sh install");
		return;
	}
	r->kind = r->config->engines[r->next];
	unit = engine_unit_name(r->kind);
	error = start(r, unit);
	if (error) {
		(void)snprintf(why, sizeof(why), "cannot run systemctl --user start %s: %s", unit, strerror(error));
		end(r, why);
	}
}

static void child_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct rouse *r = container_of(watch, struct rouse, child);
	const char *unit = engine_unit_name(r->kind);
	char why[256];
	int status;

	(void)events;
	loop_unwatch(loop, watch);
	close(watch->fd);
	watch->fd = -1;
	if (waitpid(r->pid, &status, 0) < 0)
		status = -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		end(r, "");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED) {
		r->next++;
		start_next(r);
	} else {
		(void)snprintf(why, sizeof(why), "your %s does not start; see why: systemctl --user status %s", unit,
			       unit);
		end(r, why);
	}
}

/* systemctl ends, and with it the waiting; the job of the unit goes on. */
static void limit_fired(struct loop *loop, struct timer *timer)
{
	struct rouse *r = container_of(timer, struct rouse, limit);

	(void)loop;
	(void)kill(r->pid, SIGKILL);
}

void rouse_init(struct rouse *r, struct loop *loop, const struct config *config,
		void (*ended)(struct rouse *r, const char *why))
{
	*r = (struct rouse){
		.loop = loop,
		.config = config,
		.child = {.ready = child_ended, .fd = -1},
		.ended = ended,
	};
	timer_add(loop, &r->limit, limit_fired);
}

void rouse_begin(struct rouse *r)
{
	r->active = true;
	r->next = 0;
	timer_set(r->loop, &r->limit, now_usec() + START_USEC);
	start_next(r);
}
