/* Decides about a request, first by its head, then by its body, and makes of it what is sent to the engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/endpoint.h"
#include "rules/frame.h"
#include "rules/head.h"
#include "rules/uri.h"
#include "rules/verdict.h"

struct decision {
	const struct endpoint *endpoint;
	struct uri uri;
	char object[URI_PATH_MAX]; /* what the path names */
	bool upgrade;		   /* the client asks for another protocol */
	char *json;		   /* the body that is sent; NULL: as it comes, or none */
};

/* The caller clears *ret, also after an error. Errors: verdict.h says what their codes mean. */
int decide_by_head(struct verdict *v, const struct head *h, const struct frame *body, struct decision *ret,
		   struct error *err);

/* Does the decision depend on the body? Then it must be read, and decided about, before anything is sent. */
bool decide_needs_body(const struct decision *d, const struct frame *body);
int decide_by_body(const struct verdict *v, struct decision *d, const char *text, size_t len, struct error *err);

void decision_clear(struct decision *d);

#define _cleanup_decision_ _cleanup_(decision_clear)
