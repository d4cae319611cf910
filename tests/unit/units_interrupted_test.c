/* units/store.c, drop_in.c, own_file.c and sweep.c: a command that is killed at any step leaves an instance that is
 * listed and can be removed, or nothing that the next command does not clear away.
 *
 * Everything that changes the file system ends the process without a word when its turn has come. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int steps_left = -1; /* until the process is killed; negative: it is not */

static void step(void)
{
	if (steps_left-- == 0)
		_exit(9);
}

#define STEP(call)     (step(), call)
#define rename(a, b)   STEP(rename(a, b))
#define unlink(a)      STEP(unlink(a))
#define symlink(a, b)  STEP(symlink(a, b))
#define mkdir(a, b)    STEP(mkdir(a, b))
#define rmdir(a)       STEP(rmdir(a))
#define mkostemp(a, b) STEP(mkostemp(a, b))
#define write(a, b, c) STEP(write(a, b, c))
#define fchmod(a, b)   STEP(fchmod(a, b))
#include "common/io.c"
#include "units/store.c"
#undef rename
#undef unlink
#undef symlink
#undef mkdir
#undef rmdir
#undef mkostemp
#undef write
#undef fchmod

#include "units/drop_in.h"
#include "units/quadlet.h"
#include "units/sweep.h"

static char root[64], directory[128], quadlets[128];

static int make_root(void **state)
{
	struct error err;

	(void)state;
	strcpy(root, "/tmp/sockwake-interrupted-XXXXXX");
	if (!mkdtemp(root) || setenv("XDG_CONFIG_HOME", root, 1) < 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s/systemd/user", root);
	snprintf(quadlets, sizeof(quadlets), "%s/containers/systemd", root);
	return directory_make(directory, 0755, &err) | directory_make(quadlets, 0755, &err);
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* Files and links of any name below the root. */
static size_t count_files(void)
{
	char command[256];
	size_t n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "find %s ! -type d | wc -l", root);
	f = popen(command, "re");
	assert_int_equal(fscanf(f, "%zu", &n), 1);
	pclose(f);
	return n;
}

static bool is_there(const char *file)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return lstat(path, &st) == 0;
}

/* Does it in a process of its own that is killed at this step. False: it was through before. */
static bool killed_at(int k, void (*change)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		steps_left = k;
		change();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
	return WEXITSTATUS(status) == 9;
}

static void write_small(void)
{
	struct instance i = small_instance("pg");
	struct snapshot before = {};
	struct error err;

	if (store_write(directory, &i, &before, &err) < 0)
		_exit(1);
	snapshot_clear(&before);
	instance_clear(&i);
}

static void write_full(void)
{
	struct instance i = full_instance();
	struct snapshot before = {};
	struct error err;

	if (store_write(directory, &i, &before, &err) < 0)
		_exit(1);
	snapshot_clear(&before);
	instance_clear(&i);
}

static void remove_it(void)
{
	struct error err;

	if (store_remove(directory, "pg", &err) < 0)
		_exit(1);
}

/* What the next command finds. Says whether there is an instance. */
static bool look_and_clear(int k)
{
	_cleanup_stored_list_ struct stored_list l = {};
	struct error err;
	bool listed;

	(void)units_sweep(SCOPE_USER, directory);
	assert_int_equal(store_scan(directory, &l, &err), 0);
	listed = l.n == 1;
	if (!listed && count_files() != 0)
		fail_msg("killed at step %d: not listed, but %zu files are there", k, count_files());
	if (store_remove(directory, "pg", &err) < 0)
		fail_msg("killed at step %d: %s", k, err.text);
	if (count_files() != 0)
		fail_msg("killed at step %d: %zu files are there after the removal", k, count_files());
	return listed;
}

static void killed_while_it_is_made(void **state)
{
	bool listed = false;
	int k = 0;

	(void)state;
	while (killed_at(k, write_full))
		listed |= look_and_clear(k++);
	assert_in_range(k, 10, 100);
	assert_true(listed);
	assert_true(look_and_clear(k));
}

static void killed_while_it_is_replaced(void **state)
{
	int k = 0;

	(void)state;
	for (bool killed = true; killed; k++) {
		write_full();
		killed = killed_at(k, write_small);
		assert_true(look_and_clear(k)); /* one of them, at any time */
	}
	assert_in_range(k, 10, 100);
}

static void killed_while_it_is_removed(void **state)
{
	int k = 0;

	(void)state;
	for (bool killed = true; killed; k++) {
		write_full();
		killed = killed_at(k, remove_it);
		if (killed) { /* the socket is there as long as anything else is */
			assert_true(is_there("pg.socket") || count_files() == 0);
			assert_false(is_there("sockets.target.wants/pg.socket") && !is_there("pg.service"));
		}
		(void)look_and_clear(k);
	}
	assert_in_range(k, 5, 100);
}

static void put(const char *where, const char *file, const char *text)
{
	char path[PATH_MAX];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", where, file);
	assert_int_equal(directory_make(dirname(strdupa(path)), 0755, &err), 0);
	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, &err), 0);
}

/* As versions before this one left it when they were killed. */
static void older_left_overs(void **state)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct error err;

	(void)state;
	write_full();
	snprintf(path, sizeof(path), "%s/pg.socket", directory);
	assert_int_equal(unlink(path), 0);
	put(directory, ".sockwake-aB3xYz", "");
	put(quadlets, ".sockwake-aB3xYz", "");
	put(quadlets, "pg.container.d/sockwake-pg.conf", "# Made by sockwake for its instance 'pg'\n");
	put(quadlets, "pg.container.d/.sockwake-aB3xYz", "");
	assert_int_equal(count_files(), 7);
	assert_int_equal(units_sweep(SCOPE_USER, directory), 4);
	assert_int_equal(count_files(), 0);
	snprintf(target, sizeof(target), "%s/pg.container.d", quadlets);
	assert_int_equal(rmdir(target), -1);
	assert_int_equal(store_remove(directory, "pg", &err), 0);
}

static void what_is_in_use_or_not_ours_stays(void **state)
{
	_cleanup_instance_ struct instance i = small_instance("pg");
	_cleanup_snapshot_ struct snapshot before = {};
	char path[PATH_MAX];
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(drop_in_path(SCOPE_USER, "x/pg.container", "pg", path, &err), 0);
	i.drop_in = strdup(path);
	i.scope = SCOPE_USER;
	assert_int_equal(store_write(directory, &i, &before, &err), 0);
	put(quadlets, "pg.container.d/sockwake-pg.conf", "# Made by sockwake for its instance 'pg'\n");
	put(quadlets, "web.container.d/sockwake-web.conf", "[Container]\n");
	put(quadlets, "web.container.d/own.conf", "# Made by sockwake\n");
	put(quadlets, "web-container.container", "# Made by sockwake for its instance 'web'\n");
	put(directory, "web.service", "[Unit]\nDescription=mine\n");
	put(directory, "old-proxy.service", "[Unit]\nX-ManagedBy=sockwake\n");
	put(directory, "other.timer", "[Unit]\nX-ManagedBy=sockwake\nX-InstanceConfig={\"name\":\"another\"}\n");
	put(directory, ".sockwake-longer-name", "");
	snprintf(path, sizeof(path), "%s/sockets.target.wants/web.socket", directory);
	assert_int_equal(symlink("/usr/lib/systemd/system/web.socket", path), 0);
	n = count_files();
	assert_int_equal(units_sweep(SCOPE_USER, directory), 0);
	assert_int_equal(count_files(), n);

	/* That of an instance which has another one now. */
	put(quadlets, "former.container.d/sockwake-pg.conf", "# Made by sockwake for its instance 'pg'\n");
	assert_int_equal(units_sweep(SCOPE_USER, directory), 1);
	assert_int_equal(count_files(), n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_while_it_is_made), TEST(killed_while_it_is_replaced),      TEST(killed_while_it_is_removed),
		TEST(older_left_overs),	       TEST(what_is_in_use_or_not_ours_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
