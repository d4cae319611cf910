/* Who listens at a path, by the kernel's list of sockets. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/router_place.h"

static char directory[] = "/tmp/sockwake-test-XXXXXX";
static char path[64];

static int open_at_path(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* A process that has none of our descriptors. */
static pid_t another(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)close_range(3, ~0U, 0);
		pause();
		_exit(0);
	}
	return pid;
}

static void who_listens(void **state)
{
	pid_t other = another();
	int first, second;

	(void)state;
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	first = open_at_path();
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	assert_int_equal(listen(first, 1), 0);
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_HELD);
	assert_int_equal(router_place_look(path, other), ROUTER_PLACE_FOREIGN);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	second = open_at_path(); /* the first one listens still, at no path */
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	assert_int_equal(listen(second, 1), 0);
	close(first);
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_HELD);
	close(second);
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	unlink(path);
}

static void something_else_is_no_socket(void **state)
{
	FILE *f = fopen(path, "w");

	(void)state;
	fclose(f);
	assert_int_equal(router_place_look(path, getpid()), ROUTER_PLACE_EMPTY);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens),
		cmocka_unit_test(something_else_is_no_socket),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/s", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
