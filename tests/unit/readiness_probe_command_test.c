/* readiness/probe_command.h through readiness_wait(). */
#include "tests/unit/readiness_fixture.h"

static char directory[] = "/tmp/sockwake-readiness-XXXXXX";

static void expect_command(int expected, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void expect_command(int expected, const char *format, ...)
{
	struct error err = {.text = ""};
	char command[1024];
	va_list ap;
	int r;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	r = wait_for(command, SOCK_STREAM, expected == 0 ? 10 * SECOND : SECOND / 10, -1, &err);
	if (r != expected)
		fail_msg("%s: %d %s", command, r, err.text);
	if (r < 0)
		assert_int_equal(err.code, ETIMEDOUT);
}

static void test_command(void **state)
{
	char path[sizeof(directory) + 16];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	expect_command(0, "true");
	expect_command(-1, "false");
	expect_command(0, "test '{container_port}{container_port}' = '54325432'");
	/* Repeated until it succeeds. */
	expect_command(0, "echo x >>%s/n; test $(wc -l <%s/n) -ge 3", directory, directory);
	/* A group of its own, default signals, nothing inherited: three descriptors, and what ls opens. */
	expect_command(0, "test $(ps -o pgid= -p $$) = $$ || test -z \"$(command -v ps)\"");
	assert_int_equal(dup2(2, 77), 77);
	expect_command(0, "test \"$(ls /proc/self/fd | tr '\\n' ' ')\" = '0 1 2 3 '");
	close(77);
	setenv("LISTEN_FDS", "9", 1);
	setenv("SOCKWAKE_DEADLINE", "1", 1);
	expect_command(0, "test -z \"$LISTEN_FDS$SOCKWAKE_DEADLINE\" && test -n \"$PATH\"");
	unsetenv("LISTEN_FDS");
	unsetenv("SOCKWAKE_DEADLINE");
	/* Killed at the deadline with all that it started: the pipe's other end is closed by the last of them. */
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	{
		_cleanup_close_ int fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		struct pollfd p = {.fd = fifo, .events = POLLIN};
		char text[8];

		expect_command(-1, "exec 5>%s/fifo; echo started >&5; (sleep 100) & sleep 100", directory);
		assert_int_equal(read(fifo, text, sizeof(text)), 8);
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(read(fifo, text, sizeof(text)), 0);
	}
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/n", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
