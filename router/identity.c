#include "router/identity.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "router/config.h"
#include "router/endpoint.h"
#include "router/engine_unit.h"
#include "router/guests.h"
#include "router/peer.h"
#include "router/rouse.h"

struct identity {
	struct guests guests;
	struct rouse rouse;
	struct config config;
	char order[32];		   /* of the engines, by the administrator */
	struct stat seen;	   /* the user's own file, as it was read last */
	struct error config_error; /* it is wrong */
	uid_t uid;
	char home[PATH_MAX];
	uint64_t release_after;
	uint64_t asked; /* when the engine was asked last whether it has something to do */
	bool configured;
	bool started;	     /* an engine that is to be stopped again */
	bool manager_wanted; /* the dispatcher was asked for it */
};

/* The administrator's order, and over it the user's own file. One that is wrong is an answer to each request. */
static void configure(struct identity *i, const char *path)
{
	struct error err;

	config_defaults(&i->config);
	(void)error_clear(&i->config_error);
	if ((*i->order && config_set_engines(&i->config, i->order, &err) < 0) ||
	    config_read(path, true, &i->config, &err) < 0)
		i->config_error = err;
}

/* Where nobody has said an order, an engine that is enabled comes before one that is only installed. */
static void prefer_enabled(struct identity *i)
{
	struct config *c = &i->config;

	if (c->orders_engines)
		return;
	c->engines[0] = ENGINE_DOCKER;
	c->engines[1] = ENGINE_PODMAN;
	if (!engine_unit_is_enabled(ENGINE_DOCKER, i->home) && engine_unit_is_enabled(ENGINE_PODMAN, i->home)) {
		c->engines[0] = ENGINE_PODMAN;
		c->engines[1] = ENGINE_DOCKER;
	}
}

/* The files may have changed since the last client. */
static void refresh(struct identity *i)
{
	char path[PATH_MAX];
	struct stat now;

	if (snprintf(path, sizeof(path), "%s/.config/sockwake/router.conf", i->home) >= (int)sizeof(path))
		return;
	if (stat(path, &now) < 0)
		now = (struct stat){};
	if (i->configured && now.st_ino == i->seen.st_ino && now.st_size == i->seen.st_size &&
	    now.st_ctim.tv_sec == i->seen.st_ctim.tv_sec && now.st_ctim.tv_nsec == i->seen.st_ctim.tv_nsec)
		return;
	i->configured = true;
	i->seen = now;
	configure(i, path);
}

/* The first engine that is installed, in the configured order. If it sleeps, another that listens is none to fall back on: it
 * has other containers. */
static int connect_first(struct identity *i, int directory, enum engine_kind *ret, struct error *err)
{
	for (size_t n = 0; n < i->config.n_engines; n++) {
		int fd;

		*ret = i->config.engines[n];
		fd = endpoint_connect(directory, *ret, i->uid, err);
		if (fd >= 0)
			return fd;
		if (err->code != ENOENT && err->code != ECONNREFUSED)
			return -1;
		if (engine_unit_is_installed(*ret, i->home))
			break;
	}
	return error_set(err, ECONNREFUSED, "no engine listens");
}

static int connect_own(struct guests *g, const struct guest_client *c, char ret_engine[static 16], struct error *err)
{
	struct identity *i = container_of(g, struct identity, guests);
	_cleanup_close_ int directory = -1;
	enum engine_kind kind;
	int fd;

	refresh(i);
	prefer_enabled(i);
	if (*i->config_error.text)
		return error_set(err, EINVAL, "%s", i->config_error.text);
	if (c->contained && !peer_owns_namespace(c->fd, i->uid))
		return error_set(err, EPERM,
				 "a program in a container of another user may not use the engine of uid %u",
				 (unsigned)i->uid);
	directory = endpoint_directory("/run/user", i->uid, err);
	if (directory < 0 && err->code == ENOENT)
		return error_set(err, ECONNREFUSED, "the user's manager does not run");
	if (directory < 0)
		return -1;
	fd = connect_first(i, directory, &kind, err);
	if (fd >= 0)
		(void)snprintf(ret_engine, 16, "%s", engine_kind_name(kind));
	return fd;
}

/* Its socket stays in the directory when it has ended. */
static bool manager_runs(const struct identity *i)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/run/user/%u/systemd/private", (unsigned)i->uid);
	return fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN);
}

static void start_own(struct guests *g)
{
	struct identity *i = container_of(g, struct identity, guests);
	struct message need = {.kind = MESSAGE_NEED};

	if (i->rouse.active || i->manager_wanted)
		return;
	if (manager_runs(i)) {
		rouse_begin(&i->rouse);
		return;
	}
	i->manager_wanted = true;
	(void)message_tell(g->channel.fd, &need);
}

/* Another worker of this user's has started it, before the router was restarted. */
static void take_over(struct identity *i, const char *engine)
{
	for (enum engine_kind kind = 0; kind < ENGINES; kind++) {
		if (strcmp(engine, engine_kind_name(kind)) != 0)
			continue;
		i->started = true;
		i->rouse.kind = kind;
	}
}

static void told(struct guests *g, const struct message *m)
{
	struct identity *i = container_of(g, struct identity, guests);

	if (m->kind == MESSAGE_ENGINES) {
		(void)snprintf(i->order, sizeof(i->order), "%.*s", (int)sizeof(i->order) - 1, m->text);
		i->configured = false;
	}
	if (m->kind == MESSAGE_STARTED)
		take_over(i, m->engine);
	if (m->kind != MESSAGE_MANAGER || !i->manager_wanted)
		return;
	i->manager_wanted = false;
	if (*m->text)
		guests_refuse_waiting(g, 503, m->text);
	else
		rouse_begin(&i->rouse);
}

static void engine_started(struct rouse *r, const char *why)
{
	struct identity *i = container_of(r, struct identity, rouse);
	struct message started = {.kind = MESSAGE_STARTED};

	if (*why) {
		guests_refuse_waiting(&i->guests, 503, why);
		return;
	}
	i->started = true;
	(void)snprintf(started.engine, sizeof(started.engine), "%s", engine_kind_name(r->kind));
	(void)message_tell(i->guests.channel.fd, &started);
	guests_serve_waiting(&i->guests);
}

/* An engine that was started here is stopped before, if it has nothing to do: while a container runs, this worker stays. When the
 * router ends, the next one looks after an engine that is busy. */
static bool may_leave(struct guests *g)
{
	struct identity *i = container_of(g, struct identity, guests);
	struct message stopped = {.kind = MESSAGE_STARTED};

	if (!i->started)
		return true;
	if (!g->draining && now_usec() - most_of(g->idle_since, i->asked) < i->release_after)
		return false;
	i->asked = now_usec();
	i->started = !engine_unit_release(i->rouse.kind, i->uid);
	if (!i->started)
		(void)message_tell(g->channel.fd, &stopped);
	return !i->started;
}

int identity_run(int channel, const struct router_options *options, struct error *err)
{
	static struct identity i = {
		.guests = {.connect = connect_own, .start = start_own, .may_leave = may_leave, .told = told},
	};

	const struct passwd *user = getpwuid(getuid());

	i.uid = getuid();
	i.release_after = options->release_after;
	if (user)
		(void)snprintf(i.home, sizeof(i.home), "%s", user->pw_dir);
	(void)snprintf(i.order, sizeof(i.order), "%s", options->engines);
	if (guests_open(&i.guests, channel, options->idle_timeout, err) < 0)
		return -1;
	rouse_init(&i.rouse, &i.guests.worker.loop, &i.config, engine_started);
	return guests_run(&i.guests, err);
}
