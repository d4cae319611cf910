#include "instance/schedule.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"

#define DAYS_PER_WEEK 7

static const char *const weekdays[DAYS_PER_WEEK] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
						    "Friday", "Saturday", "Sunday"};

/* Parses the weekday at *s and advances *s; -1 for none. */
static int parse_weekday(const char **s)
{
	size_t len = strcspn(*s, ".,");

	for (int day = 0; day < DAYS_PER_WEEK; day++) {
		if ((len == 3 || len == strlen(weekdays[day])) && strncasecmp(*s, weekdays[day], len) == 0) {
			*s += len;
			return day;
		}
	}
	return -1;
}

/* "Mon..Fri,Sun". systemd, too, accepts no range across the end of the week. */
static bool parse_weekdays(const char *s, unsigned *ret)
{
	unsigned days = 0;

	for (;; s++) {
		int first = parse_weekday(&s), last = first;

		if (first >= 0 && strncmp(s, "..", 2) == 0) {
			s += 2;
			last = parse_weekday(&s);
		}
		if (first < 0 || last < first)
			return false;
		for (int day = first; day <= last; day++)
			days |= 1U << day;
		if (!*s) {
			*ret = days;
			return true;
		}
		if (*s != ',')
			return false;
	}
}

/* Parses a number of `least` to `most` digits at *s, and advances *s. */
static bool parse_digits(const char **s, size_t least, size_t most, unsigned *ret)
{
	size_t n = strspn(*s, "0123456789");

	if (n < least || n > most)
		return false;
	for (*ret = 0; n > 0; n--)
		*ret = *ret * 10 + (unsigned)(*(*s)++ - '0');
	return true;
}

/* Parses "8:00" or "08:00" at *s to minutes after midnight, and advances *s. */
static bool parse_time(const char **s, unsigned *ret)
{
	unsigned hour, minute;

	if (!parse_digits(s, 1, 2, &hour) || *(*s)++ != ':' || !parse_digits(s, 2, 2, &minute) || minute > 59)
		return false;
	*ret = hour * 60 + minute;
	return *ret <= MINUTES_PER_DAY;
}

static bool parse_times(const char *s, struct window *w)
{
	if (!parse_time(&s, &w->begin) || *s++ != '-' || !parse_time(&s, &w->end) || *s || w->begin == MINUTES_PER_DAY)
		return false;
	if (w->end < w->begin)
		w->end += MINUTES_PER_DAY;
	return w->end != w->begin;
}

int window_parse(const char *s, struct window *ret, struct error *err)
{
	const char *space = strchr(s, ' '), *times = space ? space + strspn(space, " ") : s;
	char days[96]; /* more than all of them in full */
	struct window w = {.days = EVERY_DAY};
	size_t len = space ? (size_t)(space - s) : 0;

	if (len < sizeof(days)) {
		memcpy(days, s, len);
		days[len] = '\0';
		if ((!space || parse_weekdays(days, &w.days)) && parse_times(times, &w)) {
			*ret = w;
			return 0;
		}
	}
	return error_set(
		err, 0,
		"the schedule '%.128s' is not of the form [WEEKDAYS] HH:MM-HH:MM, as 'Mon..Fri 08:00-18:00' or "
		"'Sat,Sun 22:00-06:00': weekdays as in systemd.time(7), where the week ends on Sunday, and two "
		"different times, of which the second may be 24:00",
		s);
}

/* A time of day, `days` days after `day`. A clock change may make it occur twice, or never: the later or the earlier of
 * the possible times. */
static time_t time_at(const struct tm *day, int days, unsigned minute, bool later)
{
	time_t times[2];
	bool exact[2];

	for (int dst = 0; dst < 2; dst++) {
		struct tm t = {.tm_year = day->tm_year,
			       .tm_mon = day->tm_mon,
			       .tm_mday = day->tm_mday + days,
			       .tm_hour = (int)minute / 60,
			       .tm_min = (int)minute % 60,
			       .tm_isdst = dst};

		times[dst] = mktime(&t); /* mktime() adjusts an impossible time */
		exact[dst] = t.tm_hour == (int)(minute % MINUTES_PER_DAY) / 60 && t.tm_min == (int)minute % 60;
	}
	if (exact[0] != exact[1])
		return times[exact[1]];
	return (times[0] < times[1]) == later ? times[1] : times[0];
}

static bool begins_on(const struct window *w, const struct tm *day, int days)
{
	return w->days & 1U << (day->tm_wday - 1 + days + 2 * DAYS_PER_WEEK) % DAYS_PER_WEEK;
}

/* The latest end of the windows that are on; `now` if none is. A window may have begun yesterday. */
static time_t current_end(const struct window *windows, size_t n, time_t now)
{
	time_t end = now;
	struct tm today;

	localtime_r(&now, &today);
	for (size_t k = 0; k < n; k++) {
		const struct window *w = &windows[k];

		for (int days = -1; days <= 0; days++) {
			time_t t;

			if (!begins_on(w, &today, days) || time_at(&today, days, w->begin, false) > now)
				continue;
			t = time_at(&today, days, w->end, true);
			end = t > end ? t : end;
		}
	}
	return end;
}

/* The first beginning after now, within a week; `now` if there is none. */
static time_t next_begin(const struct window *windows, size_t n, time_t now)
{
	time_t begin = now;
	struct tm today;

	localtime_r(&now, &today);
	for (size_t k = 0; k < n; k++) {
		for (int days = 0; days <= DAYS_PER_WEEK; days++) {
			time_t t;

			if (!begins_on(&windows[k], &today, days))
				continue;
			t = time_at(&today, days, windows[k].begin, false);
			if (t > now && (begin == now || t < begin))
				begin = t;
		}
	}
	return begin;
}

void schedule_next(const struct window *windows, size_t n, uint64_t now, uint64_t *ret_begin, uint64_t *ret_end)
{
	const time_t more_than_a_week = (DAYS_PER_WEEK + 1) * (time_t)MINUTES_PER_DAY * 60;
	time_t begin = (time_t)(now / USEC_PER_SEC), end, next;

	*ret_begin = *ret_end = 0;
	if (n == 0)
		return;
	if (current_end(windows, n, begin) == begin)
		begin = next_begin(windows, n, begin);
	for (end = begin; (next = current_end(windows, n, end)) > end && end - begin <= more_than_a_week;)
		end = next;
	*ret_begin = (uint64_t)begin * USEC_PER_SEC;
	*ret_end = next > end ? *ret_begin + HOLD_MAX : (uint64_t)end * USEC_PER_SEC;
}
