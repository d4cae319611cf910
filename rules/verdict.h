/* The decision about one request, while it is made: what rules apply, to whom, and what they lack.
 *
 * The codes of errors say how to answer: EINVAL is 400, EPERM 403, ENOENT 404, all others 503. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/inquiry.h"
#include "rules/report.h"
#include "rules/rules.h"

/* Whose connection it is. */
struct rules_caller {
	const char *owner;	 /* the caller's name, to whom exec instances belong: one word, such as "uid-1000" */
	const char *exec_owners; /* a directory that only we can write to; all connections to an engine share it */
	bool learn;		 /* what the rules lack is allowed, and noted in the report */
};

struct verdict {
	const struct rules *rules;
	const struct rules_caller *caller;
	struct rules_report *report;
	struct inquiry engine;
	const char *action;
};

/* The request needs this value for this key, because of what `why` names ("Privileged"; NULL: the action itself). If the rules
 * lack it, it is refused, with the line that would allow it, or in learning only noted. */
int verdict_need(const struct verdict *v, enum rules_key key, const char *value, const char *why, struct error *err);

/* Do the rules have it? Nothing is refused or noted. */
bool verdict_has(const struct verdict *v, enum rules_key key, const char *value);

/* No rule can allow this. Always -1. */
#define verdict_refuse(v, err, ...) (verdict_set_refusal(v, err, __VA_ARGS__), error_failed())
void verdict_set_refusal(const struct verdict *v, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
