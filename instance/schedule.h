/* The grammar of --schedule: the times during which an instance stays warm.
 *
 *	[WEEKDAYS] HH:MM-HH:MM
 *
 * Weekdays are as in systemd.time(7): "Mon", "Mon,Wed", "Mon..Fri,Sun", short or in full, in either case; without
 * weekdays, every day. An hour may have one digit. Times are local. The end is not part of the window; 24:00 is the end
 * of the day. An end that is not after the beginning is on the next day, which need not be one of the weekdays.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define WINDOWS_MAX	64 /* of one instance */
#define MINUTES_PER_DAY 1440U
#define EVERY_DAY	0x7fU

struct window {
	unsigned days;	/* on which the window begins; bit 0 is Monday */
	unsigned begin; /* minutes after midnight, less than a day */
	unsigned end;	/* minutes after that midnight, at most a day after the beginning */
};

int window_parse(const char *s, struct window *ret, struct error *err);

/* The length of a schedule without an end (one that covers the whole week), and the longest span of `wake --for`:
 * systemd's year, in microseconds. */
#define HOLD_MAX (31557600ULL * 1000000)

/* The current or next covered time, with windows that overlap or adjoin joined, in CLOCK_REALTIME microseconds: now <
 * *ret_end, and *ret_begin <= now if it is current. Both are 0 without a window. Local time is that of TZ, else of
 * /etc/localtime. If a clock change makes a time of day occur twice, or never, the longer covered time counts. */
void schedule_next(const struct window *windows, size_t n, uint64_t now, uint64_t *ret_begin, uint64_t *ret_end);
