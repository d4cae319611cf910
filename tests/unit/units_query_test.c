/* Why a unit has failed, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handover/channel.h"
#include "handover/exit.h"
#include "units/query.h"

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
		cmocka_unit_test(failures_have_reasons),
		cmocka_unit_test(last_words_may_be_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
