/* What the kernel may answer to each question of nshelper, and what then is told. */
#include "tests/unit/nshelper_fixture.h"
#include "tests/unit/refusal_fixture.h"

#include <linux/nsfs.h>

#include "nshelper/enter.h"
#include "nshelper/target.h"
#include "nshelper/transparent.h"
#include "nshelper/unreachable.h"

#define ANY UINT64_MAX

static size_t at;

/* --- the target: this process */

static const struct {
	int call;
	unsigned argument;
	uint64_t value;
	int error, code;
	const char *says;
} questions[] = {
	{SYS_pidfd_open, 0, ANY, EPERM, EPERM, "cannot open a pidfd of process"},
	{SYS_pidfd_open, 0, ANY, ESRCH, ESRCH, "there is no process"},
	{SYS_pidfd_open, 0, ANY, EINVAL, EINVAL, "is a thread, not a process"},
	{SYS_pidfd_open, 0, ANY, ENOENT, EINVAL, "is a thread, not a process"},
	{SYS_openat, 2, O_PATH | O_DIRECTORY | O_CLOEXEC, EACCES, EACCES,
	 "may not open the directory in /proc of process"},
	{SYS_openat, 2, O_PATH | O_DIRECTORY | O_CLOEXEC, EPERM, EPERM,
	 "may not open the directory in /proc of process"},
	{SYS_openat, 2, O_PATH | O_DIRECTORY | O_CLOEXEC, ENOENT, ESRCH, "the container has ended (process"},
	{SYS_openat, 2, O_PATH | O_DIRECTORY | O_CLOEXEC, ESRCH, ESRCH, "the container has ended (process"},
	{SYS_openat, 2, O_PATH | O_DIRECTORY | O_CLOEXEC, EIO, EIO, "cannot open the directory in /proc of process"},
	{SYS_readlinkat, 0, ANY, ENOENT, ESRCH, "is not a container's, or has just ended"},
	{SYS_readlinkat, 0, ANY, EACCES, EACCES, "may not open the program of process"},
	{SYS_readlinkat, 0, ANY, EIO, EIO, "cannot open the program of process"},
	{SYS_poll, 0, ANY, EIO, EIO, "cannot ask whether process"},
};

static void refuse(int call, unsigned argument, uint64_t value, int error)
{
	if (value == ANY)
		refuse_call(call, error);
	else
		refuse_call_with(call, argument, value, error);
}

static bool is_told(void)
{
	struct error err = {};
	struct target t;

	refuse(questions[at].call, questions[at].argument, questions[at].value, questions[at].error);
	return target_open(getpid(), -1, false, &t, &err) == -1 && err.code == questions[at].code &&
	       strstr(err.text, questions[at].says);
}

static void each_answer_is_told(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(questions) / sizeof(*questions); at++) {
		if (!child_says(is_told))
			fail_msg("question %zu: %s", at, questions[at].says);
	}
}

static bool cannot_hand_on(void)
{
	struct target t = {.pidfd = STDIN_FILENO, .root = -1};
	struct error err = {};

	refuse_call(SYS_fcntl, EIO);
	if (target_keep_over_exec(&t, &err) != -1 || !strstr(err.text, "cannot hand descriptor 0 on"))
		return false;
	t = (struct target){.pidfd = -1, .root = STDIN_FILENO};
	if (target_keep_over_exec(&t, &err) != -1)
		return false;
	t = (struct target){.pidfd = -1, .root = -1};
	return target_keep_over_exec(&t, &err) == 0;
}

static void what_cannot_be_handed_on_is_told(void **state)
{
	(void)state;
	assert_true(child_says(cannot_hand_on));
}

/* --- its namespaces */

static struct {
	int call, error;
	uint64_t value; /* of its second argument */
	const char *says;
} entries[] = {
	{SYS_ioctl, EPERM, NS_GET_USERNS, "its user namespace lies outside"},
	{SYS_ioctl, EIO, NS_GET_USERNS, "cannot find the user namespace that owns it"},
	{SYS_capget, EIO, ANY, "cannot read the capabilities"},
};

/* A network namespace that is not this process's. */
static bool is_planned_so(void)
{
	_cleanup_close_ int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct error err = {};
	struct entry e;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	refuse(entries[at].call, 1, entries[at].value, entries[at].error);
	return entry_plan(before, &e, &err) == -1 && err.code == entries[at].error &&
	       strstr(err.text, entries[at].says);
}

static bool needs_no_entry(void)
{
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct error err = {};
	struct entry e;

	return entry_plan(own, &e, &err) == 0 && e.netns == -1 && e.userns == -1 && entry_enter(&e, &err) == 0;
}

static bool is_no_namespace(void)
{
	struct error err = {};
	struct entry e;

	return entry_plan(-1, &e, &err) == -1 && err.code == EBADF &&
	       strstr(err.text, "cannot examine '/proc/self/ns/net'");
}

static bool may_not_enter(void)
{
	struct entry net = {.netns = 0, .userns = -1}, user = {.netns = -1, .userns = 0},
		     both = {.netns = 0, .userns = 0};
	struct error err = {};

	refuse_call_with(SYS_setns, 1, CLONE_NEWUSER, EPERM);
	if (entry_enter(&user, &err) != -1 || !strstr(err.text, "made by another user") ||
	    entry_enter(&both, &err) != -1 || !strstr(err.text, "made by another user"))
		return false;
	/* no namespaces at all */
	return entry_enter(&net, &err) == -1 && err.code == EINVAL &&
	       strcmp(err.text, "setns() failed: Invalid argument") == 0;
}

static bool cannot_enter(void)
{
	struct entry user = {.netns = -1, .userns = 0};
	struct error err = {};

	return entry_enter(&user, &err) == -1 && strstr(err.text, "setns() into its user namespace failed");
}

static void entries_that_fail(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(entries) / sizeof(*entries); at++) {
		if (!child_says(is_planned_so))
			fail_msg("entry %zu: %s", at, entries[at].says);
	}
	assert_true(child_says(needs_no_entry));
	assert_true(child_says(is_no_namespace));
	assert_true(child_says(may_not_enter));
	assert_true(child_says(cannot_enter));
}

/* --- what --transparent switches on */

static struct {
	int error, code;
	const char *says; /* NULL: it goes on */
} switches[] = {
	{EROFS, EROFS, "which is read-only here"},
	{EACCES, EACCES, "--transparent cannot write '/proc/sys/net/ipv4/tcp_fwmark_accept'"},
	{ENOENT, 0, NULL}, /* a kernel without it */
};

static bool is_switched_so(void)
{
	struct error err = {};
	int r;

	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0)
		return false;
	refuse_call(SYS_fsopen, EPERM);
	refuse_call_with(SYS_openat, 2, O_WRONLY | O_CLOEXEC, switches[at].error);
	r = transparent_install(1, &err);
	if (!switches[at].says)
		return r == 0;
	return r == -1 && err.code == switches[at].code && strstr(err.text, switches[at].says);
}

static bool cannot_be_written(void)
{
	struct error err = {};

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	refuse_call(SYS_write, EIO);
	return transparent_install(1, &err) == -1 && err.code == EIO && strstr(err.text, "--transparent cannot write");
}

static void switches_that_stay_off(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(switches) / sizeof(*switches); at++) {
		if (!child_says(is_switched_so))
			fail_msg("switch %zu", at);
	}
	assert_true(child_says(cannot_be_written));
}

/* --- whether the program can be read */

static void programs_that_can_be_read(void **state)
{
	_cleanup_close_ int fd = open("/bin/sh", O_PATH | O_CLOEXEC);
	struct error err = {};

	(void)state;
	assert_int_equal(unreachable_check(-1, "sh", &err), -1); /* by its name alone */
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(unreachable_check(-1, "/bin/sh", &err), -1);
	assert_int_equal(err.code, EPERM);
	assert_non_null(strstr(err.text, "'/bin/sh' is readable"));
	assert_int_equal(unreachable_check(fd, "sh", &err), -1);
	assert_non_null(strstr(err.text, "'sh' is readable"));
	assert_int_equal(unreachable_check(-1, "/nonexistent/program", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_told),	     cmocka_unit_test(what_cannot_be_handed_on_is_told),
		cmocka_unit_test(entries_that_fail),	     cmocka_unit_test(switches_that_stay_off),
		cmocka_unit_test(programs_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
