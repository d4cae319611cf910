#include "proxy/ports.h"

#include <string.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "dial/sock_diag.h"

#define LEAST_USEC (2 * USEC_PER_SEC)
#define FOUND_MAX  64

/* Between two addresses of one server, on a busy machine. */
#define SETTLE_USEC (200 * USEC_PER_MSEC)

struct found {
	uint16_t ports[FOUND_MAX];
	size_t n;
};

static bool has_listener(const struct found *found, uint16_t port)
{
	for (size_t k = 0; k < found->n; k++) {
		if (found->ports[k] == port)
			return true;
	}
	return false;
}

/* With --health-check none nobody knows whether the first one is ready. */
static bool is_other(const struct proxy *p, const struct forward *f)
{
	const struct forward *first = &p->service.forwards[0];

	return p->options.readiness.kind != READY_NONE && f->publish->type == SOCK_STREAM &&
	       f->targets[0].addr.ss_family != AF_UNIX &&
	       (first->publish->type != SOCK_STREAM || f->publish->container_port != first->publish->container_port);
}

static bool has_others(const struct proxy *p)
{
	for (size_t k = 1; k < p->service.n_forwards; k++) {
		if (is_other(p, &p->service.forwards[k]))
			return true;
	}
	return false;
}

static void find(const struct proxy *p, struct found *ret)
{
	struct stats *stats = p->report.stats;

	ret->n = has_others(p) ? sock_diag_listening(ret->ports, FOUND_MAX) : 0;
	memset(stats->listening, 0, sizeof(stats->listening));
	memcpy(stats->listening, ret->ports, least_of(ret->n, STATS_LISTENING) * sizeof(*stats->listening));
}

void ports_limit(struct proxy *p)
{
	struct service *s = &p->service;
	const struct stats *stats = p->report.stats;
	uint64_t ready = stats->t_ready, took = beyond(ready, stats->t_proxy);
	/* A start may take longer than clients wait. From now on nothing waits longer for a server than a client does. */
	uint64_t all = least_of(s->deadline, time_after(ready, p->options.relay.startup_timeout));
	uint64_t others = least_of(all, time_after(ready, most_of(took, LEAST_USEC)));
	struct found found;

	s->settles = time_after(ready, SETTLE_USEC);
	find(p, &found);
	for (size_t k = 0; k < s->n_forwards; k++) {
		struct forward *f = &s->forwards[k];

		f->deadline = is_other(p, f) && !has_listener(&found, f->publish->container_port) ? others : all;
	}
}
