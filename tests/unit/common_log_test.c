/* Lines for the journal: no text forges another one; what was written is waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	log_line(LOG_ERR, "a container called '%s'", "x\n<0>forged\x1b[31m");
	assert_string_equal(read_line(), "<3>a container called 'x?<0>forged?[31m'\n");
}

static void what_the_journal_has_not_read_is_waited_for(void **state)
{
	uint64_t began;

	(void)state;
	log_line(LOG_ERR, "the last words");
	began = now_usec();
	log_settle();
	assert_true(now_usec() - began >= 100 * USEC_PER_MSEC); /* but not for ever */
	read_line();
	began = now_usec();
	log_settle();
	assert_true(now_usec() - began < 50 * USEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(control_characters_are_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_journal_has_not_read_is_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
