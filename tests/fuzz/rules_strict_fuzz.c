/* Any bytes as JSON: what is accepted is printed as JSON that is accepted again, and printed alike; and cJSON, which is lenient,
 * accepts it, too.
 *
 * floor: 135 */
#include "rules/strict.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *item = NULL, *again = NULL, *lenient;
	struct error err = {};
	char *first, *second;

	if (strict_parse((const char *)data, size, &item, &err) < 0) {
		CHECK(err.text[0] && !item);
		return 0;
	}
	first = cJSON_PrintUnformatted(item);
	CHECK(first && strict_parse(first, strlen(first), &again, &err) == 0);
	second = cJSON_PrintUnformatted(again);
	CHECK(second && strcmp(first, second) == 0);
	lenient = cJSON_Parse(first);
	CHECK(lenient);
	cJSON_Delete(lenient);
	cJSON_Delete(item);
	cJSON_Delete(again);
	cJSON_free(first);
	cJSON_free(second);
	return 0;
}
