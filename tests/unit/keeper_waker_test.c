/* keeper/waker.h: who has begun a wake, by protocol and by age. */
#include "tests/unit/keeper_queue_fixture.h"

#include <sys/un.h>

#include "keeper/waker.h"

#define MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff

static const unsigned char second[STATS_ADDRESS] = {MAPPED, 127, 0, 0, 2};
static const unsigned char third[STATS_ADDRESS] = {MAPPED, 127, 0, 0, 3};
static const unsigned char nobody[STATS_ADDRESS];

static struct stats find(const struct queue *q)
{
	struct stats s = {.client = {1}};

	waker_find(q, &s);
	return s;
}

/* It came after this time. */
static void expect(const struct queue *q, uint64_t by, const unsigned char *client, uint64_t before)
{
	struct stats s = find(q);

	assert_int_equal(s.woken_by, by);
	assert_memory_equal(s.client, client, STATS_ADDRESS);
	assert_true(is_about(s.t_client, (struct moment){before, now_usec()}));
}

/* A listener on a Unix socket, with a client that waits there. */
static int unix_listener(int *ret_client)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(a.sun_family); /* the kernel chooses a name */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	len = sizeof(a);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*ret_client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_client, (struct sockaddr *)&a, len), 0);
	return fd;
}

static void nobody_waits(void **state)
{
	struct queue q = QUEUE(LIMIT, bound_to(SOCK_STREAM, "127.0.0.1", 0), bound_to(SOCK_DGRAM, "127.0.0.1", 0));
	struct stats s = find(&q);

	(void)state;
	assert_int_equal(s.t_client, 0);
	assert_int_equal(s.woken_by, 0);
}

static void by_protocol(void **state)
{
	int tcp = bound_to(SOCK_STREAM, "127.0.0.1", 0), udp = bound_to(SOCK_DGRAM, "127.0.0.1", 0);
	int six = bound_to(SOCK_STREAM, "::1", 0), client;
	uint16_t ports[] = {port_of(tcp), port_of(udp), port_of(six)};
	const unsigned char loopback[STATS_ADDRESS] = {[15] = 1};
	struct queue q = QUEUE(LIMIT, tcp);
	uint64_t before = now_usec();

	(void)state;
	client = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", ports[0]);
	expect(&q, STATS_BY_CLIENT, second, before);
	close(client);

	q = QUEUE(LIMIT, six);
	client = client_of(SOCK_STREAM, NULL, "::1", ports[2]);
	expect(&q, STATS_BY_CLIENT, loopback, before);
	close(client);

	/* Of a datagram only this is known: nobody has waited before. */
	q = QUEUE(LIMIT, udp);
	client = client_of(SOCK_DGRAM, "127.0.0.3", "127.0.0.1", ports[1]);
	expect(&q, STATS_BY_CLIENT, third, before);
	q.since = now_usec() - USEC_PER_SEC;
	assert_true(find(&q).t_client == q.since);
	close(client);

	q = QUEUE(LIMIT, unix_listener(&client));
	expect(&q, STATS_BY_LOCAL_CLIENT, nobody, before);
	q.since = now_usec() - USEC_PER_SEC;
	assert_true(find(&q).t_client == q.since);
	close(client);
}

static void accepted_clients(void **state)
{
	int pair[2], listener = bound_to(SOCK_STREAM, "127.0.0.1", 0), client;
	struct queue q = QUEUE(LIMIT, listener);
	struct stats s;

	(void)state;
	client = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", port_of(3));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	q.accepted[q.n_accepted++] = (struct client){.fd = accept4(3, NULL, NULL, SOCK_CLOEXEC), .arrived = 2000};
	s = find(&q);
	assert_int_equal(s.t_client, 2000);
	assert_int_equal(s.woken_by, STATS_BY_CLIENT);
	assert_memory_equal(s.client, second, STATS_ADDRESS);
	/* One that came later changes nothing, one that came before does. */
	q.accepted[q.n_accepted++] = (struct client){.fd = pair[0], .arrived = 3000};
	assert_int_equal(find(&q).t_client, 2000);
	q.accepted[1].arrived = 1000;
	s = find(&q);
	assert_int_equal(s.t_client, 1000);
	assert_int_equal(s.woken_by, STATS_BY_LOCAL_CLIENT);
	assert_memory_equal(s.client, nobody, STATS_ADDRESS);
	/* Of two at once the first. */
	q.accepted[1].arrived = 2000;
	assert_int_equal(find(&q).woken_by, STATS_BY_CLIENT);
	close(client);
	close(pair[1]);
	queue_refuse(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_waits, setup),
		cmocka_unit_test_setup(by_protocol, setup),
		cmocka_unit_test_setup(accepted_clients, setup),
	};

	(void)close_range(LISTEN_FDS_START, ~0U, 0); /* what make and others have left open */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
