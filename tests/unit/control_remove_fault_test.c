/* A removal that is told to end when the files are gone: what a client has woken meanwhile is stopped first, since no command
 * could find it afterwards. */
#include "tests/unit/instance_fixture.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/io.h"
#include "control/install.h"
#include "control/remove.h"
#include "control/unfinished.h"
#include "control/units_lock.h"
#include "tests/unit/fault_fixture.h"
#include "tests/unit/manager_fixture.h"
#include "units/drop_in.h"
#include "units/own_file.h"
#include "units/paths.h"
#include "units/store.h"

static int setup(void **state)
{
	char config[128], directory[PATH_MAX];
	struct instance i = small_instance("web");
	struct snapshot before = {};
	struct error err;
	int r;

	if (manager_setup(state) < 0)
		return -1;
	snprintf(config, sizeof(config), "%s/config", fake.directory);
	setenv("XDG_CONFIG_HOME", config, 1);
	setenv("XDG_STATE_HOME", config, 1);
	i.scope = SCOPE_USER;
	r = unit_directory(SCOPE_USER, directory, &err) == 0 && directory_make(directory, 0755, &err) == 0
		    ? store_write(directory, &i, &before, &err)
		    : -1;
	snapshot_clear(&before);
	instance_clear(&i);
	return r;
}

static int teardown(void **state)
{
	char command[160];

	snprintf(command, sizeof(command), "rm -rf '%s/config'", fake.directory);
	(void)system(command);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	return faults_clear(state) | manager_teardown(state);
}

static pid_t removal(void)
{
	static char name[] = "web";
	char *names[] = {name, NULL};
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct error err = {};

		_exit(remove_instances(&(struct removal){.scope = SCOPE_USER, .names = names, .no_selinux = true},
				       &err) < 0);
	}
	return pid;
}

static void told_to_end_when_the_files_are_gone(void **state)
{
	static const char *const units[] = {"web.socket", "web.service", "web.timer"};
	struct fault gone = fault_at("remove:gone");
	pid_t pid;
	int status;

	(void)state;
	fake_set(&fake, "web.socket", "ActiveState", "active");
	pid = removal();
	fault_await(&gone);
	(void)fake_calls(&fake);
	/* A client has woken it, and somebody has had the manager read its files. */
	fake_set(&fake, "web.service", "ActiveState", "active");
	fake_set(&fake, "web.socket", "ActiveState", "inactive");
	for (size_t k = 0; k < 3; k++)
		fake_set(&fake, units[k], "LoadState", "not-found");
	assert_int_equal(kill(pid, SIGTERM), 0);
	fault_go_on(&gone);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_non_null(strstr(fake_calls(&fake), "StopUnit web.service"));
}

static int lock_units(void)
{
	char directory[PATH_MAX];
	struct error err;
	int lock;

	assert_int_equal(unit_directory(SCOPE_USER, directory, &err), 0);
	assert_int_equal(units_lock_take(SCOPE_USER, directory, &lock, &err), 0);
	return lock;
}

/* With a drop-in of a Quadlet that somebody has written. */
static void write_with_drop_in(char ret[static PATH_MAX])
{
	struct instance i = small_instance("web");
	struct snapshot before = {};
	char directory[PATH_MAX], *unused = NULL;
	struct error err;

	assert_int_equal(drop_in_path(SCOPE_USER, "x.container", "web", ret, &err), 0);
	i.unit = strdup("x.service");
	i.drop_in = strdup(ret);
	i.no_boot = true;
	assert_int_equal(drop_in_write(ret, OWN_FILE_MARK ".\n", &unused, &err), 0);
	assert_int_equal(unit_directory(SCOPE_USER, directory, &err), 0);
	if (store_write(directory, &i, &before, &err) < 0)
		fail_msg("%s", err.text);
	snapshot_clear(&before);
	instance_clear(&i);
	free(unused);
}

/* As long as the instance is there, so is its drop-in; one that is left goes with the next change. */
static void the_drop_in_outlives_the_units(void **state)
{
	struct fault gone = fault_at("remove:gone");
	char drop_in[PATH_MAX];
	pid_t pid;
	int status;

	(void)state;
	write_with_drop_in(drop_in);
	pid = removal();
	fault_await(&gone);
	assert_int_equal(access(drop_in, F_OK), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(lock_units());
	assert_int_equal(access(drop_in, F_OK), -1);
}

/* SIGKILL cannot be put off. The next command that changes units finishes what this one has begun. */
static void killed_when_the_files_are_gone(void **state)
{
	static const char *const units[] = {"web.socket", "web.service", "web.timer"};
	struct fault gone = fault_at("remove:gone");
	char path[160];
	const char *calls;
	pid_t pid;
	int status;

	(void)state;
	fake_set(&fake, "web.socket", "ActiveState", "active");
	pid = removal();
	fault_await(&gone);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(unfinished_is_there(SCOPE_USER, "web"));
	for (size_t k = 0; k < 3; k++) {
		snprintf(path, sizeof(path), "%.64s/config/systemd/user/%s", fake.directory, units[k]);
		fake_set(&fake, units[k], "FragmentPath", k < 2 ? path : "/etc/systemd/user/web.timer");
	}
	(void)fake_calls(&fake);
	close(lock_units());
	calls = fake_calls(&fake);
	assert_non_null(strstr(calls, "StopUnit web.socket"));
	assert_non_null(strstr(calls, "StopUnit web.service"));
	assert_null(strstr(calls, "StopUnit web.timer")); /* somebody else's */
	assert_non_null(strstr(calls, "Reload"));
	assert_false(unfinished_is_there(SCOPE_USER, "web"));
	close(lock_units());
	assert_string_equal(fake_calls(&fake), "");
}

static pid_t replacement(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct instance i = small_instance("web");
		char directory[PATH_MAX];
		struct manager *own = NULL;
		struct error err = {};

		close(lock_units());
		_exit(unit_directory(SCOPE_USER, directory, &err) < 0 || manager_connect(SCOPE_USER, &own, &err) < 0 ||
		      install_write(own, directory, &i, false, &err) < 0);
	}
	return pid;
}

static void killed_when_the_socket_is_stopped(void **state)
{
	static const char *const before[] = {"active", "inactive"};
	int status;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct fault stopped = fault_at("install:stopped");
		bool opened;
		pid_t pid;

		fake_set(&fake, "web.socket", "ActiveState", before[k]);
		pid = replacement();
		fault_await(&stopped);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		(void)fake_calls(&fake);
		close(lock_units());
		opened = strstr(fake_calls(&fake), "StartUnit web.socket") != NULL;
		assert_int_equal(opened, k == 0);
		assert_false(unfinished_is_there(SCOPE_USER, "web"));
		faults_clear(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_to_end_when_the_files_are_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(the_drop_in_outlives_the_units, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_when_the_files_are_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_when_the_socket_is_stopped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
