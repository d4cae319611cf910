/* Any message of a child to its keeper, with any number of descriptors (the first byte): the values taken from it fit
 * and are printable, and no descriptor is left open.
 *
 * floor: 53 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/parse.h"
#include "handover/channel.h"
#include "tests/fuzz/fuzz.h"

#define FDS_MAX	       (CHANNEL_FDS_MAX + 8)
#define SIZE_MAX_VALUE 64

static void send_raw(int fd, const uint8_t *data, size_t size, size_t n_fds)
{
	int fds[FDS_MAX];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fds))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		for (size_t k = 0; k < n_fds; k++)
			fds[k] = fd;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(*fds) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(*fds) * n_fds);
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(sizeof(*fds) * n_fds);
	}
	CHECK(sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
}

static void check_values(const struct message *m)
{
	static const char *const names[] = {"WOKEN", "LATE", "FAILED", "READY", "STATUS", "STOPPING"};
	char value[SIZE_MAX_VALUE];

	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		for (size_t size = 1; size <= sizeof(value); size *= 2) {
			if (!message_value(m, names[k], value, size))
				break;
			CHECK(memchr(value, '\0', size) && text_is_printable(value));
		}
	}
}

static int lowest_free(void)
{
	int fd = dup(STDERR_FILENO);

	CHECK(fd >= 0 && close(fd) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ struct message *m = malloc(sizeof(*m));
	int ends[2], before = lowest_free();
	struct error err;
	bool closed;

	if (size < 1)
		return 0;
	CHECK(m && channel_open(ends, &err) == 0);
	send_raw(ends[1], data + 1, size - 1, data[0] % FDS_MAX);
	while (channel_receive(ends[0], m, &closed)) {
		CHECK(memchr(m->text, '\0', sizeof(m->text)) && m->n_fds <= CHANNEL_FDS_MAX);
		for (size_t k = 0; k < m->n_fds; k++)
			CHECK(fcntl(m->fds[k], F_GETFD) == FD_CLOEXEC);
		check_values(m);
		message_clear(m);
	}
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
	CHECK(lowest_free() == before);
	return 0;
}
