/* Any bytes as an answer of the kernel, or of an impostor.
 *
 * floor: 9 */
#include <linux/inet_diag.h>

#include "dial/sock_diag.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *answer = malloc(size ? size : 1);
	const struct inet_diag_msg *found;
	int r;

	CHECK(answer);
	memcpy(answer, data, size);
	r = sock_diag_read(answer, size, &found);
	CHECK(r >= 0 && r < 4096 && (r == 0 || !found));
	if (found) {
		struct inet_diag_msg copy;

		CHECK((const char *)found >= answer && (const char *)(found + 1) <= answer + size);
		memcpy(&copy, found, sizeof(copy));
	}
	return 0;
}
