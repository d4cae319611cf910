/* The statistics: memory that a hostile proxy may share, and a file in a directory that may be full. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "keeper/record.h"

static char directory[64];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-record-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	return setenv("RUNTIME_DIRECTORY", directory, 1);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)umount2(directory, MNT_DETACH); /* where a test has failed */
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

static void release(struct record *r)
{
	close_fd(&r->memory);
	close_fd(&r->file);
	close_fd(&r->file_to_read);
	if (r->shared)
		munmap(r->shared, sizeof(*r->shared));
}

/* Opens it, with a file. */
static struct record opened(void)
{
	struct record r;
	struct error why;

	record_open("t", &r, &why);
	assert_string_equal(why.text, "");
	assert_true(r.file >= 0 && r.file_to_read >= 0 && r.memory >= 0);
	assert_non_null(r.shared);
	return r;
}

/* Opens it; there can be no file, and that is all. */
static void expect_without_file(const char *reason)
{
	struct record r;
	struct error why;

	record_open("t", &r, &why);
	if (!strstr(why.text, "there will be no statistics: ") || !strstr(why.text, reason))
		fail_msg("'%s' does not say '%s'", why.text, reason);
	assert_int_equal(r.file, -1);
	assert_int_equal(r.file_to_read, -1);
	assert_non_null(r.shared);
	assert_true(stats_is_ours(&r.own));
	assert_int_equal(r.own.wakes, 0);
	record_share(&r);
	record_take_traffic(&r);
	record_write(&r);
	record_end_hold(&r);
	release(&r);
}

static struct stats file_read(void)
{
	struct error err;
	struct stats s;

	if (stats_read(path_in_directory("t.stats"), &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void the_file_outlives_a_keeper(void **state)
{
	struct record r = opened();
	struct stat st;

	(void)state;
	r.own.wakes = 5;
	r.own.t_waiting = 17;
	record_write(&r);
	release(&r);
	assert_int_equal(stat(path_in_directory("t.stats"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(st.st_size, sizeof(struct stats));
	assert_int_equal(file_read().wakes, 5);
	r = opened();
	assert_int_equal(r.own.wakes, 5);
	assert_int_equal(r.own.t_waiting, 17);
	assert_int_equal(fcntl(r.file_to_read, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(r.file, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(r.file_to_read, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(r.memory, F_GETFD), FD_CLOEXEC);
	release(&r);
}

/* `sockwake wake --for` writes it at any time. */
static void a_hold_is_left_alone(void **state)
{
	struct record r = opened();
	struct error err;

	(void)state;
	record_write(&r);
	assert_int_equal(stats_hold(path_in_directory("t.stats"), 4711, &err), 0);
	r.own.wakes = 1;
	r.own.held_until = 1;
	record_write(&r);
	assert_int_equal(file_read().held_until, 4711);
	assert_int_equal(file_read().wakes, 1);
	record_end_hold(&r);
	assert_int_equal(file_read().held_until, 0);
	assert_int_equal(r.own.held_until, 0);
	release(&r);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* Of another version, longer, shorter, empty. */
static void a_foreign_file_is_made_anew(void **state)
{
	static const size_t sizes[] = {sizeof(struct stats), sizeof(struct stats) + 8, sizeof(struct stats) - 8, 0, 1};

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		char bytes[sizeof(struct stats) + 8];
		struct record r;

		memset(bytes, 0xaa, sizeof(bytes));
		write_file(path_in_directory("t.stats"), bytes, sizes[k]);
		r = opened();
		assert_int_equal(r.own.wakes, 0);
		assert_int_equal(r.own.t_waiting, 0);
		record_write(&r);
		record_end_hold(&r);
		assert_true(stats_is_ours(&r.own));
		assert_int_equal(file_read().wakes, 0);
		release(&r);
	}
}

static void what_is_no_file_is_left(void **state)
{
	char other[PATH_MAX];
	struct stat st;

	(void)state;
	/* A FIFO: nothing waits for its other end. */
	assert_int_equal(mkfifo(path_in_directory("t.stats"), 0644), 0);
	expect_without_file("is not a regular file; remove it");
	assert_int_equal(unlink(path_in_directory("t.stats")), 0);
	assert_int_equal(mkdir(path_in_directory("t.stats"), 0755), 0);
	expect_without_file("cannot open");
	assert_int_equal(rmdir(path_in_directory("t.stats")), 0);
	/* A symbolic link: what it leads to stays as it is. */
	snprintf(other, sizeof(other), "%s", path_in_directory("other"));
	write_file(other, "precious", 8);
	assert_int_equal(symlink(other, path_in_directory("t.stats")), 0);
	expect_without_file("cannot open");
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void without_a_directory(void **state)
{
	char list[PATH_MAX];
	struct record r;

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	expect_without_file("'sockwake refresh t'");
	setenv("RUNTIME_DIRECTORY", "relative", 1);
	expect_without_file("no RuntimeDirectory=");
	setenv("RUNTIME_DIRECTORY", "/nonexistent/directory", 1);
	expect_without_file("cannot open '/nonexistent/directory/t.stats'");
	memset(list, 'x', sizeof(list) - 1);
	list[0] = '/';
	list[sizeof(list) - 1] = '\0';
	setenv("RUNTIME_DIRECTORY", list, 1);
	expect_without_file("'/xxx"); /* cut, the sentence may be */
	/* the first of a list */
	snprintf(list, sizeof(list), "%s:/nonexistent", directory);
	setenv("RUNTIME_DIRECTORY", list, 1);
	r = opened();
	release(&r);
}

/* A file system of one page that is taken. */
static void a_full_directory(void **state)
{
	char page[4096] = {1};
	struct record r;

	(void)state;
	assert_int_equal(mount("none", directory, "tmpfs", 0, "size=4k"), 0);
	write_file(path_in_directory("filler"), page, sizeof(page));
	expect_without_file("No space left on device");
	/* With one that was made in time, it goes on. */
	assert_int_equal(unlink(path_in_directory("filler")), 0);
	r = opened();
	r.own.wakes = 3;
	record_write(&r);
	assert_int_equal(file_read().wakes, 3);
	release(&r);
	/* A hole in place of a file is filled first, or is none. */
	assert_int_equal(truncate(path_in_directory("t.stats"), 0), 0);
	write_file(path_in_directory("filler"), page, sizeof(page));
	assert_int_equal(truncate(path_in_directory("t.stats"), sizeof(struct stats)), 0);
	expect_without_file("No space left on device");
	assert_int_equal(umount(directory), 0);
}

static void the_shared_memory_keeps_its_size(void **state)
{
	struct record r = opened();

	(void)state;
	assert_int_equal(ftruncate(r.memory, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(r.memory, 1 << 20), -1);
	assert_int_equal(fallocate(r.memory, 0, 0, 1 << 20), -1);
	assert_int_equal(pwrite(r.memory, "x", 1, 1 << 20), -1);
	assert_int_equal(fcntl(r.memory, F_ADD_SEALS, F_SEAL_WRITE), -1);
	release(&r);
}

static void a_hostile_proxy_says_what_it_may_and_no_more(void **state)
{
	struct record r = opened();
	struct stats before;

	(void)state;
	r.own.wakes = 3;
	r.own.flags = STATS_FOUND_RUNNING;
	r.own.container_pid = 77;
	r.own.t_accepting = 5;
	r.own.t_waiting = 6;
	r.own.held_until = 7;
	r.own.warm[0].until = 8;
	record_share(&r);
	assert_int_equal(r.shared->wakes, 3);
	before = r.own;
	memset(r.shared, 0xff, sizeof(*r.shared));
	record_take_traffic(&r);
	record_write(&r);
	assert_true(r.own.connections == UINT64_MAX); /* it may */
	assert_true(r.own.datagrams_dropped == UINT64_MAX);
	assert_true(r.own.flags == (STATS_FOUND_RUNNING | STATS_FULL | STATS_LOOPBACK));
	assert_true(stats_is_ours(&r.own));
	assert_int_equal(r.own.wakes, before.wakes);
	assert_int_equal(r.own.container_pid, before.container_pid);
	assert_int_equal(r.own.t_accepting, before.t_accepting);
	assert_int_equal(r.own.t_waiting, before.t_waiting);
	assert_int_equal(r.own.t_spawned, before.t_spawned);
	assert_int_equal(r.own.t_started, before.t_started);
	assert_int_equal(r.own.held_until, before.held_until);
	assert_memory_equal(r.own.warm, before.warm, sizeof(before.warm));
	assert_int_equal(file_read().held_until, 0);
	assert_int_equal(file_read().wakes, 3);
	/* It is full no longer. */
	r.shared->flags = 0;
	record_take_traffic(&r);
	assert_int_equal(r.own.flags, STATS_FOUND_RUNNING);
	release(&r);
}

/* Each of them, whatever else it counts. */
static void a_proxy_counts(void **state)
{
	static const size_t counted[] = {
		offsetof(struct stats, t_proxy),
		offsetof(struct stats, t_ready),
		offsetof(struct stats, t_last_activity),
		offsetof(struct stats, connections),
		offsetof(struct stats, connections_total),
		offsetof(struct stats, connections_failed),
		offsetof(struct stats, bytes_to_container),
		offsetof(struct stats, bytes_from_container),
		offsetof(struct stats, flows),
		offsetof(struct stats, flows_total),
		offsetof(struct stats, datagrams_dropped),
	};
	struct record r = opened();

	(void)state;
	for (size_t k = 0; k < sizeof(counted) / sizeof(*counted); k++)
		*(uint64_t *)((char *)r.shared + counted[k]) = 100 + k;
	record_take_traffic(&r);
	for (size_t k = 0; k < sizeof(counted) / sizeof(*counted); k++)
		assert_int_equal(*(uint64_t *)((char *)&r.own + counted[k]), 100 + k);
	release(&r);
}

static void an_activator_says_what_it_may(void **state)
{
	struct record r = opened();

	(void)state;
	r.own.wakes = 3;
	record_share(&r);
	memset(r.shared, 0xff, sizeof(*r.shared));
	r.shared->t_dependencies = 3;
	r.shared->t_started = 4;
	r.shared->t_inspected = 5;
	r.shared->container_pid = 77;
	record_take_wake(&r);
	assert_int_equal(r.own.t_dependencies, 3);
	assert_int_equal(r.own.t_started, 4);
	assert_int_equal(r.own.t_inspected, 5);
	assert_int_equal(r.own.container_pid, 77);
	assert_int_equal(r.own.flags, STATS_FOUND_RUNNING);
	assert_int_equal(r.own.wakes, 3);
	assert_int_equal(r.own.connections, 0);
	assert_int_equal(r.own.held_until, 0);
	release(&r);
}

static void without_memory_it_goes_on(void **state)
{
	struct rlimit before, none;
	struct record r;
	struct error why;

	(void)state;
	/* No descriptor is left. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	record_open("t", &r, &why);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(r.shared);
	assert_int_equal(r.memory, -1);
	assert_non_null(strstr(why.text, "Too many open files"));
	r.own.wakes = 1;
	record_share(&r);
	record_take_wake(&r);
	record_take_traffic(&r);
	record_write(&r);
	assert_int_equal(r.own.wakes, 1);
	release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_file_outlives_a_keeper, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hold_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_foreign_file_is_made_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(the_shared_memory_keeps_its_size, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hostile_proxy_says_what_it_may_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_proxy_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(an_activator_says_what_it_may, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_it_goes_on, setup, teardown),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
