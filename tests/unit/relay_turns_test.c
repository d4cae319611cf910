/* Whose turn it is, and who was quiet for too long; how many descriptors there are. */
#include "tests/unit/refusal_fixture.h"
#include "tests/unit/relay_fixture.h"

#include "relay/accept.h"
#include "relay/pump.h"
#include "relay/turns.h"

#define RETRY_USEC (50 * USEC_PER_MSEC)
#define TIMEOUT	   (10 * USEC_PER_SEC)

static struct relay r;
static int peers[8];
static size_t n_peers;

static void begin(void)
{
	relay_begin(&r, SOCK_STREAM);
	r.forward.n_targets = 1; /* of no address family: nothing can be connected to it */
	n_peers = 0;
}

static void end(void)
{
	relay_end(&r);
	while (n_peers > 0)
		close(peers[--n_peers]);
}

static struct connection *connection(uint64_t last_active)
{
	struct connection *c;
	int fds[2];

	relay_pair(SOCK_STREAM, fds);
	peers[n_peers++] = fds[1];
	c = relay_connection(&r, fds[0]);
	c->last_active = last_active;
	return c;
}

static void who_was_quiet_for_too_long_is_closed(void **state)
{
	struct connection *old, *young;

	(void)state;
	begin();
	r.config.connection_timeout = TIMEOUT;
	(void)worker_after(&r.worker.loop);
	assert_true(r.worker.sweep.when == USEC_INFINITY); /* for nobody */
	old = connection(RELAY_NOW);
	young = connection(RELAY_NOW + 500);
	(void)worker_after(&r.worker.loop);
	assert_int_equal(r.worker.sweep.when, RELAY_NOW + TIMEOUT);
	r.worker.loop.now = 2000;
	(void)worker_after(&r.worker.loop);
	assert_int_equal(r.worker.sweep.when, RELAY_NOW + TIMEOUT);
	relay_fire(&r, &r.worker.sweep, RELAY_NOW + TIMEOUT - 1);
	assert_int_equal(old->state, CONNECTION_WAITING);
	assert_int_equal(r.worker.sweep.when, RELAY_NOW + TIMEOUT);
	relay_fire(&r, &r.worker.sweep, RELAY_NOW + TIMEOUT);
	assert_int_equal(old->state, CONNECTION_CLOSED);
	assert_ptr_equal(r.worker.all, young);
	assert_int_equal(r.worker.sweep.when, RELAY_NOW + 500 + TIMEOUT);
	assert_int_equal(next_end(peers[0]), 0);
	/* What it could not pass on makes it a reset. */
	young->ends[TARGET].buffered = malloc(1);
	relay_fire(&r, &r.worker.sweep, RELAY_NOW + 500 + TIMEOUT);
	assert_null(r.worker.all);
	assert_true(r.worker.sweep.when == USEC_INFINITY);
	assert_int_equal(next_end(peers[1]), ECONNRESET);
	end();
	begin();
	(void)connection(RELAY_NOW);
	(void)worker_after(&r.worker.loop);
	assert_true(r.worker.sweep.when == USEC_INFINITY); /* no time-out */
	end();
}

/* Who is closed has his memory used again; who queues up anew waits for the next time. */
static void each_has_one_turn(void **state)
{
	struct connection *c;

	(void)state;
	begin();
	c = connection(RELAY_NOW);
	c->state = CONNECTION_CONNECTING; /* nothing to do before its next event */
	turn_again(&r.worker, c);
	assert_ptr_equal(r.worker.ready.first, c);
	assert_false(worker_after(&r.worker.loop));
	assert_false(c->is_queued);
	connection_close(&r.worker, c, false);
	assert_ptr_equal(r.worker.dead, c);
	assert_false(worker_after(&r.worker.loop));
	assert_null(r.worker.dead);
	assert_ptr_equal(r.worker.free, c);
	end();
}

static void who_waits_is_asked_again(void **state)
{
	struct connection *c;

	(void)state;
	begin();
	r.forward.deadline = RELAY_NOW + 2 * RETRY_USEC;
	c = connection(RELAY_NOW);
	turn_later(&r.worker, c);
	assert_int_equal(r.worker.retry.when, RELAY_NOW + RETRY_USEC);
	r.worker.loop.now += 5;
	turn_later(&r.worker, connection(RELAY_NOW));
	assert_int_equal(r.worker.retry.when, RELAY_NOW + RETRY_USEC);
	relay_fire(&r, &r.worker.retry, RELAY_NOW + RETRY_USEC); /* no target can be reached: they wait on */
	assert_int_equal(c->state, CONNECTION_WAITING);
	assert_true(c->is_queued);
	assert_int_equal(r.worker.retry.when, RELAY_NOW + 2 * RETRY_USEC);
	relay_fire(&r, &r.worker.retry, RELAY_NOW + 2 * RETRY_USEC); /* … until the deadline */
	assert_null(r.worker.all);
	assert_int_equal(count_get(&r.worker.counters.connections_failed), 2);
	assert_int_equal(next_end(peers[0]), ECONNRESET);
	end();
}

/* There was no memory to watch the client, or to read. */
static void who_was_short_of_memory_goes_on(void **state)
{
	struct connection *c;
	int fds[2];

	(void)state;
	for (int relays = 0; relays <= 1; relays++) {
		begin();
		relay_pair(SOCK_STREAM, fds);
		c = connection(RELAY_NOW);
		c->ends[TARGET].watch.fd = fds[0];
		c->state = CONNECTION_CONNECTED;
		if (relays) {
			pump_start(&r.worker, c, 0);
			assert_int_equal(c->state, CONNECTION_RELAYING);
		}
		send_text(peers[0], "question");
		assert_int_equal(wait_readable(c->ends[CLIENT].watch.fd), 1);
		c->ends[CLIENT].readable = true;
		turn_later(&r.worker, c);
		relay_fire(&r, &r.worker.retry, 2000);
		expect_text(fds[1], "question");
		assert_int_equal(c->state, CONNECTION_RELAYING);
		close(fds[1]);
		end();
	}
}

static void descriptors_that_are_free_again_end_a_pause(void **state)
{
	(void)state;
	for (int shortage = 0; shortage <= 1; shortage++) {
		begin();
		r.worker.paused = true;
		r.worker.shortage = shortage;
		r.service.descriptors.free = 1;
		(void)worker_after(&r.worker.loop);
		assert_true(r.worker.paused);
		r.service.descriptors.free = RELAY_BUDGET;
		(void)worker_after(&r.worker.loop);
		assert_int_equal(r.worker.paused, shortage); /* that one ends by its timer */
		end();
	}
}

static int budget_of(rlim_t soft, rlim_t hard, bool is_refused)
{
	const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
	struct descriptors d;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	if (is_refused)
		refuse_call_with(SYS_prlimit64, 3, 0, EPERM); /* setrlimit(3) asks for no old one */
	descriptors_init(&d, 20);
	return d.free;
}

static bool is_raised(void)
{
	struct rlimit now;

	return budget_of(100, 200, false) == 180 && getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 200;
}

static bool stays(void)
{
	return budget_of(200, 200, false) == 180;
}

static bool may_not_be_raised(void)
{
	return budget_of(100, 200, true) == 80;
}

static void the_limit_of_descriptors_is_raised(void **state)
{
	(void)state;
	assert_true(child_says(is_raised));
	assert_true(child_says(stays));
	assert_true(child_says(may_not_be_raised));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_quiet_for_too_long_is_closed),
		cmocka_unit_test(each_has_one_turn),
		cmocka_unit_test(who_waits_is_asked_again),
		cmocka_unit_test(who_was_short_of_memory_goes_on),
		cmocka_unit_test(descriptors_that_are_free_again_end_a_pause),
		cmocka_unit_test(the_limit_of_descriptors_is_raised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
