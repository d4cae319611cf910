/* proxy --await: waits, says why not, and forwards nothing. */
#include "tests/unit/proxy_fixture.h"

#include <limits.h>
#include <sys/syscall.h>

#include "common/cleanup.h"
#include "handover/exit.h"

struct said {
	int status;
	char text[2048];
};

static const char *proxy_path(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);

	path[n > 0 ? n : 0] = '\0';
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '/'), "/proxy"); /* BUILD/tests/x_test -> BUILD/proxy */
	return path;
}

/* Runs the proxy with the port and this check; pidfd may be -1, the deadline is so many milliseconds from now. */
static struct said await(uint16_t port, const char *check, int pidfd, unsigned msec)
{
	struct said s = {};
	char number[16];
	size_t len = 0;
	int fds[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDERR_FILENO);
		snprintf(number, sizeof(number), "%d", pidfd);
		if (pidfd >= 0)
			setenv("SOCKWAKE_PIDFD", number, 1);
		snprintf(s.text, sizeof(s.text), "%llu", (unsigned long long)(now_usec() + msec * USEC_PER_MSEC));
		setenv("SOCKWAKE_DEADLINE", s.text, 1);
		snprintf(number, sizeof(number), "%u", port);
		execl(proxy_path(), "proxy", "--await", number, "--health-check", check, NULL);
		_exit(99);
	}
	close(fds[1]);
	while ((n = read(fds[0], s.text + len, sizeof(s.text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &s.status, 0), pid);
	s.status = WIFEXITED(s.status) ? WEXITSTATUS(s.status) : -1;
	return s;
}

static void a_server_that_listens_is_ready(void **state)
{
	_cleanup_close_ int server = bound(SOCK_STREAM);
	struct said s = await(port_of(server), "listen", -1, PATIENCE_MSEC);

	(void)state;
	assert_int_equal(s.status, 0);
	assert_string_equal(s.text, "");
}

static void a_server_that_does_not_is_told(void **state)
{
	_cleanup_close_ int server = bound(SOCK_STREAM);
	uint16_t port = port_of(server);
	struct said s;

	(void)state;
	close_fd(&server);
	s = await(port, "listen", -1, 100);
	assert_int_equal(s.status, EXIT_REFUSED);
	assert_non_null(strstr(s.text, "not ready in time"));
	assert_ptr_equal(strchr(s.text, '\n'), s.text + strlen(s.text) - 1);
}

static void what_it_says_is_looked_at(void **state)
{
	_cleanup_close_ int server = bound(SOCK_STREAM);
	struct said s = await(port_of(server), "redis", -1, 200); /* it accepts, but does not answer */

	(void)state;
	assert_int_equal(s.status, EXIT_REFUSED);
	assert_non_null(strstr(s.text, "does not answer"));
}

static void a_command_needs_no_port(void **state)
{
	(void)state;
	assert_int_equal(await(0, "test {container_port} = 0", -1, PATIENCE_MSEC).status, 0);
	assert_int_equal(await(0, "exit 3", -1, 100).status, EXIT_REFUSED);
}

static void the_end_of_the_container_is_noticed(void **state)
{
	_cleanup_close_ int pidfd = -1;
	struct said s;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_int_equal(fcntl(pidfd, F_SETFD, 0), 0);
	s = await(1, "listen", pidfd, PATIENCE_MSEC);
	assert_int_equal(s.status, EXIT_REFUSED);
	assert_non_null(strstr(s.text, "ended before it was ready"));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A check that is made all the time has one line for each outcome. */
static void the_debug_level_tells_an_outcome_once(void **state)
{
	_cleanup_close_ int server = bound(SOCK_STREAM);
	uint16_t port = port_of(server);
	const char *first;
	char outcome[64];
	struct said s;

	(void)state;
	close_fd(&server);
	setenv("SOCKWAKE_LOG", "debug", 1);
	s = await(port, "listen", -1, 200);
	unsetenv("SOCKWAKE_LOG");
	snprintf(outcome, sizeof(outcome), " ms: not ready yet: nothing listens on port %u\n", port);
	first = strstr(s.text, outcome);
	assert_non_null(first);
	assert_int_equal(strncmp(s.text, "proxy +", strlen("proxy +")), 0);
	assert_null(strstr(first + 1, outcome));
}

/* With the debug level each new reason is told while it waits. */
static void the_debug_level_tells_what_it_waits_for(void **state)
{
	_cleanup_close_ int server = bound(SOCK_STREAM);
	uint16_t port = port_of(server);
	struct said s;

	(void)state;
	close_fd(&server);
	setenv("SOCKWAKE_LOG", "debug", 1);
	s = await(port, "listen", -1, 100);
	unsetenv("SOCKWAKE_LOG");
	assert_int_equal(s.status, EXIT_REFUSED);
	assert_non_null(strstr(s.text, "proxy +"));
	assert_non_null(strstr(s.text, "not ready yet: nothing listens on port"));
	assert_null(strstr(strstr(s.text, "not ready yet") + 1, "not ready yet")); /* once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_debug_level_tells_what_it_waits_for),
		cmocka_unit_test(a_server_that_listens_is_ready),
		cmocka_unit_test(a_server_that_does_not_is_told),
		cmocka_unit_test(what_it_says_is_looked_at),
		cmocka_unit_test(a_command_needs_no_port),
		cmocka_unit_test(the_end_of_the_container_is_noticed),
		cmocka_unit_test(the_debug_level_tells_an_outcome_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
