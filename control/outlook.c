#include "control/outlook.h"

#include "common/clock.h"
#include "common/parse.h"

uint64_t outlook_span(const char *text)
{
	struct error ignored;
	uint64_t usec;

	return text && parse_duration("the span", text, &usec, &ignored) == 0 ? usec : USEC_INFINITY;
}

/* No schedule that ever pauses covers more than a week. */
#define LONGEST_WINDOW (8 * 24 * 60 * 60 * USEC_PER_SEC)

bool outlook_is_always(const struct stats *s, uint64_t wall_now)
{
	for (size_t k = 0; k < STATS_WINDOWS; k++) {
		if (s->warm[k].from <= wall_now && s->warm[k].until > wall_now &&
		    s->warm[k].until - wall_now > LONGEST_WINDOW)
			return true;
	}
	return false;
}

/* Decides as the proxy does (proxy/lifecycle.c), except that it includes clients who do not count: the statistics do
 * not distinguish them. */
static uint64_t patience(const struct instance *i, const struct stats *s)
{
	uint64_t idle = outlook_span(i->idle_timeout), warm = i->warm_for ? outlook_span(i->warm_for) : 0;

	if (s->idle_timeout) { /* the options may have been changed since it woke */
		idle = s->idle_timeout;
		warm = s->warm_for;
	}

	return s->connections_total + s->flows_total > 1 && warm > idle ? warm : idle;
}

bool outlook_is_older(const struct instance *i, const struct stats *s)
{
	return s->idle_timeout && (s->idle_timeout != outlook_span(i->idle_timeout) ||
				   s->warm_for != (i->warm_for ? outlook_span(i->warm_for) : 0));
}

uint64_t outlook_sleep(const struct instance *i, const struct stats *s, uint64_t now, uint64_t wall_now)
{
	uint64_t since = s->t_last_activity > s->t_accepting ? s->t_last_activity : s->t_accepting;
	uint64_t span = patience(i, s), held = stats_held_until(s, wall_now), end;

	if (s->connections + s->flows > 0 || span == USEC_INFINITY || since == 0 || since > now)
		return 0;
	end = wall_now + (now - since < span ? span - (now - since) : 0);
	return end > held ? end : held;
}
