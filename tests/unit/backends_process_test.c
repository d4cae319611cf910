/* backends/process.h: which process is believed to be the container's. */
#include "tests/unit/proc_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "backends/process.h"

static int setup(void **state)
{
	if (proc_setup(state) < 0)
		return -1;
	proc_say("self", "ns/net", "host");
	proc_say("7", "ns/net", "own");
	proc_say("7", "cgroup", "9:name=systemd:/\n0::/user.slice/somewhere\n");
	proc_say("7", "stat", "7 (a) b) (c) S 6 7 7 0 -1\n");
	proc_say("6", "comm", "bash\n");
	proc_say("6", "cmdline", "bash");
	return 0;
}

static void expect(int result)
{
	struct container c = {.pid = 7, .id = ID, .name = "c"};
	struct error err;

	snprintf(c.sandbox, sizeof(c.sandbox), "%s/sandbox", proc);
	assert_int_equal(process_check(&c, proc, &err), result);
	if (result < 0) {
		assert_int_equal(err.code, EREMOTE);
		assert_non_null(strstr(err.text, "'c' is process 7, but here that is not"));
	}
}

static void a_stranger(void **state)
{
	struct container gone = {.pid = 8, .id = ID, .name = "c"};
	struct error err;

	(void)state;
	expect(-1);
	assert_int_equal(process_check(&gone, proc, &err), -1);
}

static void the_control_group(void **state)
{
	(void)state;
	proc_say("7", "cgroup", "0::/user.slice/libpod-" ID ".scope/container\n");
	expect(0);
	proc_say("7", "cgroup", "4:memory:/docker/" ID "\n0::/\n"); /* version 1 */
	expect(0);
	proc_say("7", "cgroup", "0::/libpod-131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7.scope\n");
	expect(-1);
}

/* The engine's own reference. */
static void the_sandbox(void **state)
{
	char from[128], to[128];

	(void)state;
	proc_say(".", "sandbox", "another");
	expect(-1);
	snprintf(from, sizeof(from), "%s/7/ns/net", proc);
	snprintf(to, sizeof(to), "%s/sandbox", proc);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(link(from, to), 0);
	expect(0);
	proc_share("self", "7", "ns/net");
	expect(-1); /* the host's network */
}

/* Really the same, and yet no proof: Podman makes it of the PID. */
static void a_sandbox_that_proves_itself(void **state)
{
	struct container c = {.pid = fork(), .id = ID, .name = "c"};
	struct error err;
	siginfo_t stopped;

	(void)state;
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		raise(SIGSTOP);
	}
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &stopped, WSTOPPED | WEXITED), 0);
	assert_int_equal(stopped.si_code, CLD_STOPPED);
	snprintf(c.sandbox, sizeof(c.sandbox), "/proc/%d/ns/net", c.pid);
	assert_int_equal(process_check(&c, "/proc", &err), -1);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
}

static void the_monitor(void **state)
{
	static const char line[] = "/usr/bin/conmon\0-c\0" ID "\0-u\0x"; /* no end, as when it was cut off */
	static const char other[] = "/usr/bin/conmon\0-c\0" ID "0\0" ID "/x";

	(void)state;
	proc_put("6", "cmdline", line, sizeof(line) - 1);
	expect(-1); /* of the shell that was told the identifier, any child may be */
	proc_say("6", "comm", "conmon\n");
	expect(0);
	proc_say("6", "comm", "containerd-shim\n");
	expect(0);
	proc_put("6", "cmdline", other, sizeof(other) - 1);
	expect(-1);
	proc_put("6", "cmdline", line, sizeof(line) - 1);
	proc_say("7", "stat", "7 (a) S 5 (c) S 6 7\n"); /* the parent is 6 */
	expect(0);
	proc_say("7", "stat", "7 (a) S 1 6\n");
	expect(-1);
	proc_say("7", "stat", "");
	expect(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stranger, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(the_control_group, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(the_sandbox, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(a_sandbox_that_proves_itself, setup, proc_teardown),
		cmocka_unit_test_setup_teardown(the_monitor, setup, proc_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
