/* control/stage.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/stage.h"
#include "handover/channel.h"
#include "tests/unit/manager_fixture.h"

static void from_what_systemd_says(void **state)
{
	static const struct {
		const char *active_state;
		enum stage stage;
		const char *words;
	} cases[] = {
		{"inactive", STAGE_ASLEEP, "is asleep"},   {"failed", STAGE_ASLEEP, "is asleep"},
		{"activating", STAGE_WAKING, "is waking"}, {"active", STAGE_AWAKE, "is awake"},
		{"reloading", STAGE_AWAKE, "is awake"},	   {"deactivating", STAGE_STOPPING, "is being put to sleep"},
	};
	enum stage stage;
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		fake_set(&fake, "web.service", "ActiveState", cases[k].active_state);
		assert_int_equal(stage_find(m, "web", &stage, &err), 0);
		assert_int_equal(stage, cases[k].stage);
		assert_string_equal(stage_words(stage), cases[k].words);
	}
}

/* Its service starts for every client, and ends if none may wake the container. */
static void clients_that_may_not_wake_it(void **state)
{
	enum stage stage;
	struct error err;

	(void)state;
	fake_set(&fake, "web.service", "ActiveState", "activating");
	fake_set(&fake, "web.service", "StatusText", STATUS_NOBODY " so far.");
	assert_int_equal(stage_find(m, "web", &stage, &err), 0);
	assert_int_equal(stage, STAGE_REFUSING);
	assert_string_equal(stage_words(stage), "is refusing clients that may not wake it");
	fake_set(&fake, "web.service", "StatusText", STATUS_WAITS "nothing listens");
	assert_int_equal(stage_find(m, "web", &stage, &err), 0);
	assert_int_equal(stage, STAGE_WAKING);
	fake_set(&fake, "web.service", "ActiveState", "active");
	fake_set(&fake, "web.service", "StatusText", STATUS_NOBODY " so far.");
	assert_int_equal(stage_find(m, "web", &stage, &err), 0);
	assert_int_equal(stage, STAGE_AWAKE);
}

static void a_manager_that_does_not_answer(void **state)
{
	enum stage stage;
	struct error err;

	(void)state;
	fake_on(&fake, (struct fake_event){"ListUnitsByNames", .what = FAIL, .value = "a.b"});
	assert_int_equal(stage_find(m, "web", &stage, &err), -1);
	assert_non_null(strstr(err.text, "says the test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_what_systemd_says, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(clients_that_may_not_wake_it, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(a_manager_that_does_not_answer, manager_setup, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
