#include "proxy/config.h"

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

static const struct option options[] = {
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

static int parse_await(const char *s, struct config *c, struct error *err)
{
	uint64_t port;

	if (parse_u64("--await", s, 0, UINT16_MAX, &port, err) < 0)
		return -1;
	c->await = true;
	c->await_port = (uint16_t)port;
	return 0;
}

static int parse_hold(const char *s, struct config *c, struct error *err)
{
	c->hold_data = strcmp(s, "data") == 0;
	if (!c->hold_data && strcmp(s, "connections") != 0)
		return error_set(err, EINVAL, "--hold '%s' is neither 'connections' nor 'data'", s);
	return 0;
}

static int parse_option(int id, char *value, struct config *c, struct error *err)
{
	switch (id) {
	case OPTION_FORWARD:
		return publish_parse(value, &c->forwards[c->n_forwards++], err);
	case OPTION_TARGET:
		c->unix_target |= strncmp(value, "unix:", strlen("unix:")) == 0;
		c->targets[c->n_targets++] = value;
		return 0;
	case OPTION_HEALTH_CHECK:
		return readiness_parse(value, &c->readiness, err);
	case OPTION_STARTUP_TIMEOUT:
		return parse_duration("--startup-timeout", value, &c->startup_timeout, err);
	case OPTION_IDLE_TIMEOUT:
		return parse_duration("--idle-timeout", value, &c->idle_timeout, err);
	case OPTION_WARM_FOR:
		return parse_duration("--warm-for", value, &c->warm_for, err);
	case OPTION_KEEPALIVE:
		return parse_duration("--keepalive", value, &c->keepalive, err);
	case OPTION_CONNECTION_TIMEOUT:
		return parse_duration("--connection-timeout", value, &c->connection_timeout, err);
	case OPTION_FLOW_TIMEOUT:
		return parse_duration("--flow-timeout", value, &c->flow_timeout, err);
	case OPTION_DRAIN_TIMEOUT:
		return parse_duration("--drain-timeout", value, &c->drain_timeout, err);
	case OPTION_WORKERS:
		return parse_workers(value, &c->workers, err);
	case OPTION_PROXY_PROTOCOL:
		return proxy_protocol_parse(value, &c->proxy_protocol, err);
	case OPTION_TRANSPARENT:
		c->transparent = true;
		return 0;
	case OPTION_NO_HOLD_FROM:
		return cidr_parse(value, &c->no_hold[c->n_no_hold++], err);
	case OPTION_HOLD:
		return parse_hold(value, c, err);
	case OPTION_AWAIT:
		return parse_await(value, c, err);
	default:
		return error_set(err, EINVAL, "the proxy does not know one of its options, or it lacks a value");
	}
}

static int check(const struct config *c, struct error *err)
{
	if (c->await && c->n_forwards > 0)
		return error_set(err, EINVAL, "--await only waits: it does without --forward");
	if (!c->await && c->n_forwards == 0)
		return error_set(err, EINVAL, "the proxy needs at least one --forward");
	if (c->idle_timeout == 0)
		return error_set(err, EINVAL, "--idle-timeout must be longer than 0; 'infinity' means never");
	if (c->flow_timeout == 0)
		return error_set(err, EINVAL, "--flow-timeout must be longer than 0; 'infinity' means never");
	if (c->transparent && c->proxy_protocol != PROXY_PROTOCOL_NONE)
		return error_set(err, EINVAL,
				 "--transparent and --proxy-protocol both show the client's address; use one");
	for (size_t i = 0; i < c->n_forwards; i++) {
		const struct publish *p = &c->forwards[i];

		if (c->unix_target && p->type == SOCK_DGRAM)
			return error_set(err, EINVAL, "UDP port %u cannot be forwarded to a Unix socket", p->port);
		if (!c->unix_target && p->type == SOCK_SEQPACKET)
			return error_set(err, EINVAL,
					 "'%s' is a seqpacket socket, which only --target unix:/PATH can serve",
					 p->path);
		if (!c->unix_target && p->container_port == 0)
			return error_set(err, EINVAL, "the container's port may only be 0 with --target unix:/PATH");
	}
	return 0;
}

int config_parse(int argc, char **argv, struct config *ret, struct error *err)
{
	size_t n = (size_t)argc;
	struct config c = {
		.readiness = {.kind = READY_LISTEN},
		.startup_timeout = 30 * USEC_PER_SEC,
		.idle_timeout = 300 * USEC_PER_SEC,
		.keepalive = 120 * USEC_PER_SEC,
		.connection_timeout = USEC_INFINITY,
		.flow_timeout = 60 * USEC_PER_SEC,
		.drain_timeout = 10 * USEC_PER_SEC,
	};
	int id;

	/* No list can be longer than the command line. */
	c.forwards = calloc(n, sizeof(*c.forwards));
	c.targets = calloc(n, sizeof(*c.targets));
	c.no_hold = calloc(n, sizeof(*c.no_hold));
	if (!c.forwards || !c.targets || !c.no_hold) {
		config_free(&c);
		return error_set(err, ENOMEM, "out of memory");
	}
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (parse_option(id, optarg, &c, err) < 0) {
			if (id == '?' && optind > 0)
				error_context(err, "'%s'", argv[optind - 1]);
			config_free(&c);
			return -1;
		}
	}
	if (optind < argc) {
		config_free(&c);
		return error_set(err, EINVAL, "the proxy takes options only, not '%s'", argv[optind]);
	}
	c.readiness.proxy_protocol = c.proxy_protocol;
	if (check(&c, err) < 0) {
		config_free(&c);
		return -1;
	}
	*ret = c;
	return 0;
}

void config_free(struct config *config)
{
	free(config->forwards);
	free(config->targets);
	free(config->no_hold);
	*config = (struct config){0};
}
