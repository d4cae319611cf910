/* handover/refuse.h and handover/listen.h with real sockets: a client that waits learns at once that it is not served. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "handover/exit.h"
#include "handover/listen.h"
#include "handover/refuse.h"

#define CLIENTS	  50
#define DATAGRAMS 3

static const int *failures; /* of the next calls of accept4(), up to a 0; then the kernel's own */
static unsigned accepts, receipts;

/* In place of the C library's. */
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	accepts++;
	if (failures && *failures) {
		errno = *failures++;
		return -1;
	}
	return (int)syscall(SYS_accept4, fd, address, len, flags);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
	receipts++;
	return recvfrom(fd, data, len, flags, NULL, NULL);
}

static int bound_socket(int type, struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, CLIENTS), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &len), 0);
	return fd;
}

static int connected(int type, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)), 0);
	return fd;
}

/* Becomes a program that systemd handed these two sockets. The test's own descriptors above are gone afterwards. */
static void become_activated(int stream, int datagram)
{
	char pid[16];

	assert_int_equal(dup2(fcntl(stream, F_DUPFD, 100), 3), 3);
	assert_int_equal(dup2(fcntl(datagram, F_DUPFD, 100), 4), 4);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
}

/* What the clients of a queue see when `body` ends it. */
static void expect_refusal(void (*body)(int ready))
{
	struct sockaddr_in stream_address, datagram_address;
	int stream = bound_socket(SOCK_STREAM, &stream_address);
	int datagram = bound_socket(SOCK_DGRAM, &datagram_address);
	int sender = connected(SOCK_DGRAM, &datagram_address);
	int clients[CLIENTS], ready[2], status;
	pid_t pid;
	char byte;

	for (int i = 0; i < CLIENTS; i++)
		clients[i] = connected(SOCK_STREAM, &stream_address);
	for (int i = 0; i < DATAGRAMS; i++)
		assert_int_equal(send(sender, "x", 1, 0), 1);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		become_activated(stream, datagram);
		body(ready[1]);
		_exit(99);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	if (byte != 0)
		assert_int_equal(kill(pid, byte), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_REFUSED);
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(recv(clients[i], &byte, 1, 0), -1);
		assert_int_equal(errno, ECONNRESET);
		close(clients[i]);
	}
	/* Both queues are empty, or systemd would start the service again for them. */
	assert_int_equal(poll(&(struct pollfd){.fd = stream, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(recv(datagram, &byte, 1, MSG_DONTWAIT), -1);
	close(stream);
	close(datagram);
	close(sender);
	close(ready[0]);
	close(ready[1]);
}

static void fail_before_ready(int ready)
{
	struct error err;

	error_set(&err, 0, "a sentence that is expected here");
	if (write(ready, "", 1) != 1)
		_exit(98);
	_exit(refuse_queue(&err));
}

/* Not one descriptor is left, as after LimitNOFILE= of a drop-in, and on a machine that has run out of them. */
static void fail_without_descriptors(int ready)
{
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = 1, .rlim_max = 1}) < 0)
		_exit(97);
	fail_before_ready(ready);
}

static void wait_for(char sig, int ready)
{
	refuse_on_signal("the test");
	if (write(ready, &sig, 1) != 1)
		_exit(98);
	for (;;)
		pause();
}

static void wait_for_sigterm(int ready)
{
	wait_for(SIGTERM, ready);
}

static void wait_for_sigint(int ready)
{
	wait_for(SIGINT, ready);
}

static void failure_refuses(void **state)
{
	(void)state;
	expect_refusal(fail_before_ready);
}

static void without_descriptors_refuses(void **state)
{
	(void)state;
	expect_refusal(fail_without_descriptors);
}

static void signals_refuse(void **state)
{
	(void)state;
	expect_refusal(wait_for_sigterm);
	expect_refusal(wait_for_sigint);
}

/* A client that has gone already, and a signal, do not end the queue. Its end does, and every other failure. */
static void what_ends_a_queue(void **state)
{
	static const struct {
		int failures[3];
		unsigned accepts;
	} cases[] = {
		{{0}, CLIENTS + 1},	 {{ECONNABORTED, EINTR}, CLIENTS + 3},
		{{ENOBUFS}, 1},		 {{EINTR, ENOMEM}, 2},
		{{EMFILE}, CLIENTS + 2}, /* in place of standard input it goes on */
		{{ENFILE}, CLIENTS + 2}, {{EMFILE, ENFILE}, 2},
	};
	struct sockaddr_in address, datagram_address;
	int datagram = bound_socket(SOCK_DGRAM, &datagram_address), status;
	int sender = connected(SOCK_DGRAM, &datagram_address);
	pid_t pid;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		int listener = bound_socket(SOCK_STREAM, &address), clients[CLIENTS];

		for (int i = 0; i < CLIENTS; i++)
			clients[i] = connected(SOCK_STREAM, &address);
		pid = fork();
		if (pid == 0) {
			/* the second one is not among those that were handed over */
			if (dup2(listener, LISTEN_FDS_START) < 0 || dup2(listener, LISTEN_FDS_START + 1) < 0)
				_exit(99);
			failures = cases[k].failures;
			refuse_listeners(1);
			_exit(accepts == cases[k].accepts ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		for (int i = 0; i < CLIENTS; i++)
			close(clients[i]);
		close(listener);
	}
	for (int i = 0; i < DATAGRAMS; i++)
		assert_int_equal(send(sender, "x", 1, 0), 1);
	pid = fork();
	if (pid == 0) {
		if (dup2(datagram, LISTEN_FDS_START) < 0)
			_exit(99);
		receipts = 0;
		refuse_listeners(1);
		_exit(receipts == DATAGRAMS + 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(sender);
	close(datagram);
}

/* What the service manager hears from such a program. */
static void expect_status(void (*body)(int ready), const char *expected)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[256] = "";

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/sockwake-status-%d", getpid());
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	expect_refusal(body);
	unsetenv("NOTIFY_SOCKET");
	unlink(address.sun_path);
	assert_true(recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, expected);
}

static void the_manager_hears_why(void **state)
{
	(void)state;
	expect_status(fail_before_ready, "STATUS=a sentence that is expected here");
	expect_status(wait_for_sigterm, "STATUS=the test was told to stop (signal 15) before the container was ready; "
					"waiting clients were refused");
}

static void other_processes_sockets_are_not_ours(void **state)
{
	struct error err;
	int n;

	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "3", 1);
	assert_int_equal(listen_fds(&n, &err), 0);
	assert_int_equal(n, 0);
	setenv("LISTEN_PID", "nonsense", 1);
	assert_int_equal(listen_fds(&n, &err), -1);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static void notifications_arrive(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = -1;
	char path[64], text[64] = "";
	struct error err;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/sockwake-notify-%d", getpid());
	strcpy(address.sun_path, path);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_connect(&fd, &err), 0);
	unlink(path); /* as after a pivot: the name is gone, the connection stays */
	notify_send(fd, "READY=%d", 1);
	assert_int_equal(recv(manager, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	setenv("NOTIFY_SOCKET", "nonsense", 1);
	assert_int_equal(notify_connect(&fd, &err), -1);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_connect(&fd, &err), 0);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_refuses),
		cmocka_unit_test(signals_refuse),
		cmocka_unit_test(what_ends_a_queue),
		cmocka_unit_test(the_manager_hears_why),
		cmocka_unit_test(other_processes_sockets_are_not_ours),
		cmocka_unit_test(without_descriptors_refuses),
		cmocka_unit_test(notifications_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
