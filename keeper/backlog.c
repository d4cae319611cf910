/* The kernel lists connections that have not been accepted yet among the established ones, without an inode
 * (net/ipv4/inet_diag.c). We have never sent data on them, so the time since our last data is the time since their
 * handshake.
 */
#include "keeper/backlog.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/extremes.h"

/* The kernel answers in pieces of at most 32 KiB (netlink(7)). */
#define REPLY_SIZE (32U << 10)

struct search {
	int family;
	uint16_t port; /* network byte order */
	bool any;      /* the listener is bound to all addresses */
	__be32 address[4];
	uint64_t age;
};

static bool describe(int listener, uint64_t age, struct search *ret)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(a);

	*ret = (struct search){.age = age};
	if (getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		return false;
	ret->family = a.ss_family;
	if (a.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a;

		ret->port = in->sin_port;
		ret->any = in->sin_addr.s_addr == htonl(INADDR_ANY);
		ret->address[0] = in->sin_addr.s_addr;
	} else if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a;

		ret->port = in6->sin6_port;
		ret->any = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
		memcpy(ret->address, &in6->sin6_addr, sizeof(ret->address));
	}
	return a.ss_family == AF_INET || a.ss_family == AF_INET6;
}

static bool ask(int fd, const struct search *s)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} m = {
		.header = {.nlmsg_len = sizeof(m),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = (__u8)s->family,
			    .sdiag_protocol = IPPROTO_TCP,
			    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
			    .idiag_states = 1U << TCP_ESTABLISHED | 1U << TCP_CLOSE_WAIT,
			    .id = {.idiag_sport = s->port}},
	};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&kernel, sizeof(kernel)) == sizeof(m);
}

static uint64_t age_of(const struct nlmsghdr *h)
{
	const struct rtattr *a = (const struct rtattr *)((const struct inet_diag_msg *)NLMSG_DATA(h) + 1);
	struct tcp_info info = {};

	for (int left = (int)NLMSG_PAYLOAD(h, sizeof(struct inet_diag_msg)); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == INET_DIAG_INFO)
			memcpy(&info, RTA_DATA(a), least_of(RTA_PAYLOAD(a), sizeof(info)));
	}
	return info.tcpi_last_data_sent * USEC_PER_MSEC;
}

static void take_address(const struct search *s, const struct inet_diag_msg *m, unsigned char ret[static 16])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (s->family == AF_INET) {
		memcpy(ret, mapped, sizeof(mapped));
		memcpy(ret + sizeof(mapped), m->id.idiag_dst, 4);
	} else {
		memcpy(ret, m->id.idiag_dst, 16);
	}
}

static void count(const struct search *s, const struct nlmsghdr *h, struct backlog *ret)
{
	struct inet_diag_msg m;
	uint64_t age;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(m)))
		return;
	memcpy(&m, (const char *)h + NLMSG_HDRLEN, sizeof(m));
	if (m.idiag_inode != 0 || m.id.idiag_sport != s->port ||
	    (!s->any && memcmp(m.id.idiag_src, s->address, s->family == AF_INET ? 4 : 16) != 0))
		return;
	age = age_of(h);
	if (ret->first_age == USEC_INFINITY || age > ret->first_age) {
		ret->first_age = age;
		take_address(s, &m, ret->first);
	}
	if (age >= s->age)
		ret->old++;
	else if (ret->oldest_age == USEC_INFINITY || age > ret->oldest_age)
		ret->oldest_age = age;
}

/* 1: the last piece was read; 0: there are more; -1: the kernel does not tell. */
static int read_piece(int fd, const struct search *s, struct backlog *ret)
{
	_Alignas(struct nlmsghdr) char buffer[REPLY_SIZE];
	struct sockaddr_nl from = {.nl_family = AF_NETLINK};
	struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
	struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	int left = (int)recvmsg(fd, &m, 0);

	if (left < 0)
		return errno == EINTR ? 0 : -1;
	if (from.nl_pid != 0) /* not the kernel */
		return 0;
	for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			return -1;
		count(s, h, ret);
	}
	return m.msg_flags & MSG_TRUNC ? -1 : 0;
}

int backlog_look(int listener, uint64_t age, struct backlog *ret)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	static const struct timeval limit = {.tv_sec = 1};
	struct search s;
	int r = 0;

	*ret = (struct backlog){.oldest_age = USEC_INFINITY, .first_age = USEC_INFINITY};
	if (fd < 0 || !describe(listener, age, &s) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 || !ask(fd, &s))
		return -1;
	while (r == 0)
		r = read_piece(fd, &s, ret);
	return r < 0 ? -1 : 0;
}
