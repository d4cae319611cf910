/* control/sleep.c: several instances are told to sleep before anybody waits for one. */
#include "tests/unit/instance_fixture.h"

#include "control/note.h"
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

static char notes[1024];

static void keep_note(enum note_kind kind, const char *text)
{
	if (kind == NOTE_REMARK)
		(void)snprintf(notes + strlen(notes), sizeof(notes) - strlen(notes), "%s\n", text);
}

static void what_it_waits_for_is_noted(void **state)
{
	struct stored s = {.instance = small_instance("a"), .problem = strdup("a test")};
	struct error err;

	(void)state;
	fake_active(&fake, "a.service", "11111111111111111111111111111111");
	fake_set(&fake, "a.service", "StatusText", "not asleep yet: the engine refuses");
	fake_set(&fake, "a.service", "stop", "pending");
	fake_on(&fake, (struct fake_event){.on = "StopUnit a.service", .after = 1, .what = END, .value = "done"});
	note_set_sink(keep_note);
	assert_int_equal(sleep_instance(SCOPE_USER, &s, &err), 0);
	note_set_sink(NULL);
	assert_non_null(strstr(notes, "'a' is still being put to sleep: not asleep yet: the engine refuses\n"));
	stored_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_told_first, manager_setup, manager_teardown),
		cmocka_unit_test_setup_teardown(what_it_waits_for_is_noted, manager_setup, manager_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
