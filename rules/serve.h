/* Serves one client connection under rules. Blocks until it ends: each connection has a process of its own. */
#pragma once

#include "common/error.h"
#include "rules/report.h"
#include "rules/rules.h"
#include "rules/verdict.h"

/* Reads requests, decides, answers those that are refused, and passes the others on to the engine. open_engine() returns a
 * connected socket, which belongs to the callee, or -1 with an error; it may be called several times. A client's fault is no
 * error. The caller closes client_fd, and clears the report, which is valid also after an error. */
int rules_serve(const struct rules *r, const struct rules_caller *caller, int client_fd,
		int (*open_engine)(void *data, struct error *err), void *data, struct rules_report *report,
		struct error *err);
