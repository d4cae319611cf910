#include "relay/keepalive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/extremes.h"

/* #syscalls: setsockopt */

static bool is_off(const struct relay_config *config)
{
	return config->keepalive == 0 || config->keepalive == USEC_INFINITY;
}

void keepalive_set(int fd, const struct relay_config *config)
{
	uint64_t seconds = config->keepalive / USEC_PER_SEC;
	int idle = (int)least_of(most_of(seconds, 1), 32767);
	int interval = (int)most_of((unsigned)idle / 8, 1);
	int probes = 8, on = 1;

	if (is_off(config))
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static void probe_fired(struct loop *loop, struct timer *timer)
{
	struct worker *w = worker_of(loop);
	bool others = false;

	(void)timer;
	for (struct connection *c = w->all; c; c = c->next) {
		if (!c->ends[TARGET].eof || c->ends[CLIENT].eof || c->is_probed)
			continue;
		if (c->last_active + w->service->config->keepalive > loop->now) {
			others = true;
			continue;
		}
		keepalive_set(c->ends[TARGET].watch.fd, w->service->config);
		c->is_probed = true;
	}
	if (others)
		keepalive_watch(w);
}

void keepalive_init(struct worker *w)
{
	timer_add(&w->loop, &w->probe, probe_fired);
}

void keepalive_watch(struct worker *w)
{
	if (w->probe.when == USEC_INFINITY && !is_off(w->service->config))
		timer_set(&w->loop, &w->probe, w->loop.now + w->service->config->keepalive);
}
