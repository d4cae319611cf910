/* Every byte, every end: thousands of connections through the real proxy, of random sizes, with pauses, slow readers,
 * half-closes from either side and resets from either side, compared byte by byte at both ends.
 *
 * What a connection does follows from a number that the client sends first, so both ends know what must arrive.
 * TORTURE_CONNECTIONS says how many there are, TORTURE_SEED where the numbers begin.
 */
#include "tests/unit/proxy_fixture.h"

#include <net/if.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#define CONCURRENT 96
#define PEERS_MAX  4096
#define BLOCK	   (1U << 20)
#define HEADER	   sizeof(uint64_t)

enum mode {
	CLIENT_ENDS_FIRST, /* its FIN comes before the server's first byte */
	SERVER_ENDS_FIRST,
	BOTH_AT_ONCE,
	CLIENT_RESETS,	   /* after the server has said that it has everything */
	SERVER_RESETS,	   /* after it has everything */
	CLIENT_BREAKS_OFF, /* resets in the middle */
	SERVER_BREAKS_OFF,
	CLIENT_STOPS_READING, /* closes with data unread, which is a reset */
	MODES,
};

struct plan {
	enum mode mode;
	size_t size[2]; /* bytes sent by the client (with the number), by the server */
	size_t chunk[2];
	size_t pause_at[2]; /* the sender pauses here */
	bool slow[2];	    /* reads little at a time */
};

struct peer {
	int fd;
	bool server, planned, fin, eof;
	uint64_t seed;
	struct plan plan;
	size_t sent, received;
	uint64_t paused_until;
	uint32_t events;
};

static char block[BLOCK];
static struct peer peers[PEERS_MAX];
static int epoll_fd;
static unsigned failures;

static uint64_t scramble(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static size_t draw_size(uint64_t *r)
{
	static const size_t limits[] = {1, 64, 1500, 20000, 70000, 300000, 2000000};
	static const unsigned shares[] = {5, 40, 20, 20, 10, 4, 1};
	unsigned p = (unsigned)(scramble(++*r) % 100);

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		if (p < shares[i])
			return scramble(++*r) % limits[i];
		p -= shares[i];
	}
	return 0;
}

static void make_plan(uint64_t seed, struct plan *p)
{
	uint64_t r = scramble(seed) << 8;

	p->mode = scramble(++r) % MODES;
	for (int i = 0; i < 2; i++) {
		p->size[i] = draw_size(&r) + (i == 0 ? HEADER : 0);
		p->chunk[i] = scramble(++r) % 4 ? 100000 : 500;
		p->chunk[i] = 1 + scramble(++r) % p->chunk[i];
		p->pause_at[i] = scramble(++r) % 4 ? SIZE_MAX : scramble(++r) % (p->size[i] + 1);
		p->slow[i] = scramble(++r) % 16 == 0;
	}
	if (p->mode == CLIENT_RESETS)
		p->size[1] = 1;
	if (p->mode == SERVER_RESETS)
		p->size[1] = 0;
	if (p->mode == CLIENT_STOPS_READING)
		p->size[1] += 2;
}

static void complain(const struct peer *p, const char *what)
{
	if (failures++ < 10)
		fprintf(stderr, "%s, seed %llu, mode %d: %s (%zu of %zu bytes received, %zu of %zu sent, errno %d)\n",
			p->server ? "server" : "client", (unsigned long long)p->seed, p->plan.mode, what, p->received,
			p->plan.size[!p->server], p->sent, p->plan.size[p->server], errno);
}

/* Byte i of what this side of this connection sends. */
static const char *content(uint64_t seed, bool server, size_t at, size_t *len)
{
	size_t offset = (scramble(seed * 2 + server) + at) % BLOCK;

	if (*len > BLOCK - offset)
		*len = BLOCK - offset;
	return block + offset;
}

static void done(struct peer *p, bool reset)
{
	static const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(p->fd);
	p->fd = -1;
}

static size_t limit_of(const struct peer *p)
{
	const struct plan *plan = &p->plan;
	size_t mine = plan->size[p->server];

	if (!p->planned)
		return 0;
	switch (plan->mode) {
	case CLIENT_ENDS_FIRST:
		return p->server && !p->eof ? 0 : mine;
	case SERVER_ENDS_FIRST:
		return !p->server && !p->eof ? HEADER : mine;
	case CLIENT_RESETS:
		return p->server && p->received < plan->size[0] ? 0 : mine;
	case CLIENT_BREAKS_OFF:
		return p->server ? mine : HEADER + (mine - HEADER) / 2;
	case SERVER_BREAKS_OFF:
		return p->server ? mine / 2 : mine;
	default:
		return mine;
	}
}

static bool sends_fin(const struct peer *p)
{
	switch (p->plan.mode) {
	case CLIENT_ENDS_FIRST:
	case SERVER_ENDS_FIRST:
	case BOTH_AT_ONCE:
		return true;
	default:
		return false;
	}
}

static bool expects_reset(const struct peer *p)
{
	switch (p->plan.mode) {
	case CLIENT_RESETS:
	case CLIENT_BREAKS_OFF:
	case CLIENT_STOPS_READING:
		return p->server;
	case SERVER_RESETS:
	case SERVER_BREAKS_OFF:
		return !p->server;
	default:
		return false;
	}
}

/* Where a side ends the connection by itself, it does so here. */
static bool ends_now(struct peer *p)
{
	const struct plan *plan = &p->plan;
	bool all_sent = p->sent == limit_of(p);
	int unread = 0;

	switch (plan->mode) {
	case CLIENT_RESETS:
		return !p->server && p->received == 1;
	case SERVER_RESETS:
		return p->server && p->received == plan->size[0];
	case CLIENT_BREAKS_OFF:
		return !p->server && all_sent;
	case SERVER_BREAKS_OFF:
		return p->server && p->planned && all_sent;
	case CLIENT_STOPS_READING:
		/* Without data to throw away its kernel would send a FIN first. */
		return !p->server && all_sent && p->received >= 1 && ioctl(p->fd, FIONREAD, &unread) == 0 && unread > 0;
	default:
		return false;
	}
}

/* A call failed: was that to be? */
static void broken(struct peer *p)
{
	bool gone = errno == ECONNRESET || errno == EPIPE;

	/* A client that breaks off may do so before its number has arrived. */
	if (!gone || (p->planned && !expects_reset(p)))
		complain(p, "the connection broke");
	done(p, false);
}

static void take_number(struct peer *p)
{
	make_plan(p->seed, &p->plan);
	p->planned = true;
}

/* Reads once; says whether to go on. */
static bool receive(struct peer *p)
{
	static char buffer[200000];
	size_t size = p->planned && p->plan.slow[p->server] ? 1000 : sizeof(buffer), checked = 0;
	ssize_t n;

	if (p->server && !p->planned)
		size = HEADER - p->received;
	if (p->planned && p->plan.mode == CLIENT_STOPS_READING && !p->server) {
		if (p->received >= 1)
			return false;
		size = 1;
	}
	n = recv(p->fd, p->server && !p->planned ? (char *)&p->seed + p->received : buffer, size, 0);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0) {
		broken(p);
		return false;
	}
	if (n == 0) {
		p->eof = true;
		if (!p->planned || expects_reset(p) || p->received != p->plan.size[!p->server])
			complain(p, "a clean end that should not be");
		return false;
	}
	if (p->server && !p->planned) {
		p->received += (size_t)n;
		if (p->received == HEADER)
			take_number(p);
		return true;
	}
	while (checked < (size_t)n) {
		size_t len = (size_t)n - checked;
		const char *expected = content(p->seed, !p->server, p->received, &len);

		if (p->received + len > p->plan.size[!p->server] || memcmp(expected, buffer + checked, len) != 0) {
			complain(p, "wrong bytes");
			done(p, true);
			return false;
		}
		checked += len;
		p->received += len;
	}
	if (p->plan.slow[p->server] && p->received % 3 == 0)
		p->paused_until = now_usec() + USEC_PER_MSEC;
	return p->paused_until == 0 && !ends_now(p);
}

static bool transmit(struct peer *p)
{
	size_t len = limit_of(p) - p->sent;
	const char *data;
	ssize_t n;

	if (len == 0)
		return false;
	if (p->sent >= p->plan.pause_at[p->server]) {
		p->plan.pause_at[p->server] = SIZE_MAX;
		p->paused_until = now_usec() + 3 * USEC_PER_MSEC;
		return false;
	}
	if (len > p->plan.chunk[p->server])
		len = p->plan.chunk[p->server];
	if (!p->server && p->sent < HEADER) {
		data = (const char *)&p->seed + p->sent;
		len = len < HEADER - p->sent ? len : HEADER - p->sent;
	} else {
		data = content(p->seed, p->server, p->sent, &len);
	}
	n = send(p->fd, data, len, MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0) {
		broken(p);
		return false;
	}
	p->sent += (size_t)n;
	return true;
}

static void watch(struct peer *p, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = p};

	if (events != p->events && epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p->fd, &e) == 0)
		p->events = events;
}

static void turn(struct peer *p)
{
	if (p->paused_until > now_usec())
		return;
	p->paused_until = 0;
	while (p->fd >= 0 && transmit(p))
		;
	while (p->fd >= 0 && p->paused_until == 0 && !p->eof && !(p->planned && ends_now(p)) && receive(p))
		;
	while (p->fd >= 0 && p->paused_until == 0 && transmit(p))
		;
	if (p->fd < 0)
		return;
	if (p->planned && ends_now(p)) {
		done(p, p->plan.mode != CLIENT_STOPS_READING);
		return;
	}
	if (p->planned && sends_fin(p) && !p->fin && p->sent == p->plan.size[p->server] && limit_of(p) == p->sent &&
	    (p->plan.mode != SERVER_ENDS_FIRST || p->server || p->eof)) {
		shutdown(p->fd, SHUT_WR);
		p->fin = true;
	}
	if (p->eof && (p->fin || !p->planned || expects_reset(p) || !sends_fin(p)))
		done(p, false);
	else
		watch(p, p->paused_until	 ? 0
			 : limit_of(p) > p->sent ? (p->eof ? 0 : EPOLLIN) | EPOLLOUT
			 : p->eof		 ? 0
						 : EPOLLIN);
}

static struct peer *add(int fd, bool server)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].fd < 0) {
			struct epoll_event e = {.events = EPOLLIN, .data.ptr = &peers[i]};

			peers[i] = (struct peer){.fd = fd, .server = server, .events = EPOLLIN};
			fcntl(fd, F_SETFL, O_NONBLOCK);
			assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e), 0);
			return &peers[i];
		}
	}
	fail_msg("too many connections");
	return NULL;
}

static void turn_all(struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		struct peer *p = events[i].data.ptr;

		if (p && p->fd >= 0)
			turn(p);
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].fd >= 0 && peers[i].paused_until && peers[i].paused_until <= now_usec())
			turn(&peers[i]);
	}
}

static size_t count_open(void)
{
	size_t n = 0;

	for (size_t i = 0; i < PEERS_MAX; i++)
		n += peers[i].fd >= 0;
	return n;
}

static void start_side(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < PEERS_MAX; i++)
		peers[i].fd = -1;
	failures = 0;
}

/* Serves until told to stop by the end of `control`; the exit status says whether all went well. */
static void serve(int listener, int control)
{
	struct epoll_event events[64], e = {.events = EPOLLIN};
	struct pollfd stop = {.fd = control, .events = POLLIN};
	uint64_t last = 0;

	start_side();
	fcntl(listener, F_SETFL, O_NONBLOCK);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 64, 2), fd;

		for (int i = 0; i < n; i++) {
			while (!events[i].data.ptr && (fd = accept(listener, NULL, NULL)) >= 0)
				turn(add(fd, true));
		}
		turn_all(events, n);
		if (poll(&stop, 1, 0) == 1 && last == 0)
			last = now_usec();
		/* All clients are through: what is not over soon never will be. */
		if (last && (count_open() == 0 || now_usec() > last + 5 * USEC_PER_SEC))
			break;
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].fd >= 0)
			complain(&peers[i], "it never ended");
	}
	_exit(failures > 0);
}

static void run_clients(uint16_t port, uint64_t seed, uint64_t n)
{
	uint64_t progress = now_usec(), end = seed + n;
	struct epoll_event events[64];
	size_t open = 0;

	start_side();
	while (seed < end || open > 0) {
		int k;

		for (; open < CONCURRENT && seed < end; open++) {
			struct peer *p = add(connect_to(SOCK_STREAM, port), false);

			p->seed = seed++;
			take_number(p);
			turn(p);
		}
		k = epoll_wait(epoll_fd, events, 64, 2);
		turn_all(events, k);
		if (count_open() < open || k > 0)
			progress = now_usec();
		open = count_open();
		if (now_usec() > progress + PATIENCE_MSEC * USEC_PER_MSEC)
			break;
	}
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].fd >= 0) {
			complain(&peers[i], "it hangs");
			done(&peers[i], true);
		}
	}
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void torture(uint64_t connections, const char *workers)
{
	uint64_t seed = setting("TORTURE_SEED", 1);
	int listener = bound(SOCK_STREAM), control[2], status;
	struct proxy_run p;
	uint16_t port;
	pid_t server;

	for (size_t i = 0; i < BLOCK; i += sizeof(uint64_t)) {
		uint64_t word = scramble(i + 12345);

		memcpy(block + i, &word, sizeof(word));
	}
	assert_int_equal(pipe2(control, O_CLOEXEC), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		close(control[1]);
		serve(listener, control[0]);
	}
	proxy_init(&p);
	port = proxy_forward(&p, SOCK_STREAM, port_of(listener));
	close(listener);
	proxy_arg(&p, "--workers");
	proxy_arg(&p, "%s", workers);
	proxy_start(&p);
	run_clients(port, seed, connections);
	close(control[1]);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_int_equal(proxy_stop(&p), 0);
	assert_int_equal(failures, 0);
	assert_int_equal(status, 0);
	assert_int_equal(p.stats->connections_total, connections);
	assert_int_equal(p.stats->connections, 0);
}

static void torture_one_worker(void **state)
{
	(void)state;
	torture(setting("TORTURE_CONNECTIONS", 5000) / 5, "1");
}

static void torture_two_workers(void **state)
{
	(void)state;
	torture(setting("TORTURE_CONNECTIONS", 5000), "2");
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* Buffers so small that hardly anything is taken whole, in a network of our own, where nobody else notices. */
static void torture_small_buffers(void **state)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
	set("/proc/sys/net/ipv4/tcp_wmem", "4096 4096 20000");
	set("/proc/sys/net/ipv4/tcp_rmem", "4096 8192 60000");
	torture(setting("TORTURE_CONNECTIONS", 5000) / 5, "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(torture_one_worker),
		cmocka_unit_test(torture_two_workers),
		cmocka_unit_test(torture_small_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
