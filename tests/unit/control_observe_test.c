/* control/observe.c: what an instance does, by what its service says. The manager is a fake. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "control/observe.h"
#include "handover/channel.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/manager_fixture.h"

static char home[64], directory[128];

static const char *unit_path(const char *unit)
{
	static char path[192];

	snprintf(path, sizeof(path), "%s/%s", directory, unit);
	return path;
}

static int setup_units(void **state)
{
	strcpy(home, "/tmp/sockwake-observe-XXXXXX");
	if (!mkdtemp(home) || setenv("XDG_CONFIG_HOME", home, 1) < 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s/systemd", home);
	if (mkdir(directory, 0700) < 0)
		return -1;
	snprintf(directory, sizeof(directory), "%s/systemd/user", home);
	if (mkdir(directory, 0700) < 0)
		return -1;
	close(open(unit_path("x.service"), O_WRONLY | O_CREAT, 0600));
	close(open(unit_path("x.socket"), O_WRONLY | O_CREAT, 0600));
	return manager_setup(state);
}

static int teardown_units(void **state)
{
	unlink(unit_path("x.service"));
	unlink(unit_path("x.socket"));
	rmdir(directory);
	*strrchr(directory, '/') = '\0';
	rmdir(directory);
	rmdir(home);
	unsetenv("XDG_CONFIG_HOME");
	return manager_teardown(state);
}

static struct observation *look(const struct stored_list *list)
{
	struct observation *o = NULL;
	struct error trouble, err;

	assert_int_equal(observe(SCOPE_USER, list, USEC_PER_SEC, &o, &trouble, &err), 0);
	return o;
}

static void a_wake_in_a_service_that_is_active(void **state)
{
	static const struct {
		const char *status, *phase, *reason;
		enum state expected;
	} rows[] = {
		{"1 connection (2 in all); 3 B in, 4 B out; up 5s", "", "", STATE_AWAKE},
		{"", "", "", STATE_AWAKE},
		{"still", "", "", STATE_AWAKE},
		{STATUS_WAITS "nothing listens on port 81", "nothing listens on port 81", "", STATE_WAKING},
		{STATUS_NOBODY ".", "", "", STATE_ASLEEP},
		{STATUS_STILL_STARTING "after 5s", "", STATUS_STILL_STARTING "after 5s", STATE_WAKING},
	};
	struct stored item = {.instance = small_instance("x"), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};

	(void)state;
	fake_set(&fake, "x.service", "ActiveState", "active");
	fake_set(&fake, "x.service", "StateChangeTimestamp", "1790000000000000");
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_free_ struct observation *o = NULL;

		fake_set(&fake, "x.service", "StatusText", rows[k].status);
		o = look(&list);
		assert_int_equal(o->state, rows[k].expected);
		assert_string_equal(o->phase, rows[k].phase);
		assert_string_equal(o->reason, rows[k].reason);
		assert_int_equal(o->since_usec, rows[k].expected == STATE_AWAKE ? 1790000000000000 : 0);
	}
	stored_clear(&item);
}

/* The unit that would make the container has no file any more: only the next client would have learned it. */
static void a_unit_that_is_gone(void **state)
{
	struct stored item = {.instance = small_instance("x"), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};

	(void)state;
	item.instance.unit = strdup("web.service");
	fake_set(&fake, "x.service", "ActiveState", "inactive");
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (int k = 0; k < 2; k++) {
		_cleanup_free_ struct observation *o = look(&list);

		assert_int_equal(o->state, k == 0 ? STATE_FAILED : STATE_ASLEEP);
		assert_string_equal(o->reason, k == 0 ? "there is no unit 'web.service', which runs its container: put "
							"its file back, and run 'systemctl --user daemon-reload'"
						      : "");
		fake_set(&fake, "web.service", "ActiveState", "inactive");
	}
	stored_clear(&item);
}

/* Whatever was changed: the manager knows when the program began that still has the old options. */
static void what_was_changed_since_it_woke(void **state)
{
	struct stored item = {.instance = small_instance("x"), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};
	static const struct {
		int since; /* seconds, from the change to the start of the service */
		const char *pid;
		bool changed;
	} rows[] = {{-5, "7", true}, {5, "7", false}, {-5, "0", false}};

	(void)state;
	fake_set(&fake, "x.service", "ActiveState", "active");
	fake_set(&fake, "x.service", "FragmentPath", unit_path("x.service"));
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_free_ struct observation *o = NULL;
		uint64_t since = now_usec() + (uint64_t)((int64_t)rows[k].since * (int64_t)USEC_PER_SEC);
		char text[32];

		/* the change is now, or ten seconds ago */
		if (rows[k].since > 0) {
			const struct timespec times[2] = {{.tv_sec = time(NULL) - 10}, {.tv_sec = time(NULL) - 10}};

			assert_int_equal(utimensat(AT_FDCWD, unit_path("x.service"), times, 0), 0);
			since = now_usec() - 5 * USEC_PER_SEC;
		}
		snprintf(text, sizeof(text), "%llu", (unsigned long long)since);
		fake_set(&fake, "x.service", "ExecMainStartTimestampMonotonic", text);
		fake_set(&fake, "x.service", "MainPID", rows[k].pid);
		o = look(&list);
		assert_int_equal(o->changed, rows[k].changed);
	}
	stored_clear(&item);
}

#define PAUSED(name)                                                                                                   \
	"HTTP/1.1 200 OK\r\nContent-Length: 129\r\n\r\n"                                                               \
	"[{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"Names\":[\"" name             \
	"\"],\"State\":\"paused\",\"Labels\":{},\"Ports\":[]}]"

/* Somebody else did that: it gives its clients no answer, which nobody else would tell. */
static void what_is_paused_while_it_is_awake(void **state)
{
	static const struct {
		const char *status, *reason;
	} rows[] = {
		{"", "'x' is paused: 'podman unpause x' lets it go on"},
		{"", "'d' is paused: 'podman unpause d' lets it go on"},
		{"", ""},
		{STATUS_WAITS "nothing listens on port 81", ""},
	};
	struct stored item = {.instance = small_instance("x"), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};
	FAKE_ENGINE(f, SAY(PAUSED("x")), SAY(PAUSED("d")), SAY(PAUSED("y")), SAY(PAUSED("x")));

	(void)state;
	item.instance.engine_socket = strdup(f.socket);
	item.instance.dependencies[item.instance.n_dependencies++] = (struct dependency){.container = strdup("d")};
	fake_set(&fake, "x.service", "ActiveState", "active");
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_free_ struct observation *o = NULL;

		fake_set(&fake, "x.service", "StatusText", rows[k].status);
		o = look(&list);
		assert_string_equal(o->reason, rows[k].reason);
	}
	stored_clear(&item);
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wake_in_a_service_that_is_active, setup_units, teardown_units),
		cmocka_unit_test_setup_teardown(a_unit_that_is_gone, setup_units, teardown_units),
		cmocka_unit_test_setup_teardown(what_was_changed_since_it_woke, setup_units, teardown_units),
		cmocka_unit_test_setup_teardown(what_is_paused_while_it_is_awake, setup_units, teardown_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
