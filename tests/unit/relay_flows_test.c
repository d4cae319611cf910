/* The table of UDP flows: who is found, who makes room, and when nobody is left. */
#include "tests/unit/proxy_fixture.h"

#include "relay/flows.h"

#define BUDGET	  100
#define EXPIRY	  (10 * USEC_PER_SEC)
#define FIRST_MAX (4U << 20) /* bytes of all first datagrams */

static struct {
	struct service service;
	struct worker worker;
	struct flow_table table;
	struct forward forward;
	struct target targets[2]; /* of which the second one refuses to be connected to */
	int server;
} t;

static void begin_with(size_t max, uint64_t expiry)
{
	struct sockaddr_in *a = (struct sockaddr_in *)&t.targets[0].addr;
	struct error err;

	memset(&t, 0, sizeof(t));
	t.service.descriptors.free = BUDGET;
	t.worker.service = &t.service;
	assert_int_equal(loop_open(&t.worker.loop, &err), 0);
	t.worker.loop.now = 1000;
	assert_int_equal(flow_table_init(&t.table, &t.worker, max, expiry, &err), 0);
	t.server = bound(SOCK_DGRAM);
	*a = loopback(port_of(t.server));
	t.targets[0].len = sizeof(*a);
	t.targets[1] = (struct target){.addr.ss_family = AF_INET, .len = sizeof(sa_family_t)}; /* too short */
	t.forward = (struct forward){.family = AF_INET, .targets = t.targets, .n_targets = 2};
}

static void end(void)
{
	while (t.table.oldest)
		flow_close(&t.table, t.table.oldest);
	assert_int_equal(t.table.count, 0);
	assert_int_equal(t.table.first_bytes, 0);
	assert_int_equal(count_get(&t.worker.counters.flows), 0);
	assert_int_equal(t.service.descriptors.free, BUDGET);
	while (t.table.free) {
		struct flow *f = t.table.free;

		t.table.free = f->hash_next;
		free(f);
	}
	close(t.server);
	free(t.table.buckets);
	loop_close(&t.worker.loop);
}

static struct flow_key key_of(uint16_t port)
{
	return (struct flow_key){.forward = &t.forward, .port = port};
}

static struct flow *find(uint16_t port)
{
	struct flow_key key = key_of(port);

	return flow_find(&t.table, &key);
}

static struct flow *new_flow(uint16_t port)
{
	struct flow_key key = key_of(port);

	return flow_new(&t.table, &key, loop_ignore);
}

static void each_is_found_by_its_client(void **state)
{
	enum { MANY = 10000 }; /* more than there are buckets */

	(void)state;
	begin_with(MANY, USEC_INFINITY);
	t.service.descriptors.free = MANY;
	for (uint16_t port = 0; port < MANY; port++) {
		assert_null(find(port));
		assert_non_null(new_flow(port));
	}
	for (uint16_t port = 0; port < MANY; port++)
		assert_int_equal(find(port)->key.port, port);
	for (uint16_t port = 0; port < MANY; port += 2)
		flow_close(&t.table, find(port));
	for (uint16_t port = 0; port < MANY; port++)
		assert_int_equal(find(port) != NULL, port % 2);
	assert_int_equal(t.table.count, MANY / 2);
	assert_int_equal(count_get(&t.worker.counters.flows), MANY / 2);
	assert_int_equal(count_get(&t.worker.counters.flows_total), MANY);
	assert_int_equal(t.service.descriptors.free, MANY / 2);
	t.service.descriptors.free += BUDGET - MANY;
	end();
}

/* A closed one's memory is used again, with nothing of it left. */
static void a_new_one_is_empty(void **state)
{
	struct flow *f;

	(void)state;
	begin_with(5, USEC_INFINITY);
	f = new_flow(1);
	assert_int_equal(f->watch.fd, -1);
	f->refused = 3;
	f->want = 4;
	f->answered = f->joins = f->waiting = f->holds = true;
	flow_keep_first(&t.table, f, "x", 1);
	flow_close(&t.table, f);
	assert_true(f->watch.ready == loop_ignore);
	assert_ptr_equal(new_flow(2), f);
	assert_int_equal(f->refused + f->want + f->first_len + f->answered + f->joins + f->waiting + f->holds, 0);
	assert_null(f->first);
	assert_ptr_not_equal(new_flow(3), f);
	end();
}

static void who_was_quiet_longest_makes_room(void **state)
{
	(void)state;
	begin_with(3, USEC_INFINITY);
	for (uint16_t port = 1; port <= 3; port++)
		assert_non_null(new_flow(port));
	t.worker.loop.now = 2000;
	flow_touch(&t.table, find(1)); /* the oldest */
	flow_touch(&t.table, find(1)); /* the newest */
	assert_int_equal(find(1)->last_active, 2000);
	assert_non_null(new_flow(4));
	assert_null(find(2));
	flow_touch(&t.table, find(1)); /* one in between */
	assert_non_null(new_flow(5));
	assert_null(find(3));
	assert_non_null(new_flow(6));
	assert_null(find(4));
	assert_non_null(find(1));
	assert_non_null(find(5));
	assert_int_equal(t.table.count, 3);
	end();
}

static void without_a_descriptor_one_makes_room(void **state)
{
	(void)state;
	begin_with(10, USEC_INFINITY);
	t.service.descriptors.free = 2;
	assert_non_null(new_flow(1));
	assert_non_null(new_flow(2));
	assert_int_equal(t.service.descriptors.free, 0);
	assert_non_null(new_flow(3));
	assert_null(find(1));
	assert_int_equal(t.table.count, 2);
	flow_close(&t.table, find(2));
	flow_close(&t.table, find(3));
	/* Others have them all. */
	t.service.descriptors.free = 0;
	assert_null(new_flow(4));
	assert_null(find(4));
	assert_int_equal(t.service.descriptors.free, 0);
	assert_int_equal(count_get(&t.worker.counters.flows_total), 3);
	t.service.descriptors.free = BUDGET;
	end();
}

static void fire(uint64_t now)
{
	t.worker.loop.now = now;
	t.table.timer.when = USEC_INFINITY;
	t.table.timer.fire(&t.worker.loop, &t.table.timer);
}

static void who_was_quiet_for_too_long_ends(void **state)
{
	(void)state;
	begin_with(10, EXPIRY);
	assert_true(t.table.timer.when == USEC_INFINITY);
	assert_non_null(new_flow(1));
	assert_int_equal(t.table.timer.when, 1000 + EXPIRY);
	t.worker.loop.now = 5000;
	assert_non_null(new_flow(2));
	assert_int_equal(t.table.timer.when, 1000 + EXPIRY);
	fire(1000 + EXPIRY - 1);
	assert_non_null(find(1));
	assert_int_equal(t.table.timer.when, 1000 + EXPIRY);
	fire(1000 + EXPIRY);
	assert_null(find(1));
	assert_non_null(find(2));
	assert_int_equal(t.table.timer.when, 5000 + EXPIRY);
	fire(6000 + EXPIRY);
	assert_null(find(2));
	assert_true(t.table.timer.when == USEC_INFINITY);
	end();
	begin_with(10, USEC_INFINITY);
	assert_non_null(new_flow(1));
	assert_true(t.table.timer.when == USEC_INFINITY);
	end();
}

static void a_flow_has_one_socket(void **state)
{
	struct flow *f;
	int first, next;

	(void)state;
	begin_with(10, USEC_INFINITY);
	f = new_flow(1);
	assert_int_equal(flow_connect(&t.table, f, 0), 0);
	first = f->watch.fd;
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	next = dup(0);
	close(next);
	assert_int_equal(flow_connect(&t.table, f, 1), EINVAL);
	assert_int_equal(f->watch.fd, first);
	assert_true(f->watch.ready == loop_ignore);
	assert_int_equal(send(first, "x", 1, 0), 1);
	assert_int_equal(wait_readable(t.server), 1);
	assert_int_equal(dup(0), next); /* nothing was left open */
	close(next);
	assert_int_equal(flow_connect(&t.table, f, 0), 0);
	assert_int_equal(f->target, 0);
	assert_int_not_equal(f->watch.fd, first);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	first = f->watch.fd;
	flow_close(&t.table, f);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	end();
}

static void first_datagrams_have_bounds(void **state)
{
	static char data[FIRST_MAX];
	struct flow *a, *b;

	(void)state;
	begin_with(10, USEC_INFINITY);
	a = new_flow(1);
	b = new_flow(2);
	flow_keep_first(&t.table, a, data, 0);
	assert_null(a->first);
	memset(data, 'x', sizeof(data));
	flow_keep_first(&t.table, a, data, FIRST_MAX - 3);
	assert_int_equal(a->first_len, FIRST_MAX - 3);
	assert_memory_equal(a->first, data, FIRST_MAX - 3);
	flow_keep_first(&t.table, b, "four", 4);
	assert_null(b->first);
	flow_keep_first(&t.table, b, "abc", 3);
	assert_memory_equal(b->first, "abc", 3);
	assert_int_equal(t.table.first_bytes, FIRST_MAX);
	flow_drop_first(&t.table, a);
	assert_null(a->first);
	assert_int_equal(a->first_len, 0);
	assert_int_equal(t.table.first_bytes, 3);
	flow_close(&t.table, b);
	assert_int_equal(t.table.first_bytes, 0);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_by_its_client),
		cmocka_unit_test(a_new_one_is_empty),
		cmocka_unit_test(who_was_quiet_longest_makes_room),
		cmocka_unit_test(without_a_descriptor_one_makes_room),
		cmocka_unit_test(who_was_quiet_for_too_long_ends),
		cmocka_unit_test(a_flow_has_one_socket),
		cmocka_unit_test(first_datagrams_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
