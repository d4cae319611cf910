#include "control/outlook.h"

#include "common/clock.h"
#include "common/parse.h"

uint64_t outlook_span(const char *text)
{
	struct error ignored;
	uint64_t usec;

	return text && parse_duration("the span", text, &usec, &ignored) == 0 ? usec : USEC_INFINITY;
}

/* Decides as the proxy does (proxy/lifecycle.c), except that it includes clients who do not count: the statistics do
 * not distinguish them. */
static uint64_t patience(const struct instance *i, const struct stats *s)
{
	uint64_t idle = outlook_span(i->idle_timeout), warm = i->warm_for ? outlook_span(i->warm_for) : 0;

	return s->connections_total + s->flows_total > 1 && warm > idle ? warm : idle;
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
