/* proxy: relays between the sockets that systemd holds for an instance and the server inside its container.
 *
 * Started by nshelper inside the container's network namespace. The order of the steps is the design's: everything that
 * needs a name or a privilege first, readiness, confinement, READY=1, and only then the first byte of a client.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "confine/confine.h"
#include "handover/channel.h"
#include "handover/environment.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "handover/refuse.h"
#include "proxy/await.h"
#include "proxy/lifecycle.h"
#include "relay/accept.h"
#include "relay/threads.h"
#include "relay/udp.h"
#include "relay/worker_loop.h"

/* Open beside connections: standard streams, listeners, epoll, signals, notification, lock, pidfd, …; generous. */
#define RESERVED_DESCRIPTORS 64

struct proxy {
	struct proxy_options options;
	struct service service;
	struct report report;
	struct lifecycle lifecycle;
	struct accepted *accepted;
	size_t n_accepted;
	int pidfd;
	int hold_fd;
};

/* A server on all addresses answers a datagram that was sent to one of the container's own from loopback (see
 * nshelper/outside.c), which the flow's socket takes no answers from. By itself, loopback is tried first; where an
 * address was named, it is the source as well. */
static void without_sources(struct target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		targets[i].source = NULL;
}

/* Each forward's own list: without ourselves, with its port. */
static int set_targets(struct service *s, const struct target *targets, size_t n, struct error *err)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];
		uint16_t port = f->publish->container_port;

		f->targets = malloc((n > 0 ? n : 1) * sizeof(*targets));
		if (!f->targets)
			return error_set(err, ENOMEM, "out of memory");
		memcpy(f->targets, targets, n * sizeof(*targets));
		f->n_targets = targets_without_ours(f->targets, n, f->publish->type, port);
		if (f->n_targets == 0)
			return error_set(err, 0,
					 "port %u in the container is our own listening socket: with the host's "
					 "network the listening port must differ from the container's",
					 port);
		if (f->publish->type == SOCK_DGRAM && s->config->n_targets > 0)
			without_sources(f->targets, f->n_targets);
		for (size_t j = 0; j < f->n_targets; j++)
			f->targets[j] = target_with_port(&f->targets[j], port);
	}
	return 0;
}

static int map_statistics(struct report *r, struct error *err)
{
	static struct stats unseen; /* run by hand */
	int fd;

	r->stats = &unseen;
	if (environment_fd("SOCKWAKE_STATS_FD", &fd, err) < 0)
		return -1;
	if (fd >= 0)
		r->stats = stats_map(fd, 0, err);
	if (!r->stats)
		return -1;
	r->stats->t_proxy = now_usec();
	return 0;
}

/* What the proxy has to say the keeper says: the journal is not for a proxy that was taken over to write to. */
static int leave_journal(struct error *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return error_errno(err, errno, "cannot leave the journal");
	return 0;
}

/* How long a server on loopback alone has to last. MongoDB's image runs its temporary one for some seconds. */
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

/* Is the server behind the first port ready? One that is known to listen on loopback alone, or whose address somebody has
 * chosen, is not watched. */
static int await_ready(struct proxy *p, struct error *err)
{
	struct service *s = &p->service;
	const struct forward *f = &s->forwards[0];
	struct readiness_seen seen = {};
	struct stats *stats = p->report.stats;
	struct readiness r = p->options.readiness;
	uint64_t watch = p->options.relay.startup_timeout / 2; /* a client waits no longer than twice that */

	r.seen = &seen;
	r.outside = &s->outside;
	if (p->options.relay.n_targets == 0 && !(stats->flags & STATS_LOOPBACK))
		r.loopback_usec = watch < LOOPBACK_USEC ? watch : LOOPBACK_USEC;
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

/* Everything that is not one of these is closed by confinement. */
static int confine_all(const struct proxy *p, struct error *err)
{
	const struct service *s = &p->service;
	size_t n_keep = 4 + s->n_forwards + p->n_accepted + 3 * (size_t)s->n_workers, k = 0, n_ports = 0;
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

/* To the keeper, else to the service manager. */
static int connect_reports(struct report *r, struct error *err)
{
	r->notify_fd = channel_inherited();
	r->has_keeper = r->notify_fd >= 0;
	return r->has_keeper ? 0 : notify_connect(&r->notify_fd, err);
}

/* The keeper resets those whose time is over before the server is ready. */
static void drop_reset(struct proxy *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_accepted; i++) {
		struct pollfd f = {.fd = p->accepted[i].fd};

		if (poll(&f, 1, 0) > 0 && f.revents & POLLHUP)
			close(p->accepted[i].fd);
		else
			p->accepted[kept++] = p->accepted[i];
	}
	p->n_accepted = kept;
}

static bool needs_own_addresses(const struct relay_config *c)
{
	return c->transparent || c->proxy_protocol != PROXY_PROTOCOL_NONE || c->n_targets > 0;
}

/* What comes before the first client. */
static int prepare(struct proxy *p, struct error *err)
{
	_cleanup_free_ struct target *targets = NULL;
	struct service *s = &p->service;
	uint64_t clients_deadline;
	size_t n_targets;
	int used;

	if (map_statistics(&p->report, err) < 0 ||
	    environment_deadline(p->options.relay.startup_timeout, &s->deadline, err) < 0 ||
	    environment_mark(&s->mark, err) < 0 || environment_fd("SOCKWAKE_PIDFD", &p->pidfd, err) < 0 ||
	    environment_fd("SOCKWAKE_HOLD_FD", &p->hold_fd, err) < 0 || connect_reports(&p->report, err) < 0 ||
	    listeners_match(&p->options.relay, &s->forwards, err) < 0)
		return -1;
	p->report.service = s;
	s->config = &p->options.relay;
	s->n_forwards = p->options.relay.n_forwards;
	s->n_workers = p->options.relay.workers > 0 ? p->options.relay.workers : threads_default(s);
	if (accepted_parse(getenv("SOCKWAKE_ACCEPTED"), s->forwards, s->n_forwards, &p->accepted, &p->n_accepted, err) <
	    0)
		return -1;
	used = RESERVED_DESCRIPTORS + (int)p->n_accepted + 3 * (int)s->n_workers;
	descriptors_init(&s->descriptors, used);
	/* It would begin and end in vain, again and again, and those who wait would wait for ever. */
	if (!descriptors_left(&s->descriptors, 2))
		return error_set(err, EMFILE,
				 "the limit of open files leaves none for a connection: raise LimitNOFILE= of the "
				 "unit to %d at least",
				 used + 2);

	if (outside_open(&s->outside, needs_own_addresses(&p->options.relay), err) < 0 ||
	    targets_resolve(p->options.relay.targets, s->deadline, p->pidfd, &targets, &n_targets, err) < 0 ||
	    outside_arrange(&s->outside, p->options.relay.n_targets > 0, targets, &n_targets, err) < 0 ||
	    set_targets(s, targets, n_targets, err) < 0 || await_ready(p, err) < 0)
		return -1;
	drop_reset(p);
	/* A start may take longer than clients wait. From here on no server is waited for beyond that. */
	clients_deadline = p->options.relay.startup_timeout;
	if (clients_deadline != USEC_INFINITY)
		clients_deadline += p->report.stats->t_ready;
	s->deadline = clients_deadline < s->deadline ? clients_deadline : s->deadline;

	s->workers = calloc(s->n_workers, sizeof(*s->workers));
	if (!s->workers)
		return error_set(err, ENOMEM, "out of memory");
	if (worker_init(&s->workers[0], s, 0, err) < 0 || udp_open(&s->workers[0], &s->workers[0].udp, err) < 0 ||
	    threads_open(s, err) < 0 || lifecycle_open(&p->lifecycle, &p->report, p->pidfd, p->hold_fd, err) < 0)
		return -1;
	accept_prepare(s);
	return confine_all(p, err);
}

static int run(int argc, char **argv)
{
	static struct proxy p = {.pidfd = -1, .hold_fd = -1};
	struct error err;

	(void)prctl(PR_SET_NAME, "proxy"); /* executed by descriptor, it would be called by its number */
	(void)log_begin("proxy");
	refuse_on_signal("the proxy");
	(void)signal(SIGPIPE, SIG_IGN);
	if (proxy_options_parse(argc, argv, &p.options, &err) < 0) {
		refuse_queue(&err);
		return EXIT_USAGE;
	}
	if (p.options.await)
		return await_server(&p.options, &err) < 0 ? refuse_queue(&err) : EXIT_SUCCESS;
	if (prepare(&p, &err) < 0 || lifecycle_start(&p.lifecycle, &err) < 0)
		return refuse_queue(&err);
	if (lifecycle_run(&p.lifecycle, p.accepted, p.n_accepted, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		return EXIT_FAILURE;
	}
	if (!p.report.has_keeper) /* else the keeper says it */
		log_line(LOG_INFO, "%s; %llu connections were served", p.lifecycle.reason,
			 (unsigned long long)p.report.stats->connections_total);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	return run(argc, argv);
}
