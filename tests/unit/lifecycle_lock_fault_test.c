/* A lock whose file is removed, and made anew, between the moment in which it is opened and the one in which it is locked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "lifecycle/lock.h"
#include "lifecycle/lock_sweep.h"
#include "tests/unit/fault_fixture.h"

#define FILE_NAME "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7.lock"

static char directory[64], path[160];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/" FILE_NAME, directory);
	return 0;
}

static int clear(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return faults_clear(state) | system(command);
}

static int made_anew(void)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void expect_success(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Is this the file that others will open? */
static bool is_current(int fd)
{
	struct stat own, current;

	return fstat(fd, &own) == 0 && stat(path, &current) == 0 && own.st_ino == current.st_ino;
}

static void the_file_that_is_locked_is_the_one_that_is_there(void **state)
{
	struct fault opened = fault_at("lock:opened");
	_cleanup_close_ int fd = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct error err;

		_exit(lock_shared(path, UINT64_MAX, &fd, &err) < 0 || !is_current(fd));
	}
	fault_await(&opened);
	fd = made_anew();
	fault_pass(&opened);
	expect_success(child);
}

static void a_lock_that_is_held_is_not_swept(void **state)
{
	struct fault opened = fault_at("sweep:opened");
	_cleanup_close_ int before = made_anew(), fd = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		close_fd(&before);
		lock_sweep(directory, false, NULL, 0);
		_exit(0);
	}
	fault_await(&opened);
	fd = made_anew();
	assert_int_equal(flock(fd, LOCK_SH), 0);
	fault_pass(&opened);
	expect_success(child);
	assert_true(is_current(fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_file_that_is_locked_is_the_one_that_is_there, setup, clear),
		cmocka_unit_test_setup_teardown(a_lock_that_is_held_is_not_swept, setup, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
