/* publish_format() writes whatever publish_parse() accepts so that it is read back unchanged.
 *
 * floor: 75 */
#include "common/parse.h"
#include "instance/publish.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = text_of(data, size);
	char canonical[PUBLISH_TEXT_MAX];
	struct publish p, q;
	struct error err;
	uint64_t usec;

	(void)parse_duration("the time", text, &usec, &err);
	if (publish_parse(text, &p, &err) < 0)
		return 0;
	publish_format(&p, canonical);
	if (publish_parse(canonical, &q, &err) < 0 || memcmp(&p, &q, sizeof(p)) != 0)
		abort();
	return 0;
}
