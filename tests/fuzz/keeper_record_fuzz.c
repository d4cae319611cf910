/* Any statistics from a hostile proxy: only the values that it may set reach the record, and the text for people fits.
 *
 * floor: 22 */
#include "common/parse.h"
#include "handover/stats_text.h"
#include "keeper/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stats shared = {0},
		     before = {.flags = STATS_FOUND_RUNNING, .held_until = 1, .wakes = 2, .container_pid = 3};
	struct record r = {.own = before, .shared = &shared, .memory = -1, .file = -1, .file_to_read = -1};
	char text[STATS_TEXT_MAX];
	uint64_t up = 0;

	if (size < sizeof(up))
		return 0;
	memcpy(&up, data, sizeof(up));
	data += sizeof(up);
	size -= sizeof(up);
	memcpy(&shared, data, size < sizeof(shared) ? size : sizeof(shared));
	record_take_traffic(&r);
	CHECK(r.own.held_until == before.held_until && r.own.wakes == before.wakes);
	CHECK(r.own.container_pid == before.container_pid);
	CHECK((r.own.flags & ~(uint64_t)(STATS_FULL | STATS_LOOPBACK)) == before.flags);
	CHECK(memcmp(r.own.warm, before.warm, sizeof(before.warm)) == 0);
	CHECK(text_is_printable(stats_text(&r.own, up, text)) && strlen(text) < sizeof(text));
	return 0;
}
