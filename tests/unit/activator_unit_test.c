/* A unit as its service manager sees it. The manager is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>

#include "activator/unit.h"
#include "common/clock.h"
#include "tests/unit/fake_manager.h"

#define X "x.service"
#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static struct fake_manager manager;
static struct unit *u;

static int setup(void **state)
{
	struct error err;

	(void)state;
	fake_manager_start(&manager);
	return unit_open(SCOPE_USER, X, &u, &err);
}

static int teardown(void **state)
{
	(void)state;
	unit_close(&u);
	fake_manager_stop(&manager);
	return 0;
}

static uint64_t soon(void)
{
	return now_usec() + 20 * USEC_PER_SEC;
}

static void what_is_seen(void **state)
{
	static const char *const set[][2] = {
		{"SubState", "auto-restart-queued"},
		{"Result", "exit-code"},
		{"MainPID", "77"},
		{"NRestarts", "3"},
		{"Job", "12"},
		{"ExecMainCode", "1"},
		{"ExecMainStatus", "9"},
	};
	struct unit_view v;
	struct error err;

	(void)state;
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_string_equal(v.active, "inactive");
	assert_string_equal(v.sub, "dead");
	assert_string_equal(v.invocation, "");
	assert_int_equal(v.job, 0);
	assert_false(unit_is_active(&v));
	assert_false(unit_is_restarting(&v));
	fake_active(&manager, X, A);
	for (size_t k = 0; k < sizeof(set) / sizeof(*set); k++)
		fake_set(&manager, X, set[k][0], set[k][1]);
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_string_equal(v.active, "active");
	assert_string_equal(v.sub, "auto-restart-queued");
	assert_string_equal(v.result, "exit-code");
	assert_string_equal(v.invocation, A);
	assert_int_equal(v.main_pid, 77);
	assert_int_equal(v.restarts, 3);
	assert_int_equal(v.job, 12);
	assert_int_equal(v.main_code, 1);
	assert_int_equal(v.main_status, 9);
	assert_true(unit_is_active(&v));
	assert_true(unit_is_restarting(&v));
	fake_set(&manager, X, "ActiveState", "reloading");
	fake_set(&manager, X, "SubState", "auto");
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_true(unit_is_active(&v));
	assert_false(unit_is_restarting(&v));
	assert_int_equal(unit_look_at(u, "other.service", &v, &err), 0);
	assert_string_equal(v.active, "inactive");
	/* more bytes than an invocation has */
	fake_set(&manager, X, "InvocationID", A B);
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_string_equal(v.invocation, A);
}

#define N_QUESTIONS 11 /* of one look: nine, and two once more */

/* The state of before and the invocation of after would look like somebody else's run. */
static void what_is_seen_is_of_one_moment(void **state)
{
	struct unit_view v;
	struct error err;

	(void)state;
	fake_active(&manager, X, A);
	fake_on(&manager,
		(struct fake_event){"Get " X " SubState", .what = SET, .unit = X, .name = "InvocationID", .value = B});
	fake_on(&manager, (struct fake_event){"Get " X " Result", .after = 1, .what = SET, .unit = X,
					      .name = "ActiveState", .value = "failed"});
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_string_equal(v.invocation, B);
	assert_string_equal(v.active, "failed");
	assert_int_equal(manager.table->n_calls, 3 * N_QUESTIONS);
	/* One that never rests is seen as it is. */
	manager.table->n_calls = 0;
	for (unsigned k = 0; k < 10; k++) {
		struct fake_event e = {"Get " X " MainPID", .after = k, .what = SET, .unit = X, .name = "ActiveState"};

		strcpy(e.value, k % 2 ? "failed" : "active");
		fake_on(&manager, e);
	}
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_int_equal(manager.table->n_calls, 10 * N_QUESTIONS);
}

static void questions_that_fail(void **state)
{
	static const char *const asked[] = {"ActiveState", "ExecMainStatus"};
	struct unit_view v;
	struct error err;
	char state_of[16];

	(void)state;
	for (size_t k = 0; k < sizeof(asked) / sizeof(*asked); k++) {
		struct fake_event e = {.what = FAIL, .value = "org.example.Error"};

		snprintf(e.on, sizeof(e.on), "Get " X " %s", asked[k]);
		fake_on(&manager, e);
		assert_int_equal(unit_look(u, &v, &err), -1);
		assert_int_equal(err.code, ENOTCONN);
		snprintf(state_of, sizeof(state_of), "%.15s", asked[k]);
		assert_non_null(strstr(err.text, "the service manager does not tell "));
		assert_non_null(strstr(err.text, state_of));
		assert_non_null(strstr(err.text, "'x.service': says the test"));
	}
	/* the second time, to compare */
	fake_on(&manager, (struct fake_event){"Get " X " ActiveState", .after = 1, .what = FAIL, .value = "a.b"});
	assert_int_equal(unit_look(u, &v, &err), -1);
	fake_on(&manager, (struct fake_event){"Get " X " InvocationID", .what = GARBLE});
	assert_int_equal(unit_look(u, &v, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	fake_on(&manager, (struct fake_event){"Get y.service ActiveState", .times = 2, .what = FAIL, .value = "a.b"});
	assert_int_equal(unit_look_at(u, "y.service", &v, &err), -1);
	assert_int_equal(unit_state(u, "y.service", state_of, &err), -1);
	assert_int_equal(unit_state(u, "y.service", state_of, &err), 0);
	assert_string_equal(state_of, "inactive");
	assert_int_equal(manager.table->connections, 1);
}

static void a_manager_that_executes_itself_anew_is_asked_again(void **state)
{
	struct unit_view v = {};
	struct error err;

	(void)state;
	fake_active(&manager, X, A);
	fake_on(&manager, (struct fake_event){"Get " X " MainPID", .what = REEXEC});
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_string_equal(v.invocation, A);
	assert_int_equal(manager.table->connections, 2);
	fake_on(&manager, (struct fake_event){"StopUnit", .what = REEXEC});
	assert_int_equal(unit_stop(u, soon(), NULL, &err), 0);
	(void)fake_calls(&manager);
	fake_on(&manager, (struct fake_event){"StopUnit", .what = REEXEC});
	assert_int_equal(unit_stop(u, soon(), NULL, &err), 0);
	assert_string_equal(fake_calls(&manager), "StopUnit x.service replace\nSubscribe\nStopUnit x.service replace\n"
						  "ResetFailedUnit x.service\n");
}

static void starts_and_stops(void **state)
{
	struct unit_view v, before = {};
	struct error err;

	(void)state;
	assert_int_equal(unit_start(u, &before, soon(), NULL, &err), 0);
	assert_string_equal(fake_calls(&manager), "Subscribe\nStartUnit x.service replace\n");
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_true(unit_is_active(&v));
	assert_int_equal(unit_stop(u, USEC_INFINITY, NULL, &err), 0);
	assert_string_equal(fake_calls(&manager), "StopUnit x.service replace\nResetFailedUnit x.service\n");
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_false(unit_is_active(&v));
	assert_int_equal(unit_start_later(u, &err), 0);
	assert_string_equal(fake_calls(&manager), "StartUnit x.service fail\n");
	fake_on(&manager, (struct fake_event){"StartUnit", .what = FAIL, .value = "a.b"});
	assert_int_equal(unit_start_later(u, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	assert_string_equal(err.text, "the service manager does not start 'x.service' again: says the test");
	/* that it is forgotten is no failure */
	fake_on(&manager, (struct fake_event){"ResetFailedUnit", .what = FAIL, .value = "a.b"});
	assert_int_equal(unit_stop(u, USEC_INFINITY, NULL, &err), 0);
}

static void expect_failed_start(const struct unit_view *before, int code, const char *text)
{
	struct error err = {};

	if (unit_start(u, before, soon(), NULL, &err) == 0)
		fail_msg("no '%s' (%s)", text, fake_calls(&manager));
	assert_int_equal(err.code, code);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void starts_that_fail(void **state)
{
	struct unit_view before = {.invocation = A};

	(void)state;
	fake_on(&manager,
		(struct fake_event){"StartUnit", .what = FAIL, .value = "org.freedesktop.systemd1.NoSuchUnit"});
	expect_failed_start(&before, ENOENT, "there is no unit 'x.service': 'systemctl --user list-unit-files' lists");
	fake_on(&manager,
		(struct fake_event){"StartUnit", .what = FAIL, .value = "org.freedesktop.systemd1.UnitMasked"});
	expect_failed_start(&before, ENOTCONN,
			    "the service manager does not do StartUnit of 'x.service': says the test");
	fake_on(&manager, (struct fake_event){"StartUnit", .what = GARBLE});
	expect_failed_start(&before, ENOTCONN, "does not do StartUnit");
	fake_on(&manager, (struct fake_event){"Subscribe", .what = FAIL, .value = "a.b"});
	unit_close(&u);
	assert_int_equal(unit_open(SCOPE_USER, X, &u, &(struct error){}), 0);
	expect_failed_start(&before, ENOTCONN, "does not do StartUnit");
	/* jobs */
	fake_set(&manager, X, "start", "canceled");
	expect_failed_start(
		&before, ECHILD,
		"the start of the unit 'x.service' ended as 'canceled': 'systemctl --user status x.service'");
	fake_set(&manager, X, "start", "failed");
	fake_set(&manager, X, "ActiveState", "failed");
	fake_set(&manager, X, "Result", "exit-code");
	fake_set(&manager, X, "ExecMainStatus", "125");
	fake_set(&manager, X, "InvocationID", B);
	expect_failed_start(&before, ECHILD, "the unit 'x.service' ended with status 125: '");
	fake_set(&manager, X, "ExecMainStatus", "0");
	expect_failed_start(&before, ECHILD, "the unit 'x.service' does not run (failed, result 'exit-code'): '");
	fake_set(&manager, X, "Result", "signal");
	fake_set(&manager, X, "ExecMainStatus", "9");
	expect_failed_start(&before, ECHILD, "does not run (failed, result 'signal')");
	fake_set(&manager, X, "Result", "timeout");
	expect_failed_start(&before, ECHILD, "which took longer than its own TimeoutStartSec=");
	/* the run of before: nothing was begun */
	fake_set(&manager, X, "InvocationID", A);
	expect_failed_start(&before, ECHILD, "systemd starts the unit 'x.service' no more");
	fake_set(&manager, X, "InvocationID", "");
	before.invocation[0] = '\0';
	expect_failed_start(&before, ECHILD, "TimeoutStartSec=");
	fake_on(&manager, (struct fake_event){"Get " X " ActiveState", .what = FAIL, .value = "a.b"});
	expect_failed_start(&before, ECHILD, "the start of the unit 'x.service' ended as 'failed'");
}

/* 125 to 127 are Podman's own: there was no container. */
static void whose_end_it_was(void **state)
{
	static const struct {
		const char *result;
		int status;
		bool of_the_container;
	} ends[] = {{"exit-code", 1, true},    {"exit-code", 124, true}, {"exit-code", 125, false},
		    {"exit-code", 127, false}, {"exit-code", 128, true}, {"exit-code", 0, false},
		    {"success", 0, true},      {"signal", 9, false}};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
		struct unit_view v = {.main_status = ends[k].status};

		strcpy(v.result, ends[k].result);
		unit_runs(u, "c");
		assert_int_equal(unit_failed(u, &v, &err), -1);
		assert_int_equal(strncmp(err.text, "the container 'c' ended", 23) == 0, ends[k].of_the_container);
		unit_runs(u, NULL);
		assert_int_equal(unit_failed(u, &v, &err), -1);
		assert_int_equal(strncmp(err.text, "the unit 'x.service'", 20), 0);
	}
}

static void stops_that_fail(void **state)
{
	struct error err;

	(void)state;
	fake_set(&manager, X, "stop", "timeout");
	assert_int_equal(unit_stop(u, soon(), NULL, &err), -1);
	assert_int_equal(err.code, ECHILD);
	assert_string_equal(err.text, "the stop of the unit 'x.service' ended as 'timeout': 'systemctl --user status "
				      "x.service' may say why");
	fake_on(&manager, (struct fake_event){"StopUnit", .what = FAIL, .value = "a.b"});
	assert_int_equal(unit_stop(u, soon(), NULL, &err), -1);
	assert_string_equal(err.text, "the service manager does not do StopUnit of 'x.service': says the test");
	assert_null(strstr(fake_calls(&manager), "ResetFailedUnit"));
}

static void a_job_that_takes_too_long(void **state)
{
	struct unit_view before = {};
	struct error err;
	uint64_t began = now_usec();

	(void)state;
	fake_set(&manager, X, "start", "pending");
	assert_int_equal(unit_start(u, &before, began + 100 * USEC_PER_MSEC, NULL, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_string_equal(err.text, "the unit 'x.service' did not get there in time");
	assert_true(now_usec() - began >= 100 * USEC_PER_MSEC);
}

struct looks {
	unsigned n;
	uint64_t first, pause;
	const char *set, *drop;
};

static uint64_t look(struct unit *unit, void *data)
{
	struct looks *l = data;
	struct unit_view v;
	struct error err;

	if (l->n++ == 0)
		l->first = now_usec();
	if (l->set && l->n == 2)
		fake_on(&manager, (struct fake_event){"Get " X " ActiveState", .what = END, .value = "done"});
	if (l->drop && l->n == 1) {
		fake_set(&manager, X, "start", "done");
		fake_on(&manager, (struct fake_event){"Get " X " ActiveState", .what = REEXEC});
	}
	(void)unit_look(unit, &v, &err);
	return l->pause;
}

/* Most units are started before anybody has to look what they wait for. */
static void a_job_that_goes_on_is_looked_at(void **state)
{
	struct looks l = {.pause = 1000, .set = "done"}, none = {.pause = 1000};
	struct unit_view before = {};
	uint64_t began = now_usec();
	struct error err;

	(void)state;
	fake_set(&manager, X, "start", "pending");
	assert_int_equal(unit_start(u, &before, soon(), &(struct meanwhile){look, &l}, &err), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.first - began >= 500 * USEC_PER_MSEC);
	/* Not after the deadline. */
	assert_int_equal(
		unit_start(u, &before, now_usec() + 10 * USEC_PER_MSEC, &(struct meanwhile){look, &none}, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_int_equal(none.n, 0);
}

/* Nothing is heard of the job over another connection: it is asked for again. */
static void a_job_whose_manager_executes_itself_anew(void **state)
{
	struct looks l = {.pause = 1000, .drop = "yes"};
	struct unit_view before = {};
	struct error err;

	(void)state;
	fake_set(&manager, X, "start", "pending");
	assert_int_equal(unit_start(u, &before, soon(), &(struct meanwhile){look, &l}, &err), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(fake_calls(&manager), "Subscribe\nStartUnit x.service replace\nGet x.service "
						  "org.freedesktop.systemd1.Unit ActiveState\n"
						  "Subscribe\nStartUnit x.service replace\n");
}

/* It is lost while nothing is asked. */
static void a_job_whose_manager_goes(void **state)
{
	struct unit_view before = {};
	struct error err;

	(void)state;
	fake_set(&manager, X, "start", "pending");
	if (fork() == 0) {
		struct unit *other;

		while (!strstr(manager.table->calls, "StartUnit"))
			usleep(1000);
		fake_set(&manager, X, "start", "done");
		fake_on(&manager, (struct fake_event){"StartUnit y.service", .what = REEXEC});
		_exit(unit_open(SCOPE_USER, "y.service", &other, &err) == 0 && unit_start_later(other, &err) < 0);
	}
	assert_int_equal(unit_start(u, &before, soon(), NULL, &err), 0);
	assert_int_equal(wait(NULL) > 0, 1);
	assert_int_equal(manager.table->connections, 3);
}

static void what_a_unit_waits_for(void **state)
{
	char name[UNIT_NAME_TEXT_MAX] = "";
	size_t asked;

	(void)state;
	assert_false(unit_is_being_stopped(u));
	asked = manager.table->n_calls;
	assert_false(unit_waits_for(u, name));
	assert_int_equal(manager.table->n_calls, asked + 1); /* there is no job to ask about */
	assert_false(unit_has_job(u, X));
	fake_set(&manager, X, "Job", "7");
	fake_set(&manager, "job/7", "JobType", "stop");
	assert_true(unit_is_being_stopped(u));
	assert_true(unit_has_job(u, X));
	assert_false(unit_has_job(u, "y.service"));
	fake_set(&manager, "job/7", "JobType", "start");
	assert_false(unit_is_being_stopped(u));
	/* One that runs waits for none. */
	fake_set(&manager, "job/7", "Before", "a.service:waiting b.service:running c.service:running");
	assert_false(unit_waits_for(u, name));
	fake_set(&manager, "job/7", "State", "waiting");
	assert_true(unit_waits_for(u, name));
	assert_string_equal(name, "b.service");
	fake_set(&manager, "job/7", "Before", "a.service:waiting b.service:waiting");
	assert_true(unit_waits_for(u, name));
	assert_string_equal(name, "a.service");
	fake_set(&manager, "job/7", "Before", "");
	assert_false(unit_waits_for(u, name));
	fake_set(&manager, "job/7", "Before", "a.service:waiting");
	fake_on(&manager, (struct fake_event){"GetBefore", .what = FAIL, .value = "a.b"});
	assert_false(unit_waits_for(u, name));
	fake_on(&manager, (struct fake_event){"GetBefore", .what = GARBLE});
	assert_false(unit_waits_for(u, name));
	fake_on(&manager, (struct fake_event){"Get job/7 State", .what = FAIL, .value = "a.b"});
	assert_false(unit_waits_for(u, name));
	fake_on(&manager, (struct fake_event){"Get " X " Job", .what = FAIL, .value = "a.b"});
	assert_false(unit_has_job(u, X));
	fake_on(&manager, (struct fake_event){"Get " X " Job", .what = FAIL, .value = "a.b"});
	assert_false(unit_waits_for(u, name));
	assert_true(unit_waits_for(u, name));
}

static void where_a_unit_comes_from(void **state)
{
	(void)state;
	assert_true(unit_has_lost_its_file(u, X));
	assert_false(unit_is_quadlet(u, X));
	fake_set(&manager, X, "SourcePath", "/etc/containers/systemd/x.container");
	assert_true(unit_is_quadlet(u, X));
	assert_false(unit_has_lost_its_file(u, X));
	fake_set(&manager, X, "SourcePath", "/x.pod");
	assert_true(unit_is_quadlet(u, X));
	assert_false(unit_labels_containers(u, X));
	fake_set(&manager, X, "SourcePath", "/x.kube");
	assert_true(unit_is_quadlet(u, X));
	assert_true(unit_labels_containers(u, X));
	fake_set(&manager, X, "SourcePath", "/x.volume");
	assert_false(unit_is_quadlet(u, X));
	fake_set(&manager, X, "SourcePath", "/x.container");
	fake_on(&manager, (struct fake_event){"Get " X " SourcePath", .what = FAIL, .value = "a.b"});
	assert_false(unit_is_quadlet(u, X));
	fake_set(&manager, X, "SourcePath", "");
	fake_set(&manager, X, "Environment", "PODMAN_SYSTEMD_UNIT=" X);
	fake_set(&manager, X, "ExecStart", "podman run --replace --name x");
	fake_on(&manager, (struct fake_event){"Get " X " Environment", .what = FAIL, .value = "a.b"});
	assert_false(unit_labels_containers(u, X));
	fake_on(&manager, (struct fake_event){"Get " X " ExecStart", .what = FAIL, .value = "a.b"});
	assert_false(unit_labels_containers(u, X));
	assert_true(unit_labels_containers(u, X));
	fake_set(&manager, X, "LoadState", "not-found");
	fake_on(&manager, (struct fake_event){"Get " X " LoadState", .what = FAIL, .value = "a.b"});
	assert_false(unit_has_lost_its_file(u, X));
	assert_true(unit_has_lost_its_file(u, X));
}

static void collect(void *data, const char *name)
{
	strcat(data, name);
	strcat(data, ";");
}

static void lists_of_units(void **state)
{
	char names[256] = "";
	struct error err;

	(void)state;
	assert_int_equal(unit_each(u, X, "Wants", collect, names, &err), 0);
	assert_string_equal(names, "");
	fake_set(&manager, X, "Wants", "a.service b.target");
	assert_int_equal(unit_each(u, X, "Wants", collect, names, &err), 0);
	assert_string_equal(names, "a.service;b.target;");
	fake_on(&manager, (struct fake_event){"Get " X " Wants", .what = GARBLE});
	assert_int_equal(unit_each(u, X, "Wants", collect, names, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
}

static void the_end_of_the_system(void **state)
{
	uint64_t began;

	(void)state;
	assert_false(manager_is_stopping(SCOPE_USER));
	fake_set(&manager, FAKE_MANAGER, "SystemState", "stopping");
	assert_true(manager_is_stopping(SCOPE_USER));
	fake_set(&manager, FAKE_MANAGER, "SystemState", "degraded");
	assert_false(manager_is_stopping(SCOPE_USER));
	fake_on(&manager, (struct fake_event){"Get manager SystemState", .what = REEXEC});
	assert_false(manager_is_stopping(SCOPE_USER));
	fake_on(&manager, (struct fake_event){"Get manager SystemState", .what = FAIL, .value = "a.b"});
	began = now_usec();
	assert_true(manager_is_stopping(SCOPE_USER));
	assert_true(now_usec() - began < 2 * USEC_PER_SEC); /* it is there, and is not waited for */
}

/* It is waited for, and not again by the next question. */
static void a_manager_that_does_not_come_back(void **state)
{
	uint64_t began = now_usec();
	struct unit_view v;
	struct error err;

	(void)state;
	fake_on(&manager, (struct fake_event){"Get " X " ActiveState", .what = GO});
	assert_int_equal(unit_look(u, &v, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	assert_true(now_usec() - began >= 3 * USEC_PER_SEC);
	began = now_usec();
	assert_int_equal(unit_look(u, &v, &err), -1);
	assert_true(now_usec() - began < 2 * USEC_PER_SEC);
}

/* It is there again in a moment. */
static void a_manager_that_is_about_to_come(void **state)
{
	char longer[PATH_MAX];
	struct error err = {};
	struct unit *other = NULL;

	(void)state;
	kill(manager.pid, SIGKILL);
	waitpid(manager.pid, NULL, 0);
	manager.pid = fork();
	if (manager.pid == 0) {
		usleep(100000);
		memset(fake_server.connections, 0, sizeof(fake_server.connections));
		fake_server.listener = fake_listen(manager.socket);
		fake_manager_serve();
	}
	assert_int_equal(unit_open(SCOPE_USER, X, &other, &err), 0);
	unit_close(&other);
	assert_null(other);
	unit_close(&other);
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	setenv("XDG_RUNTIME_DIR", longer, 1);
	assert_int_equal(unit_open(SCOPE_USER, X, &other, &err), -1);
	assert_null(other);
	assert_int_equal(err.code, ENAMETOOLONG);
}

static void connections_end(void **state)
{
	const volatile unsigned *open_ones = &manager.table->open;
	struct unit_view v;
	struct error err;

	(void)state;
	assert_int_equal(unit_look(u, &v, &err), 0);
	assert_int_equal(*open_ones, 1);
	assert_false(manager_is_stopping(SCOPE_USER));
	unit_close(&u);
	while (*open_ones > 0)
		usleep(1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_is_seen),
		TEST(what_is_seen_is_of_one_moment),
		TEST(questions_that_fail),
		TEST(a_manager_that_executes_itself_anew_is_asked_again),
		TEST(starts_and_stops),
		TEST(starts_that_fail),
		TEST(whose_end_it_was),
		TEST(stops_that_fail),
		TEST(a_job_that_takes_too_long),
		TEST(a_job_that_goes_on_is_looked_at),
		TEST(a_job_whose_manager_executes_itself_anew),
		TEST(a_job_whose_manager_goes),
		TEST(what_a_unit_waits_for),
		TEST(where_a_unit_comes_from),
		TEST(lists_of_units),
		TEST(the_end_of_the_system),
		TEST(a_manager_that_does_not_come_back),
		TEST(a_manager_that_is_about_to_come),
		TEST(connections_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
