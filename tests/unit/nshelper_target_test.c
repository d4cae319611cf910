/* nshelper/target.h: the right process or none. */
#include "tests/unit/nshelper_fixture.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "common/io.h"
#include "nshelper/target.h"
#include "tests/unit/refusal_fixture.h"

static void expect_refused(pid_t pid, int pidfd, const char *why)
{
	struct error err = {.text = ""};
	struct target t;

	assert_int_equal(target_open(pid, pidfd, true, &t, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("expected \"%s\" in: %s", why, err.text);
}

static ino_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void close_target(struct target *t)
{
	close(t->netns);
	if (t->root >= 0)
		close(t->root);
}

static void both_ways_lead_to_the_same(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct target by_pid, by_pidfd;
	struct error err;
	char path[64];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(target_open(pid, -1, true, &by_pid, &err), 0);
	assert_int_equal(target_open(-1, pidfd, false, &by_pidfd, &err), 0);
	assert_int_equal(by_pid.pid, pid);
	assert_int_equal(by_pidfd.pid, pid);
	assert_int_equal(by_pidfd.pidfd, pidfd);
	assert_int_equal(inode_of(by_pid.netns), st.st_ino);
	assert_int_equal(inode_of(by_pidfd.netns), st.st_ino);
	assert_int_equal(by_pidfd.root, -1);
	assert_int_equal(fcntl(by_pid.root, F_GETFL) & O_PATH, O_PATH);
	assert_int_equal(fcntl(by_pid.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(target_keep_over_exec(&by_pid, &err), 0);
	assert_int_equal(fcntl(by_pid.pidfd, F_GETFD), 0);
	assert_int_equal(fcntl(by_pid.root, F_GETFD), 0);
	assert_int_equal(fcntl(by_pid.netns, F_GETFD), FD_CLOEXEC);
	close(by_pid.pidfd);
	close_target(&by_pid);
	close_target(&by_pidfd);
}

static void zombies_and_dead_processes(void **state)
{
	pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);

	(void)state;
	container_kill(pid, false);
	expect_refused(pid, -1, "has ended");
	expect_refused(-1, pidfd, "has ended");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	expect_refused(pid, -1, "is not running");
	expect_refused(-1, pidfd, "has ended");
	expect_refused(0, -1, "is not running");
}

static void what_is_no_pidfd(void **state)
{
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int closed = dup(null);

	(void)state;
	expect_refused(-1, null, "is not a pidfd");
	close(closed);
	expect_refused(-1, closed, "is not open");
}

static void kernel_threads(void **state)
{
	_cleanup_free_ char *name = NULL;
	struct error err;

	(void)state;
	/* A PID namespace other than the machine's own has no kernel threads, and nothing to refuse. */
	if (file_read(AT_FDCWD, "/proc/2/comm", 64, &name, NULL, &err) == 0 && strcmp(name, "kthreadd\n") == 0)
		expect_refused(2, -1, "is not a container's");
}

static void *report_tid(void *fd)
{
	pid_t tid = gettid();

	MUST(write(*(int *)fd, &tid, sizeof(tid)) == sizeof(tid));
	pause();
	return NULL;
}

static void threads(void **state)
{
	int fds[2];
	pid_t tid;
	_cleanup_container_ pid_t pid = -1;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
		MUST(pthread_create(&thread, NULL, report_tid, &fds[1]) == 0);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &tid, sizeof(tid)), sizeof(tid));
	expect_refused(tid, -1, "is a thread");
	expect_refused(INT32_MAX, -1, "no process"); /* above PID_MAX_LIMIT, never in use */
	close(fds[0]);
	close(fds[1]);
}

/* Runs body as the first process of a new PID namespace with its own /proc; it fails by must(). */
static void in_pid_namespace(void (*body)(int fd), int fd)
{
	pid_t pid = fork(), inner;
	int status;

	if (pid == 0) {
		MUST(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0);
		inner = fork();
		if (inner == 0) {
			MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
			MUST(mount("proc", "/proc", "proc", 0, NULL) == 0);
			body(fd);
			_exit(0);
		}
		MUST(waitpid(inner, &status, 0) == inner);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void must_be_refused(pid_t pid, int pidfd, const char *why)
{
	struct error err = {.text = "nothing was refused"};
	struct target t;

	must(target_open(pid, pidfd, false, &t, &err) == -1 && strstr(err.text, why), err.text);
}

static void refuse_foreign_pidfd(int pidfd)
{
	must_be_refused(-1, pidfd, "another PID namespace");
}

static void another_pid_namespace(void **state)
{
	_cleanup_close_ int pidfd = pidfd_open(getpid(), 0);

	(void)state;
	in_pid_namespace(refuse_foreign_pidfd, pidfd);
}

/* A process with this number, as chance would give it one day. */
static pid_t fork_as(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	MUST(pid >= 0);
	if (pid == 0) {
		for (;;)
			pause();
	}
	MUST(pid == number);
	return (pid_t)pid;
}

#define REUSED 300 /* free in a new PID namespace */

static void end_reused(void)
{
	MUST(kill(REUSED, SIGKILL) == 0);
	MUST(waitpid(REUSED, NULL, 0) == REUSED);
}

static void reuse_before(int unused)
{
	struct error err;
	struct target t;
	int pidfd;

	(void)unused;
	fork_as(REUSED);
	pidfd = pidfd_open(REUSED, 0);
	MUST(target_open(-1, pidfd, false, &t, &err) == 0);
	end_reused();
	fork_as(REUSED);
	must_be_refused(-1, pidfd, "has ended");
	MUST(target_open(REUSED, -1, false, &t, &err) == 0);
}

static bool opens_proc_directory(pid_t pid, const struct __ptrace_syscall_info *call)
{
	char path[16] = "";
	struct iovec to = {.iov_base = path, .iov_len = sizeof(path) - 1};
	struct iovec from = {.iov_base = (void *)(uintptr_t)call->entry.args[1], .iov_len = to.iov_len};

	return call->entry.nr == SYS_openat && process_vm_readv(pid, &to, 1, &from, 1, 0) > 0 &&
	       strcmp(path, "/proc/300") == 0;
}

/* The number changes hands between reading it from the pidfd and opening its directory. */
static void reuse_meanwhile(int unused)
{
	int pidfd, status;
	pid_t child;

	(void)unused;
	fork_as(REUSED);
	pidfd = pidfd_open(REUSED, 0);
	child = fork();
	if (child == 0) {
		be_traced();
		must_be_refused(-1, pidfd, "has ended");
		_exit(0);
	}
	MUST(trace_until(child, opens_proc_directory));
	end_reused();
	fork_as(REUSED);
	MUST(release_traced(child));
	MUST(waitpid(child, &status, 0) == child);
	MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void reused_numbers(void **state)
{
	(void)state;
	in_pid_namespace(reuse_before, -1);
	in_pid_namespace(reuse_meanwhile, -1);
}

static void try_other_users_process(void *data)
{
	must_be_refused(*(pid_t *)data, -1, "which belongs to another user");
	_exit(0);
}

static void processes_of_other_users(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(ORDINARY_UID, try_other_users_process, &pid, &fd);
	collect(child, fd, &o);
	assert_string_equal(o.text, "");
	assert_int_equal(o.status, 0);
}

static const struct {
	int call, error;
	bool by_pid;
	const char *says;
} refusals[] = {
	{SYS_openat, EMFILE, false, ""},
	{SYS_pidfd_open, EMFILE, true, ""},
	{SYS_readlinkat, EACCES, false, "may not open the program of process"},
	{SYS_readlinkat, EIO, false, "cannot open the program of process"},
	{SYS_poll, EIO, true, "cannot ask whether process"},
};

static size_t at; /* the refusal at hand */

static bool is_told(void)
{
	int pidfd = pidfd_open(getpid(), 0);
	pid_t pid = refusals[at].by_pid ? getpid() : -1;
	struct error err = {};
	struct target t;

	refuse_call(refusals[at].call, refusals[at].error);
	return target_open(pid, pidfd, false, &t, &err) == -1 && err.code == refusals[at].error &&
	       strstr(err.text, refusals[at].says);
}

static void what_the_kernel_refuses(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(refusals) / sizeof(*refusals); at++) {
		if (!child_says(is_told))
			fail_msg("refusal %zu", at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_lead_to_the_same),
		cmocka_unit_test(zombies_and_dead_processes),
		cmocka_unit_test(what_is_no_pidfd),
		cmocka_unit_test(what_the_kernel_refuses),
		cmocka_unit_test(kernel_threads),
		cmocka_unit_test(threads),
		cmocka_unit_test(another_pid_namespace),
		cmocka_unit_test(reused_numbers),
		cmocka_unit_test(processes_of_other_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
