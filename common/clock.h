/* Time in microseconds, as systemd counts it. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC  1000000ULL
#define USEC_PER_MSEC 1000ULL
#define NSEC_PER_USEC 1000ULL
#define USEC_INFINITY UINT64_MAX

/* Now on CLOCK_MONOTONIC, the clock of all deadlines and durations here. */
static inline uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}

/* Now on CLOCK_REALTIME, for times that people read. */
static inline uint64_t wall_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / NSEC_PER_USEC;
}

/* A time so much later; USEC_INFINITY if that is beyond the clock. */
static inline uint64_t time_after(uint64_t since, uint64_t span)
{
	uint64_t sum;

	return __builtin_add_overflow(since, span, &sum) ? USEC_INFINITY : sum;
}

/* USEC_INFINITY if that many seconds are more. */
static inline uint64_t time_of_seconds(uint64_t seconds)
{
	uint64_t span;

	return __builtin_mul_overflow(seconds, USEC_PER_SEC, &span) ? USEC_INFINITY : span;
}

/* The time on CLOCK_MONOTONIC when so much has passed. */
static inline uint64_t time_from_now(uint64_t span)
{
	return time_after(now_usec(), span);
}

/* How long ago that was. */
static inline uint64_t time_since(uint64_t when)
{
	return now_usec() - when;
}

/* Is this time of CLOCK_MONOTONIC over? */
static inline bool time_is_over(uint64_t when)
{
	return now_usec() >= when;
}

/* Sleeps for so long, unless the deadline has passed. Returns whether it slept: the caller then looks once more, however long
 * the sleep was. */
static inline bool time_pause(uint64_t span, uint64_t deadline)
{
	if (time_is_over(deadline))
		return false;
	(void)poll(NULL, 0, (int)(span / USEC_PER_MSEC));
	return true;
}

/* Sleeps in the same way. Returns whether there is time left then, for an attempt that needs some. */
static inline bool time_pause_within(uint64_t span, uint64_t deadline)
{
	return time_pause(span, deadline) && !time_is_over(deadline);
}

/* Time left until an absolute deadline, as a timeout in milliseconds for poll(2), rounded up; 0 if it has passed, -1
 * for USEC_INFINITY. */
static inline int timeout_msec(uint64_t deadline)
{
	uint64_t now = now_usec();

	if (deadline == USEC_INFINITY)
		return -1;
	if (deadline <= now)
		return 0;
	if (deadline - now > (uint64_t)INT32_MAX * USEC_PER_MSEC)
		return INT32_MAX;
	return (int)((deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}
