#include "relay/service.h"

#include "common/extremes.h"
#include "relay/worker.h"

static uint64_t counter(const struct service *s, unsigned worker, size_t offset)
{
	return count_get((const _Atomic uint64_t *)(const void *)((const char *)&s->workers[worker].counters + offset));
}

uint64_t service_sum(const struct service *s, size_t offset)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < s->n_workers; i++)
		total += counter(s, i, offset);
	return total;
}

static uint64_t latest(const struct service *s, size_t offset)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < s->n_workers; i++) {
		last = most_of(counter(s, i, offset), last);
	}
	return last;
}

#define SUM(s, field)	 service_sum(s, offsetof(struct counters, field))
#define LATEST(s, field) latest(s, offsetof(struct counters, field))

uint64_t service_connections(const struct service *s)
{
	return SUM(s, connections);
}

uint64_t service_holding(const struct service *s)
{
	return SUM(s, holding);
}

uint64_t service_holders(const struct service *s)
{
	return SUM(s, holders);
}

uint64_t service_silent(const struct service *s)
{
	uint64_t silent = SUM(s, silent);

	atomic_thread_fence(memory_order_acquire); /* pairs with connection_speaks() */
	return silent;
}

uint64_t service_last_activity(const struct service *s)
{
	return LATEST(s, last_activity);
}

uint64_t service_last_silent(const struct service *s)
{
	return LATEST(s, last_silent);
}

void service_unreachable(struct service *s, struct forward *f, const struct target *target, int error)
{
	if (s->say_unreachable && !atomic_flag_test_and_set(&f->said_unreachable))
		s->say_unreachable(s, f, target, error);
}

void service_anonymous(struct service *s)
{
	if (s->say_anonymous && !atomic_flag_test_and_set(&s->said_anonymous))
		s->say_anonymous(s);
}
