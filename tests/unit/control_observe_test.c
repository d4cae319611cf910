/* control/observe.c: what an instance does, by what its service says. The manager is a fake. */
#include "tests/unit/instance_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "control/observe.h"
#include "handover/channel.h"
#include "tests/unit/manager_fixture.h"

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
		{STATUS_STILL_STARTING "after 5s", "", STATUS_STILL_STARTING "after 5s", STATE_WAKING},
	};
	struct stored item = {.instance = small_instance("x"), .enabled = true};
	struct stored_list list = {.items = &item, .n = 1};
	char home[] = "/tmp/sockwake-observe-XXXXXX", directory[128], path[192];
	static const char *const files[] = {"x.service", "x.socket"};

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(setenv("XDG_CONFIG_HOME", home, 1), 0);
	snprintf(directory, sizeof(directory), "%s/systemd", home);
	assert_int_equal(mkdir(directory, 0700), 0);
	snprintf(directory, sizeof(directory), "%s/systemd/user", home);
	assert_int_equal(mkdir(directory, 0700), 0);
	for (size_t k = 0; k < 2; k++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[k]);
		close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	fake_set(&fake, "x.service", "ActiveState", "active");
	fake_set(&fake, "x.service", "StateChangeTimestamp", "1790000000000000");
	fake_set(&fake, "x.socket", "ActiveState", "active");
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_free_ struct observation *o = NULL;
		struct error trouble, err;

		fake_set(&fake, "x.service", "StatusText", rows[k].status);
		assert_int_equal(observe(SCOPE_USER, &list, USEC_PER_SEC, &o, &trouble, &err), 0);
		assert_int_equal(o->state, rows[k].expected);
		assert_string_equal(o->phase, rows[k].phase);
		assert_string_equal(o->reason, rows[k].reason);
		assert_int_equal(o->since_usec, rows[k].expected == STATE_AWAKE ? 1790000000000000 : 0);
	}
	stored_clear(&item);
	for (size_t k = 0; k < 2; k++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[k]);
		unlink(path);
	}
	rmdir(directory);
	*strrchr(directory, '/') = '\0';
	rmdir(directory);
	rmdir(home);
	unsetenv("XDG_CONFIG_HOME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wake_in_a_service_that_is_active, manager_setup, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
