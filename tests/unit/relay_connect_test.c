/* How the targets are tried for one client, who has no more time than --startup-timeout. */
#include "tests/unit/relay_fixture.h"

#include "relay/connect.h"

#define PATIENCE_USEC (10 * USEC_PER_SEC) /* with a Unix socket's full queue */
#define GLANCE_USEC   (500 * USEC_PER_MSEC)
#define RETRY_USEC    (50 * USEC_PER_MSEC)
#define LATER	      (1000 * USEC_PER_SEC)

static struct relay r;
static struct connection *c;
static int client, servers[2], said;

static void note_unreachable(struct service *s, const struct forward *f, const struct target *target, int error)
{
	assert_ptr_equal(f, &r.forward);
	(void)s;
	assert_ptr_equal(target, &r.targets[0]);
	said = error;
}

/* Of these addresses, all of loopback, the servers listen on as many as there are of them. */
static void begin(void)
{
	int fds[2];

	relay_begin(&r, SOCK_STREAM);
	r.worker.loop.now = LATER;
	r.forward.n_targets = 2;
	r.service.say_unreachable = note_unreachable;
	said = -1;
	for (int k = 0; k < 2; k++) {
		servers[k] = bound(SOCK_STREAM);
		*(struct sockaddr_in *)&r.targets[k].addr = loopback(port_of(servers[k]));
		r.targets[k].len = sizeof(struct sockaddr_in);
	}
	relay_pair(SOCK_STREAM, fds);
	client = fds[1];
	c = relay_connection(&r, fds[0]);
}

static void end(void)
{
	relay_end(&r);
	close(client);
	for (int k = 0; k < 2; k++)
		close(servers[k]);
}

static void leave(int server)
{
	close(servers[server]);
	servers[server] = -1;
}

static bool relays(void)
{
	return r.worker.all && r.worker.all->state == CONNECTION_RELAYING;
}

static bool is_closed(void)
{
	return !r.worker.all;
}

static bool waits(void)
{
	return c->state == CONNECTION_WAITING && c->is_queued;
}

static void turn_until(bool (*done)(void))
{
	for (int k = 0; !done(); k++) {
		assert_true(k < 20000);
		relay_turn(&r);
		if (!done())
			usleep(1000);
	}
}

static void the_first_one_is_taken(void **state)
{
	(void)state;
	begin();
	send_text(client, "question");
	connect_target(&r.worker, c);
	assert_int_equal(c->state, CONNECTION_CONNECTING);
	turn_until(relays);
	close(servers[1]);
	servers[1] = accept_from(servers[0]);
	expect_text(servers[1], "question");
	assert_int_equal(atomic_load(&r.forward.preferred), 0);
	assert_int_equal(c->attempt, 0);
	end();
}

static void who_refuses_is_passed_over(void **state)
{
	(void)state;
	begin();
	leave(0);
	connect_target(&r.worker, c);
	turn_until(relays);
	assert_int_equal(atomic_load(&r.forward.preferred), 1);
	assert_int_equal(wait_readable(servers[1]), 1);
	end();
	/* The one that was there last comes first. */
	begin();
	atomic_store(&r.forward.preferred, 1);
	connect_target(&r.worker, c);
	turn_until(relays);
	assert_int_equal(wait_readable(servers[1]), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = servers[0], .events = POLLIN}, 1, 0), 0);
	end();
	begin();
	atomic_store(&r.forward.preferred, 1);
	leave(1);
	connect_target(&r.worker, c);
	turn_until(relays);
	assert_int_equal(atomic_load(&r.forward.preferred), 0);
	end();
}

static void nobody_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	begin();
	leave(0);
	leave(1);
	r.forward.deadline = LATER + 2 * RETRY_USEC;
	connect_target(&r.worker, c);
	turn_until(waits);
	assert_int_equal(r.worker.retry.when, LATER + RETRY_USEC);
	relay_fire(&r, &r.worker.retry, LATER + RETRY_USEC);
	turn_until(waits);
	assert_int_equal(said, -1);
	relay_fire(&r, &r.worker.retry, LATER + 2 * RETRY_USEC);
	turn_until(is_closed);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(said, ECONNREFUSED);
	assert_int_equal(count_get(&r.worker.counters.connections_failed), 1);
	end();
}

/* A socket in the working directory whose queue is full. */
static int make_unix_target(void)
{
	struct sockaddr_un *a = (struct sockaddr_un *)&r.targets[0].addr;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "sockwake-connect-%d", getpid());
	r.targets[0].len = sizeof(*a);
	r.forward.n_targets = 1;
	assert_int_equal(bind(server, (struct sockaddr *)a, sizeof(*a)), 0);
	assert_int_equal(listen(server, 0), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	close(fd);
	return server;
}

static void a_full_queue_is_waited_for(void **state)
{
	int server;

	(void)state;
	for (int is_served = 0; is_served <= 1; is_served++) {
		begin();
		server = make_unix_target();
		connect_target(&r.worker, c);
		assert_true(waits());
		assert_int_equal(c->attempt, 0);
		assert_int_equal(c->ends[TARGET].watch.fd, -1);
		if (is_served)
			close(accept_from(server));
		relay_fire(&r, &r.worker.retry, LATER + PATIENCE_USEC - 1);
		if (is_served) {
			assert_true(relays());
		} else {
			assert_true(waits());
			relay_fire(&r, &r.worker.retry, LATER + PATIENCE_USEC);
			assert_true(is_closed());
			assert_int_equal(said, EAGAIN);
			assert_int_equal(next_end(client), ECONNRESET);
		}
		close(server);
		end();
	}
}

/* A server that believes the header would take the client's own bytes for one. */
static void who_cannot_be_introduced_is_not_connected(void **state)
{
	int server;

	(void)state;
	begin();
	server = make_unix_target();
	close(accept_from(server));
	r.config.proxy_protocol = PROXY_PROTOCOL_V1;
	send_text(client, "PROXY TCP4 10.0.0.1 10.0.0.1 1 1\r\n");
	reset_and_close(client);
	client = -1;
	assert_int_equal(wait_readable(c->ends[CLIENT].watch.fd), 1);
	connect_target(&r.worker, c);
	assert_true(is_closed());
	server = accept_from(server);
	assert_true(recv(server, &(char){0}, 1, 0) <= 0);
	close(server);
	end();
}

/* The kernel keeps the time since the handshake. */
static void who_has_waited_for_too_long_is_reset(void **state)
{
	(void)state;
	begin();
	r.config.startup_timeout = 60 * USEC_PER_SEC;
	r.forward.deadline = USEC_INFINITY;
	leave(0);
	leave(1);
	connect_init(&r.worker);
	connect_target(&r.worker, c);
	assert_int_equal(r.worker.limit.when, LATER + GLANCE_USEC);
	relay_fire(&r, &r.worker.limit, LATER + GLANCE_USEC);
	assert_in_range(r.worker.limit.when, LATER + 30 * USEC_PER_SEC, LATER + 60 * USEC_PER_SEC + GLANCE_USEC);
	assert_false(is_closed());
	relay_fire(&r, &r.worker.limit, LATER + 120 * USEC_PER_SEC);
	assert_true(is_closed());
	assert_true(r.worker.limit.when == USEC_INFINITY);
	assert_int_equal(said, 0);
	assert_int_equal(next_end(client), ECONNRESET);
	end();
	/* Nobody is late who is served, or has time without end. */
	begin();
	r.config.startup_timeout = 60 * USEC_PER_SEC;
	connect_init(&r.worker);
	connect_target(&r.worker, c);
	turn_until(relays);
	relay_fire(&r, &r.worker.limit, LATER + 120 * USEC_PER_SEC);
	assert_true(relays());
	assert_true(r.worker.limit.when == USEC_INFINITY);
	end();
	begin();
	connect_init(&r.worker);
	connect_target(&r.worker, c);
	assert_true(r.worker.limit.when == USEC_INFINITY);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_one_is_taken),
		cmocka_unit_test(who_refuses_is_passed_over),
		cmocka_unit_test(nobody_is_waited_for_until_the_deadline),
		cmocka_unit_test(a_full_queue_is_waited_for),
		cmocka_unit_test(who_cannot_be_introduced_is_not_connected),
		cmocka_unit_test(who_has_waited_for_too_long_is_reset),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as the proxy does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
