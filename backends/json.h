/* JSON that is not trusted, on cJSON: bounded depth and number of values, strict types and ranges. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

static inline void json_delete(cJSON **j)
{
	cJSON_Delete(*j);
	*j = NULL;
}
#define _cleanup_json_ _cleanup_(json_delete)

/* Parses all of text[0..len), which must be followed by a NUL that len does not count. At most max_values values: cJSON
 * needs about 64 bytes for each, however short it is. NULL when it is not JSON, nests too deep, holds too many values
 * or a NUL character (cJSON would cut the string there). */
cJSON *json_parse(const char *text, size_t len, size_t max_values);

/* A member of an object, NULL when it is missing, is null, or `object` is not an object (or NULL). */
const cJSON *json_member(const cJSON *object, const char *key);

/* A printable string member, NULL when it is missing, of another type, or not printable UTF-8. */
const char *json_string(const cJSON *object, const char *key);

/* Copies a string member; "" when it is missing or null. False when it is of another type, not printable, or too
 * long. */
bool json_copy_string(const cJSON *object, const char *key, char *ret, size_t size);

/* An integral number member within min..max (which doubles hold exactly). False when it is anything else; *ret keeps
 * its value when it is missing or null, which is no error. */
bool json_integer(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret);

/* A boolean member. *ret keeps its value when it is missing or null; false when it is of another type. */
bool json_bool(const cJSON *object, const char *key, bool *ret);
