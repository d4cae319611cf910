#include "proxy/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/parse.h"
#include "instance/defaults.h"

static int take_forward(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct relay_config *r = &((struct proxy_options *)options)->relay;

	(void)row;
	return publish_parse(value, &r->forwards[r->n_forwards++], err);
}

static int take_target(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct relay_config *r = &((struct proxy_options *)options)->relay;

	r->unix_target |= strncmp(value, "unix:", strlen("unix:")) == 0;
	return option_take_text(&r->targets[r->n_targets++], value, row, err);
}

static int take_no_hold_from(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct relay_config *r = &((struct proxy_options *)options)->relay;

	(void)row;
	return cidr_parse(value, &r->no_hold[r->n_no_hold++], err);
}

static int take_health_check(void *readiness, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return readiness_parse(value, readiness, err);
}

static int take_workers(void *workers, const char *value, const struct option_row *row, struct error *err)
{
	uint64_t n;

	(void)row;
	if (parse_u64("--workers", value, 1, WORKERS_MAX, &n, err) < 0)
		return -1;
	*(unsigned *)workers = (unsigned)n;
	return 0;
}

static int take_proxy_protocol(void *version, const char *value, const struct option_row *row, struct error *err)
{
	(void)row;
	return proxy_protocol_parse(value, version, err);
}

static int take_hold(void *hold_data, const char *value, const struct option_row *row, struct error *err)
{
	bool data = strcmp(value, "data") == 0;

	(void)row;
	if (!data && strcmp(value, "connections") != 0)
		return error_set(err, EINVAL, "--hold '%s' is neither 'connections' nor 'data'", value);
	*(bool *)hold_data = data;
	return 0;
}

static int take_await(void *options, const char *value, const struct option_row *row, struct error *err)
{
	struct proxy_options *o = options;
	uint64_t port;

	(void)row;
	if (parse_u64("--await", value, 0, UINT16_MAX, &port, err) < 0)
		return -1;
	o->await = true;
	o->await_port = (uint16_t)port;
	return 0;
}

#define AT(member) .offset = offsetof(struct proxy_options, member)

static const struct option_row rows[] = {
	{"--forward SPEC", "[ADDR:]PORT:CPORT; repeatable", .take = take_forward},
	{"--target ADDR|unix:/PATH", "where the server is; repeatable", .take = take_target},
	{"--health-check CHECK", "(default: listen)", take_health_check, AT(readiness)},
	{"--startup-timeout SPAN", "(default: 30s)", option_take_span, AT(relay.startup_timeout)},
	{"--idle-timeout SPAN", "(default: 5min)", option_take_span, AT(relay.idle_timeout)},
	{"--warm-for SPAN", "the idle timeout after a busy period", option_take_span, AT(relay.warm_for)},
	{"--keepalive SPAN", "(default: 2min)", option_take_span, AT(relay.keepalive)},
	{"--connection-timeout SPAN", "(default: infinity)", option_take_span, AT(relay.connection_timeout)},
	{"--flow-timeout SPAN", "(default: 60s)", option_take_span, AT(relay.flow_timeout)},
	{"--drain-timeout SPAN", "(default: 10s)", option_take_span, AT(relay.drain_timeout)},
	{"--workers N", "threads", take_workers, AT(relay.workers)},
	{"--proxy-protocol v1|v2", "the header for the server", take_proxy_protocol, AT(relay.proxy_protocol)},
	{"--transparent", "with the client's address", option_take_flag, AT(relay.transparent)},
	{"--no-hold-from CIDR", "clients that keep nothing awake; repeatable", .take = take_no_hold_from},
	{"--hold connections|data", "what keeps it awake", take_hold, AT(relay.hold_data)},
	{"--await PORT", "only waits until the server is ready", .take = take_await},
	{},
};

const struct option_table proxy_option_table = {
	.usage = "proxy --forward SPEC [OPTION]… | --await PORT [OPTION]…",
	.rows = rows,
};

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

/* No list can be longer than the command line. */
static int allocate(struct relay_config *r, size_t n, struct error *err)
{
	r->forwards = calloc(n, sizeof(*r->forwards));
	r->targets = calloc(n, sizeof(*r->targets));
	r->no_hold = calloc(n, sizeof(*r->no_hold));
	return r->forwards && r->targets && r->no_hold ? 0 : error_set(err, ENOMEM, "out of memory");
}

static enum options_result parse(int argc, char **argv, struct proxy_options *o, struct error *err)
{
	enum options_result r;
	int rest;

	if (allocate(&o->relay, (size_t)argc, err) < 0)
		return OPTIONS_WRONG;
	r = option_table_parse(&proxy_option_table, argc, argv, o, &rest, err);
	if (r != OPTIONS_RUN)
		return r;
	if (rest < argc)
		return error_set(err, EINVAL, "the proxy takes options only, not '%s'", argv[rest]);
	o->readiness.proxy_protocol = o->relay.proxy_protocol;
	return check(o, err);
}

enum options_result proxy_options_parse(int argc, char **argv, struct proxy_options *ret, struct error *err)
{
	struct proxy_options o = {
		.readiness = {.kind = READY_LISTEN},
		.relay.startup_timeout = DEFAULT_STARTUP_TIMEOUT,
		.relay.idle_timeout = 300 * USEC_PER_SEC,
		.relay.keepalive = 120 * USEC_PER_SEC,
		.relay.connection_timeout = USEC_INFINITY,
		.relay.flow_timeout = 60 * USEC_PER_SEC,
		.relay.drain_timeout = 10 * USEC_PER_SEC,
	};
	enum options_result r = parse(argc, argv, &o, err);

	if (r == OPTIONS_RUN)
		*ret = o;
	else
		proxy_options_free(&o);
	return r;
}

void proxy_options_free(struct proxy_options *options)
{
	free(options->relay.forwards);
	free(options->relay.targets);
	free(options->relay.no_hold);
	*options = (struct proxy_options){0};
}
