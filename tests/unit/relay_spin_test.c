/* When the loop looks out before it sleeps, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "relay/spin.h"

static int yielded; /* calls */

/* In place of the C library's. */
int sched_yield(void)
{
	return yielded++, 0;
}

struct fixture {
	struct spin spin;
	struct epoll_event events[2];
	int epoll_fd, fd;
};

/* One descriptor that is readable. On one processor nothing of this happens, so it counts as several. */
static int set_up(void **state)
{
	static struct fixture f;
	struct epoll_event event = {.events = EPOLLIN};

	spin_init(&f.spin);
	f.spin.possible = true;
	f.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	f.fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	*state = &f;
	return epoll_ctl(f.epoll_fd, EPOLL_CTL_ADD, f.fd, &event);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	close(f->epoll_fd);
	return 0;
}

static int looked(struct fixture *f)
{
	return spin_wait(&f->spin, f->epoll_fd, f->events, 2);
}

static void after_a_short_sleep_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(looked(f), 0);
	spin_slept(&f->spin, 10);
	assert_int_equal(looked(f), 1);
	assert_int_equal(looked(f), 1);
	spin_slept(&f->spin, 1000);
	assert_int_equal(looked(f), 0);
	/* Spinning lasts for 50 microseconds. */
	spin_slept(&f->spin, 49);
	assert_int_equal(looked(f), 1);
	spin_slept(&f->spin, 50);
	assert_int_equal(looked(f), 0);
}

static void never_on_one_processor(void **state)
{
	struct fixture *f = *state;

	f->spin.possible = false;
	spin_slept(&f->spin, 10);
	assert_int_equal(looked(f), 0);
}

static void in_vain(void **state)
{
	struct fixture *f = *state;
	eventfd_t value;

	assert_int_equal(eventfd_read(f->fd, &value), 0);
	spin_slept(&f->spin, 10);
	yielded = 0;
	assert_int_equal(looked(f), 0);
	assert_true(yielded > 0); /* the server may need this processor */
}

/* Two conversations have four ends; a fifth makes a crowd, until there were some batches without another one. */
static void tells_a_crowd(void **state)
{
	struct fixture *f = *state;
	char ends[5];

	for (int i = 0; i < 100; i++) {
		spin_batch(&f->spin);
		spin_event(&f->spin, &ends[i % 4]);
	}
	assert_int_equal(f->spin.crowd, 0);
	spin_event(&f->spin, &ends[4]);
	assert_true(f->spin.crowd > 0);
	for (int i = 0; i < 100; i++) {
		spin_batch(&f->spin);
		spin_event(&f->spin, &ends[4]);
	}
	assert_int_equal(f->spin.crowd, 0);
}

static void does_not_give_way_while_pressed(void **state)
{
	struct fixture *f = *state;
	int sleeps = 0;

	f->spin.pressed = 3;
	spin_slept(&f->spin, 10);
	while (looked(f) == 0)
		sleeps++;
	assert_int_equal(sleeps, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(after_a_short_sleep_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_on_one_processor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_vain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_a_crowd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(does_not_give_way_while_pressed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
