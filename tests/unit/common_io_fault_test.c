/* A program that is killed while it replaces a file: the old content stays whole, and what is left beside it is swept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/unit/fault_fixture.h"

static char directory[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	return 0;
}

static int clear(void **state)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return faults_clear(state) | system(command);
}

static void write_it(const char *text)
{
	struct error err;

	if (file_write_atomic(path, text, strlen(text), 0644, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_content(const char *text)
{
	_cleanup_free_ char *content = NULL;
	struct error err;

	assert_int_equal(file_read(AT_FDCWD, path, 100, &content, NULL, &err), 0);
	assert_string_equal(content, text);
}

/* How many there are, all as old as that. */
static unsigned temporary_files(time_t age)
{
	const struct timespec times[] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
	_cleanup_dir_ DIR *dir = opendir(directory);
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(dir))) {
		if (!file_is_temporary(dirfd(dir), e->d_name, 0))
			continue;
		assert_int_equal(utimensat(dirfd(dir), e->d_name, times, 0), 0);
		n++;
	}
	return n;
}

static void killed_before_the_file_gets_its_name(void **state)
{
	struct fault named;
	pid_t writer;

	(void)state;
	write_it("old");
	named = fault_at("write:named");
	writer = fork();
	if (writer == 0) {
		write_it("new");
		_exit(0);
	}
	fault_await(&named);
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	fault_pass(&named);
	expect_content("old");
	assert_int_equal(temporary_files(0), 1);
	/* It could be another writer's, who goes on. */
	write_it("newer");
	expect_content("newer");
	assert_int_equal(temporary_files(100), 1);
	write_it("newest");
	expect_content("newest");
	assert_int_equal(temporary_files(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_before_the_file_gets_its_name, setup, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
