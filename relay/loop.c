#include "relay/loop.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"

/* #syscalls: clock_gettime close epoll_ctl epoll_pwait epoll_wait */
/* #before: epoll_create1 */

#define EVENTS_MAX 128

/* The coarse clock costs a fifth of the precise one, and the loop reads it for every batch of events. */
static uint64_t coarse_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}

int loop_open(struct loop *loop, struct error *err)
{
	loop->next_timer = USEC_INFINITY;
	loop->now = coarse_usec();
	spin_init(&loop->spin);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return error_errno(err, errno, "cannot create an epoll instance");
	return 0;
}

void loop_close(struct loop *loop)
{
	close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

static int control(struct loop *loop, int op, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(loop->epoll_fd, op, watch->fd, &event);
}

int loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, watch, events);
}

int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_unwatch(struct loop *loop, struct watch *watch)
{
	(void)control(loop, EPOLL_CTL_DEL, watch, 0);
}

void loop_ignore(struct loop *loop, struct watch *watch, uint32_t events)
{
	(void)loop;
	(void)watch;
	(void)events;
}

void timer_add(struct loop *loop, struct timer *timer, void (*fire)(struct loop *loop, struct timer *timer))
{
	timer->when = USEC_INFINITY;
	timer->fire = fire;
	timer->next = loop->timers;
	loop->timers = timer;
}

void timer_set(struct loop *loop, struct timer *timer, uint64_t when)
{
	timer->when = when;
	/* If a timer is moved to later, next_timer is too early: the loop wakes once in vain and checks again. */
	loop->next_timer = least_of(when, loop->next_timer);
}

static void run_timers(struct loop *loop)
{
	uint64_t next = USEC_INFINITY;

	loop->next_timer = USEC_INFINITY;
	for (struct timer *t = loop->timers; t; t = t->next) {
		if (t->when <= loop->now) {
			t->when = USEC_INFINITY;
			t->fire(loop, t);
		}
	}
	for (struct timer *t = loop->timers; t; t = t->next)
		next = least_of(t->when, next);
	loop->next_timer = next;
}

static int sleep_msec(const struct loop *loop)
{
	uint64_t left;

	if (loop->next_timer == USEC_INFINITY)
		return -1;
	left = (beyond(loop->next_timer, loop->now) + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return (int)least_of(left, INT32_MAX);
}

static int wait_for_events(struct loop *loop, struct epoll_event *events, int msec)
{
	uint64_t began;
	int n;

	if (!loop->bulk && msec != 0) {
		n = spin_wait(&loop->spin, loop->epoll_fd, events, EVENTS_MAX);
		if (n != 0)
			return n;
	}
	began = now_usec();
	n = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, msec);
	spin_slept(&loop->spin, time_since(began));
	return n;
}

int loop_run(struct loop *loop, struct error *err)
{
	struct epoll_event events[EVENTS_MAX];
	bool busy = false;

	while (!loop->stop) {
		int n = wait_for_events(loop, events, busy ? 0 : sleep_msec(loop));

		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot wait for events");
		loop->bulk = false;
		loop->now = coarse_usec();
		spin_batch(&loop->spin);
		for (int i = 0; i < n; i++) {
			struct watch *watch = events[i].data.ptr;

			spin_event(&loop->spin, watch);
			watch->ready(loop, watch, events[i].events);
		}
		if (loop->next_timer <= loop->now)
			run_timers(loop);
		busy = loop->after(loop);
	}
	return 0;
}
