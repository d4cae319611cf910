/* Lines for the journal: no text forges another one; what was written is waited for; the debug level. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
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

static unsigned pauses; /* of a millisecond each */

/* In place of the C library's. */
int poll(struct pollfd *fds, nfds_t n, int msec)
{
	assert_true(n == 0 && msec == 1);
	pauses++;
	return (int)syscall(SYS_ppoll, fds, n, &(struct timespec){.tv_nsec = 1000000}, NULL, 0);
}

static void a_journal_that_reads_nothing_is_not_waited_for_long(void **state)
{
	(void)state;
	log_line(LOG_ERR, "the last words");
	pauses = 0;
	log_settle();
	assert_int_equal(pauses, 100);
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

/* Nothing to read: would be waited for. */
static bool is_silent(void)
{
	char byte;

	return recv(journal, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

static void begin(const char *value, bool valid)
{
	assert_int_equal(setenv(LOG_VARIABLE, value, 1), 0);
	assert_int_equal(log_begin("keeper"), valid);
}

static void without_the_variable_nothing_is_told(void **state)
{
	(void)state;
	unsetenv(LOG_VARIABLE);
	assert_true(log_begin("keeper"));
	log_debug("the activator %s", "ended");
	log_hand_on();
	assert_true(is_silent());
	assert_null(getenv(LOG_VARIABLE));
	assert_int_equal(log_clock(), 0);
	begin("", true);
	assert_false(log_is_debug);
}

static void a_step_has_the_program_and_the_time(void **state)
{
	char rest[64] = "";
	double msec = -1;

	(void)state;
	begin("debug", true);
	log_wake(now_usec() - 12300);
	log_debug("the activator %s", "ended\n<0>forged");
	assert_int_equal(sscanf(read_line(), "<7>keeper +%lf ms: %63[^\n]", &msec, rest), 2);
	assert_true(msec >= 12.3 && msec < 5000);
	assert_string_equal(rest, "the activator ended?<0>forged");
}

static void on_a_terminal_a_step_begins_with_the_program(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	begin("debug", true);
	log_debug("x");
	assert_int_equal(strncmp(read_line(), "keeper +", strlen("keeper +")), 0);
}

static void a_long_step_is_cut(void **state)
{
	char text[4096], line[4096];
	ssize_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin("debug", true);
	log_debug("%s", text);
	n = read(journal, line, sizeof(line));
	assert_in_range(n, 2000, 2100);
	assert_int_equal(line[n - 1], '\n');
	line[n - 1] = '\0';
	assert_string_equal(strrchr(line, ' ') + 1, text + sizeof(text) - 1 - strlen(strrchr(line, ' ') + 1));
}

/* Only by hand, so to speak: what is executed otherwise does not get it. */
static void it_is_handed_on_with_the_beginning(void **state)
{
	uint64_t began = now_usec() - 7000000;
	char expected[64];
	double msec = -1;

	(void)state;
	begin("debug", true);
	assert_null(getenv(LOG_VARIABLE));
	log_wake(began);
	log_hand_on();
	snprintf(expected, sizeof(expected), "debug@%llu", (unsigned long long)began);
	assert_string_equal(getenv(LOG_VARIABLE), expected);
	assert_true(log_begin("activator"));
	assert_null(getenv(LOG_VARIABLE));
	log_debug("x");
	assert_int_equal(sscanf(read_line(), "<7>activator +%lf ms: x", &msec), 1);
	assert_true(msec >= 7000);
}

static void other_values_are_ignored(void **state)
{
	static const char *const values[] = {"info",	  "1",	      "DEBUG",
					     "debugging", "debug@",   "debug@x",
					     "debug@-1",  "debug@1 ", "debug@18446744073709551615"};

	(void)state;
	for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++) {
		begin(values[k], false);
		assert_null(getenv(LOG_VARIABLE));
		log_debug("x");
		log_hand_on();
		assert_null(getenv(LOG_VARIABLE));
	}
	assert_true(is_silent());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(control_characters_are_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_journal_that_reads_nothing_is_not_waited_for_long, setup, teardown),
		cmocka_unit_test_setup_teardown(the_journal_is_done_with_the_line, setup, teardown),
		cmocka_unit_test_setup_teardown(without_the_variable_nothing_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_has_the_program_and_the_time, setup, teardown),
		cmocka_unit_test_setup_teardown(on_a_terminal_a_step_begins_with_the_program, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_step_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_handed_on_with_the_beginning, setup, teardown),
		cmocka_unit_test_setup_teardown(other_values_are_ignored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
