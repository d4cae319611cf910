#include "proxy/policy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "confine/confine.h"
#include "handover/listen.h"

/* The keeper logs for the proxy: a proxy under an attacker's control must not write to the journal. */
static int leave_journal(struct error *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return error_errno(err, errno, "cannot leave the journal");
	return 0;
}

/* Confinement closes all descriptors but these. */
int policy_confine(const struct proxy *p, struct error *err)
{
	const struct service *s = &p->service;
	size_t n_keep = 4 + s->n_forwards + p->n_accepted + 3 * (size_t)s->n_workers + FAULT_SOCKETS_MAX;
	size_t k = 0, n_ports = 0;
	_cleanup_free_ int *keep = calloc(n_keep, sizeof(*keep));
	_cleanup_free_ uint16_t *ports = calloc(s->n_forwards, sizeof(*ports));
	struct confinement c = {
		.unix_target = s->config->unix_target,
		.transparent = s->config->transparent,
		.threads = s->n_workers > 1,
		.has_keeper = p->report.has_keeper,
		.n_shared = LISTEN_FDS_START + (int)s->n_forwards,
		.reports = p->report.notify_fd,
		.sources = {s->outside.ipv4, s->outside.ipv6},
	};
	unsigned missing;
	const char *text;

	if (!keep || !ports)
		return error_set(err, ENOMEM, "out of memory");
	keep[k++] = p->pidfd;
	keep[k++] = p->report.notify_fd;
	keep[k++] = p->hold_fd;
	keep[k++] = p->lifecycle.signals.fd;
	for (size_t i = 0; i < s->n_forwards; i++) {
		keep[k++] = s->forwards[i].fd;
		c.unix_clients |= s->forwards[i].family == AF_UNIX;
		if (s->forwards[i].publish->type == SOCK_DGRAM)
			c.udp = true;
		else if (!c.unix_target)
			ports[n_ports++] = s->forwards[i].publish->container_port;
	}
	for (size_t i = 0; i < p->n_accepted; i++)
		keep[k++] = p->accepted[i].fd;
	for (unsigned i = 0; i < s->n_workers; i++) {
		keep[k++] = s->workers[i].loop.epoll_fd;
		keep[k++] = s->workers[i].told.fd;
		keep[k++] = s->workers[i].told_in;
	}
	k += FAULT_SOCKETS(keep + k);
	c.keep = keep;
	c.n_keep = k;
	c.ports = ports;
	c.n_ports = n_ports;
	log_debug("confines itself%s", p->report.has_keeper ? "; what it does from here on the keeper tells" : "");
	log_is_debug &= !p->report.has_keeper;
	if (p->report.has_keeper && leave_journal(err) < 0)
		return -1;
	if (confine(&c, &missing, err) < 0)
		return error_context(err, "cannot confine the proxy");
	text = confine_missing_text(missing);
	if (text)
		report_note(&p->report, text);
	return 0;
}
