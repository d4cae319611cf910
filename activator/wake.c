#include "activator/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "activator/filter.h"
#include "activator/hold.h"
#include "activator/journal.h"
#include "activator/pin.h"
#include "activator/runtime.h"
#include "activator/with.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/listen.h"

/* What the next program inherits. */
struct hand_over {
	uint64_t deadline;
	int lock_fd;
	int with_lock_fds[WITH_MAX];
	unsigned n_with;
	int stats_fd;
	int pidfd;
	struct accepted accepted;
};

/* When the kernel made this process. Its CPU time since then misses what it waited (for the disk, for a CPU), so this
 * may be late; /proc/self/stat counts in hundredths of a second and would be early by up to 10 ms. */
static uint64_t spawn_time(uint64_t t_main)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) < 0)
		return t_main;
	return t_main - ((uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC);
}

/* A client that comes again at once would fail again, dozens of times a second, each time with some lines in the
 * journal. So a wake that follows on a failed one waits until this much time has passed since that began. */
#define BRAKE USEC_PER_SEC

/* Returns the time at which this wake begins. */
static uint64_t wait_after_failure(const struct stats *last, uint64_t now)
{
	bool failed = last->t_main && !last->t_accepting && !(last->flags & STATS_NOBODY);

	if (!failed || now < last->t_main || now - last->t_main >= BRAKE)
		return now;
	(void)poll(NULL, 0, timeout_msec(last->t_main + BRAKE));
	return now_usec();
}

/* A new wake begins: all but the header, the number of wakes and a hold starts at zero. */
static void reset_stats(const struct options *o, struct stats *s, uint64_t t_main)
{
	uint64_t wall = wall_usec();

	*s = (struct stats){
		.magic = s->magic,
		.version = s->version,
		.size = s->size,
		.wakes = s->wakes,
		.wake_wall = wall,
		.t_spawned = spawn_time(t_main),
		.t_main = t_main,
		.held_until = s->held_until, /* a crash does not end it */
	};
	for (int k = 0; k < STATS_WINDOWS; wall = s->warm[k++].until)
		schedule_next(o->windows, o->n_windows, wall, &s->warm[k].from, &s->warm[k].until);
}

static int set_variable(const char *name, long long value, struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	if (setenv(name, text, 1) < 0)
		return error_errno(err, errno, "cannot set %s", name);
	return 0;
}

static int hand_down_fd(const char *name, int fd, struct error *err)
{
	if (fcntl(fd, F_SETFD, 0) < 0)
		return error_errno(err, errno, "cannot hand down %s", name);
	return set_variable(name, fd, err);
}

/* "7,9,10": that of the instance's own container, then those of --with. */
static int hand_down_locks(const struct hand_over *h, struct error *err)
{
	char text[(1 + WITH_MAX) * 12];
	size_t len = 0;

	for (unsigned k = 0; k <= h->n_with; k++) {
		int fd = k ? h->with_lock_fds[k - 1] : h->lock_fd;

		if (fcntl(fd, F_SETFD, 0) < 0)
			return error_errno(err, errno, "cannot hand down SOCKWAKE_LOCK_FD");
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", k ? "," : "", fd);
	}
	if (setenv("SOCKWAKE_LOCK_FD", text, 1) < 0)
		return error_errno(err, errno, "cannot set SOCKWAKE_LOCK_FD");
	return 0;
}

/* Becomes the next program; returns only on failure. */
static int become(const struct options *o, const struct hand_over *h, struct error *err)
{
	if (h->deadline == USEC_INFINITY)
		(void)unsetenv("SOCKWAKE_DEADLINE");
	else if (set_variable("SOCKWAKE_DEADLINE", (long long)h->deadline, err) < 0)
		return -1;
	if (hand_down_fd("SOCKWAKE_PIDFD", h->pidfd, err) < 0 || hand_down_locks(h, err) < 0 ||
	    hand_down_fd("SOCKWAKE_STATS_FD", h->stats_fd, err) < 0 || accepted_hand_down(&h->accepted, err) < 0)
		return -1;
	execvp(o->command[0], o->command);
	return error_errno(err, errno, "cannot run '%s'", o->command[0]);
}

static void write_journal(const struct options *o, const struct stats *s, const struct container *c, bool woken)
{
	char message[640], fields[640];
	uint64_t t = s->t_inspected - s->t_spawned, asked = s->t_with ? s->t_with : s->t_main;

	snprintf(message, sizeof(message), "%s: the container '%s' %s after %llu.%llu ms", o->name, c->name,
		 woken ? "was woken" : "ran already, was found", (unsigned long long)(t / 1000),
		 (unsigned long long)(t / 100 % 10));
	snprintf(fields, sizeof(fields),
		 "SOCKWAKE_CONTAINER_ID=%s\nSOCKWAKE_CONTAINER_PID=%d\nSOCKWAKE_FOUND_RUNNING=%d\n"
		 "SOCKWAKE_LOAD_USEC=%llu\nSOCKWAKE_WITH_USEC=%llu\nSOCKWAKE_START_USEC=%llu\n"
		 "SOCKWAKE_INSPECT_USEC=%llu\n",
		 c->id, c->pid, !woken, (unsigned long long)(s->t_main - s->t_spawned),
		 (unsigned long long)(asked - s->t_main), (unsigned long long)(s->t_started - asked),
		 (unsigned long long)(s->t_inspected - s->t_started));
	journal_send(MESSAGE_WAKE, o->name, c->name, message, fields);
}

/* Everything that needs the engine. The connection to it is closed on return. */
static int bring_up(const struct options *o, struct stats *stats, struct hand_over *h, struct error *err)
{
	_cleanup_engine_ struct engine *engine = NULL;
	_cleanup_hold_ struct hold own = NO_HOLD;

	if (engine_open(o->backend, o->scope, o->engine_socket, &engine, err) < 0)
		return -1;
	engine->deadline = h->deadline;
	if (o->n_with && with_wake(engine, o, stats, h->with_lock_fds, err) < 0)
		return -1;
	h->n_with = o->n_with;
	if (hold_container(engine, o, stats, &own, err) < 0)
		return -1;
	stats->container_pid = (uint64_t)own.container.pid;
	stats->flags = own.own ? 0 : STATS_FOUND_RUNNING;
	write_journal(o, stats, &own.container, own.woken);
	if (o->healthy && await_healthy(engine, &own.container, own.pidfd, err) < 0)
		return -1;
	h->lock_fd = steal_fd(&own.lock_fd);
	h->pidfd = steal_fd(&own.pidfd);
	return 0;
}

/* A service of Type=notify that ends before READY=1 has failed; this one is done. */
static int leave_quietly(struct stats *stats, uint64_t reason, const char *text, struct error *err)
{
	_cleanup_close_ int fd = -1;

	if (notify_connect(&fd, err) < 0)
		return -1;
	stats->flags |= reason;
	notify_send(fd, "READY=1\nSTATUS=%s", text);
	return 0;
}

/* Does anybody wait in the queues? */
static int look_at_queues(bool *ret_queued, struct error *err)
{
	int n;

	*ret_queued = false;
	if (listen_fds(&n, err) < 0)
		return -1;
	for (int k = 0; k < n && !*ret_queued; k++)
		*ret_queued = poll(&(struct pollfd){.fd = LISTEN_FDS_START + k, .events = POLLIN}, 1, 0) > 0;
	return 0;
}

/* While the service runs, its timer waits; when that ends, the timer finds that it should have elapsed long ago, and
 * starts the service at once (systemd.timer(5) under DeferReactivation=, which older systemd does not have). That is
 * right within the schedule, and wakes nobody after it. */
static bool is_late(const struct options *o, const struct stats *last)
{
	uint64_t begin, end, now = wall_usec();

	if (o->n_windows == 0 || !getenv("TRIGGER_TIMER_REALTIME_USEC") || stats_held_until(last, now))
		return false;
	schedule_next(o->windows, o->n_windows, now, &begin, &end);
	return begin > now;
}

int wake(const struct options *o, uint64_t t_main, struct error *err)
{
	struct hand_over h = {.lock_fd = -1, .stats_fd = -1, .pidfd = -1, .deadline = USEC_INFINITY};
	struct stats *stats = runtime_stats(o, &h.stats_fd, err);
	bool queued, wanted = true;

	if (!stats || look_at_queues(&queued, err) < 0)
		return -1;
	if (!queued && is_late(o, stats))
		return leave_quietly(stats, STATS_LATE, "The time of its schedule is over.", err);
	t_main = wait_after_failure(stats, t_main);
	if (__builtin_add_overflow(t_main, o->startup_timeout, &h.deadline))
		h.deadline = USEC_INFINITY;
	reset_stats(o, stats, t_main);
	/* With nobody in the queue it was not a client that started the service, but a person or the timer. */
	if (queued && o->n_no_wake_from &&
	    filter_queue(o->no_wake_from, o->n_no_wake_from, &h.accepted, &wanted, err) < 0)
		return -1;
	if (!wanted)
		return leave_quietly(stats, STATS_NOBODY, "Nobody was there who may wake the container.", err);
	stats->wakes++;
	if (bring_up(o, stats, &h, err) < 0)
		return -1;
	return become(o, &h, err);
}
