/* The command line of the router. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/option_table.h"

struct router_options {
	bool check;	    /* read the configuration, and end */
	bool restricted;    /* a further socket, with rules for all */
	const char *worker; /* "identity", "system", "policy" or "refusing"; NULL: the dispatcher */
	const char *engine_socket, *system_user, *config, *engines;
	uint64_t idle_timeout, release_after; /* microseconds */
};

extern const struct option_table router_option_table;

enum options_result router_options_parse(int argc, char **argv, struct router_options *ret, struct error *err);
