#include "proxy/prepare.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"
#include "handover/channel.h"
#include "handover/environment.h"
#include "handover/listen.h"
#include "proxy/policy.h"
#include "proxy/ports.h"
#include "proxy/ready.h"
#include "relay/accept.h"
#include "relay/threads.h"
#include "relay/udp.h"
#include "relay/worker_loop.h"

/* Descriptors other than connections: standard streams, listeners, epoll, signals, notification, lock, pidfd, …;
 * generous. */
#define RESERVED_DESCRIPTORS 64

/* A server on all addresses answers a datagram from loopback if it was sent, from an outside source, to one of the
 * container's own addresses (see nshelper/outside.c); the flow's socket does not accept such an answer. Without
 * --target, loopback is tried first; with it, the named address is the source as well. */
static bool is_without_source(const struct service *s, const struct forward *f)
{
	return f->publish->type == SOCK_DGRAM && s->config->n_targets > 0;
}

/* Gives each forward a list of its own: without our own sockets, with its port. */
static int set_targets(struct service *s, const struct target *targets, size_t n, struct error *err)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];
		uint16_t port = f->publish->container_port;

		f->targets = malloc(most_of(n, 1) * sizeof(*targets));
		if (!f->targets)
			return error_set(err, ENOMEM, "out of memory");
		memcpy(f->targets, targets, n * sizeof(*targets));
		f->n_targets = targets_without_ours(f->targets, n, f->publish->type, port);
		if (f->n_targets == 0)
			return error_set(err, 0,
					 "port %u in the container is our own listening socket: with the host's "
					 "network the listening port must differ from the container's",
					 port);
		for (size_t j = 0; j < f->n_targets; j++) {
			f->targets[j] = target_with_port(&f->targets[j], port);
			if (is_without_source(s, f))
				f->targets[j].source = NULL;
		}
	}
	return 0;
}

static int map_statistics(struct report *r, struct error *err)
{
	static struct stats unseen; /* without a keeper: nobody reads them */
	int fd;

	r->stats = &unseen;
	if (environment_take_fd(VARIABLE_STATS, &fd, err) < 0)
		return -1;
	if (fd >= 0)
		r->stats = stats_map(fd, 0, err);
	if (!r->stats)
		return -1;
	r->stats->t_proxy = now_usec();
	return 0;
}

/* To the keeper, or else to the service manager. */
static int connect_reports(struct report *r, struct error *err)
{
	r->notify_fd = channel_inherited();
	r->has_keeper = r->notify_fd >= 0;
	return r->has_keeper ? 0 : notify_connect(&r->notify_fd, err);
}

/* Drops clients that the keeper has reset because their time was over before the server was ready. */
static void drop_reset(struct proxy *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_accepted; i++) {
		struct pollfd f = {.fd = p->accepted[i].fd};

		if (poll(&f, 1, 0) > 0) /* only an end is told unasked */
			close(p->accepted[i].fd);
		else
			p->accepted[kept++] = p->accepted[i];
	}
	p->n_accepted = kept;
}

static bool needs_own_addresses(const struct relay_config *c)
{
	return c->transparent || c->proxy_protocol != PROXY_PROTOCOL_NONE || c->n_targets;
}

int prepare_proxy(struct proxy *p, struct error *err)
{
	_cleanup_free_ struct target *targets = NULL;
	struct service *s = &p->service;
	size_t n_targets;
	int used;

	if (map_statistics(&p->report, err) < 0 ||
	    environment_deadline(p->options.relay.startup_timeout, &s->deadline, err) < 0 ||
	    environment_mark(&s->mark, err) < 0 || environment_take_fd(VARIABLE_PIDFD, &p->pidfd, err) < 0 ||
	    environment_take_fd(VARIABLE_HOLD, &p->hold_fd, err) < 0 || connect_reports(&p->report, err) < 0 ||
	    listeners_match(&p->options.relay, &s->forwards, err) < 0)
		return -1;
	p->report.service = s;
	s->config = &p->options.relay;
	s->n_forwards = p->options.relay.n_forwards;
	s->n_workers = p->options.relay.workers > 0 ? p->options.relay.workers : threads_default(s);
	if (accepted_parse(environment_text(VARIABLE_ACCEPTED), s->forwards, s->n_forwards, &p->accepted,
			   &p->n_accepted, err) < 0)
		return -1;
	used = RESERVED_DESCRIPTORS + (int)p->n_accepted + 3 * (int)s->n_workers;
	descriptors_init(&s->descriptors, used);
	/* Such a proxy would start and end in vain, again and again, while the clients wait for ever. */
	if (!descriptors_left(&s->descriptors, 2))
		return error_set(err, EMFILE,
				 "the limit of open files leaves none for a connection: raise LimitNOFILE= of the "
				 "unit to %d at least",
				 used + 2);

	if (outside_open(&s->outside, needs_own_addresses(&p->options.relay), err) < 0 ||
	    targets_resolve(p->options.relay.targets, s->deadline, p->pidfd, &targets, &n_targets, err) < 0 ||
	    outside_arrange(&s->outside, p->options.relay.n_targets > 0, targets, &n_targets, err) < 0 ||
	    set_targets(s, targets, n_targets, err) < 0 || ready_await(p, err) < 0)
		return -1;
	drop_reset(p);
	ports_limit(p);

	s->workers = calloc(s->n_workers, sizeof(*s->workers));
	if (!s->workers)
		return error_set(err, ENOMEM, "out of memory");
	if (worker_init(&s->workers[0], s, 0, err) < 0 || udp_open(&s->workers[0], &s->workers[0].udp, err) < 0 ||
	    threads_open(s, err) < 0 || lifecycle_open(&p->lifecycle, &p->report, p->pidfd, p->hold_fd, err) < 0)
		return -1;
	accept_prepare(s);
	return policy_confine(p, err);
}
