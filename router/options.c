#include "router/options.h"

#include <stddef.h>
#include <string.h>

#include "common/clock.h"
#include "router/config.h"

#define AT(member) .offset = offsetof(struct router_options, member)

static const struct option_row rows[] = {
	{"--engine-socket PATH",
	 "the socket of the system's engine" OPTION_NEXT_LINE "(default: /run/sockwake-engine/docker.sock)",
	 option_take_text, AT(engine_socket)},
	{"--system-user USER", "who may open it (default: sockwake-engine)", option_take_text, AT(system_user)},
	{"--config FILE", "instead of " CONFIG_PATH, option_take_text, AT(config)},
	{"--restricted", "for a further socket: the configuration must exist, and have rules", option_take_flag,
	 AT(restricted)},
	{"--idle-timeout SPAN", "how long it stays without a connection (default: 10s)", option_take_span,
	 AT(idle_timeout)},
	{"--release-after SPAN",
	 "when an engine or manager that it started is stopped" OPTION_NEXT_LINE
	 "after its last connection, if nothing of the user's runs" OPTION_NEXT_LINE "(default: 5min)",
	 option_take_span, AT(release_after)},
	{"--engines LIST", "to a worker: the order of the engines", option_take_text, AT(engines)},
	{"--check", "check the configuration, and print the containers that may use the system's engine",
	 option_take_flag, AT(check)},
	{"--worker KIND", "for the router itself: be a worker", option_take_text, AT(worker)},
	{},
};

const struct option_table router_option_table = {
	.usage = "router [OPTION]…",
	.about = "Brings each caller on a listening socket to an engine of the caller's own",
	.rows = rows,
};

enum options_result router_options_parse(int argc, char **argv, struct router_options *ret, struct error *err)
{
	int rest;
	enum options_result r;

	*ret = (struct router_options){
		.engine_socket = "/run/sockwake-engine/docker.sock",
		.system_user = "sockwake-engine",
		.config = CONFIG_PATH,
		.engines = "",
		.idle_timeout = 10 * USEC_PER_SEC,
		.release_after = 300 * USEC_PER_SEC,
	};
	r = option_table_parse(&router_option_table, argc, argv, ret, &rest, err);
	if (r != OPTIONS_RUN)
		return r;
	if (rest < argc) {
		(void)error_set(err, 0, "'%s' is not an option; see router --help", argv[rest]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
