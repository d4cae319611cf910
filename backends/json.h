/* Untrusted JSON, parsed with cJSON: bounded depth and number of values, strict types and ranges. */
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

/* Parses all of text[0..len); a NUL that len does not count must follow. At most max_values values: cJSON needs about
 * 64 bytes for each, however short it is. NULL if it is not JSON, nests too deep, or holds too many values or a NUL
 * character (where cJSON would cut the string). */
cJSON *json_parse(const char *text, size_t len, size_t max_values);

/* A member of an object; NULL if it is missing or null, or `object` is not an object (or NULL). */
const cJSON *json_member(const cJSON *object, const char *key);

/* A printable string member; NULL if it is missing, of another type, or not printable UTF-8. */
const char *json_string(const cJSON *object, const char *key);

/* Copies a string member; "" if it is missing or null. False if it is of another type, not printable, or too long. */
bool json_copy_string(const cJSON *object, const char *key, char *ret, size_t size);

/* An integral number member within min..max (which doubles hold exactly). If it is missing or null, *ret keeps its
 * value, and that is not an error. False if it is anything else. */
bool json_integer(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret);

/* A boolean member. *ret keeps its value if it is missing or null; false if it is of another type. */
bool json_bool(const cJSON *object, const char *key, bool *ret);
