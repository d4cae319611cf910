/* The target of a request, decoded: version, path and query. There is one way to write each, or it is refused (EINVAL):
 * engines differ in how they read encoded separators, "//", "..", the absolute form and the like. */
#pragma once

#include <stddef.h>

#include "common/error.h"

#define URI_PATH_MAX  1024
#define URI_PAIRS_MAX 64

struct uri_pair {
	char *key;
	char *value;
};

struct uri {
	char version[8];	 /* "v1.41"; "" without */
	char path[URI_PATH_MAX]; /* decoded, without the version: "/containers/json" */
	struct uri_pair pairs[URI_PAIRS_MAX];
	size_t n;
};

/* The caller clears *ret, also after an error. */
int uri_parse(const char *target, struct uri *ret, struct error *err);

void uri_clear(struct uri *u);

/* The value of a key of the query; NULL if it is not there. */
const char *uri_value(const struct uri *u, const char *key);

/* Sets the value of a key that the query has at most once. */
int uri_set(struct uri *u, const char *key, const char *value, struct error *err);

/* Adds a pair to the query, whether it has the key or not. */
int uri_add(struct uri *u, const char *key, const char *value, struct error *err);

/* The target as it is sent to the engine: encoded canonically. *ret is malloc()ed. */
int uri_write(const struct uri *u, char **ret, struct error *err);

#define _cleanup_uri_ _cleanup_(uri_clear)
