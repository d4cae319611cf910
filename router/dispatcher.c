#include "router/dispatcher.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "handover/listen.h"
#include "relay/loop.h"
#include "router/admission.h"
#include "router/cell.h"
#include "router/heritage.h"
#include "router/ledger.h"
#include "router/managers.h"
#include "router/pace.h"
#include "router/peer.h"
#include "router/records.h"
#include "router/route.h"
#include "router/settings.h"
#include "router/status_socket.h"
#include "router/team.h"

#define SUBUID_FILE  "/etc/subuid"
#define ACCEPT_BATCH 16
/* How long nobody is accepted after a shortage of descriptors or memory. */
#define PAUSE_USEC (100 * USEC_PER_MSEC)
/* Clients that are being refused, beyond the others: they take nothing from those, and one more is reset. */
#define SPARE 256
/* How long connections may go on after SIGTERM. */
#define DRAIN_USEC (10 * USEC_PER_SEC)

struct dispatcher {
	struct loop loop;
	struct watch listener, signals;
	struct timer resume;
	struct timer idle; /* or the limit of draining */
	const struct router_options *options;
	struct settings settings;
	struct team team;
	struct managers *managers;
	struct records records;
	struct ledger ledger;
	struct heritage heritage;
	struct status_socket status;
	struct pace pace;
	struct peer peer; /* who was accepted last */
	uint64_t idle_timeout;
	bool draining;
};

static struct dispatcher *dispatcher_of(struct loop *loop)
{
	return container_of(loop, struct dispatcher, loop);
}

/* What others have of it. */
static void follow_settings(struct dispatcher *d)
{
	d->team.settings = d->settings.copy;
	config_print_engines(&d->settings.config, d->team.engines);
}

/* The clock of idleness starts anew. */
static void stay(struct dispatcher *d)
{
	timer_set(&d->loop, &d->idle, now_usec() + d->idle_timeout);
}

static void end_record(struct dispatcher *d, struct record *r, const struct message *m)
{
	uid_t uid = r->uid;
	char outcome[MESSAGE_TEXT_MAX];
	struct ledger_entry e = {
		.uid = uid,
		.pid = r->pid,
		.command = r->command,
		.engine = r->engine,
		.request = r->request,
		.outcome = outcome,
		.usec = now_usec() - r->began,
	};

	(void)snprintf(outcome, sizeof(outcome), "%s", m ? m->text : "its worker has ended");
	text_make_printable(outcome); /* the worker is its user's */
	if (m)
		memcpy(e.bytes, m->bytes, sizeof(e.bytes));
	ledger_write(&d->ledger, &e);
	records_remove(&d->records, r);
	if (records_of_account(&d->records, uid) == 0)
		managers_unused(d->managers, uid);
	stay(d);
}

static void begin_record(struct record *r, const struct message *m)
{
	(void)snprintf(r->engine, sizeof(r->engine), "%s", m->engine);
	(void)snprintf(r->request, sizeof(r->request), "%s", m->request);
	text_make_printable(r->engine); /* the worker is its user's */
	text_make_printable(r->request);
}

static void tell_manager(struct member *m, const char *why)
{
	struct message message = {.kind = MESSAGE_MANAGER};

	m->needs_manager = false;
	(void)snprintf(message.text, sizeof(message.text), "%s", why);
	if (m->channel.fd >= 0)
		(void)message_send(m->channel.fd, &message, -1);
}

static void start_manager(struct dispatcher *d, struct member *m)
{
	struct error err;

	m->needs_manager = true;
	if (route_may_start(&d->settings.config, m->uid, m->groups, m->n_groups, &err))
		managers_start(d->managers, m->uid);
	else
		tell_manager(m, err.text);
}

static void manager_started(void *data, uid_t uid, const char *why)
{
	struct dispatcher *d = data;

	for (struct member *m = d->team.first; m; m = m->next) {
		if (m->uid == uid && m->needs_manager)
			tell_manager(m, why);
	}
	if (records_of_account(&d->records, uid) == 0)
		managers_unused(d->managers, uid);
}

static void manager_kept(void *data, uid_t uid, bool ours)
{
	struct dispatcher *d = data;

	heritage_keep_manager(&d->heritage, uid, ours);
}

/* A worker speaks of its own connections. */
static void told(struct team *t, struct member *m, const struct message *message)
{
	struct dispatcher *d = container_of(t, struct dispatcher, team);
	struct record *r = records_find(&d->records, message->number, m);

	switch (message->kind) {
	case MESSAGE_BEGAN:
		if (r)
			begin_record(r, message);
		break;
	case MESSAGE_ENDED:
		if (r) {
			begin_record(r, message);
			end_record(d, r, message);
		}
		break;
	case MESSAGE_BYTES:
		if (r)
			memcpy(r->bytes, message->bytes, sizeof(r->bytes));
		break;
	case MESSAGE_STARTED:
		if (m->kind == MEMBER_IDENTITY)
			heritage_keep_engine(&d->heritage, m, message->engine);
		break;
	case MESSAGE_NEED:
		if (m->kind == MEMBER_IDENTITY && !m->needs_manager)
			start_manager(d, m);
		break;
	case MESSAGE_IDLE:
		if (m->connections == 0)
			team_dismiss(t, m);
		break;
	default:
		break;
	}
}

static void left(struct team *t, struct member *m)
{
	struct dispatcher *d = container_of(t, struct dispatcher, team);
	struct record *r;

	while ((r = records_of(&d->records, m)))
		end_record(d, r, NULL);
	stay(d);
}

/* Hands the client to the worker; false: it cannot be told. */
static bool hand(struct dispatcher *d, struct member *m, const struct peer *p, const struct message *serve, int fd)
{
	struct message message = *serve;
	struct record *r = records_add(&d->records, p, m);

	if (!r)
		return false;
	message.number = record_number(&d->records, r);
	if (message_send(m->channel.fd, &message, fd) == 0)
		return true;
	records_remove(&d->records, r);
	return false;
}

__attribute__((format(printf, 3, 4))) static void refusal(struct message *m, unsigned status, const char *format, ...)
{
	va_list ap;

	*m = (struct message){.kind = MESSAGE_REFUSE, .status = status};
	va_start(ap, format);
	(void)vsnprintf(m->text, sizeof(m->text), format, ap);
	va_end(ap);
}

/* To whom what is made over this connection belongs (rules/owner.h). */
static void name_owner(const struct peer *p, char ret[static MESSAGE_TEXT_MAX])
{
	if (p->place.kind == PLACE_HOST)
		owner_of_user(p->uid, ret);
	else
		owner_of_container(p->place.container, p->uid, ret);
}

/* Without a configuration, too: root's sleeping containers wake by this socket, and root could open the engine's own one. */
static bool is_served_in_any_case(const struct dispatcher *d, const struct peer *p)
{
	return !d->options->restricted && p->uid == 0 && p->place.kind == PLACE_HOST;
}

/* What to do with a client, and by which kind of worker. */
static enum member_kind judge(const struct dispatcher *d, const struct peer *p, struct message *ret)
{
	static const enum member_kind kinds[] = {
		[ROUTE_OWN] = MEMBER_IDENTITY, [ROUTE_SYSTEM] = MEMBER_SYSTEM, [ROUTE_POLICY] = MEMBER_POLICY};
	char why[ROUTE_WHY_MAX];
	enum route route;

	if (!d->settings.known && !is_served_in_any_case(d, p)) {
		refusal(ret, 503,
			"%s can use this socket before the administrator has mended its configuration: %.300s",
			d->options->restricted ? "nobody" : "only root", d->settings.trouble.text);
		return MEMBER_REFUSING;
	}
	route = route_of(&d->settings.config, p, why);

	if (route == ROUTE_NONE) {
		refusal(ret, 403, "%s", why);
		return MEMBER_REFUSING;
	}
	if (records_of_account(&d->records, peer_account(p)) >= d->settings.config.connections_per_user) {
		refusal(ret, 429,
			"you have too many connections to this socket: close some, or ask the administrator for more "
			"(connections-per-user in %s)",
			d->options->config);
		return route == ROUTE_OWN ? MEMBER_IDENTITY : MEMBER_REFUSING;
	}
	if (d->records.n >= d->settings.config.connections) {
		refusal(ret, 503,
			"there are too many connections to this socket: try again later, or ask the administrator for more "
			"(connections in %s)",
			d->options->config);
		return MEMBER_REFUSING;
	}
	*ret = (struct message){.kind = MESSAGE_SERVE, .contained = p->place.kind == PLACE_OWN_CONTAINER};
	name_owner(p, ret->text);
	return kinds[route];
}

/* No faster than the ledger writes. */
static void complain(struct dispatcher *d, int level, const struct error *err)
{
	if (ledger_allows(&d->ledger, now_usec()))
		log_line(level, "%s", err->text);
}

/* The configuration may have changed since the last client. */
static void refresh(struct dispatcher *d)
{
	switch (settings_refresh(&d->settings, d->options)) {
	case SETTINGS_SAME:
		break;
	case SETTINGS_NEW:
		log_line(LOG_INFO, "%s was read again", d->options->config);
		follow_settings(d);
		team_renew(&d->team);
		break;
	case SETTINGS_WRONG:
		log_line(LOG_ERR, "%s%s", d->settings.trouble.text,
			 d->settings.known ? " (what was read before stays in force)" : "");
		break;
	}
}

/* Owns fd. A client that no worker can take is reset. */
static void serve(struct dispatcher *d, int client)
{
	_cleanup_close_ int fd = client;
	struct peer *p = &d->peer;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct message message;
	enum member_kind kind;
	struct member *m;
	struct error err;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || !pace_allows(&d->pace, &cred, now_usec()))
		return;
	refresh(d);
	if (peer_read(fd, &cred, p, &err) < 0) {
		complain(d, LOG_WARNING, &err);
		return;
	}
	if (d->settings.config.subordinate && p->place.kind == PLACE_CONTAINER && p->place.slice != PLACE_NOBODY &&
	    peer_become(p, p->place.slice, &err) == 0)
		p->place.kind = PLACE_OWN_CONTAINER; /* whose namespace it is, its worker finds out */
	kind = judge(d, p, &message);
	if (message.kind == MESSAGE_REFUSE)
		pace_refused(&d->pace, &cred);
	/* Twice the limit is enough for answers that say so. */
	if (kind != MEMBER_REFUSING &&
	    records_of_account(&d->records, peer_account(p)) >= 2 * d->settings.config.connections_per_user)
		return;
	m = team_member(&d->team, kind, p, &err);
	if (!m && err.code == EUSERS) {
		refusal(&message, 429, "%s", err.text);
		m = team_member(&d->team, MEMBER_REFUSING, p, &err);
	}
	if (!m) {
		complain(d, LOG_ERR, &err);
		return;
	}
	if (m->kind == MEMBER_REFUSING && m->connections >= SPARE)
		return;
	if (hand(d, m, p, &message, fd) && m->kind == MEMBER_IDENTITY)
		managers_used(d->managers, p->uid);
}

/* Clients wait in the queue. */
static void pause_listener(struct dispatcher *d)
{
	loop_unwatch(&d->loop, &d->listener);
	timer_set(&d->loop, &d->resume, now_usec() + PAUSE_USEC);
}

static void resume_fired(struct loop *loop, struct timer *timer)
{
	struct dispatcher *d = dispatcher_of(loop);

	(void)timer;
	if (!d->draining && loop_watch(loop, &d->listener, EPOLLIN) < 0)
		timer_set(loop, &d->resume, now_usec() + PAUSE_USEC);
}

static void listener_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct dispatcher *d = dispatcher_of(loop);

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			serve(d, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_listener(d);
		return;
	}
}

static bool is_busy(const struct dispatcher *d)
{
	return d->records.n > 0 || d->team.first || managers_pending(d->managers) || status_socket_is_busy(&d->status);
}

/* A client that connects now stays in the queue: systemd starts the next dispatcher for it. */
static void idle_fired(struct loop *loop, struct timer *timer)
{
	struct dispatcher *d = dispatcher_of(loop);

	(void)timer;
	if (is_busy(d) && !d->draining)
		stay(d);
	else
		loop->stop = true;
}

static void drain(struct dispatcher *d)
{
	struct message message = {.kind = MESSAGE_DRAIN};

	d->draining = true;
	loop_unwatch(&d->loop, &d->listener);
	for (struct member *m = d->team.first; m; m = m->next) {
		if (m->channel.fd >= 0)
			(void)message_send(m->channel.fd, &message, -1);
	}
	timer_set(&d->loop, &d->idle, now_usec() + DRAIN_USEC);
}

static void signalled(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info) && !dispatcher_of(loop)->draining)
		drain(dispatcher_of(loop));
}

static bool after_events(struct loop *loop)
{
	struct dispatcher *d = dispatcher_of(loop);

	team_reap(&d->team);
	if (d->draining && !d->team.first)
		loop->stop = true;
	return false;
}

static int find_users(struct dispatcher *d, const struct router_options *o, struct error *err)
{
	const struct passwd *user = getpwnam(o->system_user);

	if (!user)
		return error_set(err, 0, "there is no user '%s': run systemd-sysusers", o->system_user);
	d->team.system_uid = user->pw_uid;
	d->team.system_gid = user->pw_gid;
	d->team.refusing_uid = getuid();
	d->team.refusing_gid = getgid();
	d->team.system_socket = o->engine_socket;
	d->team.config = o->config;
	d->team.restricted = o->restricted;
	d->team.idle_timeout = o->idle_timeout;
	d->team.release_after = o->release_after;
	return 0;
}

/* SIGCHLD is not awaited here: each child has a pidfd. */
static int open_signals(struct dispatcher *d, struct error *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = (struct watch){.ready = signalled, .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
	if (d->signals.fd < 0 || loop_watch(&d->loop, &d->signals, EPOLLIN) < 0)
		return error_errno(err, errno, "cannot wait for signals");
	return 0;
}

static int prepare(struct dispatcher *d, int listener, const struct dispatcher_options *o, struct error *err)
{
	const struct managers_events events = {.started = manager_started, .kept = manager_kept, .data = d};

	const struct router_options *options = o->router;

	d->options = options;
	d->idle_timeout = options->idle_timeout;
	subordinates_read(SUBUID_FILE, &d->pace.subordinates);
	if (settings_open(&d->settings, options, err) < 0 || find_users(d, options, err) < 0 ||
	    records_open(&d->records, CONFIG_LIMIT_MAX + SPARE, err) < 0 || loop_open(&d->loop, err) < 0)
		return -1;
	if (!d->settings.known)
		log_line(LOG_ERR, "%s", d->settings.trouble.text);
	follow_settings(d);
	d->loop.after = after_events;
	d->team.loop = &d->loop;
	d->team.told = told;
	d->team.left = left;
	d->managers = managers_new(&d->loop, options->release_after, &events);
	if (!d->managers)
		return error_set(err, ENOMEM, "out of memory");
	timer_add(&d->loop, &d->idle, idle_fired);
	timer_add(&d->loop, &d->resume, resume_fired);
	stay(d);
	if (open_signals(d, err) < 0)
		return -1;
	d->listener = (struct watch){.ready = listener_ready, .fd = listener};
	(void)listen_make_private(listener);
	heritage_take(&d->heritage, &d->team, d->managers);
	d->status.report = (struct status_report){.records = &d->records, .team = &d->team, .managers = d->managers};
	if (status_socket_open(&d->status, &d->loop, &d->team, o->status_fd, err) < 0)
		return -1;
	return loop_watch(&d->loop, &d->listener, EPOLLIN) < 0 ? error_errno(err, errno, "cannot watch the socket") : 0;
}

/* A dispatcher that cannot start must not leave its clients to the next one, which cannot, either. */
static void refuse_queue(int listener)
{
	int fd;

	(void)fcntl(listener, F_SETFL, O_NONBLOCK);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}

int dispatcher_run(int listener, const struct dispatcher_options *options, struct error *err)
{
	static struct dispatcher d;

	cell_open();
	if (prepare(&d, listener, options, err) < 0) {
		refuse_queue(listener);
		return -1;
	}
	return loop_run(&d.loop, err);
}
