/* Any text as SOCKWAKE_ACCEPTED: accepted entries name open descriptors and existing listeners.
 *
 * floor: 27 */
#include <fcntl.h>
#include <unistd.h>

#include "handover/listen.h"
#include "proxy/listeners.h"
#include "tests/fuzz/fuzz.h"

#define LISTENERS   3
#define FIRST	    6
#define HANDED_OVER 10

/* Opens descriptors that the text can name, as they are after an execve(). */
static void hand_over(void)
{
	for (int fd = FIRST; fd < FIRST + HANDED_OVER; fd++) {
		int null = fcntl(fd, F_GETFD) < 0 ? open("/dev/null", O_RDONLY) : -1;

		if (null >= 0)
			CHECK(dup2(null, fd) == fd && (null == fd || close(null) == 0));
		CHECK(fcntl(fd, F_SETFD, 0) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct forward forwards[LISTENERS] = {{.fd = 5}, {.fd = 3}, {.fd = 4}};
	_cleanup_free_ char *text = text_of(data, size);
	_cleanup_free_ struct accepted *list = NULL;
	struct error err = {};
	size_t n;

	hand_over();

	if (accepted_parse(text, forwards, LISTENERS, &list, &n, &err) < 0) {
		CHECK(!list && n == 0 && err.text[0]);
		return 0;
	}
	CHECK(!list == !n);
	for (size_t k = 0; k < n; k++) {
		CHECK(fcntl(list[k].fd, F_GETFD) == FD_CLOEXEC && fcntl(list[k].fd, F_GETFL) & O_NONBLOCK);
		CHECK(list[k].forward >= forwards && list[k].forward < forwards + LISTENERS);
		CHECK(list[k].fd >= LISTEN_FDS_START + LISTENERS);
		for (size_t m = 0; m < k; m++)
			CHECK(list[m].fd != list[k].fd);
	}
	return 0;
}
