/* What programs tell their keeper: messages and descriptors, and that nothing of them is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "handover/channel.h"
#include "handover/listen.h"

static int ends[2]; /* ends[0] is the keeper's */

static int setup(void **state)
{
	struct error err;

	(void)state;
	return channel_open(ends, &err);
}

static int teardown(void **state)
{
	(void)state;
	close_fd(&ends[0]);
	close_fd(&ends[1]);
	unsetenv("SOCKWAKE_KEEPER_FD");
	return 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static struct message receive(void)
{
	struct message m;
	bool closed;

	assert_true(channel_receive(ends[0], &m, &closed));
	assert_false(closed);
	return m;
}

static const char *value(const struct message *m, const char *name)
{
	static char text[64];

	return message_value(m, name, text, sizeof(text)) ? text : NULL;
}

static void messages_keep_their_bounds(void **state)
{
	struct message m;
	bool closed;

	(void)state;
	assert_false(channel_receive(ends[0], &m, &closed)); /* without waiting */
	assert_false(closed);
	notify_send(ends[1], "READY=%d\nSTATUS=%s", 1, "a=b");
	notify_send(ends[1], "STATUS=");
	m = receive();
	assert_string_equal(value(&m, "READY"), "1");
	assert_string_equal(value(&m, "STATUS"), "a=b");
	assert_int_equal(m.n_fds, 0);
	/* a name is a whole one, at the begin of a line */
	assert_null(value(&m, "READ"));
	assert_null(value(&m, "TATUS"));
	assert_null(value(&m, "a"));
	assert_null(value(&m, ""));
	m = receive();
	assert_string_equal(value(&m, "STATUS"), "");
	assert_null(value(&m, "READY"));
	assert_false(channel_receive(ends[0], &m, &closed));
	close_fd(&ends[1]);
	assert_false(channel_receive(ends[0], &m, &closed));
	assert_true(closed);
}

/* An interruption of before says nothing about this message. */
static void an_old_errno_is_none(void **state)
{
	struct message m;
	bool closed;

	(void)state;
	notify_send(ends[1], "A=1");
	errno = EINTR;
	assert_true(channel_receive(ends[0], &m, &closed));
	assert_string_equal(value(&m, "A"), "1");
}

/* The kernel can add the sender's credentials, in a control message of another type. */
static void credentials_are_not_descriptors(void **state)
{
	struct message m;

	(void)state;
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)), 0);
	notify_send(ends[1], "A=1");
	m = receive();
	assert_int_equal(m.n_fds, 0);
}

static void nothing_of_a_message_reaches_a_terminal(void **state)
{
	struct message m;
	char small[4];

	(void)state;
	notify_send(ends[1], "FAILED=\x1b[31mred\x07\x7f\r\tend \xc3\xa4\nX=y");
	m = receive();
	assert_string_equal(value(&m, "FAILED"), "?[31mred????end \xc3\xa4");
	assert_true(message_value(&m, "FAILED", small, sizeof(small)));
	assert_string_equal(small, "?[3");
	/* a NUL ends it */
	assert_int_equal(send(ends[1], "A=b\0C=d", 7, 0), 7);
	m = receive();
	assert_string_equal(value(&m, "A"), "b");
	assert_null(value(&m, "C"));
}

static void what_is_too_long_is_cut(void **state)
{
	char text[4 * CHANNEL_TEXT_MAX], all[2 * CHANNEL_TEXT_MAX];
	struct message m;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "FAILED=", 7);
	assert_int_equal(send(ends[1], text, sizeof(text), 0), sizeof(text));
	m = receive();
	assert_true(message_value(&m, "FAILED", all, sizeof(all)));
	assert_int_equal(strlen(all), CHANNEL_TEXT_MAX - 1 - 7);
	/* by the sender, too */
	text[sizeof(text) - 1] = '\0';
	notify_send(ends[1], "%s", text);
	m = receive();
	assert_int_equal(strlen(m.text), CHANNEL_TEXT_MAX - 1);
}

static void descriptors_are_the_receivers(void **state)
{
	int pair[2], fds[3];
	struct message m;
	struct error err;
	unsigned before;

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	fds[0] = pair[1];
	fds[1] = pair[0];
	fds[2] = pair[1];
	before = open_descriptors();
	assert_int_equal(channel_send_fds(ends[1], "WOKEN=1", fds, 3, &err), 0);
	m = receive();
	assert_string_equal(value(&m, "WOKEN"), "1");
	assert_int_equal(m.n_fds, 3);
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(fcntl(m.fds[k], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(m.fds[0], "x", 1), 1);
	assert_int_equal(read(pair[0], &(char){0}, 1), 1); /* in their order */
	assert_int_equal(open_descriptors(), before + 3);
	message_clear(&m);
	assert_int_equal(m.n_fds, 0);
	assert_int_equal(open_descriptors(), before);
	message_clear(&m);
	close(pair[0]);
	close(pair[1]);
}

/* Sends so many copies of standard input, with or without a text, as a program that was taken over might. */
static void send_many(const char *text, size_t n)
{
	_Alignas(struct cmsghdr) char buffer[CMSG_SPACE(sizeof(int) * 200)] = {};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = buffer, .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memset(CMSG_DATA(c), 0, sizeof(int) * n);
	assert_int_equal(sendmsg(ends[1], &m, MSG_NOSIGNAL), strlen(text));
}

static void more_descriptors_than_fit_are_closed(void **state)
{
	unsigned before = open_descriptors();
	struct message m;

	(void)state;
	send_many("X=1", 200);
	m = receive();
	assert_int_equal(m.n_fds, CHANNEL_FDS_MAX);
	assert_int_equal(open_descriptors(), before + CHANNEL_FDS_MAX);
	message_clear(&m);
	assert_int_equal(open_descriptors(), before);
}

/* It looks like the end. */
static void an_empty_message_leaves_no_descriptor(void **state)
{
	unsigned before = open_descriptors();
	struct message m;
	bool closed;

	(void)state;
	send_many("", 3);
	assert_false(channel_receive(ends[0], &m, &closed));
	assert_true(closed);
	assert_int_equal(m.n_fds, 0);
	assert_int_equal(open_descriptors(), before);
}

static void more_descriptors_are_not_sent_than_fit(void **state)
{
	int fds[CHANNEL_FDS_MAX + 1] = {};
	struct message m;
	struct error err;

	(void)state;
	assert_int_equal(channel_send_fds(ends[1], "WOKEN=1", fds, CHANNEL_FDS_MAX + 1, &err), -1);
	assert_int_equal(err.code, E2BIG);
	assert_int_equal(channel_send_fds(ends[1], "WOKEN=1", fds, CHANNEL_FDS_MAX, &err), 0);
	m = receive();
	assert_int_equal(m.n_fds, CHANNEL_FDS_MAX);
	message_clear(&m);
	fds[0] = -1;
	assert_int_equal(channel_send_fds(ends[1], "WOKEN=1", fds, 1, &err), -1);
	assert_int_equal(err.code, EBADF);
}

/* Neither blocks nor ends the sender. */
static void a_keeper_that_does_not_read_is_no_obstacle(void **state)
{
	struct error err;

	(void)state;
	for (int k = 0; k < 10000; k++)
		notify_send(ends[1], "STATUS=%d", k);
	close_fd(&ends[0]);
	notify_send(ends[1], "STATUS=x");
	assert_int_equal(channel_send_fds(ends[1], "WOKEN=1", (int[]){0}, 1, &err), -1);
	assert_non_null(strstr(err.text, "cannot tell the keeper"));
	notify_send(-1, "STATUS=x");
}

static void the_environment_names_it(void **state)
{
	static const char *const wrong[] = {"", "x", "-1", "4000", "3 "};
	char text[16];

	(void)state;
	assert_int_equal(channel_inherited(), -1);
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++) {
		setenv("SOCKWAKE_KEEPER_FD", wrong[k], 1);
		assert_int_equal(channel_inherited(), -1);
	}
	snprintf(text, sizeof(text), "%d", ends[1]);
	setenv("SOCKWAKE_KEEPER_FD", text, 1);
	assert_int_equal(fcntl(ends[1], F_SETFD, 0), 0);
	assert_int_equal(channel_inherited(), ends[1]);
	assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
}

static void what_is_said_of_a_server_that_refuses(void **state)
{
	static const uint16_t listening[] = {6379, 80, 0, 81};
	char text[CHANNEL_UNREACHABLE_MAX], others[CHANNEL_LISTENING_MAX];

	(void)state;
	assert_string_equal(
		channel_unreachable(6380, ECONNREFUSED, listening, 4, text),
		"a client was reset, as others may be: nothing listens on port 6380 in the container; it does "
		"listen on port 6379, 80 ('-p PORT:6379' forwards there)");
	/* It listened there at the start. */
	assert_string_equal(channel_unreachable(80, ECONNREFUSED, listening, 4, text),
			    "a client was reset, as others may be: nothing listens on port 80 in the container");
	assert_string_equal(
		channel_unreachable(81, 0, listening, 4, text),
		"a client of port 81 was reset, as others may be: its server cannot be connected to (it does not "
		"accept in time)");
	assert_string_equal(
		channel_unreachable(0, ECONNREFUSED, listening, 4, text),
		"a client was reset, as others may be: its server cannot be connected to (Connection refused)");
	assert_string_equal(channel_listening(listening, 1, others), "it does listen on port 6379");
	assert_string_equal(channel_listening(listening, 0, others), "");
	assert_string_equal(channel_listening((const uint16_t[]){65535, 65534, 65533, 65532}, 4, others),
			    "it does listen on port 65535, 65534, 65533, 65532");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_keep_their_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_errno_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(credentials_are_not_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_of_a_message_reaches_a_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_too_long_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_are_the_receivers, setup, teardown),
		cmocka_unit_test_setup_teardown(more_descriptors_than_fit_are_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_message_leaves_no_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(more_descriptors_are_not_sent_than_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_keeper_that_does_not_read_is_no_obstacle, setup, teardown),
		cmocka_unit_test(what_is_said_of_a_server_that_refuses),
		cmocka_unit_test_setup_teardown(the_environment_names_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
