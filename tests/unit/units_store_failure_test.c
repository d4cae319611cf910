/* units/store.c: a change of what a unit directory holds is whole or none, wherever it fails. */
#include "tests/unit/store_fixture.h"

/* Runs in a child that is not root, for which the modes of directories count. */
static int as_nobody(int (*f)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(setgid(65534) < 0 || setuid(65534) < 0 ? 99 : f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int write_fails(void)
{
	struct instance i = small_instance("pg");
	struct snapshot before = {};
	struct error err;
	int r = store_write(directory, &i, &before, &err) < 0 && err.code == EACCES ? 0 : 1;

	snapshot_clear(&before);
	instance_clear(&i);
	return r;
}

static void read_only_directory(void **state)
{
	(void)state;
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(as_nobody(write_fails), 0);
	assert_int_equal(count_entries(), 0);
}

static int remove_fails(void)
{
	struct error err;

	return store_remove(directory, "pg", &err) < 0 && err.code == EACCES ? 0 : 1;
}

static void what_cannot_be_removed_stays(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");

	(void)state;
	write_instance(&i);
	assert_int_equal(chmod(directory, 0755), 0);
	assert_int_equal(as_nobody(remove_fails), 0); /* the link */
	assert_int_equal(count_entries(), 3);
	assert_int_equal(unlink(in("sockets.target.wants/pg.socket")), 0);
	assert_int_equal(rmdir(in("sockets.target.wants")), 0);
	assert_int_equal(as_nobody(remove_fails), 0); /* the files */
	assert_int_equal(count_entries(), 2);
}

/* The link is what fails last: both files are there by then. */
static void late_failure_leaves_nothing(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	struct error err;

	(void)state;
	put("sockets.target.wants", "a file where a directory should be");
	assert_int_equal(store_write(directory, &i, &before, &err), -1);
	assert_int_equal(count_entries(), 1);
}

/* Each of the files that are replaced fails in turn. */
static void each_file_or_none(void **state)
{
	_cleanup_instance_ struct instance old = small_instance("pg"), new = full_instance();
	_cleanup_free_ char *socket = NULL, *service = NULL;
	struct error err;
	int k;

	(void)state;
	write_instance(&old);
	socket = content("pg.socket");
	service = content("pg.service");
	for (k = 0;; k++) {
		_cleanup_snapshot_ struct snapshot before = {};
		_cleanup_free_ char *now = NULL, *service_now = NULL;
		int r;

		renames_left = k;
		err = (struct error){};
		r = store_write(directory, &new, &before, &err);
		renames_left = -1;
		if (r == 0)
			break;
		assert_int_equal(err.code, EIO);
		assert_int_equal(strncmp(err.text, "cannot write '", strlen("cannot write '")), 0);
		now = content("pg.socket");
		service_now = content("pg.service");
		assert_string_equal(now, socket);
		assert_string_equal(service_now, service);
		assert_int_equal(count_entries(), 3); /* no timer, nothing temporary */
	}
	assert_int_equal(k, 3);
	assert_int_equal(count_entries(), 4);
}

/* What was there comes back, also where only the link failed. */
static void a_refresh_that_fails_late(void **state)
{
	static const char text[] = "[Unit]\nX-ManagedBy=sockwake\n";
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_free_ char *now = NULL;
	struct error err;
	int changed;

	(void)state;
	write_instance(&i);
	put("pg.service", text);
	assert_int_equal(unlink(in("sockets.target.wants/pg.socket")), 0);
	assert_int_equal(mkdir(in("sockets.target.wants/pg.socket"), 0755), 0);
	assert_int_equal(store_refresh(directory, &i, &before, &changed, &err), -1);
	now = content("pg.service");
	assert_string_equal(now, text);
}

static void late_failure_restores_what_was(void **state)
{
	_cleanup_instance_ struct instance old = small_instance("pg"), new = full_instance();
	_cleanup_snapshot_ struct snapshot before = {};
	_cleanup_stored_ struct stored s = {};
	struct error err;

	(void)state;
	write_instance(&old);
	assert_int_equal(unlink(in("sockets.target.wants/pg.socket")), 0);
	assert_int_equal(mkdir(in("sockets.target.wants/pg.socket"), 0755), 0);
	assert_int_equal(store_write(directory, &new, &before, &err), -1);
	assert_int_equal(store_read(directory, "pg", &s, &err), 0);
	assert_int_equal(s.instance.scope, SCOPE_USER);
	assert_int_equal(s.instance.n_ports, 1);
	assert_int_equal(count_entries(), 3);
}

/* Fills the file system up to so many free pages, in a mount namespace of its own. */
static int write_on_full_disk(int free_pages)
{
	_cleanup_instance_ struct instance i = full_instance();
	_cleanup_snapshot_ struct snapshot before = {};
	char page[4096] = {}, text[80];
	struct error err;
	int fd, r;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", directory, "tmpfs", 0, "size=64k") < 0)
		return 98;
	fd = open(in("ballast"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	while (write(fd, page, sizeof(page)) == sizeof(page))
		;
	snprintf(text, sizeof(text), "%d", free_pages);
	if (ftruncate(fd, lseek(fd, 0, SEEK_END) - (off_t)free_pages * 4096) < 0)
		return 97;
	close(fd);
	r = store_write(directory, &i, &before, &err);
	return r == 0 ? (count_entries() == 5 ? 0 : 2) : count_entries() == 1 ? 1 : 2;
}

static void full_disk(void **state)
{
	int outcomes[3] = {};

	(void)state;
	for (int pages = 0; pages < 10; pages++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(write_on_full_disk(pages));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 3);
		outcomes[WEXITSTATUS(status)]++;
	}
	assert_true(outcomes[0] > 0); /* whole */
	assert_true(outcomes[1] > 1); /* nothing, also when the first of the files would have fitted */
	assert_int_equal(outcomes[2], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(read_only_directory),
		STORE_TEST(what_cannot_be_removed_stays),
		STORE_TEST(late_failure_leaves_nothing),
		STORE_TEST(each_file_or_none),
		STORE_TEST(a_refresh_that_fails_late),
		STORE_TEST(late_failure_restores_what_was),
		STORE_TEST(full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
