/* Names and content of locks, and directories in which none can be made. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "lifecycle/lock.h"

#define ID    "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define OTHER "131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

static char directory[] = "/tmp/sockwake-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static const char *in_directory(const char *file)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

static void what_cannot_be_opened_is_told(void **state)
{
	static int (*const take[])(const char *, uint64_t, int *, struct error *) = {lock_shared, lock_exclusive};
	struct error err;
	int fd;

	(void)state;
	assert_int_equal(symlink("elsewhere", in_directory("link")), 0);
	for (size_t k = 0; k < 2; k++) {
		fd = 7;
		assert_int_equal(take[k](in_directory("none/x.lock"), 0, &fd, &err), -1);
		assert_int_equal(err.code, ENOENT);
		assert_non_null(strstr(err.text, "/none/x.lock' (No such file or directory)"));
		assert_int_equal(fd, -1);
		assert_int_equal(take[k](in_directory("link"), 0, &fd, &err), -1); /* nobody is led elsewhere */
		assert_int_equal(err.code, ELOOP);
	}
}

/* A full or read-only directory, in a mount namespace of its own: the caller does without. */
static bool does_without(const char *options, unsigned long flags)
{
	struct error err;
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("test", directory, "tmpfs", flags, options) < 0)
			_exit(1);
		fd = 7;
		if (lock_shared(in_directory("x.lock"), 0, &fd, &err) != 0 || fd != -1)
			_exit(2);
		fd = 7;
		if (lock_exclusive(in_directory("x.lock"), 0, &fd, &err) != 0 || fd != -1)
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void a_full_directory_refuses_nobody(void **state)
{
	(void)state;
	assert_true(does_without("nr_inodes=1", 0));
	assert_true(does_without("", MS_RDONLY));
}

static void too_long_a_directory(void **state)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	char longest[PATH_MAX];
	struct error err;

	(void)state;
	memset(longest, '/', sizeof(longest));
	memcpy(longest, "/none", strlen("/none"));
	longest[sizeof(longest) - strlen("/x.lock")] = '\0'; /* by one byte */
	assert_int_equal(container_lock_shared(&lock, longest, "x.lock", NULL, 0, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	longest[sizeof(longest) - strlen("/x.lock") - 1] = '\0';
	assert_int_equal(container_lock_shared(&lock, longest, "x.lock", NULL, 0, &err), -1);
	assert_int_equal(err.code, ENOENT);
}

static int lock_that_says(const char *text)
{
	int fd = memfd_create("lock", MFD_CLOEXEC);

	assert_true(fd >= 0);
	lock_record(fd, text);
	return fd;
}

static void what_the_content_says(void **state)
{
	static const struct {
		const char *text;
		bool asleep, has_id, own, found;
	} cases[] = {
		{"", false, false, false, false},
		{ID "\n", true, true, false, false},
		{ID, false, true, false, false},
		{ID "\n\n", false, true, false, false},
		{ID " run\n", false, true, true, false},
		{ID "?run\n", false, true, false, true},
		{OTHER " run\n", false, true, false, false},
		{ID "0 run\n", false, false, false, false},
		{RUN_STARTING, false, false, false, false},
	};
	char id[65];

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int fd = lock_that_says(cases[k].text);

		assert_int_equal(lock_is_asleep(fd), cases[k].asleep);
		assert_int_equal(lock_read_id(fd, id), cases[k].has_id);
		if (cases[k].has_id)
			assert_memory_equal(id, cases[k].text, 64);
		assert_int_equal(lock_is_run_of(fd, ID, true), cases[k].own);
		assert_int_equal(lock_is_run_of(fd, ID, false), cases[k].found);
		assert_true(lock_holds(fd, cases[k].text));
		assert_false(lock_holds(fd, "else"));
	}
	assert_false(lock_is_run_of(-1, "031a", true));
}

/* A shorter text leaves nothing of the longer one before it. */
static void the_content_is_replaced(void **state)
{
	_cleanup_close_ int fd = lock_that_says(ID " and much more");
	char text[RUN_TEXT_MAX];

	(void)state;
	lock_record_asleep(fd, OTHER);
	lock_read(fd, text);
	assert_string_equal(text, OTHER "\n");
	lock_record(fd, "");
	lock_read(fd, text);
	assert_string_equal(text, "");
	lock_read(-1, text);
	assert_string_equal(text, "");
}

/* What another program has put there fills the room, and is no identifier. */
static void an_endless_content_is_cut(void **state)
{
	_cleanup_close_ int fd = memfd_create("lock", MFD_CLOEXEC);
	char text[RUN_TEXT_MAX], id[65];

	(void)state;
	for (size_t n = 0; n < 2 * RUN_TEXT_MAX; n++)
		assert_int_equal(write(fd, "a", 1), 1);
	lock_read(fd, text);
	assert_int_equal(strlen(text), RUN_TEXT_MAX - 1);
	assert_false(lock_read_id(fd, id));
	assert_false(lock_is_asleep(fd));
}

/* Only a whole identifier has a lock, which goes when the container does. */
static void identities(void **state)
{
	_cleanup_container_lock_ struct container_lock lock = NO_CONTAINER_LOCK;
	struct error err;

	(void)state;
	assert_int_equal(container_lock_shared(&lock, directory, "x.lock", NULL, 0, &err), 0);
	assert_int_equal(container_lock_found_shared(&lock, directory, "031a", 0, &err), 0);
	assert_int_equal(lock.identity, -1);
	assert_int_equal(container_lock_found_shared(&lock, directory, ID, 0, &err), 1);
	assert_string_equal(lock.id, ID);
	assert_int_equal(container_lock_found_shared(&lock, directory, ID, 0, &err), 0);
	lock_record_asleep(lock.named, ID);
	container_lock_release(&lock);
	assert_int_equal(lock.named, -1);
	assert_int_equal(lock.identity, -1);
	assert_int_equal(container_lock_shared(&lock, directory, "x.lock", NULL, 0, &err), 0);
	assert_true(lock.identity >= 0);
	assert_string_equal(lock.id, ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_directory_refuses_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long_a_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(identities, setup, teardown),
		cmocka_unit_test(what_the_content_says),
		cmocka_unit_test(the_content_is_replaced),
		cmocka_unit_test(an_endless_content_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
