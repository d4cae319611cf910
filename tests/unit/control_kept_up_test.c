/* control/kept_up.c: dependencies that stay up, because only a label names them. */
#include "tests/unit/activator_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "backends/engine.h"
#include "control/kept_up.h"
#include "control/note.h"
#include "units/paths.h"

#define EXITED inspection("exited", 0, STARTED, "")

static char noted[4096];

static void take_note(enum note_kind kind, const char *text)
{
	size_t len = strlen(noted);

	assert_int_equal(kind, NOTE_REMARK);
	snprintf(noted + len, sizeof(noted) - len, "%s\n", text);
}

static struct instance of(struct fake_engine *f, const char *name, const char *container, const char *dependency)
{
	struct instance i = {
		.name = (char *)name,
		.scope = SCOPE_USER,
		.container_name = (char *)container,
		.engine_socket = f->socket,
		.adopted = true,
	};

	if (dependency)
		i.dependencies[i.n_dependencies++].container = (char *)dependency;
	return i;
}

/* What is noted of `i` beside `other`; NULL: there is no other one. */
static const char *note(const struct instance *i, const struct instance *other)
{
	struct stored item = {};
	struct stored_list all = {.items = &item, .n = other != NULL};
	_cleanup_engine_ struct engine *e = NULL;
	struct error err;

	if (other)
		item.instance = *other;
	noted[0] = '\0';
	note_set_sink(take_note);
	assert_int_equal(engine_open(i->backend, i->scope, i->engine_socket, &e, &err), 0);
	kept_up_note(i, e, &all);
	return noted;
}

static void one_that_runs_is_named(void **state)
{
	START(f, SAY(running()), SAY(EXITED), SAY(NO_SUCH), SAY(running()));
	struct instance i = of(&f, "web", "web-1", "db");

	(void)state;
	assert_non_null(strstr(note(&i, NULL), "'db' runs, and only a label names it: it stays up until somebody stops "
					       "it once, as with 'docker stop db'"));
	assert_string_equal(note(&i, NULL), "");
	assert_string_equal(note(&i, NULL), "");
	i.dependencies[0].unit = (char *)"db.service";
	assert_non_null(strstr(note(&i, NULL), "'systemctl --user stop db.service'"));
	fake_stop(&f);
}

/* Not even the engine is asked. */
static void a_persons_word_and_a_job_are_no_surprise(void **state)
{
	START(f, SAY(running()));
	struct instance i = of(&f, "web", "web-1", "db");

	(void)state;
	i.adopted = false;
	assert_string_equal(note(&i, NULL), "");
	i.adopted = i.keep_running = true;
	assert_string_equal(note(&i, NULL), "");
	i.keep_running = false;
	i.dependencies[0].health_check = (char *)"completed";
	assert_string_equal(note(&i, NULL), "");
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

static void another_instance_puts_it_to_sleep(void **state)
{
	START(f, SAY(running()), SAY(running()));
	struct instance i = of(&f, "web", "web-1", "db"), own = of(&f, "db", "db", NULL),
			user = of(&f, "admin", "admin-1", "db");

	(void)state;
	assert_string_equal(note(&i, &own), "");
	assert_string_not_equal(note(&i, &user), "");
	user.adopted = false;
	assert_string_equal(note(&i, &user), "");
	user.backend = BACKEND_PODMAN; /* another engine's "db" */
	assert_string_not_equal(note(&i, &user), "");
	assert_string_equal(requests(&f), "GET json GET json");
	fake_stop(&f);
}

static void what_a_wake_has_started_sleeps_by_itself(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(running()));
	struct container c = {.id = ID, .started_at = STARTED};
	struct instance i = of(&f, "web", "web-1", "db");
	char named[LOCK_NAME_MAX], path[PATH_MAX];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", directory, "sockwake");
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sockwake/%s", directory, lock_name(BACKEND_DOCKER, f.socket, "db", named));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	lock_record_run(fd, &c, true);
	assert_string_equal(note(&i, NULL), "");
	lock_record_run(fd, &c, false); /* found by a wake */
	assert_string_not_equal(note(&i, NULL), "");
	lock_record(fd, "own 0123456789abcdef0123456789abcdef"); /* of a unit */
	assert_string_equal(note(&i, NULL), "");
	close(fd);
	fake_stop(&f);
}

static int runtime(void **state)
{
	return setup(state) == 0 ? setenv("XDG_RUNTIME_DIR", directory, 1) : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_runs_is_named, runtime, teardown),
		cmocka_unit_test_setup_teardown(a_persons_word_and_a_job_are_no_surprise, runtime, teardown),
		cmocka_unit_test_setup_teardown(another_instance_puts_it_to_sleep, runtime, teardown),
		cmocka_unit_test_setup_teardown(what_a_wake_has_started_sleeps_by_itself, runtime, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
