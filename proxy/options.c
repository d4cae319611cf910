#include "proxy/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"

enum option_id {
	OPTION_FORWARD = 1,
	OPTION_TARGET,
	OPTION_HEALTH_CHECK,
	OPTION_STARTUP_TIMEOUT,
	OPTION_IDLE_TIMEOUT,
	OPTION_WARM_FOR,
	OPTION_KEEPALIVE,
	OPTION_CONNECTION_TIMEOUT,
	OPTION_FLOW_TIMEOUT,
	OPTION_DRAIN_TIMEOUT,
	OPTION_WORKERS,
	OPTION_PROXY_PROTOCOL,
	OPTION_TRANSPARENT,
	OPTION_NO_HOLD_FROM,
	OPTION_HOLD,
	OPTION_AWAIT,
};

static const struct option known[] = {
	{"forward", required_argument, NULL, OPTION_FORWARD},
	{"target", required_argument, NULL, OPTION_TARGET},
	{"health-check", required_argument, NULL, OPTION_HEALTH_CHECK},
	{"startup-timeout", required_argument, NULL, OPTION_STARTUP_TIMEOUT},
	{"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
	{"warm-for", required_argument, NULL, OPTION_WARM_FOR},
	{"keepalive", required_argument, NULL, OPTION_KEEPALIVE},
	{"connection-timeout", required_argument, NULL, OPTION_CONNECTION_TIMEOUT},
	{"flow-timeout", required_argument, NULL, OPTION_FLOW_TIMEOUT},
	{"drain-timeout", required_argument, NULL, OPTION_DRAIN_TIMEOUT},
	{"workers", required_argument, NULL, OPTION_WORKERS},
	{"proxy-protocol", required_argument, NULL, OPTION_PROXY_PROTOCOL},
	{"transparent", no_argument, NULL, OPTION_TRANSPARENT},
	{"no-hold-from", required_argument, NULL, OPTION_NO_HOLD_FROM},
	{"hold", required_argument, NULL, OPTION_HOLD},
	{"await", required_argument, NULL, OPTION_AWAIT},
	{NULL, 0, NULL, 0},
};

static int parse_workers(const char *s, unsigned *ret, struct error *err)
{
	uint64_t n;

	if (parse_u64("--workers", s, 1, WORKERS_MAX, &n, err) < 0)
		return -1;
	*ret = (unsigned)n;
	return 0;
}

static int parse_await(const char *s, struct proxy_options *o, struct error *err)
{
	uint64_t port;

	if (parse_u64("--await", s, 0, UINT16_MAX, &port, err) < 0)
		return -1;
	o->await = true;
	o->await_port = (uint16_t)port;
	return 0;
}

static int parse_hold(const char *s, struct proxy_options *o, struct error *err)
{
	o->relay.hold_data = strcmp(s, "data") == 0;
	if (!o->relay.hold_data && strcmp(s, "connections") != 0)
		return error_set(err, EINVAL, "--hold '%s' is neither 'connections' nor 'data'", s);
	return 0;
}

static int parse_option(int id, char *value, struct proxy_options *o, struct error *err)
{
	switch (id) {
	case OPTION_FORWARD:
		return publish_parse(value, &o->relay.forwards[o->relay.n_forwards++], err);
	case OPTION_TARGET:
		o->relay.unix_target |= strncmp(value, "unix:", strlen("unix:")) == 0;
		o->relay.targets[o->relay.n_targets++] = value;
		return 0;
	case OPTION_HEALTH_CHECK:
		return readiness_parse(value, &o->readiness, err);
	case OPTION_STARTUP_TIMEOUT:
		return parse_duration("--startup-timeout", value, &o->relay.startup_timeout, err);
	case OPTION_IDLE_TIMEOUT:
		return parse_duration("--idle-timeout", value, &o->relay.idle_timeout, err);
	case OPTION_WARM_FOR:
		return parse_duration("--warm-for", value, &o->relay.warm_for, err);
	case OPTION_KEEPALIVE:
		return parse_duration("--keepalive", value, &o->relay.keepalive, err);
	case OPTION_CONNECTION_TIMEOUT:
		return parse_duration("--connection-timeout", value, &o->relay.connection_timeout, err);
	case OPTION_FLOW_TIMEOUT:
		return parse_duration("--flow-timeout", value, &o->relay.flow_timeout, err);
	case OPTION_DRAIN_TIMEOUT:
		return parse_duration("--drain-timeout", value, &o->relay.drain_timeout, err);
	case OPTION_WORKERS:
		return parse_workers(value, &o->relay.workers, err);
	case OPTION_PROXY_PROTOCOL:
		return proxy_protocol_parse(value, &o->relay.proxy_protocol, err);
	case OPTION_TRANSPARENT:
		o->relay.transparent = true;
		return 0;
	case OPTION_NO_HOLD_FROM:
		return cidr_parse(value, &o->relay.no_hold[o->relay.n_no_hold++], err);
	case OPTION_HOLD:
		return parse_hold(value, o, err);
	case OPTION_AWAIT:
		return parse_await(value, o, err);
	default:
		return error_set(err, EINVAL, "the proxy does not know one of its options, or it lacks a value");
	}
}

static int check(const struct proxy_options *o, struct error *err)
{
	if (o->await && o->relay.n_forwards > 0)
		return error_set(err, EINVAL, "--await only waits: it does without --forward");
	if (!o->await && o->relay.n_forwards == 0)
		return error_set(err, EINVAL, "the proxy needs at least one --forward");
	if (o->relay.idle_timeout == 0)
		return error_set(err, EINVAL, "--idle-timeout must be longer than 0; 'infinity' means never");
	if (o->relay.flow_timeout == 0)
		return error_set(err, EINVAL, "--flow-timeout must be longer than 0; 'infinity' means never");
	if (o->relay.transparent && o->relay.proxy_protocol != PROXY_PROTOCOL_NONE)
		return error_set(err, EINVAL,
				 "--transparent and --proxy-protocol both show the client's address; use one");
	for (size_t i = 0; i < o->relay.n_forwards; i++) {
		const struct publish *p = &o->relay.forwards[i];

		if (o->relay.unix_target && p->type == SOCK_DGRAM)
			return error_set(err, EINVAL, "UDP port %u cannot be forwarded to a Unix socket", p->port);
		if (!o->relay.unix_target && p->type == SOCK_SEQPACKET)
			return error_set(err, EINVAL,
					 "'%s' is a seqpacket socket, which only --target unix:/PATH can serve",
					 p->path);
		if (!o->relay.unix_target && p->container_port == 0)
			return error_set(err, EINVAL, "the container's port may only be 0 with --target unix:/PATH");
	}
	return 0;
}

int proxy_options_parse(int argc, char **argv, struct proxy_options *ret, struct error *err)
{
	size_t n = (size_t)argc;
	struct proxy_options o = {
		.readiness = {.kind = READY_LISTEN},
		.relay.startup_timeout = 30 * USEC_PER_SEC,
		.relay.idle_timeout = 300 * USEC_PER_SEC,
		.relay.keepalive = 120 * USEC_PER_SEC,
		.relay.connection_timeout = USEC_INFINITY,
		.relay.flow_timeout = 60 * USEC_PER_SEC,
		.relay.drain_timeout = 10 * USEC_PER_SEC,
	};
	int id;

	/* No list can be longer than the command line. */
	o.relay.forwards = calloc(n, sizeof(*o.relay.forwards));
	o.relay.targets = calloc(n, sizeof(*o.relay.targets));
	o.relay.no_hold = calloc(n, sizeof(*o.relay.no_hold));
	if (!o.relay.forwards || !o.relay.targets || !o.relay.no_hold) {
		proxy_options_free(&o);
		return error_set(err, ENOMEM, "out of memory");
	}
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		if (parse_option(id, optarg, &o, err) < 0) {
			if (id == '?' && optind > 0)
				error_context(err, "'%s'", argv[optind - 1]);
			proxy_options_free(&o);
			return -1;
		}
	}
	if (optind < argc) {
		proxy_options_free(&o);
		return error_set(err, EINVAL, "the proxy takes options only, not '%s'", argv[optind]);
	}
	o.readiness.proxy_protocol = o.relay.proxy_protocol;
	if (check(&o, err) < 0) {
		proxy_options_free(&o);
		return -1;
	}
	*ret = o;
	return 0;
}

void proxy_options_free(struct proxy_options *options)
{
	free(options->relay.forwards);
	free(options->relay.targets);
	free(options->relay.no_hold);
	*options = (struct proxy_options){0};
}
