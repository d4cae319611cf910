/* Any bytes as a server's reply: the first byte chooses the kind and whether the reply is complete.
 *
 * floor: 27 */
#include "readiness/probes.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char seen[SEEN_MAX] = "";
	enum verdict verdict;
	bool complete;

	if (size < 1 || size - 1 > REPLY_MAX)
		return 0;
	complete = data[0] & 0x80;
	verdict = probe_judge((enum readiness_kind)(data[0] % (READY_TLS + 1)), data + 1, size - 1, complete, seen);
	if ((complete && verdict == VERDICT_MORE) || (verdict == VERDICT_NOT_YET && !seen[0]) ||
	    !memchr(seen, '\0', sizeof(seen)))
		abort();
	return 0;
}
