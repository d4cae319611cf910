/* --no-wake-from with real sockets and real clients. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/filter.h"
#include "common/cleanup.h"
#include "tests/unit/activator_program.h"

static char directory[64];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	return setenv("RUNTIME_DIRECTORY", directory, 1);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static int bound(int type, const char *address, struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &len), 0);
	return fd;
}

static int client(int type, const char *source, const struct sockaddr_in *to)
{
	struct sockaddr_in own;
	int fd = bound(type, source, &own);

	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)), 0);
	if (type == SOCK_DGRAM)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	return fd;
}

static bool was_reset(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, 5000) == 1 && recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

static bool is_open(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

#define WAKE                                                                                                           \
	"--name", "t", "--backend", "docker", "--container", "c", "--engine-socket", "/nonexistent/engine",            \
		"--no-wake-from", "127.0.0.2", "--no-wake-from", "127.1.0.0/16"

static void excluded_sources_do_not_wake(void **state)
{
	struct sockaddr_in to, notify_at;
	_cleanup_close_ int listener = bound(SOCK_STREAM, "127.0.0.1", &to);
	_cleanup_close_ int datagrams = bound(SOCK_DGRAM, "127.0.0.1", &notify_at);
	const int sockets[] = {listener, datagrams, -1};
	_cleanup_close_ int a = -1, b = -1, u = -1;
	struct program p;

	(void)state;
	assert_int_equal(listen(listener, 16), 0);
	a = client(SOCK_STREAM, "127.0.0.2", &to);
	b = client(SOCK_STREAM, "127.1.2.3", &to);
	u = client(SOCK_DGRAM, "127.0.0.2", &notify_at);
	assert_int_equal(program_run(&p, sockets, ARGUMENTS(WAKE, "--", "/bin/true")), 0);
	assert_string_equal(p.text, "");
	assert_true(was_reset(a));
	assert_true(was_reset(b));
	/* The datagram is gone, too. */
	assert_true(recv(datagrams, &(char){0}, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

/* The engine is not there: that it was asked for shows that the filter let somebody through. */
static void others_wake_and_learn_of_a_failure(void **state)
{
	struct sockaddr_in to;
	_cleanup_close_ int listener = bound(SOCK_STREAM, "127.0.0.1", &to);
	const int sockets[] = {listener, -1};
	_cleanup_close_ int a = -1, b = -1;
	struct program p;

	(void)state;
	assert_int_equal(listen(listener, 16), 0);
	a = client(SOCK_STREAM, "127.0.0.2", &to);
	b = client(SOCK_STREAM, "127.0.0.3", &to);
	assert_int_equal(program_run(&p, sockets, ARGUMENTS(WAKE, "--", "/bin/true")), 75);
	assert_non_null(strstr(p.text, "nothing listens on '/nonexistent/engine'"));
	assert_true(was_reset(a));
	assert_true(was_reset(b)); /* it was accepted already */
}

static void a_datagram_from_elsewhere_wakes_and_stays(void **state)
{
	struct sockaddr_in to;
	_cleanup_close_ int fd = bound(SOCK_DGRAM, "127.0.0.1", &to);
	_cleanup_close_ int a = client(SOCK_DGRAM, "127.0.0.2", &to), b = client(SOCK_DGRAM, "127.0.0.3", &to);
	_cleanup_close_ int saved = fcntl(LISTEN_FDS_START, F_DUPFD_CLOEXEC, 50);
	struct accepted accepted = {};
	struct cidr range;
	struct error err;
	char pid[16];
	bool wake;

	(void)state;
	assert_int_equal(cidr_parse("127.0.0.2", &range, &err), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(dup2(fd, LISTEN_FDS_START), LISTEN_FDS_START);
	assert_int_equal(filter_queue(&range, 1, &accepted, &wake, &err), 0);
	unsetenv("LISTEN_FDS");
	if (saved >= 0)
		assert_int_equal(dup2(saved, LISTEN_FDS_START), LISTEN_FDS_START);
	assert_true(wake);
	assert_int_equal(accepted.n, 0);
	assert_int_equal(recv(fd, &(char){0}, 1, MSG_DONTWAIT), 1);
	assert_int_equal(recv(fd, &(char){0}, 1, MSG_DONTWAIT), -1); /* only the second one was left */
}

static void as_many_are_accepted_as_can_be_handed_down(void **state)
{
	struct sockaddr_in to;
	int listener = bound(SOCK_STREAM, "127.0.0.1", &to), saved = fcntl(LISTEN_FDS_START, F_DUPFD_CLOEXEC, 500);
	int clients[ACCEPTED_MAX + 10];
	struct accepted accepted = {};
	const char *text;
	char pid[16];
	struct cidr range;
	struct error err;
	bool wake;

	(void)state;
	assert_int_equal(listen(listener, 200), 0);
	for (size_t i = 0; i < ACCEPTED_MAX + 10; i++)
		clients[i] = client(SOCK_STREAM, i == 5 ? "127.0.0.2" : "127.0.0.3", &to);
	assert_int_equal(cidr_parse("127.0.0.2", &range, &err), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(dup2(listener, LISTEN_FDS_START), LISTEN_FDS_START);
	assert_int_equal(filter_queue(&range, 1, &accepted, &wake, &err), 0);
	assert_int_equal(accepted.n, ACCEPTED_MAX);
	assert_true(was_reset(clients[5]));
	assert_true(is_open(clients[0]));
	assert_true(is_open(clients[ACCEPTED_MAX + 9]));
	assert_int_equal(accepted_hand_down(&accepted, &err), 0);
	text = getenv("SOCKWAKE_ACCEPTED");
	assert_non_null(text);
	assert_int_equal(atoi(text), accepted.items[0].fd);
	assert_non_null(strstr(text, ":0,"));
	assert_int_equal(fcntl(accepted.items[0].fd, F_GETFD), 0);
	/* Whoever fails on the way to the proxy resets them. */
	for (size_t i = 0; i < accepted.n; i++)
		close(accepted.items[i].fd);
	assert_true(was_reset(clients[0]));
	accepted.n = 0;
	assert_int_equal(accepted_hand_down(&accepted, &err), 0);
	assert_null(getenv("SOCKWAKE_ACCEPTED"));
	unsetenv("LISTEN_FDS");
	if (saved >= 0)
		dup2(saved, LISTEN_FDS_START);
	for (size_t i = 0; i < ACCEPTED_MAX + 10; i++)
		close(clients[i]);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(excluded_sources_do_not_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(others_wake_and_learn_of_a_failure, setup, teardown),
		cmocka_unit_test(a_datagram_from_elsewhere_wakes_and_stays),
		cmocka_unit_test(as_many_are_accepted_as_can_be_handed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
