#include "units/calendar.h"

#define HOUR 60U

/* "Mon..Fri,Sun "; nothing for every day. */
static void put_days(FILE *f, unsigned days)
{
	static const char names[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	const char *comma = "";

	if (days == EVERY_DAY)
		return;
	for (unsigned day = 0; day < sizeof(names) / sizeof(*names); day++) {
		unsigned last = day;

		if (!(days & 1U << day))
			continue;
		while (days & 1U << (last + 1))
			last++;
		fprintf(f, "%s%s", comma, names[day]);
		if (last > day)
			fprintf(f, "..%s", names[last]);
		comma = ",";
		day = last;
	}
	fputc(' ', f);
}

/* Minutes of one hour; the end is exclusive. */
static void put_minutes(FILE *f, unsigned days, unsigned begin, unsigned end)
{
	fputs("OnCalendar=", f);
	put_days(f, days);
	fprintf(f, "%02u:%02u", begin / HOUR, begin % HOUR);
	if (end - begin > 1)
		fprintf(f, "..%02u", (end - 1) % HOUR);
	fputc('\n', f);
}

static void put_hours(FILE *f, unsigned days, unsigned begin, unsigned end)
{
	fputs("OnCalendar=", f);
	put_days(f, days);
	fprintf(f, "%02u", begin / HOUR);
	if (end - begin > HOUR)
		fprintf(f, "..%02u", end / HOUR - 1);
	fputs(":*\n", f);
}

/* Within one day: the rest of the first hour, whole hours, and the beginning of the last. */
static void put_part(FILE *f, unsigned days, unsigned begin, unsigned end)
{
	unsigned first = (begin + HOUR - 1) / HOUR * HOUR, last = end / HOUR * HOUR;

	if (first > last) {
		put_minutes(f, days, begin, end);
		return;
	}
	if (begin < first)
		put_minutes(f, days, begin, first);
	if (first < last)
		put_hours(f, days, first, last);
	if (last < end)
		put_minutes(f, days, last, end);
}

void calendar_put(FILE *f, const struct window *w)
{
	unsigned next_days = (w->days << 1 | w->days >> 6) & EVERY_DAY;

	if (w->end <= MINUTES_PER_DAY) {
		put_part(f, w->days, w->begin, w->end);
		return;
	}
	put_part(f, w->days, w->begin, MINUTES_PER_DAY);
	put_part(f, next_days, 0, w->end - MINUTES_PER_DAY);
}
