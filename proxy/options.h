/* The proxy's command line (docs/architecture.md). */
#pragma once

#include "common/error.h"
#include "common/option_table.h"
#include "readiness/readiness.h"
#include "relay/config.h"

struct proxy_options {
	struct relay_config relay;
	struct readiness readiness;
	bool await;	     /* only waits until await_port is ready; forwards nothing */
	uint16_t await_port; /* host byte order; 0 with a command that needs no port */
};

extern const struct option_table proxy_option_table;

/* Skips argv[0]. proxy_options_free() releases *ret. The strings of argv must outlive *ret. */
enum options_result proxy_options_parse(int argc, char **argv, struct proxy_options *ret, struct error *err);
void proxy_options_free(struct proxy_options *options);
