/* JSON, parsed strictly into a tree of cJSON, so that no engine reads it differently from us.
 *
 * Refused are what RFC 8259 does not have, invalid UTF-8, lone surrogates, NUL characters, a key that an object has twice,
 * numbers that are no whole numbers of 64 bits, more than STRICT_DEPTH_MAX levels and more than STRICT_VALUES_MAX values: a value
 * takes fifty times the memory of its text. Numbers become raw items (cJSON_IsRaw), because cJSON's own lose digits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "common/error.h"

#define STRICT_DEPTH_MAX  16
#define STRICT_VALUES_MAX 20000

/* *ret belongs to the caller. The code of an error is EINVAL. */
int strict_parse(const char *text, size_t len, cJSON **ret, struct error *err);

/* The number of an item that is one. */
int64_t strict_number(const cJSON *item);

static inline void strict_free(cJSON **item)
{
	cJSON_Delete(*item);
	*item = NULL;
}
#define _cleanup_cjson_ _cleanup_(strict_free)
