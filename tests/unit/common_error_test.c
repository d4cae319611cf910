/* The error contract: -1 and an error come together. */
#include "common/error.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void what_is_forgiven_leaves_nothing(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_equal(error_set(&err, ENOENT, "there is no '%s'", "x"), -1);
	assert_false(error_forgive(&err, EBUSY));
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, "there is no 'x'");
	assert_true(error_forgive(&err, ENOENT));
	assert_int_equal(err.code, 0);
	assert_string_equal(err.text, "");
}

static void context_comes_first(void **state)
{
	struct error err = {};

	(void)state;
	assert_int_equal(error_errno(&err, EACCES, "cannot open it"), -1);
	assert_int_equal(error_context(&err, "the unit '%s'", "y"), -1);
	assert_int_equal(err.code, EACCES);
	assert_string_equal(err.text, "the unit 'y': cannot open it: Permission denied");
}

/* Is the program ended that settles so? */
static int ends(int r, const char *text)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct error err = {};

		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		if (*text)
			error_set(&err, 0, "%s", text);
		_exit(error_settle(r, &err) == r ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_broken_contract_ends_a_build_with_sanitizers(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	const int seen = 1;
#else
	const int seen = 0;
#endif

	(void)state;
	assert_int_equal(ends(0, ""), 0);
	assert_int_equal(ends(-1, "it failed"), 0);
	assert_int_equal(ends(0, "it failed"), seen);
	assert_int_equal(ends(-1, ""), seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_forgiven_leaves_nothing),
		cmocka_unit_test(context_comes_first),
		cmocka_unit_test(a_broken_contract_ends_a_build_with_sanitizers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
