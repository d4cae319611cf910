/* The service manager as commands ask it: what it does, how it fails, and how it is reached. It is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/unit/manager_fixture.h"
#include "units/ask.h"
#include "units/bus.h"
#include "units/manager.h"

#define X "x.service"

static int teardown(void **state)
{
	manager_close(&m);
	assert_null(m);
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	return manager_teardown(state);
}

static const char *text(const struct error *err)
{
	return err->text;
}

static void what_it_is_asked_to_do(void **state)
{
	struct error err;
	bool is;

	(void)state;
	assert_string_equal(fake_calls(&fake), "Subscribe\n");
	assert_string_equal(manager_option(m), "--user ");
	assert_string_equal(manager_option(&(struct manager){.scope = SCOPE_SYSTEM}), "");
	assert_int_equal(manager_reload(m, &err), 0);
	assert_string_equal(fake_calls(&fake), "Reload\n");
	assert_int_equal(manager_start(m, X, USEC_INFINITY, &err), 0);
	assert_string_equal(fake_calls(&fake), "StartUnit x.service replace\n");
	assert_int_equal(manager_stop(m, X, USEC_INFINITY, &err), 0);
	assert_string_equal(fake_calls(&fake), "StopUnit x.service replace\n");
	assert_int_equal(manager_start_at_once(m, X, &err), 0);
	assert_string_equal(fake_calls(&fake), "StartUnit x.service ignore-dependencies\n");
	assert_int_equal(manager_reset_failed(m, X, &err), 0);
	assert_string_equal(fake_calls(&fake), "ResetFailedUnit x.service\n");
	assert_int_equal(manager_looks_in(m, "/b", &is, &err), 0);
	assert_false(is);
	fake_set(&fake, FAKE_MANAGER, "UnitPath", "/a /b /c");
	assert_int_equal(manager_looks_in(m, "/b", &is, &err), 0);
	assert_true(is);
	assert_int_equal(manager_looks_in(m, "/bb", &is, &err), 0);
	assert_false(is);
	fake_on(&fake, (struct fake_event){"Get manager UnitPath", .what = FAIL, .value = "a.b"});
	assert_int_equal(manager_looks_in(m, "/b", &is, &err), -1);
	assert_string_equal(text(&err), "cannot ask the service manager where it looks for units: says the test");
	fake_on(&fake, (struct fake_event){"Get manager UnitPath", .what = GARBLE});
	assert_int_equal(manager_looks_in(m, "/b", &is, &err), -1);
	assert_int_equal(fake.table->connections, 1);
}

static void how_jobs_end(void **state)
{
	static const struct {
		const char *result, *text;
	} ends[] = {
		{"timeout", "cannot start x.service: it took too long"},
		{"failed", "cannot start x.service: it failed"},
		{"dependency", "cannot start x.service: something that it needs failed"},
		{"invalid", "cannot start x.service: it cannot do that"},
		{"assert", "cannot start x.service: one of its conditions is not met"},
		{"unsupported", "cannot start x.service: this machine does not support it"},
		{"canceled", "cannot start x.service: somebody else wanted something else of it meanwhile: try again"},
		{"tired", "cannot start x.service: the job ended with 'tired'"},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
		fake_set(&fake, X, "start", ends[k].result);
		assert_int_equal(manager_start(m, X, USEC_INFINITY, &err), -1);
		assert_int_equal(err.code, EREMOTEIO);
		assert_string_equal(text(&err), ends[k].text);
		assert_int_equal(manager_was_overruled(m), strcmp(ends[k].result, "canceled") == 0);
	}
	fake_set(&fake, X, "start", "skipped");
	assert_int_equal(manager_start(m, X, USEC_INFINITY, &err), 0);
}

static void jobs_are_waited_for_so_long(void **state)
{
	uint64_t began = now_usec();
	struct error err;

	(void)state;
	fake_set(&fake, X, "start", "pending");
	assert_int_equal(manager_start(m, X, 0, &err), 0);
	assert_int_equal(manager_start(m, X, 100 * USEC_PER_MSEC, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_true(now_usec() - began >= 100 * USEC_PER_MSEC);
	/* the end of another one is not its own */
	fake_set(&fake, "y.service", "start", "failed");
	fake_on(&fake, (struct fake_event){"StartUnit y.service", .what = END, .value = "timeout"});
	assert_int_equal(manager_start(m, X, 0, &err), 0);
	assert_int_equal(manager_start(m, "y.service", USEC_INFINITY, &err), -1);
	assert_string_equal(text(&err), "cannot start y.service: it failed");
}

/* A stop beats a start that somebody asks for meanwhile, if not for ever. */
static void a_stop_that_is_cancelled_is_asked_for_again(void **state)
{
	struct error err;

	(void)state;
	(void)fake_calls(&fake);
	fake_set(&fake, X, "stop", "canceled");
	fake_on(&fake,
		(struct fake_event){"StopUnit", .after = 4, .what = SET, .unit = X, .name = "stop", .value = "done"});
	assert_int_equal(manager_stop(m, X, USEC_INFINITY, &err), 0);
	fake_set(&fake, X, "stop", "canceled");
	(void)fake_calls(&fake);
	assert_int_equal(manager_stop(m, X, USEC_INFINITY, &err), -1);
	assert_string_equal(fake_calls(&fake), "StopUnit x.service replace\nStopUnit x.service replace\n"
					       "StopUnit x.service replace\nStopUnit x.service replace\n"
					       "StopUnit x.service replace\n");
	assert_int_equal(err.code, EREMOTEIO);
	fake_set(&fake, X, "stop", "failed");
	assert_int_equal(manager_stop(m, X, USEC_INFINITY, &err), -1);
	assert_string_equal(fake_calls(&fake), "StopUnit x.service replace\n");
}

/* Each call, when the manager says no. */
static int every(unsigned k, struct error *err)
{
	switch (k) {
	case 0:
		return manager_start(m, X, USEC_INFINITY, err);
	case 1:
		return manager_start_at_once(m, X, err);
	case 2:
		return manager_reload(m, err);
	case 3:
		return manager_stop(m, X, USEC_INFINITY, err);
	default:
		return manager_reset_failed(m, X, err);
	}
}

static void refusals(void **state)
{
	static const char *const methods[] = {"StartUnit", "StartUnit", "Reload", "StopUnit", "ResetFailedUnit"};
	static const struct {
		const char *name;
		int code;
		const char *end;
	} errors[] = {
		{"org.freedesktop.systemd1.NoSuchUnit", ENOENT, ": says the test"},
		{"org.freedesktop.DBus.Error.FileNotFound", ENOENT, ": says the test"},
		{"org.freedesktop.DBus.Error.AccessDenied", EACCES, ": says the test: run this as root (sudo)"},
		{"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES,
		 ": says the test: run this as root (sudo)"},
		{"org.freedesktop.DBus.Error.Timeout", ETIMEDOUT, ": says the test"},
		{"org.freedesktop.DBus.Error.NoReply", ETIMEDOUT, ": says the test"},
		{"org.freedesktop.systemd1.UnitMasked", EREMOTEIO, ": says the test"},
	};

	(void)state;
	for (unsigned k = 0; k < sizeof(methods) / sizeof(*methods); k++) {
		for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
			struct fake_event e = {.what = FAIL};
			bool is_success = k >= 3 && errors[i].code == ENOENT;
			struct error err = {};

			strcpy(e.on, methods[k]);
			strcpy(e.value, errors[i].name);
			fake_clear(&fake);
			fake_on(&fake, e);
			assert_int_equal(every(k, &err), is_success ? 0 : -1);
			assert_int_equal(err.code, is_success ? 0 : errors[i].code);
			assert_string_equal(is_success ? err.text : strstr(err.text, ": "),
					    is_success ? "" : errors[i].end);
			assert_false(m->lost);
		}
	}
	assert_int_equal(fake.table->connections, 1);
}

/* What was asked meanwhile is asked again. */
static void a_manager_that_executes_itself_anew(void **state)
{
	static const char *const methods[] = {"StartUnit", "StartUnit", "Reload", "StopUnit", "ResetFailedUnit"};
	struct error err;

	(void)state;
	for (unsigned k = 0; k < sizeof(methods) / sizeof(*methods); k++) {
		struct fake_event e = {.what = k % 2 ? DROP : REEXEC};

		strcpy(e.on, methods[k]);
		fake_clear(&fake);
		fake_on(&fake, e);
		(void)fake_calls(&fake);
		assert_int_equal(every(k, &err), 0);
		assert_int_equal(m->revivals, k + 1);
		assert_int_equal(fake.table->connections, k + 2);
		assert_non_null(strstr(strstr(fake_calls(&fake), methods[k]) + 1, methods[k]));
	}
	/* but not for ever */
	fake_clear(&fake);
	fake_on(&fake, (struct fake_event){"Reload", .times = UINT32_MAX, .what = DROP});
	assert_int_equal(manager_reload(m, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	assert_string_equal(text(&err),
			    "cannot make the service manager reload its units: the connection to the service "
			    "manager was lost; try again");
	assert_int_equal(m->revivals, 10);
}

/* The bus daemon says of a manager that executes itself anew that it is not there. */
static void a_manager_that_is_unknown_for_a_moment(void **state)
{
	struct error err;

	(void)state;
	fake_on(&fake,
		(struct fake_event){"Reload", .what = FAIL, .value = "org.freedesktop.DBus.Error.ServiceUnknown"});
	assert_int_equal(manager_reload(m, &err), 0);
	assert_int_equal(m->revivals, 1);
}

static void a_job_is_awaited_over_one_connection(void **state)
{
	struct error err;

	(void)state;
	fake_set(&fake, X, "start", "pending");
	/* The job ends when the connection that awaits it is lost. */
	fake_on(&fake, (struct fake_event){"Reload", .what = SET, .unit = X, .name = "start", .value = "done"});
	fake_on(&fake, (struct fake_event){"Reload", .what = REEXEC});
	if (fork() == 0) {
		struct manager *other;

		while (!strstr(fake.table->calls, "StartUnit"))
			usleep(1000);
		_exit(manager_connect(SCOPE_USER, &other, &err) < 0 || manager_reload(other, &err) < 0);
	}
	assert_int_equal(manager_start(m, X, USEC_INFINITY, &err), 0);
	assert_true(wait(NULL) > 0);
	assert_int_equal(m->revivals, 1);
}

static void where_its_socket_is(void **state)
{
	char path[PATH_MAX], expected[PATH_MAX], longer[PATH_MAX];
	struct error err;

	(void)state;
	assert_int_equal(manager_socket(SCOPE_SYSTEM, path, &err), 0);
	assert_string_equal(path, "/run/systemd/private");
	assert_int_equal(manager_socket(SCOPE_USER, path, &err), 0);
	snprintf(expected, sizeof(expected), "%s", fake.socket);
	assert_string_equal(path, expected);
	assert_true(manager_is_there(SCOPE_USER));
	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[PATH_MAX - 10] = '\0';
	setenv("XDG_RUNTIME_DIR", longer, 1);
	assert_int_equal(manager_socket(SCOPE_USER, path, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	assert_false(manager_is_there(SCOPE_USER));
	longer[PATH_MAX - 10] = 'x';
	longer[PATH_MAX - 1] = '\0';
	setenv("XDG_RUNTIME_DIR", longer, 1);
	assert_int_equal(manager_socket(SCOPE_USER, path, &err), -1);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	assert_false(manager_is_there(SCOPE_USER));
}

/* A closed socket is there, of one that has just ended, and is waited for; where there is none, nobody is. */
static void one_that_is_not_there(void **state)
{
	struct manager *none = NULL;
	uint64_t began = now_usec();
	struct error err;

	(void)state;
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	assert_int_equal(manager_connect(SCOPE_USER, &none, &err), -1);
	assert_null(none);
	assert_int_equal(err.code, ENOTCONN);
	assert_non_null(
		strstr(err.text, "this user's service manager does not answer (No such file or directory): log in"));
	assert_true(now_usec() - began < 2 * USEC_PER_SEC);
}

static void one_that_opens_its_socket_in_a_moment(void **state)
{
	struct manager again = {.scope = SCOPE_USER, .for_command = true}, direct = {.scope = SCOPE_USER};
	struct error err;

	(void)state;
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	kill(fake.pid, SIGSTOP);
	kill(fake.pid, SIGKILL);
	waitpid(fake.pid, NULL, 0);
	/* It is given up at the deadline, */
	assert_int_equal(bus_connect(&again, now_usec() + 50 * USEC_PER_MSEC, &err), -1);
	assert_true(again.lost);
	assert_null(again.bus);
	assert_int_equal(bus_connect(&direct, now_usec() + 50 * USEC_PER_MSEC, &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	assert_non_null(strstr(err.text, "cannot reach the service manager at '"));
	assert_non_null(strstr(err.text, "systemd/private': Connection refused"));
	assert_false(bus_revive(&again, now_usec()));
	again.lost = false;
	assert_false(bus_revive(&again, now_usec() + USEC_PER_SEC));
	/* or comes. */
	fake.pid = fork();
	if (fake.pid == 0) {
		usleep(100000);
		fake_server.listener = fake_listen(fake.socket);
		fake_manager_serve();
	}
	assert_int_equal(bus_connect(&again, now_usec() + 20 * USEC_PER_SEC, &err), 0);
	assert_false(again.lost);
	assert_true(again.subscribed);
	bus_disconnect(&again);
	assert_false(again.subscribed);
	assert_null(again.bus);
	/* What an activator asks is not subscribed to anything. */
	(void)fake_calls(&fake);
	assert_int_equal(bus_connect(&direct, now_usec() + USEC_PER_SEC, &err), 0);
	assert_false(direct.subscribed);
	bus_disconnect(&direct);
}

/* Where there is no socket of its own, as systemctl(1) does it. */
static void over_a_bus_daemon(void **state)
{
	struct manager over = {.scope = SCOPE_USER, .for_command = true};
	struct manager direct = {.scope = SCOPE_USER};
	char address[128];
	struct error err;

	(void)state;
	snprintf(address, sizeof(address), "unix:path=%s", fake.socket);
	setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	(void)fake_calls(&fake);
	assert_int_equal(bus_connect(&over, now_usec() + USEC_PER_SEC, &err), 0);
	assert_ptr_equal(strstr(fake_calls(&fake), "Hello\nAddMatch "), fake.table->calls + strlen("Subscribe\n"));
	assert_int_equal(manager_start(&over, X, USEC_INFINITY, &err), 0);
	bus_disconnect(&over);
	fake_on(&fake,
		(struct fake_event){"Subscribe", .what = FAIL, .value = "org.freedesktop.DBus.Error.AccessDenied"});
	assert_int_equal(bus_connect(&over, now_usec() + USEC_PER_SEC, &err), -1);
	assert_int_equal(err.code, EACCES);
	assert_string_equal(text(&err),
			    "cannot subscribe to the service manager: says the test: run this as root (sudo)");
	assert_false(over.subscribed);
	/* An activator does not take that way. */
	assert_int_equal(bus_connect(&direct, now_usec(), &err), -1);
	assert_int_equal(err.code, ENOTCONN);
	/* what an address would have to escape */
	setenv("XDG_RUNTIME_DIR", "/tmp/a,b", 1);
	assert_int_equal(bus_connect(&direct, now_usec(), &err), -1);
	assert_non_null(strstr(err.text, "'/tmp/a,b/systemd/private': Invalid argument"));
}

/* The daemon's words for that the manager has gone. */
static void reasons(void **state)
{
	sd_bus_error gone = {"org.freedesktop.DBus.Error.NoReply", "Remote peer disconnected", 0};
	sd_bus_error late = {"org.freedesktop.DBus.Error.NoReply", "Method call timed out", 0};
	sd_bus_error silent = {"org.freedesktop.DBus.Error.NoReply", NULL, 0};
	sd_bus_error other = {"org.freedesktop.DBus.Error.Failed", "disconnected", 0};
	struct error err;

	(void)state;
	assert_string_equal(bus_reason(m, -EIO, &gone), "Remote peer disconnected");
	assert_true(m->lost);
	assert_string_equal(bus_reason(m, -EIO, &late), "Method call timed out");
	assert_false(m->lost);
	assert_string_equal(bus_reason(m, -EIO, &silent), "Input/output error");
	assert_false(m->lost);
	assert_string_equal(bus_reason(m, -EIO, &other), "disconnected");
	assert_false(m->lost);
	for (size_t k = 0; k < 3; k++) {
		m->lost = false;
		(void)bus_reason(m, (const int[]){-ECONNRESET, -EPIPE, -ENOTCONN}[k], NULL);
		assert_true(m->lost);
	}
	assert_int_equal(bus_failed(m, &err, "a thing", -EINVAL, NULL), -1);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(text(&err), "a thing: Invalid argument");
	assert_false(m->lost);
	assert_int_equal(bus_failed(m, &err, "a thing", -EINVAL, &other), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_int_equal(bus_failed(m, &err, "a thing", -ETIMEDOUT, &other), -1);
	assert_int_equal(err.code, ETIMEDOUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, manager_setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_it_is_asked_to_do),
		TEST(how_jobs_end),
		TEST(jobs_are_waited_for_so_long),
		TEST(a_stop_that_is_cancelled_is_asked_for_again),
		TEST(refusals),
		TEST(a_manager_that_executes_itself_anew),
		TEST(a_manager_that_is_unknown_for_a_moment),
		TEST(a_job_is_awaited_over_one_connection),
		TEST(where_its_socket_is),
		TEST(one_that_is_not_there),
		TEST(one_that_opens_its_socket_in_a_moment),
		TEST(over_a_bus_daemon),
		TEST(reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
