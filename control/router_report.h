/* What the router itself tells: over its status socket (router/status_report.h), and about its configuration. */
#pragma once

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/error.h"

#define ROUTER_STATUS_SOCKET "/run/sockwake-router.status"

/* Connects, which starts the router if it does not run, and parses what it says. *ret belongs to the caller. Codes: EACCES
 * this user may not; others. */
int router_report_ask(const char *socket, cJSON **ret, struct error *err);

/* Has the router check its configuration. *ret_allowed: the names of the containers that may use the system's engine,
 * separated by ", ", malloc()ed. restricted: the configuration of a restricted socket; NULL: the router's own. Code EINVAL: the configuration is wrong. program: its path. */
int router_report_check(const char *program, const char *restricted, char **ret_allowed, struct error *err);
