/* The states of many units, and why a unit has failed, in words. The manager is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "common/clock.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/exit.h"
#include "tests/unit/manager_fixture.h"
#include "units/bus.h"
#include "units/query.h"

static const char *const names[] = {"x.service", "no.service", "x.socket"};
#define N 3

static void set_details(void)
{
	static const char *const details[][2] = {
		{"ActiveState", "failed"},
		{"SubState", "exited"},
		{"FragmentPath", "/etc/x.service"},
		{"StatusText", "2 connections"},
		{"Result", "exit-code"},
		{"StateChangeTimestamp", "1790000000000000"},
		{"ExecMainCode", "1"},
		{"ExecMainStatus", "75"},
		{"MainPID", "1234"},
		{"ExecMainStartTimestampMonotonic", "5000000000"},
		{"NeedDaemonReload", "1"},
	};

	fake_set(&fake, "x.socket", "StateChangeTimestamp", "77");
	fake_set(&fake, "x.socket", "SubState", "listening");
	for (size_t k = 0; k < sizeof(details) / sizeof(*details); k++)
		fake_set(&fake, "x.service", details[k][0], details[k][1]);
}

static void expect_details(const struct unit_state *s)
{
	assert_string_equal(s->active_state, "failed");
	assert_string_equal(s->sub_state, "exited");
	assert_string_equal(s->fragment_path, "/etc/x.service");
	assert_string_equal(s->status_text, "2 connections");
	assert_string_equal(s->result, "exit-code");
	assert_int_equal(s->since_usec, 1790000000000000);
	assert_int_equal(s->main_code, 1);
	assert_int_equal(s->main_status, 75);
	assert_int_equal(s->main_pid, 1234);
	assert_int_equal(s->main_start, 5000000000);
	assert_true(s->need_reload);
}

static void states_of_many_units(void **state)
{
	struct unit_state s[N];
	struct error err;

	(void)state;
	set_details();
	(void)fake_calls(&fake);
	assert_int_equal(manager_query(m, names, N, s, &err), 0);
	assert_string_equal(fake_calls(&fake), "ListUnitsByNames (x.service no.service x.socket)\n");
	assert_string_equal(s[0].load_state, "loaded");
	assert_string_equal(s[0].active_state, "failed");
	assert_string_equal(s[0].sub_state, "exited");
	assert_string_equal(s[0].object, "/org/freedesktop/systemd1/unit/x_2eservice");
	assert_string_equal(s[0].fragment_path, "");
	assert_string_equal(s[0].status_text, "");
	assert_string_equal(s[0].result, "");
	assert_int_equal(s[0].main_pid, 0);
	assert_string_equal(s[1].load_state, "not-found");
	assert_string_equal(s[1].active_state, "inactive");
	assert_string_equal(s[2].sub_state, "listening");
	/* Only what is wanted is asked for. */
	fake.table->n_calls = 0;
	assert_int_equal(manager_ask_details(m, s, N, &err), 0);
	assert_int_equal(fake.table->n_calls, 0);
	s[0].details = s[1].details = DETAILS_ALL;
	s[2].details = DETAILS_SINCE;
	assert_int_equal(manager_ask_details(m, s, N, &err), 0);
	assert_int_equal(fake.table->n_calls, 2);
	expect_details(&s[0]);
	assert_int_equal(s[1].since_usec, 0);
	assert_int_equal(s[2].since_usec, 77);
	assert_string_equal(s[2].result, "");
	unit_states_clear(s, N);
	for (size_t k = 0; k < N; k++) {
		assert_null(s[k].load_state);
		assert_int_equal(s[k].details, DETAILS_NONE);
	}
}

static void all_of_some(void **state)
{
	struct unit_state s[N];
	struct error err;

	(void)state;
	set_details();
	assert_int_equal(manager_examine(m, names, N, s, &err), 0);
	expect_details(&s[0]);
	assert_int_equal(s[2].since_usec, 77);
	assert_false(s[2].need_reload);
	unit_states_clear(s, N);
	assert_int_equal(manager_query(m, names, 0, s, &err), 0);
}

/* More than a bus daemon allows to be unanswered. */
/* What the debug level says of the questions below, one line for each. */
static const char *told(int (*f)(struct error *err), int expected)
{
	static char text[4096];
	int ends[2], saved = dup(STDERR_FILENO), r;
	struct error err;
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	setenv(LOG_VARIABLE, "debug", 1);
	assert_true(log_begin("test"));
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	r = f(&err);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	assert_true(log_begin("test"));
	close(saved);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	assert_int_equal(r, expected);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int examine(struct error *err)
{
	struct unit_state s[N];
	int r = manager_examine(m, names, N, s, err);

	unit_states_clear(s, N);
	return r;
}

static int connect_anew(struct error *err)
{
	manager_close(&m);
	return manager_connect(SCOPE_USER, &m, err);
}

static int stop(struct error *err)
{
	return manager_stop(m, "x.service", 5 * USEC_PER_SEC, err);
}

static void says(const char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		const char *at = strstr(text, *parts);

		if (!at)
			fail_msg("no '%s' in:\n%s", *parts, text);
		text = at;
	}
}
#define SAYS(text, ...) says(text, (const char *const[]){__VA_ARGS__, NULL})

static void each_question_is_told(void **state)
{
	(void)state;
	SAYS(told(examine, 0), "service manager: ListUnitsByNames x.service: done after ",
	     "service manager: Get the properties of these units: done after ");
	SAYS(told(connect_anew, 0), "service manager: Subscribe: done after ");
	SAYS(told(stop, 0), "service manager: StopUnit x.service: done after ",
	     "service manager: the job of x.service ended as 'done'");
	fake_on(&fake, (struct fake_event){"ListUnitsByNames", .what = FAIL, .value = "org.example.Error"});
	SAYS(told(examine, -1), "service manager: ListUnitsByNames x.service: ");
}

static void very_many(void **state)
{
	enum { MANY = 150 };
	static struct unit_state s[MANY];
	static const char *same[MANY];
	struct error err;

	(void)state;
	set_details();
	for (size_t k = 0; k < MANY; k++)
		same[k] = names[0];
	assert_int_equal(manager_examine(m, same, MANY, s, &err), 0);
	for (size_t k = 0; k < MANY; k++)
		expect_details(&s[k]);
	unit_states_clear(s, MANY);
}

/* A unit that was unloaded meanwhile has nothing more to tell; what else fails is told. */
static void answers_that_fail(void **state)
{
	static const struct {
		const char *on, *name;
		int r;
	} cases[] = {
		{"GetAll x.service", "org.freedesktop.DBus.Error.UnknownObject", 0},
		{"GetAll x.service", "org.freedesktop.systemd1.NoSuchUnit", 0},
		{"GetAll x.service", "org.freedesktop.DBus.Error.AccessDenied", -1},
		{"Get x.socket", "org.freedesktop.DBus.Error.UnknownObject", 0},
		{"Get x.socket", "org.freedesktop.DBus.Error.AccessDenied", -1},
		{"ListUnitsByNames", "org.freedesktop.DBus.Error.AccessDenied", -1},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct fake_event e = {.what = FAIL};
		struct unit_state s[N];
		int r;

		fake_clear(&fake);
		set_details();
		strcpy(e.on, cases[k].on);
		strcpy(e.value, cases[k].name);
		fake_on(&fake, e);
		r = manager_query(m, names, N, s, &err);
		s[0].details = DETAILS_ALL;
		s[2].details = DETAILS_SINCE;
		if (r == 0)
			r = manager_ask_details(m, s, N, &err);
		assert_int_equal(r, cases[k].r);
		if (r < 0)
			assert_int_equal(err.code, EACCES);
		/* the others have been told */
		if (strncmp(cases[k].on, "GetAll", 6) == 0)
			assert_int_equal(s[2].since_usec, 77);
		unit_states_clear(s, N);
	}
	assert_int_equal(fake.table->connections, 1);
}

static void answers_that_make_no_sense(void **state)
{
	static const char *const calls[] = {"ListUnitsByNames", "GetAll x.service", "Get x.socket"};
	static const char *const too_few[] = {"x.service", "missing.service"};
	struct unit_state s[N];
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(calls) / sizeof(*calls); k++) {
		struct fake_event e = {.what = GARBLE};
		int r;

		fake_clear(&fake);
		set_details();
		strcpy(e.on, calls[k]);
		fake_on(&fake, e);
		r = manager_query(m, names, N, s, &err);
		assert_int_equal(r, k == 0 ? -1 : 0);
		s[0].details = DETAILS_ALL;
		s[2].details = DETAILS_SINCE;
		if (r == 0)
			assert_int_equal(manager_ask_details(m, s, N, &err), -1);
		unit_states_clear(s, N);
	}
	assert_int_equal(manager_query(m, too_few, 2, s, &err), -1);
	assert_int_equal(err.code, EBADMSG);
	unit_states_clear(s, 2);
}

static void a_manager_that_executes_itself_anew_is_asked_again(void **state)
{
	static const char *const calls[] = {"ListUnitsByNames", "GetAll x.service", "GetAll x.socket"};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(calls) / sizeof(*calls); k++) {
		struct fake_event e = {.what = REEXEC};
		struct unit_state s[N];

		fake_clear(&fake);
		set_details();
		strcpy(e.on, calls[k]);
		fake_on(&fake, e);
		assert_int_equal(manager_examine(m, names, N, s, &err), 0);
		expect_details(&s[0]);
		assert_int_equal(s[2].since_usec, 77);
		assert_int_equal(fake.table->connections, k + 2);
		unit_states_clear(s, N);
	}
	fake_on(&fake, (struct fake_event){"GetAll", .times = UINT32_MAX, .what = DROP});
	{
		struct unit_state s[N];

		assert_int_equal(manager_examine(m, names, N, s, &err), -1);
		assert_int_equal(err.code, ENOTCONN);
		unit_states_clear(s, N);
	}
}

static void expect(const char *result, int32_t status, const char *text, const char *reason)
{
	struct unit_state s = {.result = (char *)result, .main_status = status, .status_text = (char *)text};
	char found[UNIT_REASON_MAX];

	unit_reason(&s, found);
	assert_string_equal(found, reason);
}

static void failures_have_reasons(void **state)
{
	(void)state;
	expect("", 1, NULL, "");
	expect("success", 1, "words", "");
	expect("exit-code", 0, NULL, "one of its commands failed");
	expect("exit-code", 3, NULL, "it ended with status 3");
	expect("exit-code", 202, NULL, "systemd could not run its program (status 202)");
	expect("exit-code", 127, NULL, "systemd could not run its program (status 127)");
	expect("signal", 9, NULL, "it was killed by signal 9 (KILL)");
	expect("signal", 1000, NULL, "it was killed by signal 1000 (?)");
	expect("timeout", 0, NULL, "it did not start or stop in time");
	expect("trigger-limit-hit", 0, NULL, "it was triggered too often");
	expect("something-new", 0, NULL, "something-new");
}

/* The last words of one that refused its queue are the reason, and of one that could not be put to sleep. */
static void last_words_may_be_the_reason(void **state)
{
	(void)state;
	expect("exit-code", EXIT_REFUSED, "no such container", "no such container");
	expect("exit-code", EXIT_REFUSED, "", "it ended with status 75");
	expect("protocol", EXIT_BROKEN_OFF, "told to stop", "told to stop");
	expect("protocol", EXIT_BROKEN_OFF, "", "it ended before it was ready");
	expect("protocol", 0, "2 connections", "it ended before it was ready");
	expect("exit-code", 1, "2 connections", "it ended with status 1");
	expect("exit-code", 1, STATUS_STAYS "no engine", STATUS_STAYS "no engine");
	expect("signal", EXIT_REFUSED, "no such container", "it was killed by signal 75 (?)");
	expect("timeout", EXIT_REFUSED, "no such container", "it did not start or stop in time");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(states_of_many_units, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(all_of_some, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(each_question_is_told, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(very_many, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(answers_that_fail, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(answers_that_make_no_sense, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(a_manager_that_executes_itself_anew_is_asked_again, manager_setup,
						manager_teardown),
		cmocka_unit_test(failures_have_reasons),
		cmocka_unit_test(last_words_may_be_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
