/* The grammar of --schedule: the times at which an instance is kept warm.
 *
 *	[WEEKDAYS] HH:MM-HH:MM
 *
 * Weekdays are as in systemd.time(7): "Mon", "Mon,Wed", "Mon..Fri,Sun", short or in full, in capitals or not; without
 * them it is every day. An hour may have one digit. Times are local. The end is not part of the window; 24:00 is the end of the day, and an end
 * that is not after the beginning lies on the next day, which need not be one of the weekdays.
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
	unsigned days;	/* on which it begins; bit 0 is Monday */
	unsigned begin; /* minutes after midnight, less than a day */
	unsigned end;	/* minutes after that midnight, at most a day after the beginning */
};

int window_parse(const char *s, struct window *ret, struct error *err);

/* What a schedule that has no end (it leaves out no time of the week) ends at, and the longest that `wake --for` takes:
 * systemd's year, in microseconds. */
#define HOLD_MAX (31557600ULL * 1000000)

/* The time that is or will next be covered, windows that overlap or adjoin taken together, as CLOCK_REALTIME
 * microseconds: now < *ret_end, and *ret_begin <= now where it is on. Both are 0 where there is no window. Local time
 * is that of TZ, else /etc/localtime. Where a clock change makes a time of day come twice, or never, the covered time
 * is the longer one. */
void schedule_next(const struct window *windows, size_t n, uint64_t now, uint64_t *ret_begin, uint64_t *ret_end);
