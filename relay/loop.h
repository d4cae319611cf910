/* One epoll loop: descriptors to watch, a few timers, and work to do after the events.
 *
 * A watch is embedded in its owner; container_of() leads back. If a watch's descriptor is closed while events are
 * delivered, the watch may still be called once: point its `ready` at loop_ignore() and keep its memory until `after`
 * runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "common/error.h"
#include "relay/spin.h"

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct loop;

struct watch {
	void (*ready)(struct loop *loop, struct watch *watch, uint32_t events);
	int fd;
};

struct timer {
	uint64_t when; /* CLOCK_MONOTONIC microseconds; USEC_INFINITY: not armed */
	void (*fire)(struct loop *loop, struct timer *timer); /* disarmed before the call */
	struct timer *next;
};

struct loop {
	int epoll_fd;
	bool stop;
	bool bulk; /* set by the callbacks: much was moved, so senders of more can wait */
	struct spin spin;
	uint64_t
		now; /* when the events at hand were fetched, CLOCK_MONOTONIC microseconds, a few milliseconds coarse */
	uint64_t next_timer;
	struct timer *timers;
	bool (*after)(struct loop *loop); /* runs after each batch of events; true: there is more work, do not sleep */
};

int loop_open(struct loop *loop, struct error *err);
void loop_close(struct loop *loop);

/* EPOLL_CTL_ADD and EPOLL_CTL_MOD. Return 0, or -1 with errno set: callers retry on ENOMEM and ENOSPC. */
int loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
int loop_rewatch(struct loop *loop, struct watch *watch, uint32_t events);
void loop_unwatch(struct loop *loop, struct watch *watch);
void loop_ignore(struct loop *loop, struct watch *watch, uint32_t events);

/* Add each timer once; it starts unarmed and lives as long as the loop. */
void timer_add(struct loop *loop, struct timer *timer, void (*fire)(struct loop *loop, struct timer *timer));
void timer_set(struct loop *loop, struct timer *timer, uint64_t when);

/* Runs until loop->stop. */
int loop_run(struct loop *loop, struct error *err);
