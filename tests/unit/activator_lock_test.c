/* The lock of a container under concurrency, and the runtime directory. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/lock_fixture.h"

static char directory[64];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	return setenv("RUNTIME_DIRECTORY", directory, 1);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static const char *path_in_directory(const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

static void many_may_use_but_only_one_may_put_to_sleep(void **state)
{
	_cleanup_close_ int a = -1, b = -1, sleeper = -1;
	const char *path = path_in_directory("x.lock");
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(lock_shared(path, now_usec() + USEC_PER_SEC, &a, &err), 0);
	assert_int_equal(lock_shared(path, now_usec() + USEC_PER_SEC, &b, &err), 0);
	assert_int_equal(lock_exclusive(path, 0, &sleeper, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	close_fd(&a);
	assert_int_equal(lock_exclusive(path, 0, &sleeper, &err), -1);
	close_fd(&b);
	assert_int_equal(lock_exclusive(path, 0, &sleeper, &err), 0);
	assert_int_equal(fstat(sleeper, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_wake_gives_up_at_its_deadline(void **state)
{
	_cleanup_close_ int a = -1, sleeper = -1;
	const char *path = path_in_directory("x.lock");
	uint64_t begin = now_usec();
	struct sigaction sa;
	struct error err;

	(void)state;
	assert_int_equal(lock_exclusive(path, 0, &sleeper, &err), 0);
	assert_int_equal(lock_shared(path, begin + 50 * USEC_PER_MSEC, &a, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_in_range(now_usec() - begin, 50 * USEC_PER_MSEC, 2 * USEC_PER_SEC);
	assert_int_equal(sigaction(SIGALRM, NULL, &sa), 0);
	assert_true(sa.sa_handler == SIG_DFL);
}

/* proc(5), /proc/locks: "-> FLOCK" is a process that waits. */
static bool somebody_waits(ino_t inode)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/locks", "re");
	char line[256], wanted[32];

	snprintf(wanted, sizeof(wanted), ":%llu ", (unsigned long long)inode);
	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "-> FLOCK") && strstr(line, wanted))
			return true;
	}
	return false;
}

static void a_wake_waits_for_a_sleep_to_end(void **state)
{
	_cleanup_close_ int a = -1, sleeper = -1;
	const char *path = path_in_directory("x.lock");
	struct error err;
	struct stat st;
	pid_t pid;

	(void)state;
	assert_int_equal(lock_exclusive(path, 0, &sleeper, &err), 0);
	assert_int_equal(fstat(sleeper, &st), 0);
	pid = fork();
	if (pid == 0) { /* holds the lock until the wake waits for it */
		while (!somebody_waits(st.st_ino))
			usleep(1000);
		_exit(0);
	}
	close_fd(&sleeper);
	assert_int_equal(lock_shared(path, now_usec() + 20 * USEC_PER_SEC, &a, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct tally {
	_Atomic int users, sleepers, violations, slept, used;
};

/* Uses and puts to sleep at random until both have happened often; who puts to sleep sometimes removes the lock, as
 * removing an instance does. */
static void hammer(struct tally *t, const char *path, unsigned seed)
{
	uint64_t end = now_usec() + 60 * USEC_PER_SEC;

	while (t->slept < 100 || t->used < 500) {
		_cleanup_close_ int fd = -1;
		struct error err;

		if (now_usec() > end)
			_exit(3);
		if (rand_r(&seed) % 8 == 0) {
			if (lock_shared(path, now_usec() + 60 * USEC_PER_SEC, &fd, &err) < 0)
				_exit(1);
			t->users++;
			if (rand_r(&seed) % 64 == 0) /* always would leave no moment without a user */
				sched_yield();
			if (t->sleepers > 0)
				t->violations++;
			t->used++;
			t->users--;
		} else if (lock_exclusive(path, 0, &fd, &err) == 0) {
			if (++t->sleepers > 1 || t->users > 0)
				t->violations++;
			t->slept++;
			sched_yield();
			t->sleepers--;
			if (rand_r(&seed) % 4 == 0)
				(void)unlink(path);
		} else if (err.code == EWOULDBLOCK) {
			usleep(100); /* who tries in vain leaves the processors to those who have it */
		} else {
			_exit(2);
		}
	}
	_exit(0);
}

static void nobody_uses_a_container_that_goes_to_sleep(void **state)
{
	struct tally *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *path = path_in_directory("x.lock");
	pid_t pids[6];

	(void)state;
	assert_true(t != MAP_FAILED);
	for (unsigned i = 0; i < 6; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			hammer(t, path, i);
	}
	for (unsigned i = 0; i < 6; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(t->violations, 0);
	munmap(t, sizeof(*t));
}

/* Another process holds the lock for so long. */
static pid_t hold_exclusively(const char *path, int msec)
{
	int told[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		struct error ignored;
		int fd;

		if (lock_exclusive(path, 0, &fd, &ignored) == 0 && write(told[1], "", 1) == 1)
			(void)poll(NULL, 0, msec);
		_exit(0);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	return pid;
}

static void who_puts_to_sleep_waits_for_another(void **state)
{
	const char *path = path_in_directory("x.lock");
	pid_t other = hold_exclusively(path, 500);
	_cleanup_close_ int fd = -1;
	struct error err;

	(void)state;
	assert_int_equal(lock_exclusive(path, 0, &fd, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	assert_int_equal(lock_exclusive(path, now_usec() + USEC_PER_SEC / 10, &fd, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_int_equal(lock_exclusive(path, now_usec() + 30 * USEC_PER_SEC, &fd, &err), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

static void who_puts_to_sleep_does_not_wait_for_a_user(void **state)
{
	_cleanup_close_ int user = -1, fd = -1;
	const char *path = path_in_directory("x.lock");
	uint64_t began = now_usec();
	struct error err;

	(void)state;
	assert_int_equal(lock_shared(path, now_usec() + USEC_PER_SEC, &user, &err), 0);
	assert_int_equal(lock_exclusive(path, now_usec() + 30 * USEC_PER_SEC, &fd, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	assert_in_range(now_usec() - began, 0, USEC_PER_SEC);
}

static void a_run_is_recognised(void **state)
{
	struct container c = {.id = "abc", .started_at = "2026-11-22T03:10:35Z"};
	_cleanup_close_ int fd = -1;
	struct error err;

	(void)state;
	assert_int_equal(lock_exclusive(path_in_directory("x.lock"), 0, &fd, &err), 0);
	assert_false(lock_is_own_run(fd, &c));
	lock_record_run(fd, &c, true);
	assert_true(lock_is_own_run(fd, &c));
	strcpy(c.started_at, "2026-11-22T03:10:36Z");
	assert_false(lock_is_own_run(fd, &c));
	strcpy(c.started_at, "2026-11-22T03:10:35.123456789Z");
	lock_record_run(fd, &c, true);
	strcpy(c.started_at, "2026");
	lock_record_run(fd, &c, true); /* shorter than before */
	assert_true(lock_is_own_run(fd, &c));
	assert_false(lock_is_found_run(fd, &c));
	lock_record_run(fd, &c, false);
	assert_true(lock_is_found_run(fd, &c));
	assert_false(lock_is_own_run(fd, &c));
}

#define ID_A "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define ID_B "b31ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

/* Two names of one container. */
static void one_container_is_one_lock(void **state)
{
	_cleanup_container_lock_ struct container_lock user = NO_CONTAINER_LOCK, sleeper = NO_CONTAINER_LOCK;
	uint64_t soon = now_usec() + USEC_PER_SEC;
	struct error err;

	(void)state;
	assert_int_equal(container_lock_shared(&user, directory, "docker-1.lock", NULL, soon, &err), 0);
	assert_int_equal(container_lock_found_shared(&user, directory, ID_A, soon, &err), 1);
	assert_int_equal(container_lock_found_shared(&user, directory, ID_A, soon, &err), 0);
	assert_int_equal(container_lock_exclusive(&sleeper, directory, "docker-2.lock", NULL, 0, &err), 0);
	assert_int_equal(container_lock_found_exclusive(&sleeper, directory, ID_A, 0, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	assert_int_equal(container_lock_found_exclusive(&sleeper, directory, ID_B, 0, &err), 1);
	/* The next wake knows the second lock before it asks. */
	lock_record_asleep(sleeper.named, ID_A);
	container_lock_release(&sleeper);
	assert_int_equal(container_lock_exclusive(&sleeper, directory, "docker-2.lock", NULL, 0, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	container_lock_release(&sleeper);
	container_lock_release(&user);
	assert_int_equal(container_lock_exclusive(&sleeper, directory, "docker-2.lock", NULL, 0, &err), 0);
	assert_string_equal(sleeper.id, ID_A);
	/* Of a container that was replaced nothing is left. */
	assert_int_equal(access(path_in_directory(ID_A ".lock"), F_OK), 0);
	assert_int_equal(container_lock_found_exclusive(&sleeper, directory, ID_B, 0, &err), 1);
	assert_int_equal(access(path_in_directory(ID_A ".lock"), F_OK), -1);
	assert_int_equal(access(path_in_directory(ID_B ".lock"), F_OK), 0);
	container_lock_release(&sleeper);
	assert_int_equal(container_lock_shared(&user, directory, "docker-2.lock", NULL, soon, &err), 0);
	assert_int_equal(container_lock_found_shared(&user, directory, ID_B, soon, &err), 1);
	assert_int_equal(access(path_in_directory(ID_A ".lock"), F_OK), -1);
}

/* Two names of a unit's container, whose identifier is another one each time. */
static void one_unit_is_one_lock(void **state)
{
	_cleanup_container_lock_ struct container_lock user = NO_CONTAINER_LOCK, sleeper = NO_CONTAINER_LOCK;
	uint64_t soon = now_usec() + USEC_PER_SEC;
	struct error err;

	(void)state;
	assert_int_equal(container_lock_shared(&user, directory, "podman-1.lock", "pg.service", soon, &err), 0);
	assert_int_equal(container_lock_exclusive(&sleeper, directory, "podman-2.lock", "pg.service", 0, &err), -1);
	assert_int_equal(err.code, EWOULDBLOCK);
	container_lock_release(&sleeper);
	assert_int_equal(container_lock_exclusive(&sleeper, directory, "podman-2.lock", "web.service", 0, &err), 0);
}

static void paths_follow_the_environment(void **state)
{
	struct options o = {.name = "pg", .container = "pg", .backend = BACKEND_PODMAN, .scope = SCOPE_USER};
	char a[PATH_MAX], b[PATH_MAX], runtime[PATH_MAX], longest[PATH_MAX];
	struct error err;

	(void)state;
	assert_int_equal(lock_path(&o, "/run/a.sock", a, &err), 0);
	assert_string_equal(a, path_in_directory("podman-462b5760e6a20f06.lock"));
	assert_int_equal(lock_path(&o, "/run/b.sock", b, &err), 0);
	assert_string_not_equal(a, b);
	o.container = "pg2";
	assert_int_equal(lock_path(&o, "/run/a.sock", b, &err), 0);
	assert_string_not_equal(a, b);

	snprintf(runtime, sizeof(runtime), "%s/one/two:/nonexistent", directory);
	setenv("RUNTIME_DIRECTORY", runtime, 1);
	assert_int_equal(runtime_directory(SCOPE_USER, a, &err), 0);
	assert_string_equal(a, path_in_directory("one/two"));
	setenv("RUNTIME_DIRECTORY", "relative", 1);
	assert_int_equal(runtime_directory(SCOPE_USER, a, &err), -1);
	unsetenv("RUNTIME_DIRECTORY");
	setenv("XDG_RUNTIME_DIR", directory, 1);
	assert_int_equal(runtime_directory(SCOPE_USER, a, &err), 0);
	assert_string_equal(a, path_in_directory("sockwake"));
	assert_int_equal(access(a, W_OK), 0);
	/* one byte longer than a path may be */
	memset(longest, 'x', sizeof(longest) - strlen("/sockwake"));
	longest[0] = '/';
	longest[sizeof(longest) - strlen("/sockwake")] = '\0';
	setenv("XDG_RUNTIME_DIR", longest, 1);
	assert_int_equal(runtime_directory(SCOPE_USER, a, &err), -1);
	assert_int_equal(err.code, EINVAL);
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_may_use_but_only_one_may_put_to_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wake_gives_up_at_its_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wake_waits_for_a_sleep_to_end, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_uses_a_container_that_goes_to_sleep, setup, teardown),
		cmocka_unit_test_setup_teardown(who_puts_to_sleep_waits_for_another, setup, teardown),
		cmocka_unit_test_setup_teardown(who_puts_to_sleep_does_not_wait_for_a_user, setup, teardown),
		cmocka_unit_test_setup_teardown(a_run_is_recognised, setup, teardown),
		cmocka_unit_test_setup_teardown(one_container_is_one_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(one_unit_is_one_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_follow_the_environment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
