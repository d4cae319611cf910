/* instance/schedule.c: what is a schedule, and when it is on; with the local time of places that change their clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/clock.h"
#include "instance/schedule.h"

/* tzset(3), so that nothing has to be installed */
#define BERLIN	  "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK  "EST5EDT,M3.2.0,M11.1.0"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

static struct window parsed(const char *s)
{
	struct window w;
	struct error err;

	if (window_parse(s, &w, &err) < 0)
		fail_msg("%s", err.text);
	return w;
}

static void expect_window(const char *s, unsigned days, unsigned begin, unsigned end)
{
	struct window w = parsed(s);

	if (w.days != days || w.begin != begin || w.end != end)
		fail_msg("%s: days %#x from %u to %u", s, w.days, w.begin, w.end);
}

static void grammar(void **state)
{
	(void)state;
	expect_window("Mon..Fri 08:00-18:00", MON | TUE | WED | THU | FRI, 480, 1080);
	expect_window("08:30-17:15", EVERY_DAY, 510, 1035);
	expect_window("9:00-17:00", EVERY_DAY, 540, 1020);
	expect_window("Mon 22:00-6:00", MON, 1320, 1800);
	expect_window("Sat,Sun 00:00-24:00", SAT | SUN, 0, 1440);
	expect_window("Mon,Wed..Fri,Sun 23:59-24:00", MON | WED | THU | FRI | SUN, 1439, 1440);
	expect_window("tuesday..THURSDAY,sunday   00:00-00:01", TUE | WED | THU | SUN, 0, 1);
	expect_window("Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday 01:00-02:00", EVERY_DAY, 60, 120);
	expect_window("Mon..Mon 01:00-02:00", MON, 60, 120);
	expect_window("Fri 22:00-06:00", FRI, 1320, 1800);
	expect_window("Fri 22:00-00:00", FRI, 1320, 1440);
	expect_window("12:00-11:59", EVERY_DAY, 720, 2159);
}

static void what_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  " ",
					  "Mon",
					  "Mon ",
					  "Mon..Fri",
					  "08:00",
					  "008:00-18:00",
					  ":00-18:00",
					  "8:0-18:00",
					  "08:00-18",
					  "08:00-18:00 ",
					  " 08:00-18:00",
					  "08:00-18:00:00",
					  "08:00 - 18:00",
					  "08:00..18:00",
					  "08:00-08:00",
					  "24:00-08:00",
					  "00:00-24:01",
					  "08:60-10:00",
					  "25:00-26:00",
					  "-1:00-09:00",
					  "+8:00-09:00",
					  "Fri..Mon 08:00-18:00",
					  "Mon-Fri 08:00-18:00",
					  "Mon.Fri 08:00-18:00",
					  "Mon...Fri 08:00-18:00",
					  "Mon.. 08:00-18:00",
					  "..Fri 08:00-18:00",
					  "Mon..Wed..Fri 08:00-18:00",
					  "Mon, 08:00-18:00",
					  ",Mon 08:00-18:00",
					  "Mon,,Tue 08:00-18:00",
					  "Mo 08:00-18:00",
					  "Mond 08:00-18:00",
					  "Mondays 08:00-18:00",
					  "Mon 2026-11-23 08:00-18:00",
					  "*-*-* 08:00-18:00",
					  "Mon\t08:00-18:00",
					  "Mon\n08:00-18:00",
					  "08:00-18:00\n",
					  "08:00-18:00 UTC",
					  "%h 08:00-18:00",
					  "0\xd9\xa8:00-18:00"};
	char longer[300];
	struct window w;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(*bad); k++) {
		if (window_parse(bad[k], &w, &err) == 0)
			fail_msg("accepted: '%s'", bad[k]);
		assert_non_null(strstr(err.text, bad[k]));
		assert_non_null(strstr(err.text, "[WEEKDAYS] HH:MM-HH:MM"));
	}
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(window_parse(longer, &w, &err), -1);
	memcpy(longer + 280, " 08:00-18:00", 13);
	assert_int_equal(window_parse(longer, &w, &err), -1);
}

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* A time as `date` takes it, with its offset: "2026-03-29 01:30:00 +0100". */
static uint64_t usec(const char *s)
{
	struct tm t = {};
	const char *end = strptime(s, "%Y-%m-%d %H:%M:%S %z", &t);
	long offset = t.tm_gmtoff;

	if (!end || *end)
		fail_msg("'%s' is no time", s);
	return (uint64_t)(timegm(&t) - offset) * USEC_PER_SEC;
}

#define SCHEDULE(...) ((const char *const[]){__VA_ARGS__, NULL})

/* begin is NULL where it is on at that time. */
static void expect_next(const char *const *schedule, const char *now, const char *begin, const char *end)
{
	struct window windows[8];
	uint64_t from, until, at = usec(now) + 999999;
	size_t n = 0;

	for (; schedule[n]; n++)
		windows[n] = parsed(schedule[n]);
	windows[n] = parsed("00:00-24:00"); /* behind the last one: does not count */
	schedule_next(windows, n, at, &from, &until);
	if (begin ? from != usec(begin) : from > at)
		fail_msg("%s at %s begins at %lld", schedule[0], now, (long long)from);
	if (until != usec(end))
		fail_msg("%s at %s ends at %lld, not %s", schedule[0], now, (long long)until, end);
}

/* 2026-11-23 is a Monday. */
static void on_and_off(void **state)
{
	const char *const *office = SCHEDULE("Mon..Fri 08:00-18:00"), *const *sunday = SCHEDULE("Sun 10:00-24:00");

	(void)state;
	zone(BERLIN);
	expect_next(office, "2026-11-23 07:59:59 +0100", "2026-11-23 08:00:00 +0100", "2026-11-23 18:00:00 +0100");
	expect_next(office, "2026-11-23 08:00:00 +0100", NULL, "2026-11-23 18:00:00 +0100");
	expect_next(office, "2026-11-23 17:59:59 +0100", NULL, "2026-11-23 18:00:00 +0100");
	expect_next(office, "2026-11-23 18:00:00 +0100", "2026-11-24 08:00:00 +0100", "2026-11-24 18:00:00 +0100");
	expect_next(office, "2026-11-27 18:00:00 +0100", "2026-11-30 08:00:00 +0100", "2026-11-30 18:00:00 +0100");
	expect_next(sunday, "2026-11-29 23:59:59 +0100", NULL, "2026-11-30 00:00:00 +0100");
	expect_next(sunday, "2026-11-30 00:00:00 +0100", "2026-12-06 10:00:00 +0100", "2026-12-07 00:00:00 +0100");
	expect_next(SCHEDULE("Mon 08:00-09:00"), "2026-11-23 09:00:00 +0100", "2026-11-30 08:00:00 +0100",
		    "2026-11-30 09:00:00 +0100");
	expect_next(SCHEDULE("08:00-09:00"), "2026-12-31 23:00:00 +0100", "2027-01-01 08:00:00 +0100",
		    "2027-01-01 09:00:00 +0100");
}

static void over_midnight(void **state)
{
	const char *const *night = SCHEDULE("Sun 22:00-06:00");

	(void)state;
	zone(NEW_YORK);
	expect_next(night, "2026-11-29 21:00:00 -0500", "2026-11-29 22:00:00 -0500", "2026-11-30 06:00:00 -0500");
	expect_next(night, "2026-11-29 23:59:59 -0500", NULL, "2026-11-30 06:00:00 -0500");
	expect_next(night, "2026-11-30 05:59:59 -0500", NULL, "2026-11-30 06:00:00 -0500");
	expect_next(night, "2026-11-30 06:00:00 -0500", "2026-12-06 22:00:00 -0500", "2026-12-07 06:00:00 -0500");
	expect_next(SCHEDULE("12:01-12:00"), "2026-11-30 12:00:00 -0500", "2026-11-30 12:01:00 -0500",
		    "2026-12-01 12:00:00 -0500");
}

static void windows_unite(void **state)
{
	(void)state;
	zone("UTC0");
	expect_next(SCHEDULE("08:00-12:00", "12:00-13:00"), "2026-11-23 08:00:00 +0000", NULL,
		    "2026-11-23 13:00:00 +0000");
	expect_next(SCHEDULE("12:00-13:00", "08:00-12:30"), "2026-11-23 08:00:00 +0000", NULL,
		    "2026-11-23 13:00:00 +0000");
	expect_next(SCHEDULE("08:00-18:00", "10:00-11:00"), "2026-11-23 10:30:00 +0000", NULL,
		    "2026-11-23 18:00:00 +0000");
	expect_next(SCHEDULE("08:00-12:00", "12:01-13:00"), "2026-11-23 08:00:00 +0000", NULL,
		    "2026-11-23 12:00:00 +0000");
	expect_next(SCHEDULE("Sat,Sun 00:00-24:00"), "2026-11-27 20:00:00 +0000", "2026-11-28 00:00:00 +0000",
		    "2026-11-30 00:00:00 +0000");
	expect_next(SCHEDULE("20:00-24:00", "00:00-02:00"), "2026-11-23 19:00:00 +0000", "2026-11-23 20:00:00 +0000",
		    "2026-11-24 02:00:00 +0000");
	/* all but one minute of the week, in which it began */
	expect_next(SCHEDULE("Mon 00:01-24:00", "Tue..Sun 00:00-24:00"), "2026-11-23 00:01:00 +0000", NULL,
		    "2026-11-30 00:00:00 +0000");
}

static void without_end_or_beginning(void **state)
{
	struct window whole = parsed("00:00-24:00");
	uint64_t from, until, now = usec("2026-11-23 12:00:00 +0000");

	(void)state;
	zone("UTC0");
	schedule_next(&whole, 1, now, &from, &until);
	assert_int_equal(from, now);
	assert_int_equal(until, now + HOLD_MAX);
	schedule_next(NULL, 0, now, &from, &until);
	assert_int_equal(from | until, 0);
}

/* On 2026-03-29 there is no 02:30 in Berlin, on 2026-10-25 there are two. */
static void clock_changes(void **state)
{
	const char *const *half = SCHEDULE("01:00-02:30");

	(void)state;
	zone(BERLIN);
	expect_next(SCHEDULE("01:00-04:00"), "2026-03-29 01:30:00 +0100", NULL, "2026-03-29 04:00:00 +0200");
	expect_next(SCHEDULE("01:00-04:00"), "2026-10-25 01:30:00 +0200", NULL, "2026-10-25 04:00:00 +0100");
	expect_next(SCHEDULE("Sat 22:00-06:00"), "2026-03-28 23:00:00 +0100", NULL, "2026-03-29 06:00:00 +0200");
	expect_next(SCHEDULE("Sat 22:00-06:00"), "2026-10-25 02:30:00 +0100", NULL, "2026-10-25 06:00:00 +0100");
	expect_next(half, "2026-03-29 01:30:00 +0100", NULL, "2026-03-29 03:30:00 +0200");
	expect_next(half, "2026-10-25 02:10:00 +0200", NULL, "2026-10-25 02:30:00 +0100");
	expect_next(SCHEDULE("02:30-04:00"), "2026-03-29 03:00:00 +0200", NULL, "2026-03-29 04:00:00 +0200");
	expect_next(SCHEDULE("02:30-04:00"), "2026-10-25 02:40:00 +0200", NULL, "2026-10-25 04:00:00 +0100");
	expect_next(SCHEDULE("08:00-18:00"), "2026-03-28 18:00:00 +0100", "2026-03-29 08:00:00 +0200",
		    "2026-03-29 18:00:00 +0200");
	/* half an hour only, and the other half of the world */
	zone(LORD_HOWE);
	expect_next(SCHEDULE("01:00-04:00"), "2026-04-05 01:30:00 +1100", NULL, "2026-04-05 04:00:00 +1030");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),	 cmocka_unit_test(what_is_refused),
		cmocka_unit_test(on_and_off),	 cmocka_unit_test(over_midnight),
		cmocka_unit_test(windows_unite), cmocka_unit_test(without_end_or_beginning),
		cmocka_unit_test(clock_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
