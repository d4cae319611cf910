/* The schedule of an instance, as the commands need it. */
#include "control/schedule.h"

#include <stdio.h>

#include "common/clock.h"
#include "instance/schedule.h"

bool schedule_is_on(const struct instance *i)
{
	struct window windows[WINDOWS_MAX];
	struct error ignored; /* they were validated */
	uint64_t begin, end, now = wall_usec();
	size_t n = 0;

	while (i->schedule && i->schedule[n] && window_parse(i->schedule[n], &windows[n], &ignored) == 0)
		n++;
	schedule_next(windows, n, now, &begin, &end);
	return n > 0 && begin <= now;
}

void schedule_format(const struct instance *i, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (char **s = i->schedule; s && *s && len < size; s++)
		len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? "; " : "", *s);
}
