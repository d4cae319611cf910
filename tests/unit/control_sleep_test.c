/* control/sleep.c: several instances are told to sleep before anybody waits for one. */
#include "tests/unit/instance_fixture.h"

#include "control/sleep.h"
#include "tests/unit/manager_fixture.h"

static void all_are_told_first(void **state)
{
	struct stored items[3] = {{.instance = small_instance("a")},
				  {.instance = small_instance("b")},
				  {.instance = small_instance("c")}};

	(void)state;
	for (size_t k = 0; k < 3; k++)
		fake_set(&fake, k == 0 ? "a.service" : k == 1 ? "b.service" : "c.service", "stop", "pending");
	items[1].instance.legacy = true; /* it has another service, and is stopped in its turn */
	(void)fake_calls(&fake);	 /* of the set-up */
	sleep_begin(SCOPE_USER, &(struct stored_list){.items = items, .n = 1});
	assert_string_equal(fake_calls(&fake), "");
	sleep_begin(SCOPE_USER, &(struct stored_list){.items = items, .n = 3});
	assert_string_equal(fake_calls(&fake), "Subscribe\nStopUnit a.service replace\nStopUnit c.service replace\n");
	for (size_t k = 0; k < 3; k++)
		stored_clear(&items[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_told_first, manager_setup, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
