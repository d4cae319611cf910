/* A wake of a container that a unit runs. Engine and service manager are fakes, the test is the keeper. */
#include <sys/stat.h>

#include "backends/volumes.h"
#include "tests/unit/activator_unit_fixture.h"
#include "units/paths.h"

static void a_unit_is_started(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.failed, "");
	assert_string_equal(p.text, "");
	assert_string_equal(requests(&f), "GET json GET json GET json"); /* the last one: its volumes */
	assert_string_equal(fake_calls(&manager), STARTS);
	assert_int_equal(p.starting, 1);
	assert_string_equal(p.awaited, "the unit 'x.service' has not started");
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own 00000000000000000000000000000001");
	assert_int_equal(p.stats->flags, 0);
	assert_int_equal(p.stats->container_pid, container_process());
	assert_true(p.stats->t_started > 0 && p.stats->t_started <= p.stats->t_inspected);
	program_release(&p);
	fake_stop(&f);
}

/* Each look at the unit, each call of the manager, and what is waited for. */
static void the_debug_level_tells_each_step(void **state)
{
	static const char *const steps[] = {"the unit 'x.service' is inactive\n",
					    "service manager: Subscribe: done after ",
					    "service manager: StartUnit x.service: done after ",
					    "service manager: the job of x.service ended as 'done'\n",
					    "' is running, its PID ",
					    NULL};
	START(f, SAY(running()), SAY(running()), SAY(running()));
	const char *rest;
	struct program p;

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	setenv("SOCKWAKE_LOG", "debug", 1);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
	unsetenv("SOCKWAKE_LOG");
	rest = p.text;
	for (const char *const *step = steps; *step; step++) {
		rest = strstr(rest, *step);
		if (!rest)
			fail_msg("no '%s', or not in this order, in\n%s", *step, p.text);
	}
	program_release(&p);
	fake_stop(&f);
}

static unsigned wakes;

static void seed_wakes(struct stats *s)
{
	s->wakes = wakes;
}

static void its_volumes_are_remembered_once(void **state)
{
	(void)state;
	program_seed = seed_wakes;
	for (wakes = 1; wakes <= 2; wakes++) {
		START(f, SAY(running()), SAY(running()), SAY(running()));
		struct program p;

		fake_set(&manager, X, "ActiveState", "inactive");
		assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
		assert_string_equal(requests(&f), wakes == 1 ? "GET json GET json GET json" : "GET json GET json");
		program_release(&p);
		fake_stop(&f);
	}
	program_seed = NULL;
}

/* Should the activator be killed meanwhile. */
static void a_start_is_written_down_before_it_is_asked_for(void **state)
{
	START(f, SAY(running()));
	struct program p;

	(void)state;
	fake_set(&manager, X, "start", "pending");
	program_start_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker")));
	while (!strstr(manager.table->calls, "StartUnit"))
		usleep(1000);
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own starting");
	kill(p.pid, SIGKILL);
	assert_int_equal(program_finish(&p), -SIGKILL);
	program_release(&p);
	fake_stop(&f);
}

#define THREE SAY(running()), SAY(running()), SAY(running())

static void whose_run_it_is(void **state)
{
	START(f, THREE, THREE, THREE, THREE, THREE);
	static const struct {
		const char *before, *after, *restarts;
		unsigned flags;
	} cases[] = {
		{"", "found " A, "0", STATS_FOUND_RUNNING},	    {"own " A, "own " A, "0", 0},
		{"own " B, "found " A, "0", STATS_FOUND_RUNNING},   {"own " B, "own " A, "1", 0},
		{"found " B, "found " A, "1", STATS_FOUND_RUNNING},
	};
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		record(&f, BACKEND_DOCKER, cases[k].before);
		fake_set(&manager, X, "NRestarts", cases[k].restarts);
		assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
		assert_string_equal(recorded(&f, BACKEND_DOCKER), cases[k].after);
		assert_int_equal(p.stats->flags, cases[k].flags);
		assert_int_equal(p.starting, 0);
		program_release(&p);
	}
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* A paused container's unit is active; one that its unit removed cannot be unpaused. */
static void a_paused_container_is_unpaused_first(void **state)
{
	START(f, SAY(NO_CONTENT), THREE, /* */
	      SAY(NOT_PAUSED), THREE,	 /* */
	      SAY(NO_SUCH), THREE, SAY(WILL_NOT));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"),
			    "POST unpause GET json GET json GET json");
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own " A);
	record(&f, BACKEND_DOCKER, "");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"),
			    "POST unpause GET json GET json GET json");
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "found " A);
	assert_string_equal(fake_calls(&manager), "");
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"),
			    "POST unpause GET json GET json GET json");
	assert_string_equal(fake_calls(&manager), STARTS);
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker"), "--idle-action", "pause"), "will not");
	assert_string_equal(requests(&f), "POST unpause");
	fake_stop(&f);
}

/* That a job is done says little about units of Type=simple. */
static void a_container_that_comes_later(void **state)
{
	START(f, SAY(NO_SUCH), SAY(EXITED), SAY(reply("500", "{}")), SAY(inspection("running", 1, STARTED, "")),
	      SAY(running()), SAY(inspection("running", container_process(), "2027", "")), SAY(running()),
	      SAY(running()), SAY(running()), /* */
	      SAY(PAUSED), SAY(NOT_PAUSED), SAY(PAUSED), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(running()));
	struct program p;

	(void)state;
	change_at("Get " X " ActiveState", 5, "ActiveState", "active");
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f),
			    "GET json GET json GET json GET json GET json GET json GET json GET json GET json");
	assert_string_equal(p.awaited,
			    "the unit 'x.service' runs, but no container 'x' does: it may have another name");
	program_release(&p);
	/* Somebody pauses it meanwhile. */
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")),
			    "GET json POST unpause GET json POST unpause GET json GET json GET json");
	fake_stop(&f);
}

static void a_unit_that_is_up_without_its_container(void **state)
{
	static struct exchange script[400];
	struct fake_engine f;
	uint64_t began;

	(void)state;
	for (size_t k = 0; k < sizeof(script) / sizeof(*script); k++)
		script[k] = (struct exchange)SAY(EXITED);
	fake_start(&f, script, sizeof(script) / sizeof(*script));
	fake_active(&manager, X, A);
	began = now_usec();
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--startup-timeout", "300ms"),
		       "the unit 'x.service' runs, but no container 'x' did in time: it may have another name");
	assert_in_range(msec_since(began), 300, 5000);
	assert_true(f.seen->requests <= 5); /* Podman is not asked often */
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker"), "--startup-timeout", "300ms"), "did in time");
	fake_stop(&f);
}

/* Seen twice in more than a second. */
#define FOR_GOOD(text)                                                                                                 \
	SAY(text),                                                                                                     \
	{                                                                                                              \
		.reply = (text), .pause = 1100                                                                         \
	}

static void a_container_that_ended_alone_is_started(void **state)
{
	const char *ended = member("exited", 0, X, "no"), *created = member("created", 0, X, "no");
	const char *runs = member("running", container_process(), X, "no");
	START(f, FOR_GOOD(ended), SAY(NO_CONTENT), SAY(runs), SAY(runs), SAY(runs), /* */
	      FOR_GOOD(created), SAY(WILL_NOT),					    /* */
	      FOR_GOOD(ended), SAY(NO_CONTENT), FOR_GOOD(ended), FOR_GOOD(ended), SAY(CONFLICT), THREE);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	tell_steps();
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")),
			    "GET json GET json POST start GET json GET json GET json");
	unsetenv("SOCKWAKE_LOG");
	assert_step(&p, "the container 'x' is exited, and its unit runs: starts it\n");
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "found " A);
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "will not");
	assert_string_equal(requests(&f), "GET json GET json POST start");
	/* Once is enough. */
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "the container 'x' ended with status 7");
	assert_string_equal(requests(&f), "GET json GET json POST start GET json GET json");
	/* Somebody else has been faster. */
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")),
			    "GET json GET json POST start GET json GET json GET json");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* That would hide its failure; its engine may restart it. */
static void one_that_fails_at_once_is_not_started_again(void **state)
{
	const char *ended = member("exited", 0, X, "no"), *restarts = member("exited", 0, X, "always");
	START(f, FOR_GOOD(ended), FOR_GOOD(restarts), THREE);
	struct program p;

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "'docker logs x' may say why");
	assert_string_equal(requests(&f), "GET json GET json");
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json GET json GET json");
	fake_stop(&f);
}

static void a_container_of_somebody_else_is_refused(void **state)
{
	const char *alias = member("running", container_process(), "alias.service", "no");
	START(f, SAY(running()), SAY(member("running", container_process(), "other.service", "no")), /* */
	      SAY(alias), SAY(alias), SAY(alias),						     /* */
	      THREE);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	fake_active(&manager, "alias.service", A);
	fake_active(&manager, "other.service", B);
	fake_set(&manager, X, "SourcePath", "/x.kube");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "is not the one of the unit 'x.service'");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "then 'systemctl --user restart x.service'");
	assert_string_equal(requests(&f), "GET json GET json");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json");
	/* Others do not label theirs. */
	fake_set(&manager, X, "SourcePath", "/x.pod");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json");
	fake_stop(&f);
}

/* Where the unit's monitor tells which container it is, only that one is unpaused, by its identifier. */
static void one_that_is_paused_must_be_the_units(void **state)
{
	const char *own = member("paused", container_process(), X, "no");
	const char *runs = member("running", container_process(), X, "no");
	START(f, SAY(own), SAY(NO_CONTENT), SAY(runs), SAY(runs), SAY(runs));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	fake_set(&manager, X, "SourcePath", "/x.container");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "podman"), "--idle-action", "pause"),
			    "GET json POST unpause GET json GET json GET json");
	assert_string_equal(recorded(&f, BACKEND_PODMAN), "own " A);
	assert_non_null(strstr(f.seen->text, "/containers/" ID "/unpause"));
	fake_stop(&f);
}

static void another_one_stays_paused(void **state)
{
	START(f, SAY(PAUSED));

	(void)state;
	fake_active(&manager, X, A);
	fake_set(&manager, X, "SourcePath", "/x.container");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--idle-action", "pause"),
		       "is not the one of the unit 'x.service'");
	assert_string_equal(requests(&f), "GET json");
	fake_stop(&f);
}

/* Its unit runs on: nobody waits the whole time for what only a restart brings back. */
static void a_container_that_somebody_removed(void **state)
{
	const struct exchange missing = SAY(NO_SUCH);
	static struct exchange script[60];
	struct fake_engine f;
	uint64_t began = now_usec();

	(void)state;
	for (size_t k = 0; k < sizeof(script) / sizeof(*script); k++)
		script[k] = missing;
	fake_start(&f, script, sizeof(script) / sizeof(*script));
	fake_active(&manager, X, A);
	fake_set(&manager, X, "SourcePath", "/x.kube");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--startup-timeout", "20s"),
		       "if somebody has removed that, 'systemctl --user restart x.service' makes it anew");
	assert_in_range(msec_since(began), 1000, 5000);
	/* One that was started just now, or that no unit labels, may come later. */
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--startup-timeout", "1200ms"), "it may have another name");
	fake_set(&manager, X, "SourcePath", "");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--startup-timeout", "1200ms"), "it may have another name");
	fake_stop(&f);
}

/* The unit that has failed is named, not those that were given up because of it. */
static void what_it_needs_has_failed(void **state)
{
	START(f, SAY(EXITED));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "start", "dependency");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "the start of the unit 'x.service' ended as 'dependency'");
	fake_set(&manager, X, "Requires", "some.target mid.service " X);
	fake_set(&manager, X, "BindsTo", "late.service");
	fake_set(&manager, "some.target", "ActiveState", "active");
	fake_set(&manager, "some.target", "Requires", "other.service");
	fake_set(&manager, "other.service", "ActiveState", "failed");
	fake_set(&manager, "late.service", "ActiveState", "activating");
	fake_set(&manager, "mid.service", "ActiveState", "inactive");
	fake_set(&manager, "mid.service", "Requires", "broken.service mid.service");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "the start of the unit 'x.service' ended as 'dependency'");
	fake_set(&manager, "broken.service", "ActiveState", "failed");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")),
		       "the unit 'x.service' did not start, because 'broken.service', which it needs, has failed: "
		       "'journalctl --user -u broken.service' may say why");
	/* systemd starts a pod's unit again at once */
	fake_set(&manager, "late.service", "SubState", "auto-restart");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "because 'late.service', which it needs, has failed");
	fake_stop(&f);
}

/* The time ends while the engine, which has answered before, is asked again. */
static void a_request_that_outlasts_the_time(void **state)
{
	START(f, SAY(EXITED), {.after = STALL});

	(void)state;
	fake_active(&manager, X, A);
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker"), "--startup-timeout", "500ms"),
		       "did in time: it may have another name");
	fake_stop(&f);
}

static void what_fails(void **state)
{
	START(f, SAY(NONSENSE), SAY(PAUSED), SAY(WILL_NOT), SAY(running()), SAY(NONSENSE));
	char longer[PATH_MAX];

	(void)state;
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	fake_set(&manager, X, "ActiveState", "inactive");
	/* the job */
	fake_set(&manager, X, "start", "timeout");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "the start of the unit 'x.service' ended as 'timeout'");
	fake_set(&manager, X, "start", "pending");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker"), "--startup-timeout", "50ms"), "did not get there in time");
	fake_set(&manager, X, "start", "done");
	fake_on(&manager,
		(struct fake_event){"StartUnit", .what = FAIL, .value = "org.freedesktop.systemd1.NoSuchUnit"});
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "there is no unit 'x.service'");
	fake_on(&manager, (struct fake_event){"Get " X " SubState", .what = FAIL, .value = "a.b"});
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "does not tell SubState of 'x.service'");
	/* the run */
	fake_on(&manager,
		(struct fake_event){"StartUnit", .what = SET, .unit = X, .name = "Result", .value = "signal"});
	change_at("Get " X " ActiveState", 2, "ActiveState", "failed");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")),
		       "the unit 'x.service' does not run (failed, result 'signal')");
	fake_clear(&manager);
	fake_active(&manager, X, A);
	fake_on(&manager, (struct fake_event){EVERY_LOOK, .after = 1, .what = FAIL, .value = "a.b"});
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "does not tell ExecMainStatus");
	assert_string_equal(requests(&f), "");
	setenv("XDG_RUNTIME_DIR", longer, 1);
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "is too long");
	setenv("XDG_RUNTIME_DIR", manager.directory, 1);
	/* the engine */
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "is not what Docker's API promises");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "will not");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "is not what Docker's API promises");
	assert_string_equal(requests(&f), "GET json GET json POST unpause GET json GET json");
	fake_stop(&f);
}

static void one_that_is_starting_is_waited_for(void **state)
{
	START(f, SAY(NO_SUCH), SAY(running()), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	change_at("Get " X " ActiveState", 2, "ActiveState", "activating");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json GET json");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* It is being restarted, or its container replaced. */
static void one_that_was_up_and_ends_is_started(void **state)
{
	START(f, SAY(NO_SUCH), THREE);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	change_at("Get " X " ActiveState", 4, "ActiveState", "inactive");
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json GET json");
	assert_string_equal(fake_calls(&manager), STARTS);
	assert_string_equal(recorded(&f, BACKEND_DOCKER), "own 00000000000000000000000000000001");
	fake_stop(&f);
}

/* Its process and the engine's word are not enough where the engine's own check is waited for. */
static void podmans_monitor_is_no_container(void **state)
{
	START(f, SAY(NO_SUCH), THREE, SAY(NO_SUCH));
	struct program p;
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", getppid());
	fake_active(&manager, X, A);
	fake_set(&manager, X, "MainPID", pid);
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "podman")), "GET json GET json GET json GET json");
	fake_stop(&f);
}

static const char *needed(const char *service)
{
	static char text[64];
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.needed", directory, service);
	file = fopen(path, "re");
	if (!file)
		return "none";
	text[0] = '\0';
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return text;
}

/* What the start brings up besides, and what that does, is written down with its invocation. */
static void what_a_unit_needs_is_written_down(void **state)
{
	static const char *const up[] = {"db.service", "net.service", "pod.service", "far.service"};
	START(f, THREE);
	struct program p;

	(void)state;
	fake_set(&manager, X, "Requires", "db.service some.target " X);
	fake_set(&manager, X, "BindsTo", "pod.service db.service");
	fake_set(&manager, X, "Wants", "net.service runs.service job.service .service");
	fake_set(&manager, "db.service", "Requires", "far.service pod.service");
	fake_set(&manager, "net.service", "ActiveState", "failed");
	fake_set(&manager, "job.service", "ActiveState", "activating");
	fake_active(&manager, "runs.service", B);
	for (size_t k = 0; k < sizeof(up) / sizeof(*up); k++) {
		struct fake_event e = {"StartUnit", .what = SET, .name = "InvocationID", .value = A};

		strcpy(e.unit, up[k]);
		fake_on(&manager, e);
	}
	/* One that cannot be asked about afterwards is written down without. */
	fake_on(&manager, (struct fake_event){"Get pod.service InvocationID", .what = FAIL, .value = "a.b"});
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json");
	assert_string_equal(needed("db.service"), A);
	assert_string_equal(needed("net.service"), A);
	assert_string_equal(needed("far.service"), A);
	assert_string_equal(needed("pod.service"), "");
	assert_string_equal(needed("runs.service"), "none");
	assert_string_equal(needed("job.service"), "none");
	assert_string_equal(needed(X), "none");
	assert_string_equal(needed("some.target"), "none");
	assert_string_equal(needed(".service"), "none");
	fake_stop(&f);
}

/* As long as the names of units may be, and as many as are looked after. */
static void needs_have_bounds(void **state)
{
	START(f, THREE);
	char list[160] = "", command[256];
	struct program p;
	FILE *counted;
	int n = 0;

	(void)state;
	for (unsigned k = 0; k < 13; k++)
		sprintf(list + strlen(list), "a%u.service ", k);
	fake_set(&manager, X, "Requires", list);
	/* The first four again: they count once. */
	for (char *c = list + 4 * strlen("a0.service "); *c; c++)
		*c = *c == 'a' ? 'b' : *c;
	fake_set(&manager, X, "BindsTo", list);
	for (char *c = list; *c; c++)
		*c = *c == 'a' || *c == 'b' ? 'c' : *c;
	fake_set(&manager, X, "Wants", list);
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json");
	snprintf(command, sizeof(command), "ls %s | grep -c '[.]needed$'", directory);
	counted = popen(command, "r");
	assert_int_equal(fscanf(counted, "%d", &n), 1);
	pclose(counted);
	assert_int_equal(n, 32);
	fake_stop(&f);
}

/* What takes long is told, and Podman is asked to look at the container's health. */
static void a_start_that_goes_on(void **state)
{
	static const char healthy[] = "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"]}";
	START(f, SAY(inspection("running", container_process(), STARTED, healthy)),
	      SAY(reply("200", "{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":0}]}")), THREE, /* */
	      SAY(EXITED), THREE, THREE);
	struct fake_event began = {"GetBefore", .what = SET, .unit = "job/7", .name = "State", .value = "running"};
	struct program p;

	(void)state;
	/* It waits for another one; what helps is told where that is known. */
	fake_set(&manager, X, "start", "pending");
	fake_set(&manager, X, "Job", "7");
	fake_set(&manager, "job/7", "State", "waiting");
	fake_set(&manager, "job/7", "Before", "network-online.target:running");
	fake_on(&manager, (struct fake_event){"GetBefore", .what = END, .value = "failed"});
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_string_equal(p.awaited, "the unit 'x.service' waits for the start of 'network-online.target'");
	assert_non_null(strstr(p.hint, "'DefaultDependencies=false'"));
	program_release(&p);
	assert_string_equal(requests(&f), "");
	/* Podman's health check */
	fake_clear(&manager);
	fake_set(&manager, X, "start", "pending");
	fake_on(&manager, (struct fake_event){"Get " X " Job", .after = 1, .what = END, .value = "done"});
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "podman"))), 0);
	assert_string_equal(requests(&f), "GET json GET healthcheck GET json GET json GET json");
	assert_string_equal(p.awaited,
			    "the health check of 'x' has not succeeded, which the unit 'x.service' waits for");
	program_release(&p);
	/* a container that is not there yet */
	fake_clear(&manager);
	fake_set(&manager, X, "start", "pending");
	fake_on(&manager, (struct fake_event){"Get " X " Job", .after = 1, .what = END, .value = "done"});
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "podman"))), 0);
	assert_string_equal(requests(&f), "GET json GET json GET json GET json");
	assert_string_equal(p.awaited, "the unit 'x.service' has not started");
	program_release(&p);
	/* what it has waited for is there */
	fake_clear(&manager);
	fake_set(&manager, X, "start", "pending");
	fake_set(&manager, X, "Job", "7");
	fake_set(&manager, "job/7", "State", "waiting");
	fake_set(&manager, "job/7", "Before", "y.service:running");
	fake_on(&manager, began);
	fake_on(&manager, (struct fake_event){"Get " X " Job", .after = 2, .what = END, .value = "done"});
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.awaited, "the unit 'x.service' has not started");
	program_release(&p);
	fake_stop(&f);
}

static void what_others_wait_for_is_told(void **state)
{
	START(f, THREE);
	struct program p;

	(void)state;
	fake_set(&manager, X, "start", "pending");
	fake_set(&manager, X, "Job", "7");
	fake_set(&manager, "job/7", "State", "waiting");
	fake_set(&manager, "job/7", "Before", "y.service:running");
	fake_on(&manager, (struct fake_event){"GetBefore", .what = END, .value = "done"});
	assert_int_equal(program_run_kept(&p, ARGUMENTS(UNIT_OPTIONS(f, "docker"))), 0);
	assert_string_equal(p.awaited, "the unit 'x.service' waits for the start of 'y.service'");
	assert_string_equal(p.hint, "");
	program_release(&p);
	fake_stop(&f);
}

/* Volumes that went away: a unit that runs has accepted what it has. */
static void volumes_of_a_unit(void **state)
{
	START(f, THREE);
	_cleanup_volumes_ struct volumes v = {};
	char path[PATH_MAX], data[128];
	struct program p;
	struct error err;

	(void)state;
	snprintf(data, sizeof(data), "%s/_data", directory);
	assert_int_equal(mkdir(data, 0700), 0);
	assert_int_equal(volumes_add(&v, "pgd", data, &err), 0);
	assert_int_equal(volumes_path(SCOPE_USER, BACKEND_DOCKER, f.socket, "x", path, &err), 0);
	assert_int_equal(volumes_write(path, &v, &err), 0);
	assert_int_equal(rmdir(data), 0);
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "the volume 'pgd' of the container 'x' was removed");
	assert_string_equal(fake_calls(&manager), "");
	fake_active(&manager, X, A);
	assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "docker")), "GET json GET json GET json");
	fake_on(&manager, (struct fake_event){"Get " X " Result", .what = FAIL, .value = "a.b"});
	assert_int_equal(volumes_write(path, &v, &err), 0);
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "docker")), "'pgd'");
	fake_stop(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(a_unit_is_started),
		UNIT_TEST(the_debug_level_tells_each_step),
		UNIT_TEST(its_volumes_are_remembered_once),
		UNIT_TEST(a_start_is_written_down_before_it_is_asked_for),
		UNIT_TEST(whose_run_it_is),
		UNIT_TEST(a_paused_container_is_unpaused_first),
		UNIT_TEST(a_container_that_comes_later),
		UNIT_TEST(a_unit_that_is_up_without_its_container),
		UNIT_TEST(a_container_that_ended_alone_is_started),
		UNIT_TEST(one_that_fails_at_once_is_not_started_again),
		UNIT_TEST(a_container_of_somebody_else_is_refused),
		UNIT_TEST(a_container_that_somebody_removed),
		UNIT_TEST(one_that_is_paused_must_be_the_units),
		UNIT_TEST(another_one_stays_paused),
		UNIT_TEST(what_it_needs_has_failed),
		UNIT_TEST(a_request_that_outlasts_the_time),
		UNIT_TEST(what_fails),
		UNIT_TEST(one_that_is_starting_is_waited_for),
		UNIT_TEST(one_that_was_up_and_ends_is_started),
		UNIT_TEST(podmans_monitor_is_no_container),
		UNIT_TEST(what_a_unit_needs_is_written_down),
		UNIT_TEST(needs_have_bounds),
		UNIT_TEST(a_start_that_goes_on),
		UNIT_TEST(what_others_wait_for_is_told),
		UNIT_TEST(volumes_of_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
