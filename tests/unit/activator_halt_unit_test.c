/* Putting a container to sleep that a unit runs, with what was started for it. Engine and service manager are fakes. */
#include <sys/stat.h>

#include "backends/volumes.h"
#include "tests/unit/activator_unit_fixture.h"
#include "units/paths.h"

/* Runs --sleep, and says which requests it made. */
#define SLEEP(status, ...)                                                                                             \
	({                                                                                                             \
		assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", __VA_ARGS__)), status);                     \
		program_release(&p);                                                                                   \
		requests(&f);                                                                                          \
	})

#define STOPS	 "Subscribe\nStopUnit x.service replace\nResetFailedUnit x.service\n"
#define VOLUMES	 SAY(running())
#define UNPAUSED SAY(NOT_PAUSED)

static void a_unit_is_stopped(void **state)
{
	START(f, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED, VOLUMES);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_string_equal(fake_calls(&manager), STOPS);
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "");
	/* whether it is starting or restarting; paused, it would be brought up later */
	fake_set(&manager, X, "ActiveState", "activating");
	record(&f, BACKEND_DOCKER, "own starting");
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json POST unpause");
	assert_string_equal(fake_calls(&manager), STOPS);
	/* Podman's units kill. */
	fake_set(&manager, X, "ActiveState", "activating");
	fake_set(&manager, X, "SubState", "auto-restart");
	record(&f, BACKEND_PODMAN, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman")), "GET json");
	assert_string_equal(fake_calls(&manager), STOPS);
	/* One that is down is stopped already. */
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "");
	fake_set(&manager, X, "ActiveState", "failed");
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

static void its_volumes_are_remembered(void **state)
{
	char body[512], path[PATH_MAX];
	_cleanup_volumes_ struct volumes v = {};
	struct program p;
	struct error err;

	(void)state;
	snprintf(
		body, sizeof(body),
		"{\"Id\":\"" ID
		"\",\"Name\":\"/x\",\"State\":{\"Status\":\"running\",\"Pid\":%d},\"HostConfig\":{},\"Config\":{},\"Mounts\":"
		"[{\"Type\":\"volume\",\"Name\":\"pgd\",\"Source\":\"%s\",\"Driver\":\"local\"}]}",
		container_process(), directory);

	START(f, SAY(reply("200", body)), UNPAUSED);

	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " A);
	tell_steps();
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_step(&p, "puts the container 'x' to sleep (");
	assert_step(&p, "the unit 'x.service' goes to sleep\n");
	assert_string_equal(fake_calls(&manager), STOPS);
	assert_int_equal(volumes_path(SCOPE_USER, BACKEND_DOCKER, f.socket, "x", path, &err), 0);
	assert_int_equal(volumes_read(path, &v, &err), 0);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.items[0].name, "pgd");
	fake_stop(&f);
}

static void or_its_container_is_paused(void **state)
{
	START(f, VOLUMES, SAY(NO_CONTENT), VOLUMES, SAY(CONFLICT), VOLUMES, SAY(WILL_NOT));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json POST pause");
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "");
	record(&f, BACKEND_DOCKER, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"), "GET json POST pause");
	record(&f, BACKEND_DOCKER, "own " A);
	assert_string_equal(SLEEP(EXIT_REFUSED, UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"),
			    "GET json POST pause");
	assert_non_null(strstr(p.failed, "will not"));
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own " A);
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* A person may name any unit, and be wrong. */
static void a_strange_unit_stays_up(void **state)
{
	START(f, SAY(EXITED), SAY(NO_SUCH), SAY(running()), UNPAUSED, SAY(PAUSED), SAY(NO_CONTENT));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	for (unsigned k = 0; k < 2; k++) {
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json");
		assert_non_null(strstr(p.text, "the unit 'x.service' stays up: no container 'x' runs there"));
		assert_string_equal(fake_calls(&manager), "");
	}
	for (unsigned k = 0; k < 2; k++) {
		fake_active(&manager, X, A);
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
		assert_string_equal(fake_calls(&manager), STOPS);
	}
	fake_stop(&f);
}

/* Somebody else's container has the name of the unit's own: it goes on, while the unit is stopped. */
static void a_container_of_somebody_else_goes_on(void **state)
{
	static const struct {
		const char *pause, *property, *value;
		int status;
		const char *does;
	} cases[] = {
		{NULL, "SourcePath", "/x.container", 0, "GET json"},
		{NULL, "SourcePath", "/x.kube", 0, "GET json"},
		{"--idle-action=pause", "SourcePath", "/x.container", EXIT_REFUSED, "GET json"},
		{NULL, "SourcePath", "/x.pod", 0, "GET json POST stop"}, /* which labels none */
	};
	START(f, SAY(running()), SAY(running()), SAY(running()), SAY(running()), SAY(NO_CONTENT));
	struct program p;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		fake_active(&manager, X, A);
		fake_set(&manager, X, "LoadState", "not-found"); /* the engine stops the container of such a unit */
		fake_set(&manager, X, cases[k].property, cases[k].value);
		record(&f, BACKEND_PODMAN, "own " A);
		assert_string_equal(SLEEP(cases[k].status, UNIT_OPTIONS(f, "podman"), cases[k].pause), cases[k].does);
		assert_string_equal(fake_calls(&manager), cases[k].pause ? "" : STOPS);
		if (k < 3)
			assert_non_null(
				strstr(cases[k].pause ? p.failed : p.text, "is not the one of the unit 'x.service'"));
	}
	fake_stop(&f);
}

/* Nor is it stopped while the unit's own stop hangs. */
static void nor_is_it_stopped_while_a_stop_hangs(void **state)
{
	START(f, SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	fake_set(&manager, X, "SourcePath", "/x.container");
	fake_set(&manager, X, "stop", "pending");
	change_at("StopUnit", 0, "SubState", "final-sigterm");
	fake_on(&manager, (struct fake_event){"Get " X " InvocationID", .after = 5, .what = END, .value = "done"});
	record(&f, BACKEND_PODMAN, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman")), "GET json GET json");
	fake_stop(&f);
}

/* The name may go to another one between the question and the request. */
static void what_is_paused_is_what_was_seen(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_PODMAN, "own " A);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman"), "--idle-action", "pause"), "GET json POST pause");
	assert_non_null(strstr(f.seen->text, "/containers/" ID "/pause"));
	fake_stop(&f);
}

static void what_somebody_needs_stays_up(void **state)
{
	static const char *const requiring[] = {"RequiredBy", "RequisiteOf", "BoundBy"};
	static const char *const others[] = {"WantedBy", "UpheldBy"};
	START(f, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED);
	struct program p;

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		fake_clear(&manager);
		fake_active(&manager, X, A);
		record(&f, BACKEND_DOCKER, "own " A);
		fake_active(&manager, "y.service", B);
		fake_set(&manager, X, requiring[k], "z.service y.service");
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "");
		assert_non_null(
			strstr(p.text, "the unit 'x.service' is required by another unit that runs, and stays up"));
	}
	/* One that is about to run is down yet. */
	fake_set(&manager, "y.service", "ActiveState", "failed");
	fake_set(&manager, "y.service", "Job", "8");
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "");
	assert_string_equal(fake_calls(&manager), "");
	fake_set(&manager, "y.service", "Job", "0");
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_string_equal(fake_calls(&manager), STOPS);
	/* To be wanted is not to be needed. */
	for (size_t k = 0; k < 2; k++) {
		fake_clear(&manager);
		fake_active(&manager, X, A);
		record(&f, BACKEND_DOCKER, "own " A);
		fake_active(&manager, "y.service", B);
		fake_set(&manager, X, others[k], "y.service");
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
		assert_string_equal(fake_calls(&manager), STOPS);
	}
	fake_stop(&f);
}

static void whose_run_it_is(void **state)
{
	static const struct {
		const char *record, *restarts, *because, *keep, *does;
	} cases[] = {
		{"found " A, "0", "idle", "", "GET json POST unpause"},
		{"found " A, "0", "idle", "--keep-running", ""},
		{"own " A, "0", "idle", "--keep-running", "GET json POST unpause"},
		{"own " B, "2", "stop", "--keep-running", "GET json POST unpause"},
		{"own " B, "0", "stop", "--keep-running", ""},
		{"found " B, "2", "idle", "", "GET json POST unpause"},
		{"found " B, "2", "stop", "--keep-running", ""},
		{"own starting", "0", "failed", "--keep-running", "GET json POST unpause"},
	};
	START(f, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED);
	struct program p;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		fake_active(&manager, X, A);
		fake_set(&manager, X, "NRestarts", cases[k].restarts);
		record(&f, BACKEND_DOCKER, cases[k].record);
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--because", cases[k].because,
					  *cases[k].keep ? cases[k].keep : NULL),
				    cases[k].does);
		assert_string_equal(fake_calls(&manager), *cases[k].does ? STOPS : "");
		if (!*cases[k].does)
			assert_non_null(strstr(p.text, "the unit 'x.service' was not started by sockwake"));
	}
	fake_stop(&f);
}

/* What somebody else has restarted is served anew. */
static void another_run_is_served(void **state)
{
	START(f, VOLUMES);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " B);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--because", "idle"), "");
	assert_non_null(strstr(p.text, "the unit 'x.service' was restarted by somebody else and is served anew"));
	assert_string_equal(fake_calls(&manager), "StartUnit t.service fail\n");
	fake_on(&manager, (struct fake_event){"StartUnit t.service", .what = FAIL, .value = "a.b"});
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker"), "--because", "idle"), "");
	assert_non_null(strstr(p.text, "the service manager does not start 't.service' again: says the test"));
	fake_stop(&f);
}

/* Somebody starts, stops or restarts it right now. */
static void a_job_of_others_is_waited_for(void **state)
{
	START(f, VOLUMES, UNPAUSED, VOLUMES, UNPAUSED);
	struct program p;
	uint64_t began;

	(void)state;
	fake_active(&manager, X, A);
	fake_set(&manager, X, "Job", "5");
	record(&f, BACKEND_DOCKER, "own " A);
	change_at("Get " X " ActiveState", 4, "Job", "0"); /* the third look */
	began = now_usec();
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_string_equal(fake_calls(&manager), STOPS);
	assert_true(msec_since(began) >= 200);
	/* It may be that of a wake that was killed. */
	fake_set(&manager, X, "Job", "5");
	record(&f, BACKEND_DOCKER, "own starting");
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_string_equal(fake_calls(&manager), STOPS);
	fake_stop(&f);
}

/* The manager does not know how to stop it any more: who would remove the container is killed with it. */
static void the_container_of_a_unit_without_a_file_is_stopped_before(void **state)
{
	static const char removed[] = "\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Status\":\"running\",\"Pid\":77},"
				      "\"HostConfig\":{\"AutoRemove\":true},\"Config\":{}";
	char body[512];
	const char *ephemeral;
	struct program p;

	(void)state;
	snprintf(body, sizeof(body), "{%s}", removed);
	ephemeral = reply("200", body);
	START(f, SAY(running()), SAY(NO_CONTENT),					     /* */
	      SAY(ephemeral), SAY(NO_CONTENT), SAY(ephemeral), SAY(ephemeral), SAY(NO_SUCH), /* */
	      SAY(ephemeral), SAY(WILL_NOT),						     /* */
	      SAY(EXITED),								     /* */
	      SAY(NO_SUCH));
	static const char *const does[] = {"GET json POST stop", "GET json POST stop GET json GET json GET json",
					   "GET json POST stop", "GET json", "GET json"};

	for (size_t k = 0; k < sizeof(does) / sizeof(*does); k++) {
		fake_active(&manager, X, A);
		fake_set(&manager, X, "LoadState", "not-found");
		record(&f, BACKEND_PODMAN, "own " A);
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman")), does[k]);
		assert_string_equal(fake_calls(&manager), STOPS);
	}
	fake_stop(&f);
}

/* The container came up when everything had been told to end: its own stop ends it. */
static void a_stop_that_hangs_is_helped(void **state)
{
	START(f, VOLUMES, SAY(running()), SAY(NO_CONTENT), /* */
	      VOLUMES, SAY(EXITED), VOLUMES);
	struct program p;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		static const char *const does[] = {"GET json GET json POST stop", "GET json GET json", "GET json"};

		fake_clear(&manager);
		fake_active(&manager, X, A);
		fake_set(&manager, X, "stop", "pending");
		change_at("StopUnit", 0, "SubState", k < 2 ? "final-sigterm" : "stop-sigterm");
		/* the last question of the third look, two of which are before the stop */
		fake_on(&manager,
			(struct fake_event){"Get " X " InvocationID", .after = 5, .what = END, .value = "done"});
		record(&f, BACKEND_PODMAN, "own " A);
		assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman")), does[k]);
	}
	fake_stop(&f);
}

static void failures_are_told(void **state)
{
	START(f, VOLUMES, UNPAUSED, VOLUMES);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " A);
	fake_set(&manager, X, "stop", "canceled");
	assert_string_equal(SLEEP(EXIT_REFUSED, UNIT_OPTIONS(f, "docker")), "GET json POST unpause");
	assert_non_null(strstr(p.failed, "the stop of the unit 'x.service' ended as 'canceled'"));
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own " A);
	/* Each look may fail; that is no end of the system. */
	fake_on(&manager, (struct fake_event){EVERY_LOOK, .what = FAIL, .value = "a.b"});
	assert_string_equal(SLEEP(EXIT_UNAVAILABLE, UNIT_OPTIONS(f, "docker")), "");
	assert_non_null(strstr(p.failed, "does not tell ExecMainStatus"));
	fake_on(&manager, (struct fake_event){EVERY_LOOK, .after = 1, .what = FAIL, .value = "a.b"});
	assert_string_equal(SLEEP(EXIT_UNAVAILABLE, UNIT_OPTIONS(f, "docker")), "GET json");
	/* Somebody who waits has to hear of a stop. */
	fake_set(&manager, "t.service", "Job", "3");
	fake_set(&manager, "job/3", "JobType", "stop");
	fake_on(&manager, (struct fake_event){EVERY_LOOK, .what = FAIL, .value = "a.b"});
	assert_string_equal(SLEEP(EXIT_UNAVAILABLE, UNIT_OPTIONS(f, "docker")), "");
	fake_stop(&f);
}

/* --- what was started for others */

static void write_needed(const char *service, const char *invocation)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.needed", directory, service);
	file = fopen(path, "we");
	fputs(invocation, file);
	fclose(file);
}

static bool is_needed(const char *service)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s.needed", directory, service);
	return access(path, F_OK) == 0;
}

#define LIST                                                                                                           \
	reply("200", "[{\"Id\":\"" ID "\",\"Names\":[\"other\"],\"State\":\"running\",\"Labels\":{}},"                 \
		     "{\"Id\":\"" ID "\",\"Names\":[\"db\"],\"State\":\"running\","                                    \
		     "\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"db.service\"}}]")

#define STOP_OF(unit) "Subscribe\nStopUnit " unit " replace\nResetFailedUnit " unit "\n"

static void what_was_started_for_it_is_stopped(void **state)
{
	START(f, VOLUMES, SAY(LIST));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_PODMAN, "own " A);
	record_container = "db";
	record(&f, BACKEND_PODMAN, "found " B);
	fake_active(&manager, "db.service", B);
	write_needed("db.service", B);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman")), "GET json GET json?all=true");
	assert_string_equal(fake_calls(&manager), STOPS STOP_OF("db.service"));
	assert_non_null(strstr(p.text, "the unit 'db.service', which was started for others, was stopped, too"));
	assert_false(is_needed("db.service"));
	assert_string_equal(recorded(&f, BACKEND_PODMAN), ""); /* its next run is another one */
	record_container = "x";
	fake_stop(&f);
}

/* One after the other, with db.service that a wake has brought up: what becomes of it. */
static void what_is_not_stopped(void **state)
{
	static const struct {
		const char *written, *unit, *name, *value; /* a property */
		const char *calls;
		bool stays_written;
	} cases[] = {
		{B, "db.service", "NRestarts", "0", STOP_OF("db.service"), false},
		{"", "db.service", "NRestarts", "0", STOP_OF("db.service"), false},
		/* somebody has restarted it, and it is theirs; systemd is nobody */
		{A, "db.service", "NRestarts", "0", "", false},
		{A, "db.service", "NRestarts", "1", STOP_OF("db.service"), false},
		/* it does not run any more */
		{B, "db.service", "ActiveState", "inactive", "", false},
		{B, "db.service", "ActiveState", "failed", "", false},
		{B, "db.service", "SubState", "exited", "", false},
		/* somebody needs it */
		{B, "db.service", "RequiredBy", "run.service", "", true},
		{B, "db.service", "RequisiteOf", "run.service", "", true},
		{B, "db.service", "BoundBy", "run.service", "", true},
		{B, "db.service", "WantedBy", "run.service", "", true},
		{B, "db.service", "UpheldBy", "run.service", "", true},
		{B, "db.service", "WantedBy", "down.service db.service x.service", STOP_OF("db.service"), false},
		{B, "db.service", "WantedBy", "soon.service", "", true},
	};
	START(f, SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST),
	      SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST));
	struct program p;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		fake_clear(&manager);
		fake_active(&manager, "db.service", B);
		fake_active(&manager, "run.service", B);
		fake_set(&manager, "soon.service", "Job", "2");
		fake_set(&manager, X, "ActiveState", "inactive");
		fake_set(&manager, cases[k].unit, cases[k].name, cases[k].value);
		write_needed("db.service", cases[k].written);
		(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
		if (strcmp(fake_calls(&manager), cases[k].calls) != 0)
			fail_msg("%zu: %s", k, manager.table->calls);
		assert_int_equal(is_needed("db.service"), cases[k].stays_written);
	}
	fake_stop(&f);
}

/* What runs no container is not stopped, but for Quadlet's pods; nor what another instance uses. */
static void containers_decide(void **state)
{
	START(f, SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(LIST), SAY(WILL_NOT), SAY(LIST));
	struct options o = {.name = "t", .container = "db", .backend = BACKEND_PODMAN, .scope = SCOPE_USER};
	_cleanup_close_ int lock = -1;
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	fake_active(&manager, "server.service", B);
	fake_active(&manager, "pod.service", B);
	fake_active(&manager, "db.service", B);
	fake_set(&manager, "pod.service", "SourcePath", "/q/pod.pod");
	write_needed("server.service", B);
	write_needed("pod.service", B);
	write_needed("db.service", B);
	write_needed("not-a-service", B);
	write_needed(".service", B);
	assert_int_equal(lock_path(&o, f.socket, path, &err), 0);
	assert_int_equal(lock_shared(path, UINT64_MAX, &lock, &err), 0);
	(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
	assert_string_equal(fake_calls(&manager), STOP_OF("pod.service"));
	assert_true(is_needed("server.service"));
	assert_true(is_needed("db.service"));
	assert_true(is_needed("not-a-service"));
	assert_true(is_needed(".service"));
	close_fd(&lock);
	/* One that fails does not keep the others; it is told. */
	fake_set(&manager, "db.service", "stop", "timeout");
	(void)SLEEP(EXIT_REFUSED, UNIT_OPTIONS(f, "podman"));
	assert_non_null(strstr(p.failed, "the stop of the unit 'db.service' ended as 'timeout'"));
	(void)fake_calls(&manager);
	fake_active(&manager, "pod.service", B);
	write_needed("pod.service", B);
	fake_set(&manager, "pod.service", "stop", "failed");
	fake_set(&manager, "db.service", "stop", "timeout");
	assert_non_null(SLEEP(EXIT_REFUSED, UNIT_OPTIONS(f, "podman")));
	assert_non_null(strstr(p.failed, "the stop of the unit '"));
	assert_non_null(strstr(fake_calls(&manager), "StopUnit db.service"));
	assert_true(is_needed("db.service"));
	assert_true(is_needed("pod.service"));
	/* In a circle: each needs the other, and a third, which stays, needs one of them. */
	fake_set(&manager, "pod.service", "stop", "done");
	fake_set(&manager, "db.service", "stop", "done");
	fake_set(&manager, "pod.service", "RequiredBy", "db.service");
	fake_set(&manager, "db.service", "RequiredBy", "pod.service");
	fake_set(&manager, "db.service", "WantedBy", "server.service");
	(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
	assert_string_equal(fake_calls(&manager), "");
	fake_set(&manager, "db.service", "WantedBy", "");
	(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
	assert_non_null(strstr(manager.table->calls + manager.told, "StopUnit pod.service"));
	assert_non_null(strstr(fake_calls(&manager), "StopUnit db.service"));
	/* An engine that does not tell who runs what leaves everything up, which is no failure. */
	fake_active(&manager, "db.service", B);
	write_needed("db.service", B);
	(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
	assert_non_null(strstr(p.text, "what was started for 'x.service' stays up: "));
	assert_string_equal(fake_calls(&manager), "");
	/* … nor a lock that cannot be had. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)SLEEP(0, UNIT_OPTIONS(f, "podman"));
	assert_non_null(strstr(p.text, "what was started for 'x.service' stays up: cannot open the lock"));
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* While its unit is only paused, what that needs runs on. */
static void a_paused_one_needs_what_it_needs(void **state)
{
	START(f, VOLUMES, SAY(NO_CONTENT));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_PODMAN, "own " A);
	fake_active(&manager, "db.service", B);
	write_needed("db.service", B);
	assert_string_equal(SLEEP(0, UNIT_OPTIONS(f, "podman"), "--idle-action", "pause"), "GET json POST pause");
	assert_string_equal(fake_calls(&manager), "");
	assert_true(is_needed("db.service"));
	fake_stop(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(a_unit_is_stopped),
		UNIT_TEST(its_volumes_are_remembered),
		UNIT_TEST(or_its_container_is_paused),
		UNIT_TEST(a_strange_unit_stays_up),
		UNIT_TEST(a_container_of_somebody_else_goes_on),
		UNIT_TEST(nor_is_it_stopped_while_a_stop_hangs),
		UNIT_TEST(what_is_paused_is_what_was_seen),
		UNIT_TEST(what_somebody_needs_stays_up),
		UNIT_TEST(whose_run_it_is),
		UNIT_TEST(another_run_is_served),
		UNIT_TEST(a_job_of_others_is_waited_for),
		UNIT_TEST(the_container_of_a_unit_without_a_file_is_stopped_before),
		UNIT_TEST(a_stop_that_hangs_is_helped),
		UNIT_TEST(failures_are_told),
		UNIT_TEST(what_was_started_for_it_is_stopped),
		UNIT_TEST(what_is_not_stopped),
		UNIT_TEST(containers_decide),
		UNIT_TEST(a_paused_one_needs_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
