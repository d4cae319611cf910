/* What a connection counts, owns and leaves behind, without a proxy around it. */
#include "tests/unit/relay_fixture.h"

#include "relay/worker.h"

#define BUDGET 100
#define SLAB   64 /* connections that are allocated at a time */

static struct {
	struct relay_config config;
	struct service service;
	struct worker worker;
	struct forward forward;
	int peers[SLAB + 1]; /* of the clients, by the order in which they came */
	size_t n;
} t;

static int begin(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.service.config = &t.config;
	t.service.descriptors.free = BUDGET;
	t.worker.service = &t.service;
	t.worker.loop.now = 1000;
	t.worker.pipes.descriptors = &t.service.descriptors;
	queue_init(&t.worker.ready);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t k = 0; k < t.n; k++)
		close(t.peers[k]);
	relay_keep(&t.worker);
	return 0;
}

/* With the two descriptors that the budget knows of. */
static struct connection *new_connection(bool counts)
{
	int listener = bound(SOCK_STREAM), fd;

	t.peers[t.n++] = connect_to(SOCK_STREAM, port_of(listener));
	fd = accept_from(listener);
	close(listener);
	assert_true(descriptors_take(&t.service.descriptors, 2));
	return connection_new(&t.worker, &t.forward, fd, counts);
}

static uint64_t value(const _Atomic uint64_t *counter)
{
	return count_get(counter);
}

static void it_begins_empty(void **state)
{
	const struct counters *n = &t.worker.counters;
	struct connection *c = new_connection(true);

	(void)state;
	assert_ptr_equal(c->forward, &t.forward);
	assert_int_equal(c->state, CONNECTION_WAITING);
	assert_int_equal(c->last_active, 1000);
	assert_int_equal(c->ends[TARGET].watch.fd, -1);
	assert_false(connection_has_buffered(c));
	assert_int_equal(value(&n->connections), 1);
	assert_int_equal(value(&n->connections_total), 1);
	assert_int_equal(value(&n->holding), 1);
	assert_int_equal(value(&n->holders), 1);
	assert_int_equal(value(&n->silent), 0);
	assert_int_equal(value(&n->last_activity), 1000);
	t.worker.loop.now = 2000;
	connection_close(&t.worker, c, false);
	assert_int_equal(value(&n->connections), 0);
	assert_int_equal(value(&n->connections_total), 1);
	assert_int_equal(value(&n->holding), 0);
	assert_int_equal(value(&n->holders), 1);
	assert_int_equal(value(&n->last_activity), 2000);
	assert_int_equal(t.service.descriptors.free, BUDGET);
}

/* Nor is its end a use. */
static void who_does_not_count_keeps_nothing_awake(void **state)
{
	const struct counters *n = &t.worker.counters;

	(void)state;
	for (int data = 0; data <= 1; data++) {
		t.config.hold_data = data;
		connection_close(&t.worker, new_connection(false), false);
	}
	assert_int_equal(value(&n->connections_total), 2);
	assert_int_equal(value(&n->holding) + value(&n->holders) + value(&n->silent) + value(&n->last_activity), 0);
}

static void who_is_silent_counts_later(void **state)
{
	const struct counters *n = &t.worker.counters;
	struct connection *c, *other;

	(void)state;
	t.config.hold_data = true;
	c = new_connection(true);
	t.worker.loop.now = 2000;
	other = new_connection(true);
	assert_int_equal(value(&n->silent), 2);
	assert_int_equal(value(&n->last_silent), 2000);
	assert_int_equal(value(&n->holding) + value(&n->holders) + value(&n->last_activity), 0);
	t.worker.loop.now = 3000;
	connection_speaks(&t.worker, c);
	assert_int_equal(value(&n->silent), 1);
	assert_int_equal(value(&n->holding), 1);
	assert_int_equal(value(&n->holders), 1);
	assert_int_equal(value(&n->last_activity), 3000);
	t.worker.loop.now = 4000;
	connection_close(&t.worker, other, false);
	assert_int_equal(value(&n->silent), 0);
	assert_int_equal(value(&n->last_activity), 3000);
	connection_close(&t.worker, c, false);
	assert_int_equal(value(&n->holding) + value(&n->silent), 0);
	assert_int_equal(value(&n->last_activity), 4000);
}

static void expect_open(const struct connection *first, const struct connection *second)
{
	const struct connection *c = t.worker.all;

	assert_ptr_equal(c, first);
	assert_null(c->prev);
	if (second) {
		assert_ptr_equal(c->next, second);
		assert_ptr_equal(second->prev, first);
		c = second;
	}
	assert_null(c->next);
}

static void the_others_stay_linked(void **state)
{
	(void)state;
	for (int gone = 0; gone < 3; gone++) {
		struct connection *c[3];

		for (int k = 0; k < 3; k++)
			c[2 - k] = new_connection(true); /* the last one is the first */
		connection_close(&t.worker, c[gone], false);
		expect_open(c[gone == 0 ? 1 : 0], c[gone == 2 ? 1 : 2]);
		connection_close(&t.worker, c[gone == 0 ? 1 : 0], false);
		expect_open(c[gone == 2 ? 1 : 2], NULL);
		connection_close(&t.worker, c[gone == 2 ? 1 : 2], false);
		assert_null(t.worker.all);
	}
}

static void both_ends_are_closed_as_is_asked_for(void **state)
{
	(void)state;
	for (int reset = 0; reset <= 1; reset++) {
		int server = bound(SOCK_STREAM), peer;
		struct connection *c = new_connection(true);

		c->ends[TARGET].watch.fd = connect_to(SOCK_STREAM, port_of(server));
		peer = accept_from(server);
		connection_close(&t.worker, c, reset);
		assert_int_equal(c->state, CONNECTION_CLOSED);
		assert_int_equal(next_end(t.peers[t.n - 1]), reset ? ECONNRESET : 0);
		assert_int_equal(next_end(peer), reset ? ECONNRESET : 0);
		assert_int_equal(c->ends[CLIENT].watch.fd, -1);
		assert_true(c->ends[CLIENT].watch.ready == loop_ignore);
		close(peer);
		close(server);
	}
}

/* The client is not told. */
static void a_target_can_be_dropped(void **state)
{
	int server = bound(SOCK_STREAM), peer;
	struct connection *c = new_connection(true);

	(void)state;
	c->ends[TARGET].watch.fd = connect_to(SOCK_STREAM, port_of(server));
	peer = accept_from(server);
	connection_drop_target(c);
	assert_int_equal(next_end(peer), 0);
	assert_int_equal(c->ends[TARGET].watch.fd, -1);
	connection_drop_target(c); /* there is none */
	assert_int_equal(recv(t.peers[0], &(char){0}, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	connection_close(&t.worker, c, false);
	close(peer);
	close(server);
}

static void what_it_held_is_let_go(void **state)
{
	struct connection *c = new_connection(true);
	struct pipe *pipe = pipe_take(&t.worker.pipes);
	int out = pipe->out;

	(void)state;
	c->ends[CLIENT].pipe = pipe;
	c->ends[CLIENT].buffered_len = 5;
	assert_true(connection_has_buffered(c));
	c->ends[CLIENT].pipe = NULL;
	c->ends[TARGET].buffered = malloc(7);
	c->ends[TARGET].buffered_len = 7;
	t.worker.buffered = 10;
	assert_true(connection_has_buffered(c));
	c->ends[CLIENT].pipe = pipe;
	connection_close(&t.worker, c, false);
	assert_int_equal(t.worker.buffered, 3);
	assert_int_equal(t.worker.pipes.count, 0);
	assert_int_equal(fcntl(out, F_GETFD), -1);
	assert_false(connection_has_buffered(c));
	assert_int_equal(c->ends[CLIENT].buffered_len + c->ends[TARGET].buffered_len, 0);
	assert_int_equal(t.service.descriptors.free, BUDGET);
}

/* While events are handed out they may still mean it. */
static void its_memory_is_used_again_when_it_was_reaped(void **state)
{
	struct connection *c = new_connection(true), *next;

	(void)state;
	connection_close(&t.worker, c, false);
	next = new_connection(true);
	assert_ptr_not_equal(next, c);
	connection_close(&t.worker, next, false);
	connection_reap(&t.worker);
	assert_null(t.worker.dead);
	assert_ptr_equal(new_connection(true), c);
	assert_ptr_equal(new_connection(true), next);
	while (t.worker.all)
		connection_close(&t.worker, t.worker.all, false);
}

static void slabs_follow_each_other(void **state)
{
	struct connection *first, *last = NULL;

	(void)state;
	t.service.descriptors.free = 4 * SLAB;
	first = new_connection(true);
	for (size_t k = 1; k < SLAB; k++)
		last = new_connection(true);
	assert_null(t.worker.free);
	assert_int_equal(first - last, SLAB - 1);
	assert_non_null(new_connection(true));
	assert_non_null(t.worker.free);
	while (t.worker.all)
		connection_close(&t.worker, t.worker.all, false);
}

static void queues_keep_their_order(void **state)
{
	struct connection_queue *q = &t.worker.ready;
	struct connection *c[3];

	(void)state;
	for (int k = 0; k < 3; k++) {
		c[k] = new_connection(true);
		queue_add(q, c[k]);
		queue_add(q, c[k]); /* is in there */
	}
	for (int k = 0; k < 3; k++) {
		assert_ptr_equal(queue_pop(&t.worker, q), c[k]);
		assert_false(c[k]->is_queued);
		if (k == 0)
			queue_add(q, c[0]);
	}
	assert_ptr_equal(queue_pop(&t.worker, q), c[0]);
	assert_null(queue_pop(&t.worker, q));
	queue_add(q, c[1]);
	assert_ptr_equal(queue_pop(&t.worker, q), c[1]);
	for (int k = 0; k < 3; k++)
		connection_close(&t.worker, c[k], false);
}

/* One that is closed in a queue is buried when its turn comes, and not before. */
static void closed_ones_have_no_turn(void **state)
{
	struct connection_queue *q = &t.worker.ready;
	struct connection *c[2];

	(void)state;
	for (int k = 0; k < 2; k++) {
		c[k] = new_connection(true);
		queue_add(q, c[k]);
	}
	connection_close(&t.worker, c[0], false);
	assert_null(t.worker.dead);
	assert_ptr_equal(queue_pop(&t.worker, q), c[1]);
	assert_ptr_equal(t.worker.dead, c[0]);
	connection_close(&t.worker, c[1], false);
	assert_ptr_equal(t.worker.dead, c[1]);
	assert_ptr_equal(c[1]->next, c[0]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_begins_empty, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_count_keeps_nothing_awake, begin, end),
		cmocka_unit_test_setup_teardown(who_is_silent_counts_later, begin, end),
		cmocka_unit_test_setup_teardown(the_others_stay_linked, begin, end),
		cmocka_unit_test_setup_teardown(both_ends_are_closed_as_is_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(a_target_can_be_dropped, begin, end),
		cmocka_unit_test_setup_teardown(what_it_held_is_let_go, begin, end),
		cmocka_unit_test_setup_teardown(its_memory_is_used_again_when_it_was_reaped, begin, end),
		cmocka_unit_test_setup_teardown(slabs_follow_each_other, begin, end),
		cmocka_unit_test_setup_teardown(queues_keep_their_order, begin, end),
		cmocka_unit_test_setup_teardown(closed_ones_have_no_turn, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
