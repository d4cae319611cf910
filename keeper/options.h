/* The keeper's command line (docs/architecture.md). */
#pragma once

#include <stdint.h>

#include "common/cidr.h"
#include "common/error.h"
#include "common/option_table.h"
#include "instance/schedule.h"

#define NO_WAKE_MAX 128 /* an instance has two lists of 64 */

struct keeper_options {
	const char *name;	  /* of the instance */
	uint64_t startup_timeout; /* microseconds: how long a client may wait */
	uint64_t start_limit;	  /* how long a start may take (handover/start_limit.h) */
	struct cidr no_wake_from[NO_WAKE_MAX];
	unsigned n_no_wake_from;
	struct window windows[WINDOWS_MAX]; /* --schedule */
	unsigned n_windows;
	const char *notify; /* the user to notify of starts and stops; NULL: nobody */

	/* The command lines of the programs, each NULL-terminated. */
	char **activator; /* to the end of the line: the command of a wake */
	char **nshelper;  /* its words, "--", the proxy's words */
	char **proxy;
};

extern const struct option_table keeper_option_table;

/* Strings and arrays belong to argv. */
enum options_result keeper_options_parse(int argc, char **argv, struct keeper_options *ret, struct error *err);
