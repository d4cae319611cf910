/* Lines for the journal: no text forges another one; what was written is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/log.h"

/* Standard error is a socket to a journal of our own. */
static int stderr_before, journal;

static int setup(void **state)
{
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return -1;
	stderr_before = dup(STDERR_FILENO);
	if (stderr_before < 0 || dup2(fds[1], STDERR_FILENO) < 0)
		return -1;
	close(fds[1]);
	journal = fds[0];
	return setenv("JOURNAL_STREAM", "1:2", 1);
}

static int teardown(void **state)
{
	(void)state;
	close(journal);
	unsetenv("JOURNAL_STREAM");
	return dup2(stderr_before, STDERR_FILENO) < 0 || close(stderr_before) < 0 ? -1 : 0;
}

static const char *read_line(void)
{
	static char line[256];
	ssize_t n = read(journal, line, sizeof(line) - 1);

	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

static void control_characters_are_replaced(void **state)
{
	(void)state;
	log_line(LOG_ERR, "a container called '%s'",
		 "x\n<0>forged\x1b[31m\xc2\x9b"
		 "31m\xff\xc3\xa4");
	assert_string_equal(read_line(), "<3>a container called 'x?<0>forged?[31m??31m?\xc3\xa4'\n");
}

static void a_journal_that_reads_nothing_is_not_waited_for_long(void **state)
{
	uint64_t began;

	(void)state;
	log_line(LOG_ERR, "the last words");
	began = now_usec();
	log_settle();
	assert_true(now_usec() - began >= 100 * USEC_PER_MSEC);
	assert_true(now_usec() - began < 2 * USEC_PER_SEC);
	assert_string_equal(read_line(), "<3>the last words\n");
}

/* The journal asks for the next line when it is done with one: that it took in the line itself does not suffice. */
static void the_journal_is_done_with_the_line(void **state)
{
	char byte;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		log_line(LOG_ERR, "the last words");
		log_settle();
		_exit(0);
	}
	assert_string_equal(read_line(), "<3>the last words\n");
	assert_int_equal(recv(journal, &byte, 1, MSG_PEEK), 1);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_string_equal(read_line(), "\n");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(control_characters_are_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_journal_that_reads_nothing_is_not_waited_for_long, setup, teardown),
		cmocka_unit_test_setup_teardown(the_journal_is_done_with_the_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
