/* control/settle.c: an instance that was told to sleep, whose container may still run. */
#include "tests/unit/activator_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "control/note.h"
#include "control/settle.h"
#include "tests/unit/manager_fixture.h"
#include "units/paths.h"

static int runtime(void **state)
{
	return setup(state) == 0 ? setenv("XDG_RUNTIME_DIR", directory, 1) : -1;
}

static char noted[4096];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static int see(const struct instance *i, const struct error *failure, const char *words, struct error *err)
{
	noted[0] = '\0';
	note_set_sink(take_note);
	return settle_look(NULL, i, failure, words, err);
}

static struct instance of(struct fake_engine *f)
{
	return (struct instance){
		.name = (char *)"t",
		.scope = SCOPE_USER,
		.container_name = (char *)"x",
		.engine_socket = f->socket,
	};
}

#define EXITED inspection("exited", 0, STARTED, "")

static void it_sleeps(void **state)
{
	START(f, SAY(EXITED), SAY(NO_SUCH), SAY(inspection("paused", getpid(), STARTED, "")), SAY(EXITED));
	const struct error failure = {.text = "failed"};
	struct instance i = of(&f);
	struct error err;

	(void)state;
	for (int k = 0; k < 3; k++) {
		assert_int_equal(see(&i, k ? NULL : &failure, "", &err), 0);
		assert_string_equal(noted, "");
	}
	/* the containers that it wakes first may run */
	i.dependencies[i.n_dependencies++].container = (char *)"db";
	assert_int_equal(see(&i, &failure, "", &err), -1);
	assert_string_equal(err.text, "failed");
	assert_string_equal(requests(&f), "GET json GET json GET json GET json");
	fake_stop(&f);
}

static void it_runs_and_is_stopped(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(EXITED), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	const struct error failure = {.text = "failed"};
	struct instance i = of(&f);
	struct error err;

	(void)state;
	assert_int_equal(see(&i, NULL, "", &err), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	/* as the instance does it, and whatever became of the action */
	i.idle_action = IDLE_PAUSE;
	assert_int_equal(see(&i, &failure, "", &err), 0);
	assert_string_equal(requests(&f), "GET json POST pause GET json");
	assert_string_equal(noted, "");
	fake_stop(&f);
}

static void it_cannot_be_stopped(void **state)
{
	START(f, SAY(running()), SAY(reply("500", "{\"message\":\"the disk is full\"}")), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()));
	struct instance i = of(&f);
	struct error err;

	(void)state;
	assert_int_equal(see(&i, NULL, "", &err), -1);
	assert_non_null(strstr(err.text, "the disk is full"));
	assert_int_equal(see(&i, NULL, "", &err), -1);
	assert_string_equal(err.text, "the container 'x' still runs");
	fake_stop(&f);
}

static void another_instance_uses_it(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct instance i = of(&f);
	char name[LOCK_NAME_MAX], path[PATH_MAX];
	struct error err;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/sockwake", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sockwake/%s", directory, lock_name(BACKEND_DOCKER, f.socket, "x", name));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(see(&i, NULL, "", &err), 0);
	assert_non_null(strstr(noted, "the container 'x' still runs: another instance uses it"));
	assert_string_equal(requests(&f), "GET json");
	close(fd);
	assert_int_equal(see(&i, NULL, "", &err), 0);
	assert_string_equal(noted, "");
	fake_stop(&f);
}

static void somebody_elses_is_kept(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(running()));
	const struct error failure = {.text = "failed"};
	struct instance i = of(&f);
	struct error err;

	(void)state;
	i.keep_running = true;
	assert_int_equal(see(&i, NULL, "", &err), 0);
	assert_non_null(strstr(noted, "--keep-running"));
	assert_int_equal(see(&i, NULL, "its own words", &err), 0);
	assert_string_equal(noted, "its own words\n");
	/* an action that failed did not find out whose it is */
	assert_int_equal(see(&i, &failure, "its own words", &err), -1);
	assert_string_equal(err.text, "failed");
	assert_string_equal(requests(&f), "GET json GET json GET json");
	fake_stop(&f);
}

static void the_engine_does_not_tell(void **state)
{
	START(f, SAY(reply("500", "{\"message\":\"the disk is full\"}")));
	struct instance i = of(&f);
	struct error err;

	(void)state;
	assert_int_equal(see(&i, NULL, "", &err), -1);
	assert_non_null(strstr(err.text, "it cannot be told whether the container 'x' runs"));
	assert_non_null(strstr(err.text, "the disk is full"));
	fake_stop(&f);
	assert_int_equal(see(&i, NULL, "", &err), -1);
	assert_int_equal(err.code, ENOTCONN);
}

static int act(const char *script, char *words, struct error *err)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	const struct command_line c = {(char **)argv, 3};

	return settle_run_action(SCOPE_USER, &c, words, 256, err);
}

static void actions(void **state)
{
	const char *missing[] = {"/nonexistent/activator", NULL};
	const struct command_line c = {(char **)missing, 1};
	char words[256];
	struct error err;

	(void)state;
	assert_int_equal(act("exit 0", words, &err), 0);
	assert_string_equal(words, "");
	assert_int_equal(act("echo 'activator: one: two' >&2; echo; exit 0", words, &err), 0);
	assert_string_equal(words, "one: two");
	assert_int_equal(act("echo first >&2; echo 'the last: it' >&2; exit 3", words, &err), -1);
	assert_string_equal(err.text, "the last: it");
	assert_int_equal(act("exit 3", words, &err), -1);
	assert_true(err.text[0]);
	assert_int_equal(act("kill -9 $$", words, &err), -1);
	assert_non_null(strstr(err.text, "killed by signal 9"));
	assert_int_equal(settle_run_action(SCOPE_USER, &c, words, sizeof(words), &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "'/nonexistent/activator'"));
}

/* As of a unit: nothing that the shell says about engines, or a service about its end, is handed down. */
static void environment_of_actions(void **state)
{
	char words[256], script[512];
	struct error err;

	(void)state;
	setenv("DOCKER_HOST", "unix:///elsewhere", 1);
	setenv("SERVICE_RESULT", "signal", 1);
	setenv("JOURNAL_STREAM", "1:2", 1);
	snprintf(script, sizeof(script),
		 "[ \"$RUNTIME_DIRECTORY\" = '%s/sockwake' ] && [ \"$XDG_RUNTIME_DIR\" = '%s' ] && [ -n \"$PATH\" ] && "
		 "[ -z \"$DOCKER_HOST$SERVICE_RESULT$JOURNAL_STREAM\" ]",
		 directory, directory);
	assert_int_equal(act(script, words, &err), 0);
	unsetenv("DOCKER_HOST");
	unsetenv("JOURNAL_STREAM");
}

/* The unit is down, and somebody else's container has the name of its container. */
static void what_runs_beside_a_unit_that_is_down(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(EXITED), SAY(running()), SAY(EXITED));
	struct instance i = of(&f);
	struct error err;

	(void)state;
	assert_int_equal(manager_setup(NULL), 0);
	i.unit = (char *)"x.service";
	i.backend = BACKEND_PODMAN;
	fake_set(&fake, "x.service", "ActiveState", "inactive");
	noted[0] = '\0';
	note_set_sink(take_note);
	assert_int_equal(settle_look(m, &i, NULL, "", &err), 0);
	assert_string_equal(requests(&f), "GET json");
	assert_non_null(strstr(noted, "the container 'x' that runs is not the one of 'x.service', which is down"));
	/* Docker's units do not take their containers along. */
	i.backend = BACKEND_DOCKER;
	i.unit = NULL;
	assert_int_equal(settle_look(m, &i, NULL, "", &err), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	/* nor is one of others whose unit runs */
	i.backend = BACKEND_PODMAN;
	i.unit = (char *)"x.service";
	fake_set(&fake, "x.service", "ActiveState", "active");
	assert_int_equal(settle_look(m, &i, NULL, "", &err), 0);
	assert_string_equal(requests(&f), "GET json GET json");
	assert_non_null(strstr(fake_calls(&fake), "StopUnit x.service"));
	manager_teardown(NULL);
	fake_stop(&f);
}

static void commands_for_people(void **state)
{
	struct instance i = {.scope = SCOPE_USER, .backend = BACKEND_PODMAN, .container_name = (char *)"pg"};
	char text[STOP_COMMAND_MAX];

	(void)state;
	assert_string_equal(settle_stop_command(&i, text), "podman stop pg");
	i.unit = (char *)"pg.service";
	assert_string_equal(settle_stop_command(&i, text), "systemctl --user stop pg.service");
	i.scope = SCOPE_SYSTEM;
	assert_string_equal(settle_stop_command(&i, text), "systemctl stop pg.service");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, runtime, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_sleeps),
		TEST(it_runs_and_is_stopped),
		TEST(it_cannot_be_stopped),
		TEST(another_instance_uses_it),
		TEST(somebody_elses_is_kept),
		TEST(the_engine_does_not_tell),
		TEST(actions),
		TEST(environment_of_actions),
		TEST(what_runs_beside_a_unit_that_is_down),
		TEST(commands_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
