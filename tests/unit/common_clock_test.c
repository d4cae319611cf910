/* Arithmetic with times, at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/extremes.h"

static void a_time_beyond_the_clock_never_comes(void **state)
{
	(void)state;
	assert_true(time_after(1, 2) == 3);
	assert_true(time_after(USEC_INFINITY - 1, 1) == USEC_INFINITY);
	assert_true(time_after(USEC_INFINITY - 1, 2) == USEC_INFINITY);
	assert_true(time_after(1, USEC_INFINITY) == USEC_INFINITY);
	assert_true(time_of_seconds(3) == 3000000);
	assert_true(time_of_seconds(UINT64_MAX / 1000000) == UINT64_MAX / 1000000 * 1000000);
	assert_true(time_of_seconds(UINT64_MAX / 1000000 + 1) == USEC_INFINITY);
}

static void a_time_is_over_once_it_has_come(void **state)
{
	uint64_t now = now_usec();

	(void)state;
	assert_true(time_is_over(0));
	assert_true(time_is_over(now));
	assert_false(time_is_over(now + 60 * USEC_PER_SEC));
	assert_false(time_is_over(USEC_INFINITY));
}

/* Nobody sleeps after the deadline, nor looks again; a sleep that outlasts it is followed by a last look. */
static void a_pause_tells_whether_time_is_left(void **state)
{
	uint64_t began = now_usec();

	(void)state;
	assert_false(time_pause(60 * USEC_PER_SEC, began));
	assert_true(time_pause(20 * USEC_PER_MSEC, USEC_INFINITY));
	assert_true(time_since(began) >= 20 * USEC_PER_MSEC);
	assert_true(time_pause(20 * USEC_PER_MSEC, time_from_now(10 * USEC_PER_MSEC)));
	assert_false(time_pause_within(60 * USEC_PER_SEC, began));
	assert_true(time_pause_within(USEC_PER_MSEC, USEC_INFINITY));
	assert_false(time_pause_within(20 * USEC_PER_MSEC, time_from_now(10 * USEC_PER_MSEC)));
}

static void timeouts_are_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(timeout_msec(USEC_INFINITY), -1);
	assert_int_equal(timeout_msec(now_usec()), 0);
	assert_int_equal(timeout_msec(0), 0);
	assert_int_equal(timeout_msec(USEC_INFINITY - 1), INT32_MAX);
	assert_in_range(timeout_msec(now_usec() + 60 * USEC_PER_SEC - 1), 50000, 60000);
}

static void extremes(void **state)
{
	static const struct {
		uint64_t a, b, least, most, beyond;
	} cases[] = {{0, 0, 0, 0, 0}, {1, 2, 1, 2, 0}, {2, 1, 1, 2, 1}, {UINT64_MAX, 0, 0, UINT64_MAX, UINT64_MAX}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_true(least_of(cases[k].a, cases[k].b) == cases[k].least);
		assert_true(most_of(cases[k].a, cases[k].b) == cases[k].most);
		assert_true(beyond(cases[k].a, cases[k].b) == cases[k].beyond);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_beyond_the_clock_never_comes),
		cmocka_unit_test(a_time_is_over_once_it_has_come),
		cmocka_unit_test(a_pause_tells_whether_time_is_left),
		cmocka_unit_test(timeouts_are_rounded_up),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
