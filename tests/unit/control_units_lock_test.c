/* control/units_lock.c: one change of the units at a time, and nobody else in the way. As root, who can become somebody else. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/open_file_fixture.h"

/* In there time is short. */
#define now_usec() (50 * now_usec())
#include "control/units_lock.c"
#include "control/units_lock.h"
#undef now_usec

static char root[64], units[128], runtime[128];

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/sockwake-lock-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(units, sizeof(units), "%s/units", root);
	snprintf(runtime, sizeof(runtime), "%s/run", root);
	return mkdir(units, 0755) | mkdir(runtime, 0700) | chmod(root, 0755) | setenv("XDG_RUNTIME_DIR", runtime, 1) |
	       setenv("XDG_CONFIG_HOME", root, 1);
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static int lock(struct error *err)
{
	int fd = -1;

	return units_lock_take(SCOPE_USER, units, &fd, err) < 0 ? -1 : fd;
}

/* A process that locks what path leads to, and the end of it. */
static pid_t hold(const char *path, int flags, bool as_nobody)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (as_nobody && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(1);
		fd = open(path, flags);
		c = fd >= 0 && flock(fd, LOCK_EX) == 0 ? 'y' : 'n';
		(void)!write(ready[1], &c, 1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	if (c != 'y') {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

static void let_go(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void nobody_else_can_hold_it(void **state)
{
	char path[160];
	struct error err;
	struct stat st;
	pid_t other;
	int fd;

	(void)state;
	other = hold(units, O_RDONLY | O_DIRECTORY, true);
	assert_true(other > 0);
	fd = lock(&err);
	assert_true(fd >= 0);
	let_go(other);
	close(fd);
	snprintf(path, sizeof(path), "%s/sockwake/units.lock", runtime);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(runtime, 0755), 0);
	assert_int_equal(hold(path, O_RDONLY, true), -1);
}

static void who_holds_it_is_told(void **state)
{
	char path[160], expected[64];
	uint64_t begin = now_usec();
	struct error err;
	pid_t other;
	int fd = lock(&err);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/sockwake/units.lock", runtime);
	other = hold(path, O_RDWR, false);
	assert_int_equal(lock(&err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	snprintf(expected, sizeof(expected), "(PID %d)", other);
	assert_non_null(strstr(err.text, expected));
	assert_in_range(now_usec() - begin, 500000, 5000000);
	let_go(other);
	fd = lock(&err);
	assert_true(fd >= 0);
	close(fd);
}

static void without_a_runtime_directory(void **state)
{
	static const char *const useless[] = {"/nonexistent", "/proc", "somebody else's"};
	char path[160];
	struct error err;
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/.sockwake-units.lock", units);
	for (size_t k = 0; k < 3; k++) {
		if (k == 2)
			assert_int_equal(chown(runtime, 65534, 65534), 0);
		setenv("XDG_RUNTIME_DIR", k == 2 ? runtime : useless[k], 1);
		for (int again = 0; again < 2; again++) { /* it is no left-over */
			int fd = lock(&err);

			if (fd < 0)
				fail_msg("%s: %s", useless[k], err.text);
			close(fd);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 07777, 0600);
		}
		assert_int_equal(unlink(path), 0);
	}
}

/* With one, what such a command has left is removed, unless it is still at work. */
static void the_other_lock_is_not_left_behind(void **state)
{
	char path[160];
	struct error err;
	pid_t other;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/.sockwake-units.lock", units);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	close(lock(&err));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	other = hold(path, O_RDWR, false);
	close(lock(&err));
	assert_int_equal(access(path, F_OK), 0);
	let_go(other);
	fd = lock(&err);
	assert_true(fd >= 0);
	assert_int_equal(access(path, F_OK), -1);
	close(fd);
}

/* Whoever waits for a lock that its holder removes does not take the removed one. */
static void a_removed_lock_is_made_anew(void **state)
{
	char path[160];
	struct error err;
	struct stat st;
	pid_t other, waits;
	int status;

	(void)state;
	close(lock(&err));
	snprintf(path, sizeof(path), "%s/sockwake/units.lock", runtime);
	other = hold(path, O_RDWR, false);
	waits = fork();
	if (waits == 0) {
		int fd = lock(&err);

		_exit(fd < 0 || fstat(fd, &st) < 0 || st.st_nlink != 1);
	}
	await_open(waits, path);
	assert_int_equal(unlink(path), 0);
	let_go(other);
	assert_int_equal(waitpid(waits, &status, 0), waits);
	assert_int_equal(status, 0);
}

static void a_lock_that_others_may_open(void **state)
{
	char path[160];
	struct error err;
	int fd = lock(&err);

	(void)state;
	close(fd);
	snprintf(path, sizeof(path), "%s/sockwake/units.lock", runtime);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(lock(&err), -1);
	assert_int_equal(err.code, EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lock(&err), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(lock(&err), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_else_can_hold_it),	   TEST(who_holds_it_is_told),
		TEST(without_a_runtime_directory), TEST(the_other_lock_is_not_left_behind),
		TEST(a_removed_lock_is_made_anew), TEST(a_lock_that_others_may_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
