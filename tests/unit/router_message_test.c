#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/message.h"

static int pair[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	return 0;
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	struct message m = {.kind = MESSAGE_ENDED,
			    .number = 7,
			    .bytes = {1, 2},
			    .engine = "docker",
			    .request = "GET /",
			    .text = "why"};
	struct message got;
	int fd;

	(void)state;
	assert_int_equal(message_send(pair[0], &m, -1), 0);
	assert_int_equal(message_receive(pair[1], &got, &fd), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(got.number, 7);
	assert_int_equal(got.bytes[1], 2);
	assert_string_equal(got.engine, "docker");
	assert_string_equal(got.request, "GET /");
	assert_string_equal(got.text, "why");
}

static void a_descriptor_comes_along(void **state)
{
	struct message m = {.kind = MESSAGE_SERVE};
	int pipes[2], fd;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(message_send(pair[0], &m, pipes[1]), 0);
	assert_int_equal(close(pipes[1]), 0);
	assert_int_equal(message_receive(pair[1], &m, &fd), 1);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(close(pipes[0]), 0);
}

static void neither_side_ever_waits(void **state)
{
	struct message m = {.kind = MESSAGE_IDLE};
	int fd, r;

	(void)state;
	assert_int_equal(message_receive(pair[1], &m, &fd), -1);
	assert_int_equal(errno, EAGAIN);
	do
		r = message_send(pair[0], &m, -1);
	while (r == 0);
	assert_int_equal(errno, EAGAIN);
}

/* As many connections end at once as there are. */
static void a_worker_waits_until_there_is_room(void **state)
{
	struct message m = {.kind = MESSAGE_ENDED};
	int fd, status;
	pid_t worker = fork();

	(void)state;
	if (worker == 0) {
		for (m.number = 0; m.number < 2000; m.number++) {
			if (message_tell(pair[0], &m) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (uint32_t i = 0; i < 2000;) {
		int r = message_receive(pair[1], &m, &fd);

		if (r == 1)
			assert_int_equal(m.number, i++);
		else
			assert_int_equal(errno, EAGAIN);
	}
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
}

static void the_end_is_told(void **state)
{
	struct message m;
	int fd;

	(void)state;
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(message_receive(pair[0], &m, &fd), 0);
	assert_int_equal(message_send(pair[0], &m, -1), -1);
	assert_int_equal(errno, EPIPE);
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void pass(int channel, const struct message *m, size_t n_fds)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)m, .iov_len = sizeof(*m)};
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control.bytes,
				.msg_controllen = CMSG_SPACE(n_fds * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
	memcpy(CMSG_DATA(c), (int[4]){channel, channel, channel, channel}, n_fds * sizeof(int));
	assert_int_equal(sendmsg(channel, &header, 0), sizeof(*m));
}

/* The user of a worker may have taken its channel. */
static void no_descriptor_stays_that_nobody_wanted(void **state)
{
	const struct message m = {.kind = MESSAGE_IDLE};
	int before = count_descriptors(), fd;
	struct message got;

	(void)state;
	for (size_t n = 1; n <= 4; n++) {
		pass(pair[0], &m, n);
		assert_int_equal(message_receive(pair[1], &got, NULL), 1);
		assert_int_equal(count_descriptors(), before);
		pass(pair[0], &m, n);
		assert_int_equal(message_receive(pair[1], &got, &fd), 1);
		assert_true(fd >= 0);
		assert_int_equal(count_descriptors(), before + 1);
		close(fd);
	}
	message_refuse_descriptors(pair[1]); /* from Linux 6.16 on; messages still arrive */
	assert_int_equal(message_send(pair[0], &m, -1), 0);
	assert_int_equal(message_receive(pair[1], &got, NULL), 1);
	if (message_send(pair[0], &m, pair[0]) < 0)
		assert_int_equal(errno, EPERM);
	else
		assert_int_equal(message_receive(pair[1], &got, NULL), 1);
	assert_int_equal(count_descriptors(), before);
}

static void what_is_no_message_is_refused(void **state)
{
	struct message m;
	int fd;

	(void)state;
	assert_int_equal(send(pair[0], "nonsense", 8, 0), 8);
	assert_int_equal(message_receive(pair[1], &m, &fd), -1);
	assert_int_equal(errno, EBADMSG);
}

/* The other end may be its user's. */
static void texts_end_although_the_sender_did_not_end_them(void **state)
{
	struct message m, got;
	int fd;

	(void)state;
	memset(&m, 'x', sizeof(m));
	assert_int_equal(send(pair[0], &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(message_receive(pair[1], &got, &fd), 1);
	assert_int_equal(strlen(got.engine), sizeof(got.engine) - 1);
	assert_int_equal(strlen(got.request), sizeof(got.request) - 1);
	assert_int_equal(strlen(got.text), sizeof(got.text) - 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_message_arrives_as_it_was_sent),
		CASE(a_descriptor_comes_along),
		CASE(neither_side_ever_waits),
		CASE(a_worker_waits_until_there_is_room),
		CASE(the_end_is_told),
		CASE(what_is_no_message_is_refused),
		CASE(no_descriptor_stays_that_nobody_wanted),
		CASE(texts_end_although_the_sender_did_not_end_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
