/* common/io.h and handover/stats.h on real files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "handover/stats.h"
#include "instance/schedule.h"
#include "tests/unit/refusal_fixture.h"

/* The sanitizer's shadow is larger than any limit of the address space. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char directory[] = "/tmp/sockwake-io-XXXXXX";

static const char *in_directory(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static size_t count_files(void)
{
	_cleanup_dir_ DIR *dir = opendir(directory);
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	static const char *const names[] = {"file", "link", "stats", "deep/er/est", "deep/er", "deep", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		remove(in_directory(names[i]));
	return 0;
}

/* An interruption of before says nothing about this read or write. */
static void an_old_errno_is_none(void **state)
{
	_cleanup_free_ char *data = NULL;
	struct error err;

	(void)state;
	errno = EINTR;
	assert_int_equal(file_write_atomic(in_directory("file"), "text", 4, 0600, &err), 0);
	errno = EINTR;
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 100, &data, NULL, &err), 0);
	assert_string_equal(data, "text");
}

static void replaced_as_a_whole(void **state)
{
	_cleanup_free_ char *data = NULL;
	struct error err;
	struct stat st;
	size_t len;

	(void)state;
	assert_int_equal(file_write_atomic(in_directory("file"), "old", 3, 0600, &err), 0);
	assert_int_equal(file_write_atomic(in_directory("file"), "newer", 5, 0644, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 5, &data, &len, &err), 0);
	assert_int_equal(len, 5);
	assert_string_equal(data, "newer");
	assert_int_equal(stat(in_directory("file"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

/* A limit of the file's size kills who writes, in the middle. */
static void killed_without_a_trace(void **state)
{
	const struct rlimit none = {0, 0}, one = {1, 1};
	char path[300];
	pid_t child;
	int status;

	(void)state;
	snprintf(path, sizeof(path), "%s", in_directory("deep"));
	assert_int_equal(mkdir(path, 0700), 0);
	child = fork();
	if (child == 0) {
		struct error ignored;

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)setrlimit(RLIMIT_FSIZE, &one);
		(void)file_write_atomic(in_directory("deep/file"), "12", 2, 0600, &ignored);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
	assert_int_equal(rmdir(path), 0);
}

/* A writer that is killed between giving its file a name and renaming it cannot clean up. Others may be writing. */
static void what_a_killed_writer_has_left_is_swept(void **state)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char beside[PATH_MAX], left[300], others[300];
	struct error err;

	(void)state;
	assert_int_equal(mkdir(in_directory("swept"), 0700), 0);
	assert_int_equal(file_write_beside(in_directory("swept/file"), "new", 3, 0600, beside, &err), 0);
	snprintf(left, sizeof(left), "%s", in_directory("swept/.sockwake-a0b1c2"));
	snprintf(others, sizeof(others), "%s", in_directory("swept/.sockwake-a0b1c23"));
	close(open(left, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(open(others, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(utimensat(AT_FDCWD, left, long_ago, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, others, long_ago, 0), 0);
	assert_int_equal(file_write_atomic(in_directory("swept/file"), "newer", 5, 0600, &err), 0);
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(beside, F_OK), 0);
	assert_int_equal(access(others, F_OK), 0);
	assert_int_equal(unlink(beside) | unlink(others) | unlink(in_directory("swept/file")), 0);
	assert_int_equal(rmdir(in_directory("swept")), 0);
}

static void failures_are_told(void **state)
{
	char *data;
	struct error err;

	(void)state;
	assert_int_equal(file_write_atomic(in_directory("file"), "12345", 5, 0600, &err), 0);
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 4, &data, NULL, &err), -1);
	assert_int_equal(err.code, EFBIG);
	assert_int_equal(file_read(AT_FDCWD, in_directory("missing"), 4, &data, NULL, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(file_read(AT_FDCWD, directory, 4, &data, NULL, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(file_write_atomic(in_directory("missing/file"), "", 0, 0600, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(directory_make(in_directory("file/x"), 0755, &err), -1);
}

/* A path that is as long as one can be, and one byte more. */
static void long_paths(void **state)
{
	static char path[PATH_MAX + 8];
	char beside[PATH_MAX], real[PATH_MAX];
	struct error err;

	(void)state;
	memset(path, '/', sizeof(path));
	strcpy(path, "/tmp");
	memset(path + 4, '/', PATH_MAX);
	path[PATH_MAX - 1] = '\0';
	assert_int_equal(directory_make(path, 0755, &err), 0);
	path[PATH_MAX - 1] = '/';
	path[PATH_MAX] = '\0';
	assert_int_equal(directory_make(path, 0755, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	assert_ptr_equal(strstr(err.text, "the path '"), err.text);
	/* what is written beside has 16 bytes in place of the name */
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[PATH_MAX - 17] = '/';
	path[PATH_MAX - 15] = '\0';
	assert_int_equal(file_write_beside(path, "", 0, 0600, beside, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	assert_ptr_equal(strstr(err.text, "the path '"), err.text);
	path[PATH_MAX - 17] = 'x';
	path[PATH_MAX - 18] = '/';
	assert_int_equal(file_write_beside(path, "", 0, 0600, beside, &err), -1);
	assert_non_null(strstr(err.text, "cannot create a file beside"));
	/* one that is too long to resolve is as it is */
	memset(path, '/', sizeof(path));
	path[PATH_MAX + 1] = 'x';
	path[PATH_MAX + 2] = '\0';
	assert_ptr_equal(path_resolve(path, real), path);
}

/* Names of its own, that tell one file from another; each of 32 letters. */
static void names_beside(void **state)
{
	char one[PATH_MAX], two[PATH_MAX];
	const char *name;
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(file_write_beside(in_directory("file"), "1", 1, 0640, one, &err), 0);
	assert_int_equal(file_write_beside(in_directory("file"), "2", 1, 0640, two, &err), 0);
	assert_string_not_equal(one, two);
	name = strrchr(one, '/') + 1;
	assert_ptr_equal(strstr(name, ".sockwake-"), name);
	assert_int_equal(strlen(name), strlen(".sockwake-") + 6);
	assert_int_equal(strspn(name + strlen(".sockwake-"), "abcdefghijklmnopqrstuvwxyz012345"), 6);
	assert_int_equal(stat(one, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(unlink(one) | unlink(two), 0);
}

/* Whose file it is, and how old. */
static void what_is_temporary(void **state)
{
	static const char *const others[] = {".sockwake-a0b1c", ".sockwake-a0b1c23", "asockwake-a0b1c2"};
	const struct timespec past[2] = {{.tv_sec = time(NULL) - 100}, {.tv_sec = time(NULL) - 100}};
	_cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char name[] = ".sockwake-a0b1c2";

	(void)state;
	assert_false(file_is_temporary(dir, name, 0));
	close(openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_true(file_is_temporary(dir, name, 0));
	assert_false(file_is_temporary(dir, name, 60));
	assert_int_equal(utimensat(dir, name, past, 0), 0);
	assert_true(file_is_temporary(dir, name, 60));
	assert_false(file_is_temporary(dir, name, 1000));
	for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++) {
		assert_int_equal(linkat(dir, name, dir, others[k], 0), 0);
		assert_false(file_is_temporary(dir, others[k], 0));
		assert_int_equal(unlinkat(dir, others[k], 0), 0);
	}
	assert_int_equal(fchownat(dir, name, 12345, 12345, 0), 0);
	assert_false(file_is_temporary(dir, name, 0));
	assert_int_equal(unlinkat(dir, name, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, name), 0);
	assert_false(file_is_temporary(dir, name, 0));
	assert_int_equal(unlinkat(dir, name, 0), 0);
	assert_int_equal(mkdirat(dir, name, 0700), 0);
	assert_false(file_is_temporary(dir, name, 0));
	assert_int_equal(unlinkat(dir, name, AT_REMOVEDIR), 0);
}

static void files_of_any_size(void **state)
{
	static char data[3 * 4096 + 1];
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 3 * 4096};
	struct error err;
	char *text;
	size_t len;

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		for (size_t i = 0; i < sizes[k]; i++)
			data[i] = (char)('a' + (i * 7 + i / 4096) % 26);
		data[sizes[k]] = '\0';
		assert_int_equal(file_write_atomic(in_directory("file"), data, sizes[k], 0600, &err), 0);
		assert_int_equal(file_read(AT_FDCWD, in_directory("file"), sizes[k], &text, &len, &err), 0);
		assert_int_equal(len, sizes[k]);
		assert_string_equal(text, data);
		free(text);
		if (sizes[k] == 0)
			continue;
		assert_int_equal(file_read(AT_FDCWD, in_directory("file"), sizes[k] - 1, &text, &len, &err), -1);
		assert_int_equal(err.code, EFBIG);
	}
	/* The kernel's say that they are empty. */
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 20, &text, NULL, &err), 0);
	assert_non_null(strstr(text, "Name:"));
	free(text);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 20, &text, NULL, &err), -1);
	assert_int_equal(err.code, EFBIG);
	/* nor is a device waited for */
	assert_int_equal(file_read(AT_FDCWD, "/dev/null", 20, &text, NULL, &err), -1);
	assert_int_equal(err.code, EINVAL);
}

/* A name that is taken by a directory: nothing is left beside it. */
static void failures_leave_nothing(void **state)
{
	struct error err;
	char command[320];

	(void)state;
	assert_int_equal(mkdir(in_directory("deep"), 0700), 0);
	assert_int_equal(mkdir(in_directory("deep/er"), 0700), 0);
	assert_int_equal(file_write_atomic(in_directory("deep/er"), "1", 1, 0600, &err), -1);
	assert_int_equal(err.code, EISDIR);
	assert_non_null(strstr(err.text, "cannot write '"));
	snprintf(command, sizeof(command), "test -z \"$(ls -A %s/deep | grep -v er)\"", directory);
	assert_int_equal(system(command), 0);
	assert_string_equal(io_remedy(EISDIR), ": remove what is there");
	assert_string_equal(io_remedy(ELOOP), ": remove what is there");
	assert_string_equal(io_remedy(EACCES), "");
	assert_int_equal(rmdir(in_directory("deep/er")), 0);
	assert_int_equal(rmdir(in_directory("deep")), 0);
	assert_int_equal(directory_make("/proc/none/x", 0755, &err), -1);
	assert_non_null(strstr(err.text, "cannot create the directory '/proc/none'"));
}

static void directories(void **state)
{
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(directory_make(in_directory("deep/er/est"), 0755, &err), 0);
	assert_int_equal(directory_make(in_directory("deep/er/est"), 0755, &err), 0);
	assert_int_equal(stat(in_directory("deep/er/est"), &st), 0);
}

static void real_paths(void **state)
{
	char target[PATH_MAX], real[PATH_MAX];
	static const char *const files[] = {"/file", "/not-there"};

	(void)state;
	assert_non_null(realpath(directory, target));
	assert_int_equal(symlink(target, in_directory("link")), 0);
	for (size_t k = 0; k < 2; k++) {
		char path[PATH_MAX], expected[PATH_MAX];

		snprintf(path, sizeof(path), "%s%s", in_directory("link"), files[k]);
		snprintf(expected, sizeof(expected), "%.*s%s", 200, target, files[k]);
		assert_string_equal(path_resolve(path, real), expected);
	}
	assert_string_equal(path_resolve("/not/there", real), "/not/there");
	assert_string_equal(path_resolve("not-there", real), "not-there");
	assert_string_equal(path_resolve("/not-there", real), "/not-there");
	assert_string_equal(path_resolve("/not-there", real), "/not-there");
	assert_string_equal(path_resolve("there", real), "there");
}

static void statistics_survive_and_are_checked(void **state)
{
	_cleanup_close_ int fd = -1;
	struct stats *mapped, copy;
	struct error err;

	(void)state;
	fd = open(in_directory("stats"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_null(stats_map(fd, 0, &err));
	mapped = stats_map(fd, 1, &err);
	assert_non_null(mapped);
	mapped->wakes = 7;
	assert_int_equal(stats_read(in_directory("stats"), &copy, &err), 0);
	assert_int_equal(copy.wakes, 7);
	assert_int_equal(stats_map(fd, 1, &err)->wakes, 7);
	mapped->version++;
	assert_int_equal(stats_read(in_directory("stats"), &copy, &err), -1);
	assert_null(stats_map(fd, 0, &err));
	assert_int_equal(stats_map(fd, 1, &err)->wakes, 0);
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(stats_read(in_directory("stats"), &copy, &err), -1);
	assert_int_equal(err.code, EPROTO);
}

static void a_hold_is_written_into_a_file_of_this_version_alone(void **state)
{
	_cleanup_close_ int fd = -1;
	struct stats *mapped;
	struct error err;

	(void)state;
	(void)unlink(in_directory("stats"));
	assert_int_equal(stats_hold(in_directory("stats"), 1, &err), -1);
	assert_int_equal(err.code, ENOENT);
	fd = open(in_directory("stats"), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	mapped = stats_map(fd, 1, &err);
	assert_int_equal(stats_hold(in_directory("stats"), 5, &err), 0);
	assert_int_equal(mapped->held_until, 5);
	mapped->version--;
	assert_int_equal(stats_hold(in_directory("stats"), 6, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(mapped->held_until, 5);
	assert_int_equal(ftruncate(fd, sizeof(*mapped) - 8), 0);
	assert_int_equal(stats_hold(in_directory("stats"), 6, &err), -1);
	assert_int_equal(err.code, EPROTO);
}

/* A pipe, a link or a directory in the file's place is neither waited for nor followed. */
static void what_is_no_file_is_no_statistics_file(void **state)
{
	char elsewhere[300];
	struct stats copy;
	struct error err;
	int fd;

	(void)state;
	alarm(10);
	for (int kind = 0; kind < 3; kind++) {
		(void)remove(in_directory("stats"));
		if (kind == 0)
			assert_int_equal(mkfifo(in_directory("stats"), 0666), 0);
		if (kind == 1)
			assert_int_equal(mkdir(in_directory("stats"), 0777), 0);
		if (kind == 2) {
			strcpy(elsewhere, in_directory("file"));
			fd = open(elsewhere, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
			assert_non_null(stats_map(fd, 1, &err));
			close(fd);
			assert_int_equal(symlink(elsewhere, in_directory("stats")), 0);
		}
		assert_int_equal(stats_read(in_directory("stats"), &copy, &err), -1);
		assert_int_equal(stats_hold(in_directory("stats"), 5, &err), -1);
	}
	alarm(0);
	(void)remove(in_directory("stats"));
}

/* Nothing of a file's size is asked for before the limit was looked at. */
static void a_large_file_costs_no_memory(void **state)
{
	_cleanup_close_ int fd = open(in_directory("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	_cleanup_free_ char *data = NULL;
	struct rlimit before, little;
	struct error err;
	size_t len;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	little = before;
	little.rlim_cur = 1 << 30;
	if (!SANITIZED)
		assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 1 << 20, &data, NULL, &err), -1);
	assert_int_equal(err.code, EFBIG);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 4999, &data, &len, &err), -1);
	assert_int_equal(err.code, EFBIG);
	assert_int_equal(file_read(AT_FDCWD, in_directory("file"), 5000, &data, &len, &err), 0);
	assert_int_equal(len, 5000);
}

static void until_when_it_is_held(void **state)
{
	static const struct {
		uint64_t held, from, warm, now, until;
	} cases[] = {{0, 0, 0, 100, 0},
		     {101, 0, 0, 100, 101},
		     {100, 0, 0, 100, 0},
		     {0, 100, 200, 100, 200},
		     {0, 101, 200, 100, 0},
		     {0, 50, 100, 100, 0},
		     {300, 50, 200, 100, 300},
		     {150, 50, 200, 100, 200},
		     {100 + HOLD_MAX, 0, 0, 100, 100 + HOLD_MAX},
		     {101 + HOLD_MAX, 0, 0, 100, 0},
		     {UINT64_MAX, 0, UINT64_MAX, 100, 0},
		     {UINT64_MAX, 0, 200, 100, 200}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct stats s = {.held_until = cases[k].held, .warm = {[2] = {cases[k].from, cases[k].warm}}};

		s.t_proxy = 1; /* what comes after the windows is none */
		s.t_ready = cases[k].now + HOLD_MAX;

		if (stats_held_until(&s, cases[k].now) != cases[k].until)
			fail_msg("case %zu: %llu", k, (unsigned long long)stats_held_until(&s, cases[k].now));
	}
}

static const struct {
	int call, error;
	bool nameless, written;
} refusals[] = {
	{SYS_fsync, EIO, true, false},	   {SYS_fsync, EIO, false, false},    {SYS_fchmod, EPERM, true, false},
	{SYS_fchmod, EPERM, false, false}, {SYS_linkat, EACCES, true, false}, {SYS_linkat, EACCES, false, true},
	{SYS_getrandom, EIO, true, false},
};

static size_t at; /* the refusal at hand */

/* Without /proc a file has a name from the beginning on. */
static bool is_as_expected(void)
{
	const char *path = in_directory("refused");
	struct error err = {};
	int r;

	if (!refusals[at].nameless)
		refuse_call(SYS_access, ENOENT);
	refuse_call(refusals[at].call, refusals[at].error);
	r = file_write_atomic(path, "x", 1, 0600, &err);
	return refusals[at].written ? r == 0 : r == -1 && err.code == refusals[at].error;
}

static void what_the_kernel_refuses_leaves_nothing(void **state)
{
	(void)state;
	for (at = 0; at < sizeof(refusals) / sizeof(*refusals); at++) {
		size_t before = count_files();

		if (!child_says(is_as_expected))
			fail_msg("refusal %zu", at);
		assert_int_equal(unlink(in_directory("refused")), refusals[at].written ? 0 : -1);
		assert_int_equal(count_files(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_errno_is_none),
		cmocka_unit_test(what_the_kernel_refuses_leaves_nothing),
		cmocka_unit_test(replaced_as_a_whole),
		cmocka_unit_test(killed_without_a_trace),
		cmocka_unit_test(what_a_killed_writer_has_left_is_swept),
		cmocka_unit_test(failures_are_told),
		cmocka_unit_test(long_paths),
		cmocka_unit_test(names_beside),
		cmocka_unit_test(what_is_temporary),
		cmocka_unit_test(files_of_any_size),
		cmocka_unit_test(failures_leave_nothing),
		cmocka_unit_test(directories),
		cmocka_unit_test(real_paths),
		cmocka_unit_test(statistics_survive_and_are_checked),
		cmocka_unit_test(a_hold_is_written_into_a_file_of_this_version_alone),
		cmocka_unit_test(what_is_no_file_is_no_statistics_file),
		cmocka_unit_test(a_large_file_costs_no_memory),
		cmocka_unit_test(until_when_it_is_held),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
