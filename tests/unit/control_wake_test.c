/* control/wake.c: what a wake says that another command has got in the way of. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "backends/silence.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/path.h"
#include "control/instance_engine.h"
#include "control/note.h"
#include "control/refresh.h"
#include "control/units_lock.h"
#include "control/wake.h"
#include "tests/unit/manager_fixture.h"
#include "tests/unit/open_file_fixture.h"
#include "units/paths.h"
#include "units/store.h"

static struct stored web;
static char directory[PATH_MAX];

static int setup(void **state)
{
	char config[128];
	struct error err;

	if (manager_setup(state) < 0)
		return -1;
	snprintf(config, sizeof(config), "%s/config", fake.directory);
	setenv("XDG_CONFIG_HOME", config, 1);
	web = (struct stored){.instance = small_instance("web")};
	fake_set(&fake, "web.service", "start", "canceled");
	return unit_directory(SCOPE_USER, directory, &err) < 0 ? -1 : directory_make(directory, 0755, &err);
}

static int teardown(void **state)
{
	unsetenv("XDG_CONFIG_HOME");
	stored_clear(&web);
	return manager_teardown(state);
}

static const char *reason(void)
{
	static struct error err;
	struct woken woken;

	err = (struct error){};
	assert_int_equal(wake_instance(SCOPE_USER, &web, 0, &woken, &err), -1);
	return err.text;
}

static void one_that_is_gone_cannot_be_refreshed(void **state)
{
	(void)state;
	assert_string_equal(reason(), "'web' did not wake: it has been removed meanwhile");
	/* whatever the manager says */
	fake_set(&fake, "web.service", "start", "failed");
	assert_string_equal(reason(), "'web' did not wake: it has been removed meanwhile");
}

static void who_changes_the_units_is_named(void **state)
{
	struct snapshot before = {};
	char path[PATH_MAX], expected[256];
	struct error err;
	int lock;

	(void)state;
	assert_int_equal(store_write(directory, &web.instance, &before, &err), 0);
	snapshot_clear(&before);
	assert_null(strstr(reason(), "changing")); /* the units are whole */
	assert_int_equal(path_join(directory, "web.service", path, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_non_null(strstr(reason(), "'sockwake refresh web' writes it again"));
	assert_int_equal(units_lock_take(SCOPE_USER, directory, &lock, &err), 0);
	snprintf(expected, sizeof(expected), " (PID %d) is changing its units; try again when it has ended", getpid());
	assert_non_null(strstr(reason(), expected));
	close(lock);
}

static void a_start_that_a_sleep_has_ended(void **state)
{
	struct snapshot before = {};
	char path[PATH_MAX];
	struct error err;
	FILE *f;

	(void)state;
	assert_int_equal(store_write(directory, &web.instance, &before, &err), 0);
	snapshot_clear(&before);
	/* a service whose programs need not be installed */
	assert_int_equal(path_join(directory, "web.service", path, &err), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	fake_set(&fake, "web.socket", "LoadState", "loaded");
	fake_active(&fake, "web.socket", "1");
	assert_string_equal(reason(), "'web' did not wake: it was put to sleep meanwhile");
	fake_set(&fake, "web.service", "start", "dependency");
	assert_non_null(strstr(reason(), "something that it needs failed"));
	assert_null(strstr(reason(), "meanwhile"));
}

/* It was there when the command began. */
static void a_refresh_of_one_that_is_gone_fails(void **state)
{
	static char name[] = "web";
	char *names[] = {name, NULL}, path[PATH_MAX];
	struct snapshot before = {};
	struct error err = {};
	int lock, status, begun[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(store_write(directory, &web.instance, &before, &err), 0);
	snapshot_clear(&before);
	assert_int_equal(units_lock_take(SCOPE_USER, directory, &lock, &err), 0);
	assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(lock);
		(void)!write(begun[1], "x", 1);
		_exit(refresh_instances(SCOPE_USER, names, false, &err) < 0 && strstr(err.text, "no instance 'web'")
			      ? 0
			      : 1);
	}
	snprintf(path, sizeof(path), "%s/sockwake/units.lock", fake.directory);
	assert_int_equal(read(begun[0], &c, 1), 1);
	await_open(pid, path);
	assert_int_equal(store_remove(directory, "web", &err), 0);
	close(lock);
	close(begun[0]);
	close(begun[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static char noted[512];

static void take_note(enum note_kind kind, const char *text)
{
	(void)kind;
	snprintf(noted, sizeof(noted), "%s", text);
}

/* Who stopped it did not mean clients to come. */
static void a_socket_that_was_stopped_is_told_to_be_open(void **state)
{
	static const char *const states[] = {"active", "failed", "inactive"};
	struct woken woken;
	struct error err;

	(void)state;
	note_set_sink(take_note);
	fake_set(&fake, "web.service", "start", "done");
	fake_set(&fake, "web.socket", "LoadState", "loaded");
	for (size_t k = 0; k < sizeof(states) / sizeof(*states); k++) {
		noted[0] = '\0';
		fake_set(&fake, "web.service", "ActiveState", "inactive");
		fake_set(&fake, "web.socket", "ActiveState", states[k]);
		assert_int_equal(wake_instance(SCOPE_USER, &web, 0, &woken, &err), 0);
		assert_string_equal(noted,
				    strcmp(states[k], "inactive") == 0
					    ? "the socket of 'web', which was stopped, is open again: 'systemctl "
					      "--user stop web.socket' closes it"
					    : "");
	}
}

/* Each wake would wait for it anew. */
static void an_engine_that_has_not_answered_before(void **state)
{
	(void)state;
	web.instance.engine_socket = strdup("/nonexistent/engine.sock");
	fake_set(&fake, "web.socket", "ActiveState", "active");
	instance_engine_ask_once(2);
	assert_true(silence_note(web.instance.engine_socket, 10 * USEC_PER_SEC));
	assert_non_null(strstr(reason(), "'web' is not woken: "));
	assert_non_null(strstr(reason(), "was not asked again"));
	assert_null(strstr(fake_calls(&fake), "StartUnit"));
	/* A unit needs no engine. */
	web.instance.unit = strdup("db.service");
	assert_null(strstr(reason(), "was not asked again"));
	assert_non_null(strstr(fake_calls(&fake), "StartUnit"));
	free_ptr(&web.instance.unit);
	/* One that is down, or answers, is left to the wake; and one instance waits as long as its client would. */
	instance_engine_ask_once(2);
	assert_null(strstr(reason(), "was not asked again"));
	assert_non_null(strstr(fake_calls(&fake), "StartUnit"));
	instance_engine_ask_once(1);
	assert_null(strstr(reason(), "was not asked again"));
	assert_non_null(strstr(fake_calls(&fake), "StartUnit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_is_gone_cannot_be_refreshed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_socket_that_was_stopped_is_told_to_be_open, setup, teardown),
		cmocka_unit_test_setup_teardown(an_engine_that_has_not_answered_before, setup, teardown),
		cmocka_unit_test_setup_teardown(who_changes_the_units_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_that_a_sleep_has_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refresh_of_one_that_is_gone_fails, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
