#include "backends/json.h"

#include <string.h>

#include "common/parse.h"

/* Replies nest about 8 deep. */
#define DEPTH_MAX 32

/* Counts brackets and commas outside strings: enough to bound how much cJSON allocates and how deep it recurses. cJSON
 * itself decides whether the text is JSON. */
static bool is_modest(const char *text, size_t len, size_t max_values)
{
	size_t depth = 0, values = 1;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\0')
			return false;
		if (in_string) {
			if (c == '\\') {
				if (strncmp(text + i, "\\u0000", 6) == 0)
					return false;
				i++;
			} else if (c == '"') {
				in_string = false;
			}
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DEPTH_MAX || ++values > max_values)
				return false;
		} else if (c == ']' || c == '}') {
			if (depth-- == 0)
				return false;
		} else if (c == ',' && ++values > max_values) {
			return false;
		}
	}
	return true;
}

cJSON *json_parse(const char *text, size_t len, size_t max_values)
{
	if (!is_modest(text, len, max_values))
		return NULL;
	return cJSON_ParseWithLengthOpts(text, len + 1, NULL, 1);
}

const cJSON *json_member(const cJSON *object, const char *key)
{
	const cJSON *j = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;

	return cJSON_IsNull(j) ? NULL : j;
}

const char *json_string(const cJSON *object, const char *key)
{
	const cJSON *j = json_member(object, key);

	return cJSON_IsString(j) && text_is_printable(j->valuestring) ? j->valuestring : NULL;
}

bool json_copy_string(const cJSON *object, const char *key, char *ret, size_t size)
{
	const char *s = json_member(object, key) ? json_string(object, key) : "";

	if (!s || strlen(s) >= size)
		return false;
	strcpy(ret, s);
	return true;
}

bool json_integer(const cJSON *object, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	const cJSON *j = json_member(object, key);

	if (!j)
		return true;
	if (!cJSON_IsNumber(j) || !(j->valuedouble >= (double)min && j->valuedouble <= (double)max) ||
	    (double)(int64_t)j->valuedouble != j->valuedouble)
		return false;
	*ret = (int64_t)j->valuedouble;
	return true;
}

bool json_bool(const cJSON *object, const char *key, bool *ret)
{
	const cJSON *j = json_member(object, key);

	if (!j)
		return true;
	if (!cJSON_IsBool(j))
		return false;
	*ret = cJSON_IsTrue(j);
	return true;
}
