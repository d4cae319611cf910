/* Events, timers and sleep of one loop. */
#include "tests/unit/proxy_fixture.h"

#include <sys/eventfd.h>

#include "relay/loop.h"

#define TIMERS 3

static struct {
	struct loop loop;
	struct watch watch; /* an eventfd, readable from the start */
	struct timer timers[TIMERS];
	uint64_t due[TIMERS]; /* when each was to fire */
	unsigned fired[TIMERS], rounds, events;
	unsigned last; /* the round that ends it */
} t;

static void read_event(struct loop *loop, struct watch *watch, uint32_t events)
{
	eventfd_t value;

	(void)loop;
	assert_int_equal(events, EPOLLIN);
	assert_int_equal(eventfd_read(watch->fd, &value), 0);
	t.events++;
}

static bool count_round(struct loop *loop)
{
	loop->stop = ++t.rounds >= t.last;
	return false;
}

static int open_loop(void **state)
{
	struct error err;

	(void)state;
	memset(&t, 0, sizeof(t));
	assert_int_equal(loop_open(&t.loop, &err), 0);
	t.loop.after = count_round;
	t.watch = (struct watch){.ready = read_event, .fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
	return loop_watch(&t.loop, &t.watch, EPOLLIN);
}

static int close_loop(void **state)
{
	(void)state;
	close(t.watch.fd);
	loop_close(&t.loop);
	return 0;
}

static void run(unsigned rounds)
{
	struct error err;

	t.loop.stop = false;
	t.last = t.rounds + rounds;
	assert_int_equal(loop_run(&t.loop, &err), 0);
}

static void note_timer(struct loop *loop, struct timer *timer)
{
	size_t k = (size_t)(timer - t.timers);

	assert_true(timer->when == USEC_INFINITY);
	assert_true(loop->now >= t.due[k]);
	t.fired[k]++;
}

static void set(size_t k, uint64_t msec)
{
	t.due[k] = t.loop.now + msec * USEC_PER_MSEC;
	timer_set(&t.loop, &t.timers[k], t.due[k]);
}

/* The first one due comes first, whatever the order in which they were set; each once. */
static void timers_fire_when_they_are_due(void **state)
{
	uint64_t began = 0;

	(void)state;
	run(1); /* the event */
	for (size_t k = 0; k < TIMERS; k++)
		timer_add(&t.loop, &t.timers[k], note_timer);
	for (int tries = 0; t.fired[1] == t.fired[0]; tries++) {
		assert_true(tries < 20); /* a busy machine wakes us when both are due */
		began = now_usec();
		t.rounds = t.fired[0] = t.fired[1] = 0;
		set(0, 60);
		set(1, 20);
		while (t.fired[1] == 0)
			run(1);
	}
	assert_int_equal(t.fired[0], 0);
	while (t.fired[0] == 0)
		run(1);
	assert_true(now_usec() - began >= 50 * USEC_PER_MSEC);
	assert_int_equal(t.fired[1], 1);
	assert_int_equal(t.fired[2], 0);
	assert_int_equal(t.events, 1);
	assert_true(t.loop.next_timer == USEC_INFINITY);
	assert_in_range(t.rounds, 2, 20); /* it slept meanwhile */
}

/* One that moved away does not fire at its old time. */
static void a_timer_can_move_away(void **state)
{
	(void)state;
	run(1);
	for (size_t k = 0; k < TIMERS; k++)
		timer_add(&t.loop, &t.timers[k], note_timer);
	set(0, 10);
	timer_set(&t.loop, &t.timers[0], USEC_INFINITY);
	set(1, 40);
	while (t.fired[1] == 0)
		run(1);
	assert_int_equal(t.fired[0], 0);
}

static bool more_is_left(struct loop *loop)
{
	loop->stop = ++t.rounds >= t.last;
	return true;
}

/* Who has work left does not sleep, though no event comes. */
static void work_that_is_left_is_done_at_once(void **state)
{
	(void)state;
	t.loop.after = more_is_left;
	run(100);
	assert_int_equal(t.events, 1);
}

/* To look out instead of a sleep takes time from those who have work left, or move much. */
static void who_does_not_sleep_does_not_look_out(void **state)
{
	(void)state;
	t.loop.spin.possible = t.loop.spin.pays = true;
	t.loop.spin.pressed = 1000; /* looks that are left out: counts those that come to it */
	t.loop.after = more_is_left;
	run(100);
	assert_int_equal(t.loop.spin.pressed, 999);
	t.loop.spin.pays = true;
	t.loop.bulk = true;
	assert_int_equal(eventfd_write(t.watch.fd, 1), 0);
	t.loop.after = count_round;
	run(1);
	assert_int_equal(t.loop.spin.pressed, 999);
	assert_false(t.loop.bulk);
}

/* A sleep that was short pays to look out the next time, unless much is moved; a long one does not. */
static void a_short_sleep_pays(void **state)
{
	(void)state;
	t.loop.spin.possible = true;
	for (int tries = 0; !t.loop.spin.pays; tries++) {
		assert_true(tries < 1000); /* the scheduler may come in between */
		run(1);			   /* the event is there: no sleep */
		assert_int_equal(eventfd_write(t.watch.fd, 1), 0);
	}
	run(1);
	timer_add(&t.loop, &t.timers[0], note_timer);
	set(0, 30);
	while (t.fired[0] == 0)
		run(1);
	assert_false(t.loop.spin.pays);
}

static void ignored_events_do_nothing(void **state)
{
	(void)state;
	t.watch.ready = loop_ignore;
	run(3);
	loop_unwatch(&t.loop, &t.watch);
	assert_int_equal(t.events, 0);
	t.watch.ready = read_event;
	timer_add(&t.loop, &t.timers[0], note_timer);
	set(0, 10);
	while (t.fired[0] == 0)
		run(1);
	assert_int_equal(t.events, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_when_they_are_due, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(a_timer_can_move_away, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(work_that_is_left_is_done_at_once, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(who_does_not_sleep_does_not_look_out, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(a_short_sleep_pays, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(ignored_events_do_nothing, open_loop, close_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
