/* The administrator's configuration as the dispatcher has read it last. It is read again when the file has changed, at the next
 * connection; a new one that is wrong does not replace it. Workers get a copy of the text that is in force. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "router/config.h"
#include "router/options.h"
#include "rules/rules.h"

#define SETTINGS_FD 4 /* of a worker: the copy */

struct settings {
	struct config config; /* the defaults if none was right so far */
	bool known;	      /* one was */
	struct error trouble; /* what is wrong with the file; "": nothing */
	struct stat seen;     /* the file, as it was read last; all 0: there was none */
	int copy;	      /* read-only, in memory; -1: none */
};

/* A file that is wrong is no failure. */
int settings_open(struct settings *s, const struct router_options *options, struct error *err);

enum settings_change { SETTINGS_SAME, SETTINGS_NEW, SETTINGS_WRONG };

/* Reads the file if it is not the one that was read last. One that was written a moment ago may be incomplete: it is read at
 * a later call. */
enum settings_change settings_refresh(struct settings *s, const struct router_options *options);

/* In a worker: what the copy says. ret_rules: NULL if they are not wanted. */
int settings_receive(const struct router_options *options, struct config *ret, struct rules **ret_rules,
		     struct error *err);

/* Reads the file itself, with its rules; for `--check`. */
int settings_check(const struct router_options *options, struct config *ret, struct error *err);
