/* readiness/probe_command.h through readiness_wait(). */
#include "tests/unit/readiness_fixture.h"

#include "handover/channel.h"
#include "readiness/probe_command.h"
#include "tests/unit/shortage.h"

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

/* What the keeper is told at once: a command may take long. Of other checks it hears only when they go on. */
static void what_is_told_in_advance(void **state)
{
	static const struct {
		const char *kind, *awaited; /* NULL: nothing */
	} cases[] = {{"exec sleep 1000", "the health-check command has not ended"}, {"listen", NULL}, {"http", NULL}};
	struct error err;
	int ends[2];

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	assert_int_equal(dup2(ends[1], 90), 90);
	setenv("SOCKWAKE_KEEPER_FD", "90", 1);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct message m;
		char text[128];
		bool closed;

		assert_int_equal(wait_for(cases[k].kind, SOCK_STREAM, SECOND / 20, -1, &err), -1);
		assert_int_equal(channel_receive(ends[0], &m, &closed), cases[k].awaited != NULL);
		if (cases[k].awaited) {
			assert_true(message_value(&m, "AWAITED", text, sizeof(text)));
			assert_string_equal(text, cases[k].awaited);
			message_clear(&m);
			assert_false(channel_receive(ends[0], &m, &closed)); /* once */
		}
	}
	unsetenv("SOCKWAKE_KEEPER_FD");
	close(90);
	close(ends[0]);
	close(ends[1]);
}

/* Where the server listens instead, for the one who gave the wrong port. */
static void another_port_is_named(void **state)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct target other = ipv4("127.0.0.1"), at = target_with_port(&other, PORT + 1);
	struct message m;
	struct error err;
	char text[128];
	bool closed;
	int ends[2];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at.addr, at.len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(channel_open(ends, &err), 0);
	assert_int_equal(dup2(ends[1], 90), 90);
	setenv("SOCKWAKE_KEEPER_FD", "90", 1);
	assert_int_equal(wait_for("listen", SOCK_STREAM, SECOND * 3 / 10, -1, &err), -1);
	unsetenv("SOCKWAKE_KEEPER_FD");
	assert_true(channel_receive(ends[0], &m, &closed));
	assert_true(message_value(&m, "AWAITED", text, sizeof(text)));
	assert_string_equal(text, "nothing listens on port 5432");
	assert_true(message_value(&m, "HINT", text, sizeof(text)));
	assert_string_equal(text, "it does listen on port 5433 ('-p PORT:5433' forwards there)");
	message_clear(&m);
	close(90);
	close(ends[0]);
	close(ends[1]);
}

/* How a command ends is told; one that cannot be run will not succeed later. */
static void how_it_ends_is_told(void **state)
{
	static const struct {
		const char *command, *says;
	} cases[] = {
		{"exit 3", "the health-check command still exits with status 3"},
		{"kill -9 $$", "the health-check command was killed by signal 9"},
		{"exit 126", "the health-check command still exits with status 126"},
		{"exit 127", "the health-check command still exits with status 127"},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(wait_for(cases[k].command, SOCK_STREAM, SECOND / 20, -1, &err), -1);
		if (!strstr(err.text, cases[k].says))
			fail_msg("'%s' does not say '%s'", err.text, cases[k].says);
	}
}

/* Each verdict of a command, without the loop around it. */
static void its_verdicts(void **state)
{
	static const struct {
		const char *command;
		int verdict;
	} cases[] = {
		{"exit 0", VERDICT_READY},	 {"exit 1", VERDICT_NOT_YET},  {"exit 125", VERDICT_NOT_YET},
		{"exit 126", VERDICT_FUTILE},	 {"exit 127", VERDICT_FUTILE}, {"kill -TERM $$", VERDICT_NOT_YET},
		{"kill -9 $$", VERDICT_NOT_YET},
	};
	const struct patience p = {.started = now_usec(), .deadline = now_usec() + 10 * SECOND, .pidfd = -1};
	char seen[SEEN_MAX];
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
		assert_int_equal(probe_command(cases[k].command, PORT, &p, seen, &err), cases[k].verdict);
	shortage_after(0);
	assert_int_equal(probe_command("true", PORT, &p, seen, &err), -1);
	assert_int_equal(err.code, ENOMEM);
	shortage_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),		 cmocka_unit_test(what_is_told_in_advance),
		cmocka_unit_test(another_port_is_named), cmocka_unit_test(how_it_ends_is_told),
		cmocka_unit_test(its_verdicts),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
