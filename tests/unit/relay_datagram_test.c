/* Batches of datagrams, through sockets of this process. */
#include "tests/unit/proxy_fixture.h"

#include <sys/syscall.h>

#include "relay/datagram.h"

static int fails_with; /* the next sendmmsg(2) */

/* In place of the C library's. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	if (fails_with == 0)
		return (int)syscall(SYS_sendmmsg, fd, messages, n, flags);
	errno = fails_with;
	fails_with = 0;
	return -1;
}

static struct batch batch; /* its memory lives as long as the process */

/* What is sent is where receiving has put it: so nothing is received once, into all of it. */
static int open_batch(void **state)
{
	int fd = bound(SOCK_DGRAM);
	uint8_t want = BATCH_SIZE;
	struct error err;

	(void)state;
	assert_int_equal(batch_open(&batch, &err), 0);
	assert_int_equal(batch_receive(&batch, fd, AF_UNSPEC, &want), 0);
	close(fd);
	return 0;
}

static void expect_datagram(int fd, const char *text)
{
	char data[64];
	ssize_t n;

	assert_int_equal(wait_readable(fd), 1);
	n = recv(fd, data, sizeof(data), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, strlen(text));
}

static void expect_nothing(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void fill(const char *const *texts, size_t n, unsigned segment)
{
	for (size_t k = 0; k < n; k++) {
		char *data = batch.memory + k * DATAGRAM_MAX;

		batch.datagrams[k] = (struct datagram){.data = data, .len = strlen(texts[k]), .segment = segment};
		memcpy(data, texts[k], strlen(texts[k]));
	}
}

/* A pair of connected UDP sockets, or of AF_UNIX ones, which take no control messages. */
static void make_pair(bool plain, int fds[2])
{
	struct sockaddr_in a;

	batch.plain = plain;
	if (plain) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
		return;
	}
	fds[1] = bound(SOCK_DGRAM);
	fds[0] = connect_to(SOCK_DGRAM, port_of(fds[1]));
	a = loopback(port_of(fds[0]));
	assert_int_equal(connect(fds[1], (struct sockaddr *)&a, sizeof(a)), 0);
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void what_is_asked_for_is_sent(void **state)
{
	static const char *const texts[] = {"first", "", "third", "fourth", "fifth"};
	int fds[2];

	(void)state;
	for (int plain = 0; plain <= 1; plain++) {
		make_pair(plain, fds);
		fill(texts, 5, 0);
		assert_int_equal(batch_send(&batch, 1, 4, fds[0], NULL), 3);
		expect_datagram(fds[1], "");
		expect_datagram(fds[1], "third");
		expect_datagram(fds[1], "fourth");
		expect_nothing(fds[1]);
		assert_int_equal(batch_send(&batch, 4, 5, fds[0], NULL), 1);
		expect_datagram(fds[1], "fifth");
		assert_int_equal(batch_send(&batch, 1, 2, fds[0], NULL), 1);
		expect_datagram(fds[1], "");
		assert_int_equal(batch_send(&batch, 2, 2, fds[0], NULL), 0);
		expect_nothing(fds[1]);
		close_pair(fds);
	}
}

static void joined_ones_are_taken_apart(void **state)
{
	static const char *const texts[] = {"aabbc", "ddee"};
	int fds[2];

	(void)state;
	for (int plain = 0; plain <= 1; plain++) {
		make_pair(plain, fds);
		fill(texts, 2, 2);
		assert_int_equal(batch_send(&batch, 0, 2, fds[0], NULL), 2);
		expect_datagram(fds[1], "aa");
		expect_datagram(fds[1], "bb");
		expect_datagram(fds[1], "c");
		expect_datagram(fds[1], "dd");
		expect_datagram(fds[1], "ee");
		expect_nothing(fds[1]);
		close_pair(fds);
	}
}

/* The kernel segments nothing that goes out without a checksum: one after the other then. */
static void make_pair_without_segments(int fds[2])
{
	int on = 1;

	make_pair(false, fds);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
}

static void what_the_kernel_does_not_take_apart_we_do(void **state)
{
	static const char *const texts[] = {"aabbc", "ddee", "f"};
	int fds[2];

	(void)state;
	make_pair_without_segments(fds);
	fill(texts, 3, 2);
	batch.datagrams[2].segment = 0;
	assert_int_equal(batch_send(&batch, 0, 3, fds[0], NULL), 3);
	expect_datagram(fds[1], "aa");
	expect_datagram(fds[1], "bb");
	expect_datagram(fds[1], "c");
	expect_datagram(fds[1], "dd");
	expect_datagram(fds[1], "ee");
	expect_datagram(fds[1], "f");
	expect_nothing(fds[1]);
	/* The first one of three is refused; what does not go out as a whole does not count. */
	close(fds[1]);
	assert_int_equal(batch_send(&batch, 0, 1, fds[0], NULL), 0);
	close(fds[0]);
}

/* The refusal of one is told to the next, which goes out all the same. */
static void an_earlier_refusal_costs_nothing(void **state)
{
	static const char *const texts[] = {"refused", "heard", "heard too"};
	struct sockaddr_in a;
	int fds[2];

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		size_t n = 1 + k / 2;

		make_pair(false, fds);
		batch.plain = k % 2;
		a = loopback(port_of(fds[1]));
		fill(texts, 3, 0);
		close(fds[1]);
		assert_int_equal(batch_send(&batch, 0, 1, fds[0], NULL), 1);
		fds[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fds[1], (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(batch_send(&batch, 1, 1 + n, fds[0], NULL), n);
		expect_datagram(fds[1], "heard");
		if (n == 2)
			expect_datagram(fds[1], "heard too");
		expect_nothing(fds[1]);
		close_pair(fds);
	}
}

/* Nobody reads: what does not go out is not counted. */
/* The kernel tells other errors of earlier ones, too: nothing is sent a second time for those. */
static void other_errors_cost_one_datagram(void **state)
{
	static const char *const texts[] = {"first", "second"};
	int fds[2];

	(void)state;
	make_pair(false, fds);
	fill(texts, 2, 0);
	fails_with = EHOSTUNREACH;
	assert_int_equal(batch_send(&batch, 0, 2, fds[0], NULL), 1);
	expect_datagram(fds[1], "second");
	expect_nothing(fds[1]);
	close_pair(fds);
}

static void lost_ones_are_not_counted(void **state)
{
	static const char *const texts[] = {"one", "two", "three"};
	size_t sent = 0, last;
	char data[64];
	int fds[2];

	(void)state;
	for (int plain = 0; plain <= 1; plain++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
		batch.plain = plain;
		fill(texts, 3, 0);
		for (sent = 0; (last = batch_send(&batch, 0, 3, fds[0], NULL)) > 0;)
			sent += last;
		assert_int_equal(batch_send(&batch, 0, 1, fds[0], NULL), 0);
		while (recv(fds[1], data, sizeof(data), MSG_DONTWAIT) > 0)
			sent--;
		assert_int_equal(sent, 0);
		close_pair(fds);
	}
}

/* As many are asked for as there were lately: twice as many after a full batch, half as many after one not half full. */
static void as_many_are_asked_for_as_come(void **state)
{
	static const struct {
		unsigned come, want;
	} steps[] = {{1, 2}, {2, 4}, {4, 8}, {8, 16}, {16, 16}, {8, 16}, {7, 8}, {3, 4}, {2, 4}, {1, 2}, {1, 2}};
	uint8_t want = 0;
	int fds[2];

	(void)state;
	make_pair(false, fds);
	errno = 0;
	assert_int_equal(batch_receive(&batch, fds[1], AF_UNSPEC, &want), 0);
	assert_int_equal(errno, EAGAIN);
	want = 0;
	for (size_t k = 0; k < sizeof(steps) / sizeof(*steps); k++) {
		for (unsigned n = 0; n < steps[k].come; n++)
			send_text(fds[0], n % 2 ? "odd" : "even");
		assert_int_equal(batch_receive(&batch, fds[1], AF_UNSPEC, &want), steps[k].come);
		assert_int_equal(want, steps[k].want);
		for (unsigned n = 0; n < steps[k].come; n++) {
			assert_int_equal(batch.datagrams[n].len, n % 2 ? 3 : 4);
			assert_memory_equal(batch.datagrams[n].data, n % 2 ? "odd" : "even", batch.datagrams[n].len);
			assert_int_equal(batch.datagrams[n].segment, 0);
		}
	}
	close_pair(fds);
}

/* A listener's datagrams name the client and the address that it asked, and the answer goes from there to there. */
static void clients_are_named_and_answered(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.0.0.2")}, from = loopback(0);
	struct forward forward = {.family = AF_INET};
	int listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), client = bound(SOCK_DGRAM);
	socklen_t len = sizeof(from);
	struct flow_key *key = &batch.datagrams[0].key;
	uint8_t want = 0;
	struct error err;
	char data[8];

	(void)state;
	from.sin_addr.s_addr = htonl(INADDR_ANY); /* the address is of the datagram, not of the socket */
	assert_int_equal(bind(listener, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(datagram_options(listener, AF_INET, &err), 0);
	a.sin_port = htons(port_of(listener));
	assert_int_equal(sendto(client, "ask", 3, 0, (struct sockaddr *)&a, sizeof(a)), 3);
	assert_int_equal(wait_readable(listener), 1);
	assert_int_equal(batch_receive(&batch, listener, AF_INET, &want), 1);
	assert_int_equal(key->port, htons(port_of(client)));
	assert_memory_equal(&key->client, &(struct in_addr){htonl(INADDR_LOOPBACK)}, sizeof(struct in_addr));
	assert_memory_equal(&key->local, &a.sin_addr, sizeof(a.sin_addr));
	assert_int_equal(key->interface, 0);
	key->forward = &forward;
	assert_int_equal(batch_send(&batch, 0, 1, listener, key), 1);
	assert_int_equal(wait_readable(client), 1);
	assert_int_equal(recvfrom(client, data, sizeof(data), 0, (struct sockaddr *)&from, &len), 3);
	assert_memory_equal(data, "ask", 3);
	assert_int_equal(from.sin_addr.s_addr, a.sin_addr.s_addr);
	assert_int_equal(from.sin_port, a.sin_port);
	close(listener);
	close(client);
}

static void ask(int client, int family, uint16_t port)
{
	struct sockaddr_in a4 = loopback(port);
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	if (family == AF_INET)
		assert_int_equal(sendto(client, "ask", 3, 0, (struct sockaddr *)&a4, sizeof(a4)), 3);
	else
		assert_int_equal(sendto(client, "ask", 3, 0, (struct sockaddr *)&a6, sizeof(a6)), 3);
}

/* What the socket's owner has asked to be told besides. */
static void other_remarks_of_the_kernel_are_none_of_ours(void **state)
{
	static const struct in6_addr here4 = {.s6_addr = {127, 0, 0, 1}}, here6 = IN6ADDR_LOOPBACK_INIT;
	int on = 1;

	(void)state;
	for (int k = 0; k < 2; k++) {
		int family = k ? AF_INET6 : AF_INET;
		int listener = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int client = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		struct sockaddr_in6 a = {.sin6_family = (sa_family_t)family}; /* any, for IPv4 too */
		uint8_t want = 0;
		struct error err;

		assert_int_equal(bind(listener, (struct sockaddr *)&a, k ? sizeof(a) : sizeof(struct sockaddr_in)), 0);
		assert_int_equal(datagram_options(listener, family, &err), 0);
		if (k)
			assert_int_equal(setsockopt(listener, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)), 0);
		else
			assert_int_equal(setsockopt(listener, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)), 0);
		ask(client, family, port_of(listener));
		assert_int_equal(wait_readable(listener), 1);
		assert_int_equal(batch_receive(&batch, listener, family, &want), 1);
		assert_memory_equal(&batch.datagrams[0].key.local, k ? &here6 : &here4, sizeof(here6));
		assert_memory_equal(&batch.datagrams[0].key.client, k ? &here6 : &here4, sizeof(here6));
		assert_int_equal(batch.datagrams[0].key.port, htons(port_of(client)));
		assert_int_equal(batch.datagrams[0].key.interface, 0);
		assert_int_equal(batch.datagrams[0].segment, 0);
		close(listener);
		close(client);
	}
}

static void what_is_no_datagram_socket_is_an_error(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(datagram_options(-1, AF_INET, &err), -1);
	assert_int_equal(err.code, EBADF);
	assert_int_equal(datagram_options(-1, AF_INET6, &err), -1);
	assert_false(datagram_join(-1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_sent),
		cmocka_unit_test(joined_ones_are_taken_apart),
		cmocka_unit_test(an_earlier_refusal_costs_nothing),
		cmocka_unit_test(other_errors_cost_one_datagram),
		cmocka_unit_test(lost_ones_are_not_counted),
		cmocka_unit_test(what_the_kernel_does_not_take_apart_we_do),
		cmocka_unit_test(other_remarks_of_the_kernel_are_none_of_ours),
		cmocka_unit_test(what_is_no_datagram_socket_is_an_error),
		cmocka_unit_test(as_many_are_asked_for_as_come),
		cmocka_unit_test(clients_are_named_and_answered),
	};

	return cmocka_run_group_tests(tests, open_batch, NULL);
}
