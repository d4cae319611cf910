#include "proxy/ready.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "common/log.h"

/* How long a server on loopback alone must last. MongoDB's image runs its temporary server for some seconds. */
#define LOOPBACK_USEC (5 * USEC_PER_SEC)

static void note_seen(const struct report *r, const struct readiness_seen *seen, uint16_t port)
{
	char text[320];

	if (seen->tls) {
		snprintf(text, sizeof(text),
			 "the server on port %u speaks TLS: it counts as ready when it takes connections, as with "
			 "--health-check listen",
			 port);
		report_note(r, text);
	}
	if (seen->denied) {
		snprintf(
			text, sizeof(text),
			"Redis on port %u is in protected mode and answers DENIED to clients who are not local: give it "
			"a password, or start it with '--protected-mode no'; '--target 127.0.0.1' makes all clients local",
			port);
		report_note(r, text);
	}
	if (seen->stayed) {
		snprintf(text, sizeof(text),
			 "the server on port %u listens on loopback alone, as temporary ones do: this wake has waited "
			 "to see whether it stays, the next ones do not",
			 port);
		report_note(r, text);
	}
}

static void remember_seen(struct stats *stats, const struct readiness_seen *seen)
{
	if (seen->loopback)
		stats->flags |= STATS_LOOPBACK;
	else
		stats->flags &= ~(uint64_t)STATS_LOOPBACK;
}

int ready_await(struct proxy *p, struct error *err)
{
	struct service *s = &p->service;
	const struct forward *f = &s->forwards[0];
	struct readiness_seen seen = {};
	struct stats *stats = p->report.stats;
	struct readiness r = p->options.readiness;
	uint64_t watch = p->options.relay.startup_timeout / 2; /* a client waits twice that at most */

	r.seen = &seen;
	r.outside = &s->outside;
	if (p->options.relay.n_targets == 0 && !(stats->flags & STATS_LOOPBACK))
		r.loopback_usec = least_of(watch, LOOPBACK_USEC);
	if (readiness_wait(&r, f->publish->type, f->publish->container_port, f->targets, f->n_targets, s->deadline,
			   p->pidfd, err) < 0)
		return -1;
	stats->t_ready = now_usec();
	log_debug("the server on port %u is ready", f->publish->container_port);
	note_seen(&p->report, &seen, f->publish->container_port);
	if (p->options.relay.n_targets == 0)
		remember_seen(stats, &seen);
	return 0;
}
