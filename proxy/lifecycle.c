#include "proxy/lifecycle.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/fault.h"
#include "common/signals.h"
#include "relay/accept.h"
#include "relay/threads.h"
#include "relay/udp.h"
#include "relay/worker_loop.h"

/* #syscalls: clock_gettime pread64 read sched_yield */
/* #before: signalfd4 */

/* How often to read the end of a hold, at most. */
#define HOLD_GLANCE (60 * USEC_PER_SEC)

/* With --hold data: how long the proxy waits, before it ends, for a new client to send data; for several, one after the
 * other, twice as long; and how often it checks. */
#define SILENCE_USEC   USEC_PER_SEC
#define SILENCE_GLANCE (20 * USEC_PER_MSEC)

static struct lifecycle *lifecycle_of(struct loop *loop)
{
	return worker_of(loop)->service->program;
}

static void end(struct lifecycle *l, const char *reason)
{
	if (!l->reason)
		l->reason = reason;
	l->first->loop.stop = true;
}

static void drain(struct lifecycle *l)
{
	struct service *s = l->service;

	atomic_store(&s->phase, DRAINING);
	while (threads_are_accepting(s)) { /* they may not have seen the phase; they accept a few more at most */
		FAULT("drain:waits");
		threads_take(l->first);
		sched_yield();
	}
	l->reason = "told to stop";
	report_stopping(l->report, "Stopping: open connections are given some time to end");
	accept_stop(l->first);
	udp_stop(l->first->udp);
	/* The last look at the queue, before an idle end, would take clients that are to wait for the next process. */
	timer_set(&l->first->loop, &l->idle, USEC_INFINITY);
	threads_wake(s);
	if (s->config->drain_timeout != USEC_INFINITY)
		timer_set(&l->first->loop, &l->drain, l->first->loop.now + s->config->drain_timeout);
}

static void signal_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct lifecycle *l = lifecycle_of(loop);
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (atomic_load(&l->service->phase) == SERVING)
		drain(l);
	else
		end(l, NULL); /* second signal: ends now */
}

static void drain_fired(struct loop *loop, struct timer *timer)
{
	(void)timer;
	end(lifecycle_of(loop), NULL);
}

static void container_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	end(lifecycle_of(loop), "the container has ended");
}

/* How long to wait for the next client: longer after a second one has come, because then somebody is at work. */
static uint64_t patience(const struct service *s)
{
	const struct relay_config *c = s->config;

	return service_holders(s) > 1 ? most_of(c->warm_for, c->idle_timeout) : c->idle_timeout;
}

/* How long the instance is held awake from now on, as far as that can be known: both the clock and the end may be set
 * meanwhile, and time goes on while a machine is suspended (handover/stats.h). */
static uint64_t held_for(const struct lifecycle *l)
{
	uint64_t now = wall_usec(), until, left;
	struct stats file;

	/* read(2) rather than mmap(2): a truncated file does no harm */
	if (l->hold_fd >= 0 && pread(l->hold_fd, &file, sizeof(file), 0) == sizeof(file) && stats_is_ours(&file))
		until = stats_held_until(&file, now);
	else
		until = stats_held_until(l->report->stats, now);
	left = until ? until - now : 0;

	return least_of(left, HOLD_GLANCE);
}

/* When the proxy may end if nothing happens until then. */
static uint64_t idle_deadline(const struct lifecycle *l)
{
	uint64_t now = l->first->loop.now;
	uint64_t since = service_holding(l->service) > 0 ? now : service_last_activity(l->service);
	uint64_t idle = time_after(since, patience(l->service)), held = now + held_for(l);

	return most_of(idle, held);
}

static bool is_idle(const struct lifecycle *l)
{
	return service_holding(l->service) == 0 && idle_deadline(l) <= l->first->loop.now;
}

/* May a client that does not hold yet be about to send data? */
static bool has_newcomers(const struct lifecycle *l)
{
	uint64_t now = l->first->loop.now;

	return service_silent(l->service) > 0 && now < time_after(service_last_silent(l->service), SILENCE_USEC);
}

static bool may_end(struct lifecycle *l)
{
	uint64_t now = l->first->loop.now;
	bool newcomers = has_newcomers(l), idle = is_idle(l); /* in this order: connection_speaks() */

	if (!idle || !newcomers) {
		l->patient_until = 0;
		return idle;
	}
	if (l->patient_until == 0)
		l->patient_until = now + 2 * SILENCE_USEC;
	return now >= l->patient_until;
}

static uint64_t next_look(const struct lifecycle *l)
{
	uint64_t now = l->first->loop.now, idle = idle_deadline(l);

	if (idle > now)
		return idle;
	return now + (l->patient_until ? SILENCE_GLANCE : USEC_PER_MSEC);
}

static void idle_fired(struct loop *loop, struct timer *timer)
{
	struct lifecycle *l = lifecycle_of(loop);
	struct service *s = l->service;

	FAULT("idle:looks");
	atomic_store(&s->leaving, true);
	/* The last check: clients that are in a queue by now are served, later ones start the next process. A
	 * connection that is handed over is counted before its worker reports that it has taken it, so this order
	 * misses none. */
	if (!threads_are_accepting(s) && may_end(l)) {
		accept_now(l->first);
		udp_now(l->first->udp);
	}
	if (!threads_are_accepting(s) && may_end(l)) {
		FAULT("idle:ends");
		end(l, "idle");
		return;
	}
	atomic_store(&s->leaving, false);
	timer_set(loop, timer, next_look(l));
}

static bool after(struct loop *loop)
{
	struct lifecycle *l = lifecycle_of(loop);
	bool more = worker_after(loop);

	report_update(l->report, loop);
	if (atomic_load(&l->service->phase) == DRAINING && service_connections(l->service) == 0)
		end(l, NULL);
	return more;
}

static void say_unreachable(struct service *s, const struct forward *f, const struct target *target, int error)
{
	const struct lifecycle *l = s->program;

	report_unreachable(l->report, target, f->publish->container_port, error);
}

static void say_anonymous(struct service *s)
{
	const struct lifecycle *l = s->program;

	report_anonymous(l->report);
}

int lifecycle_open(struct lifecycle *l, struct report *report, int pidfd, int hold_fd, struct error *err)
{
	struct service *service = report->service;
	struct worker *w = &service->workers[0];
	const sigset_t set = signals_to_end();

	*l = (struct lifecycle){
		.service = service,
		.first = w,
		.report = report,
		.hold_fd = hold_fd,
		.signals = {.ready = signal_ready},
		.container = {.ready = container_ready, .fd = pidfd},
	};
	service->program = l;
	service->say_unreachable = say_unreachable;
	service->say_anonymous = say_anonymous;
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	l->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l->signals.fd < 0)
		return error_errno(err, errno, "cannot receive signals");
	if (loop_watch(&w->loop, &l->signals, EPOLLIN) < 0 ||
	    (pidfd >= 0 && loop_watch(&w->loop, &l->container, EPOLLIN) < 0))
		return error_errno(err, errno, "cannot watch for signals and the container's end");
	timer_add(&w->loop, &l->idle, idle_fired);
	timer_add(&w->loop, &l->drain, drain_fired);
	w->loop.after = after;
	return 0;
}

int lifecycle_start(struct lifecycle *l, struct error *err)
{
	struct service *s = l->service;
	struct worker *w = l->first;

	w->loop.now = now_usec();
	count_set(&w->counters.last_activity, w->loop.now);
	if (accept_start(w, err) < 0 || udp_start(w->udp, err) < 0 || threads_start(s, err) < 0)
		return -1;
	l->report->stats->t_accepting = w->loop.now;
	report_ready(l->report, &w->loop);
	if (s->config->idle_timeout != USEC_INFINITY)
		timer_set(&w->loop, &l->idle, idle_deadline(l));
	return 0;
}

int lifecycle_run(struct lifecycle *l, const struct accepted *accepted, size_t n_accepted, struct error *err)
{
	struct service *s = l->service;
	int r;

	FAULT("adopt:begins");
	for (size_t i = 0; i < n_accepted; i++)
		accept_adopt(l->first, accepted[i].forward, accepted[i].fd);
	r = worker_run(l->first, err);
	atomic_store(&s->phase, ENDING);
	threads_wake(s);
	threads_join(s);
	report_stopping(l->report, l->reason ? l->reason : "failed");
	return r;
}
