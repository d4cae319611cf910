/* What the service manager has left in the environment. */
#include "handover/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"

static int clean(void **state)
{
	static const char *const names[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		unsetenv(names[k]);
	return 0;
}

static void set_number(const char *name, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	setenv(name, text, 1);
}

static void expect_listeners(const char *fds, int r, int expected)
{
	struct error err;
	int n = 7;

	setenv("LISTEN_FDS", fds, 1);
	assert_int_equal(listen_fds(&n, &err), r);
	assert_int_equal(n, expected);
}

static void listeners_are_counted(void **state)
{
	struct error err;
	int n = 7;

	(void)state;
	assert_int_equal(listen_fds(&n, &err), 0);
	assert_int_equal(n, 0);
	expect_listeners("3", 0, 0); /* for nobody */
	set_number("LISTEN_PID", (unsigned)getpid());
	expect_listeners("0", 0, 0);
	expect_listeners("3", 0, 3);
	expect_listeners("1024", 0, 1024);
	expect_listeners("1025", -1, 0);
	expect_listeners("many", -1, 0);
	unsetenv("LISTEN_FDS");
	assert_int_equal(listen_fds(&n, &err), 0);
	assert_int_equal(n, 0);
	setenv("LISTEN_PID", "0", 1); /* is no process */
	expect_listeners("3", -1, 0);
}

static void a_listener_is_found_by_its_name(void **state)
{
	(void)state;
	setenv("LISTEN_FDNAMES", "sockwake-router.socket:status", 1);
	assert_int_equal(listen_fd_named("status"), -1); /* for nobody */
	set_number("LISTEN_PID", (unsigned)getpid());
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(listen_fd_named("status"), LISTEN_FDS_START + 1);
	assert_int_equal(listen_fd_named("sockwake-router.socket"), LISTEN_FDS_START);
	assert_int_equal(listen_fd_named("stat"), -1);
	assert_int_equal(listen_fd_named("status2"), -1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(listen_fd_named("status"), -1); /* there are no more */
	setenv("LISTEN_FDS", "3", 1);
	assert_int_equal(listen_fd_named("other"), -1); /* … nor names */
	unsetenv("LISTEN_FDNAMES");
	assert_int_equal(listen_fd_named("status"), -1);
}

/* The longest that the address of a socket can hold, or what is one byte longer. */
static const char *long_path(size_t longer)
{
	static char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 2];
	size_t len = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 + longer;

	memset(path, 'x', len);
	path[0] = '@';
	path[len] = '\0';
	return path;
}

static void expect_no_manager(const char *path, int r, int code)
{
	struct error err = {};
	int fd = 5;

	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_connect(&fd, &err), r);
	assert_int_equal(err.code, code);
	assert_int_equal(fd, -1);
}

static void a_manager_has_the_address_of_a_unix_socket(void **state)
{
	(void)state;
	expect_no_manager("", 0, 0);
	expect_no_manager("relative", -1, EINVAL);
	expect_no_manager(long_path(1), -1, EINVAL);
	expect_no_manager(long_path(0), -1, ECONNREFUSED);
	expect_no_manager("/nonexistent/notify", -1, ENOENT);
}

static void an_abstract_manager_is_told_what_fits(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_close_ int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = -1;
	char text[2048], name[32];
	struct error err;
	ssize_t n;

	(void)state;
	snprintf(name, sizeof(name), "@sockwake-environment-%d", getpid());
	memcpy(a.sun_path + 1, name + 1, strlen(name) - 1);
	assert_int_equal(bind(manager, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_connect(&fd, &err), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	for (int len = 1534; len <= 1537; len++) { /* of 1536 bytes one is a NUL */
		notify_send(fd, "%0*d", len, 7);
		n = recv(manager, text, sizeof(text), MSG_DONTWAIT);
		assert_int_equal(n, len < 1535 ? len : 1535);
		for (ssize_t k = 0; k < n; k++)
			assert_int_equal(text[k], k == len - 1 ? '7' : '0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(listeners_are_counted, clean),
		cmocka_unit_test_teardown(a_listener_is_found_by_its_name, clean),
		cmocka_unit_test_teardown(a_manager_has_the_address_of_a_unix_socket, clean),
		cmocka_unit_test_teardown(an_abstract_manager_is_told_what_fits, clean),
	};

	return cmocka_run_group_tests(tests, clean, NULL);
}
