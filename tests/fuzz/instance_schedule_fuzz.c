/* Windows that window_parse() accepts keep its promises, and schedule_next() finds the next covered time at any time of
 * the clock.
 *
 * floor: 46 */
#include "instance/schedule.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = 0, begin, end;
	struct window w;
	struct error err;

	if (size < 5)
		return 0;
	memcpy(&now, data, 5); /* seconds */
	_cleanup_free_ char *text = text_of(data + 5, size - 5);

	if (window_parse(text, &w, &err) < 0)
		return 0;
	if (!w.days || w.days > EVERY_DAY || w.begin >= MINUTES_PER_DAY || w.end <= w.begin ||
	    w.end > w.begin + MINUTES_PER_DAY)
		abort();
	now *= 1000000;
	schedule_next(&w, 1, now, &begin, &end);
	if (end <= now || end <= begin)
		abort();
	return 0;
}
