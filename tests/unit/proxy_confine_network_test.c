/* A confined proxy connects to nothing but its target, by whatever socket. */
#include "confine/capabilities.h"
#include "tests/unit/confine_fixture.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "confine/disarm.h"
#include "confine/landlock.h"

static void makes_other_sockets(void)
{
	uint16_t ports[] = {80};
	const struct confinement c = {.ports = ports, .n_ports = 1};
	int pair[2];

	confined(&c);
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_FAILS(EPERM, socket(AF_NETLINK, SOCK_RAW, 0));
	CHECK_FAILS(EPERM, socket(AF_PACKET, SOCK_RAW, 0));
	CHECK_FAILS(EPERM, socket(AF_VSOCK, SOCK_STREAM, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */));
	CHECK_FAILS(EPERM, socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP));
	CHECK_FAILS(EPERM, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0);
}

static void makes_udp_sockets(void)
{
	const struct confinement c = {.udp = true};
	int fd;

	confined(&c);
	CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0);
	CHECK_FAILS(EDESTADDRREQ, sendto(fd, "x", 1, MSG_DONTWAIT, NULL, 0));
	CHECK_FAILS(EBADF, sendmmsg(-1, NULL, 0, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_STREAM, 0));
}

static void connects_elsewhere(void)
{
	uint16_t port, other_port;
	int target = listener(&port), other = listener(&other_port), fd, keep[] = {target, other};
	const struct confinement c = {.keep = keep, .n_keep = 2, .ports = &port, .n_ports = 1};
	struct sockaddr_in any = {.sin_family = AF_INET};

	confined(&c);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	CHECK_FAILS(EACCES, connect_to(fd, other_port));
	CHECK_FAILS(EPERM, bind(fd, (struct sockaddr *)&any, sizeof(any)));
	CHECK_FAILS(EPERM, listen(fd, 1));
	CHECK(connect_to(fd, port) == 0);
}

#define PAGE 4096UL

/* As dial/outside.c keeps them: alone in the lowest page. */
static const struct sockaddr_in *kept_source(void)
{
	struct sockaddr_in *kept = mmap((void *)0x200000UL, PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(kept != MAP_FAILED);
	*kept = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(mprotect(kept, PAGE, PROT_READ) == 0);
	return kept;
}

/* Where there is a source for connections, there is still no server to be made, nor a port to be taken. */
static void binds_elsewhere(void)
{
	const struct sockaddr_in *source = kept_source();
	struct sockaddr_in copy = *source;
	uint16_t port;
	int target = listener(&port), fd, udp, one = 1, keep[] = {target};
	const struct confinement c = {.keep = keep,
				      .n_keep = 1,
				      .ports = &port,
				      .n_ports = 1,
				      .udp = true,
				      .n_shared = target + 1,
				      .sources = {source}};
	char *page = (char *)(uintptr_t)source;
	void *other;

	confined(&c);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd > target && udp > target);
	copy.sin_port = htons(8080);
	CHECK_FAILS(EPERM, bind(fd, (struct sockaddr *)&copy, sizeof(copy)));
	CHECK_FAILS(EPERM, bind(udp, (struct sockaddr *)&copy, sizeof(copy)));
	CHECK_FAILS(EPERM, bind(fd, (struct sockaddr *)(page + 4), sizeof(copy)));
	CHECK_FAILS(EPERM, bind(target, (struct sockaddr *)page, sizeof(copy)));

	/* Nor can the source be made another one. */
	other = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(other != MAP_FAILED);
	CHECK_FAILS(EPERM, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	CHECK_FAILS(EPERM, munmap(page, PAGE));
	CHECK_FAILS(EPERM, madvise(page, PAGE, MADV_DONTNEED));
	CHECK_FAILS(EPERM, mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK_FAILS(EPERM, mmap(page - PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK_FAILS(EPERM, mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page));
	CHECK_FAILS(EPERM, mremap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	CHECK_FAILS(EPERM, mprotect(page - PAGE, 2 * PAGE, PROT_READ | PROT_WRITE));
	CHECK_FAILS(EFAULT, getsockname(fd, (struct sockaddr *)page, &(socklen_t){sizeof(copy)}));

	CHECK(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) == 0);
	CHECK(bind(fd, (struct sockaddr *)page, sizeof(copy)) == 0);
	CHECK(bind(udp, (struct sockaddr *)page, sizeof(copy)) == 0);
	CHECK_FAILS(EPERM, listen(fd, 1));
	CHECK(connect_to(fd, port) == 0);
	CHECK(munmap(other, 2 * PAGE) == 0);
}

/* Landlock: not even if the filter of system calls were gone. */
static void binds_under_landlock(void)
{
	static const uint32_t any = 0;
	const struct confinement c = {.sources = {&any}};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(8080)};
	unsigned missing = 0;
	struct error err;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(capabilities_drop(false, &err) == 0);
	CHECK(landlock_restrict(&c, &missing, &err) == 0 && missing == 0);
	CHECK_FAILS(EACCES, bind(fd, (struct sockaddr *)&to, sizeof(to)));
	to.sin_port = 0;
	CHECK(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
}

/* TCP Fast Open connects inside sendto(2), where Landlock did not look. */
static void connects_by_sending(void)
{
	uint16_t port, other_port;
	int target = listener(&port), other = listener(&other_port), fd, keep[] = {target, other};
	const struct confinement c = {.keep = keep, .n_keep = 2, .ports = &port, .n_ports = 1};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec data = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct mmsghdr message = {
		.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1}};

	confined(&c);
	to.sin_port = htons(other_port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(EPERM, sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)));
	CHECK_FAILS(EPERM, sendmsg(fd, &message.msg_hdr, MSG_FASTOPEN | MSG_NOSIGNAL));
	CHECK_FAILS(EPERM, sendmmsg(fd, &message, 1, MSG_FASTOPEN));
}

/* systemd, the keeper and the next proxy live on with what is done to these. */
static void changes_shared_sockets(void)
{
	uint16_t port;
	int shared = listener(&port), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, accepted;
	int keep[] = {shared, client};
	const struct confinement c = {.keep = keep, .n_keep = 2, .ports = &port, .n_ports = 1, .n_shared = shared + 1};
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct linger linger = {};

	confined(&c);
	for (int fd = 0; fd <= shared; fd++) {
		CHECK_FAILS(EPERM, shutdown(fd, SHUT_RDWR));
		CHECK_FAILS(EPERM, connect(fd, &unspec, sizeof(unspec)));
		CHECK_FAILS(EPERM, bind(fd, (struct sockaddr *)&any, sizeof(any)));
		CHECK_FAILS(EPERM, setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof(one)));
		CHECK_FAILS(EPERM, setsockopt(fd, IPPROTO_IP, IP_MINTTL, &one, sizeof(one)));
		CHECK_FAILS(EPERM, setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
		CHECK_FAILS(EPERM, fcntl(fd, F_SETFL, 0));
		CHECK_FAILS(EPERM, fcntl(fd, F_DUPFD, 100));
		CHECK_FAILS(EPERM, dup(fd));
	}
	CHECK(connect_to(client, port) == 0);
	accepted = accept4(shared, NULL, NULL, 0);
	CHECK(accepted > shared && fcntl(accepted, F_SETFL, O_NONBLOCK) == 0);
	CHECK(setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	CHECK(setsockopt(accepted, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	CHECK(shutdown(accepted, SHUT_WR) == 0);
}

static int send_descriptor(int to, int fd)
{
	struct iovec data = {.iov_base = (char[]){"x"}, .iov_len = 1};
	union {
		char buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &data,
					.msg_iovlen = 1,
					.msg_control = control.buffer,
					.msg_controllen = sizeof(control.buffer)}};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m.msg_hdr);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	if (sendmmsg(to, &m, 1, MSG_DONTWAIT) == 1)
		return 0;
	CHECK(errno == EPERM);
	return (int)sendmsg(to, &m.msg_hdr, MSG_DONTWAIT);
}

/* A client of this instance's Unix socket is anybody. */
static void sends_descriptors_to_clients(void)
{
	struct confinement c = {.udp = true, .unix_clients = true, .reports = -1, .n_keep = 3};
	int pair[3], udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(self);

	CHECK(bind(udp, (struct sockaddr *)&self, sizeof(self)) == 0 &&
	      getsockname(udp, (struct sockaddr *)&self, &len) == 0 &&
	      connect(udp, (struct sockaddr *)&self, sizeof(self)) == 0);
	c.n_shared = udp + 1;
	pair[2] = udp;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 && pair[0] > udp);
	c.keep = pair;
	confined(&c);
	CHECK_FAILS(EPERM, send_descriptor(pair[0], pair[1]));
	CHECK(send_descriptor(udp, pair[1]) == 0); /* a message like any other there */
}

/* One that lingers when it is closed would keep the keeper waiting; a server behind a Unix socket is not confined at all. */
static void sends_descriptors_over(struct confinement *c)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(send_descriptor(pair[0], pair[1]) == 0); /* it works for a process that is not confined */
	c->keep = pair;
	c->n_keep = 2;
	c->reports = pair[0];
	confined(c);
	CHECK_FAILS(EPERM, send_descriptor(pair[0], pair[1]));
	CHECK(send(pair[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1);
}

static void sends_descriptors_beside_tcp(void)
{
	uint16_t port = 80;

	sends_descriptors_over(&(struct confinement){.ports = &port, .n_ports = 1});
}

static void sends_descriptors_beside_udp(void)
{
	sends_descriptors_over(&(struct confinement){.udp = true});
}

static void test_shared(void **state)
{
	(void)state;
	in_modes(changes_shared_sockets, SYSTEM_SCOPE, SYSTEM_SCOPE, 0);
	survives(sends_descriptors_beside_tcp);
	survives(sends_descriptors_beside_udp);
	survives(sends_descriptors_to_clients);
}

static void test_sockets(void **state)
{
	(void)state;
	survives(makes_other_sockets);
	survives(makes_udp_sockets);
	survives(connects_elsewhere);
	survives(binds_elsewhere);
	survives(binds_under_landlock);
	survives(connects_by_sending);
}

struct pair {
	int listener, client, accepted;
	uint16_t port;
};

static struct pair accepted_connection(void)
{
	struct pair p = {.listener = listener(&p.port)};

	p.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect_to(p.client, p.port) == 0);
	p.accepted = accept(p.listener, NULL, NULL);
	CHECK(p.accepted >= 0);
	return p;
}

/* Disconnects fd and connects it to the port, without waiting; whether it was connected after a while. */
static int reconnects(int fd, uint16_t port)
{
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	CHECK(connect(fd, &unspec, sizeof(unspec)) == 0);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	if (connect_to(fd, port) < 0 && errno != EINPROGRESS)
		return -1;
	/* A connection over the loopback needs microseconds. */
	(void)poll(&p, 1, 200);
	return tcp_state(fd) == TCP_ESTABLISHED;
}

/* The attack works on a process that is not confined. Were this not so, the next test would show nothing. */
static void accepted_socket_connects_again(void)
{
	struct pair p = accepted_connection();
	uint16_t port;
	int secret = listener(&port);

	CHECK(reconnects(p.accepted, port) == 1);
	CHECK(accept(secret, NULL, NULL) >= 0);
}

/* Landlock: not to another port, whatever the socket was. */
static void confined_socket_stays_on_its_port(void)
{
	struct pair p = accepted_connection();
	int keep[] = {p.listener, p.accepted, p.client};
	uint16_t target = 1;
	const struct confinement c = {.keep = keep, .n_keep = 3, .ports = &target, .n_ports = 1};

	confined(&c);
	CHECK_FAILS(EACCES, reconnects(p.accepted, p.port));
	CHECK_FAILS(EACCES, reconnects(p.listener, p.port));
}

/* The socket filter: not at all. It is attached with CAP_NET_ADMIN, which some kernels ask for; the confined process
 * finds it locked, as a later wake does. */
static void disarmed_sockets(void)
{
	struct pair before;
	int keep[4], after, client, nothing = 0;
	uint16_t port;
	unsigned missing = 0;
	const struct confinement c = {.keep = keep, .n_keep = 4, .ports = &port, .n_ports = 1};
	struct error err;

	CHECK(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	before = accepted_connection();
	keep[0] = before.listener;
	keep[1] = before.accepted;
	keep[2] = listener(&port);
	keep[3] = -1;
	CHECK(disarm_sockets(&c, &missing, &err) == 0 && missing == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(client, before.port) == 0);
	keep[3] = client;
	become_nobody();

	/* Below the system call filter. */
	CHECK_FAILS(EPERM, setsockopt(before.listener, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)));
	CHECK_FAILS(EPERM, setsockopt(before.listener, SOL_SOCKET, SO_LOCK_FILTER, &nothing, sizeof(nothing)));
	CHECK(confine(&c, &missing, &err) == 0); /* the client itself is not disarmed where that needs privileges */
	after = accept4(before.listener, NULL, NULL, 0);
	CHECK(after >= 0);
	CHECK(send(client, "x", 1, 0) == 1 && read(after, &nothing, 1) == 1);
	CHECK_FAILS(EPERM, setsockopt(after, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)));
	CHECK(reconnects(before.accepted, port) == 0);
	CHECK(reconnects(after, port) == 0);
	CHECK(reconnects(before.listener, port) == 0);
}

static void test_accepted_socket(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	survives(accepted_socket_connects_again);
	survives(confined_socket_stays_on_its_port);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		disarmed_sockets();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_accepted_socket),
	};

	return cmocka_run_group_tests_name("proxy/confine: network", tests, NULL, NULL);
}
