#include "dial/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/netlink.h"
#include "handover/listen.h"

#define STRANGERS_MAX 64
#define PARTS_MAX     16 /* of a dump: some thousand sockets */

struct question {
	struct nlmsghdr header;
	struct inet_diag_req_v2 request;
};

union answer {
	struct nlmsghdr header;
	char bytes[1024];
};

static uint8_t protocol_of(int type)
{
	return type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
}

/* Receives one message of the kernel's. Other processes of the namespace may write to this socket: messages that are
 * not from port 0 are skipped; a flood of them ends in ENOBUFS. Returns the size, or -1 with errno set. */
static ssize_t receive(int diag, void *answer, size_t size)
{
	for (int k = 0; k < STRANGERS_MAX; k++) {
		struct sockaddr_nl from = {0};
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(diag, answer, size, MSG_TRUNC, (struct sockaddr *)&from, &len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n >= 0 && len == sizeof(from) && from.nl_pid == 0)
			return n;
	}
	errno = ENOBUFS;
	return -1;
}

int sock_diag_read(const void *answer, size_t len, const struct inet_diag_msg **ret)
{
	const struct nlmsghdr *header = answer;
	const struct nlmsgerr *e = NLMSG_DATA(header);

	*ret = NULL;
	if (!NLMSG_OK(header, len))
		return EPROTO;
	switch (header->nlmsg_type) {
	case NLMSG_DONE:
		return 0;
	case NLMSG_ERROR:
		return header->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? EPROTO : netlink_errno(e);
	case SOCK_DIAG_BY_FAMILY:
		if (header->nlmsg_len < NLMSG_LENGTH(sizeof(**ret)))
			return EPROTO;
		*ret = NLMSG_DATA(header);
		return 0;
	default:
		return EPROTO;
	}
}

/* Sends the question and reads the one answer. *ret points into `answer`. Returns 0, or an errno value, the kernel's or
 * our own. */
static int ask(int diag, struct question *q, union answer *answer, const struct inet_diag_msg **ret)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	q->header.nlmsg_len = sizeof(*q);
	q->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	if (sendto(diag, q, sizeof(*q), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return errno;
	n = receive(diag, answer, sizeof(*answer));
	if (n < 0)
		return errno;
	return (size_t)n > sizeof(*answer) ? EPROTO : sock_diag_read(answer, (size_t)n, ret);
}

int sock_diag_open(int type, struct error *err)
{
	/* For the exact lookup, ENOENT means either "no such socket" or "no such handler". A dump of no states at all
	 * tells: it is empty, or fails. */
	struct question q = {
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.request = {.sdiag_family = AF_INET, .sdiag_protocol = protocol_of(type), .idiag_states = 0},
	};
	_cleanup_close_ int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	const struct inet_diag_msg *none;
	union answer answer;
	int r;

	if (diag < 0)
		return error_errno(err, errno, "cannot ask the kernel for listening sockets");
	r = ask(diag, &q, &answer, &none);
	if (r != 0)
		return error_errno(err, r, "this kernel does not tell which sockets listen (inet_diag)");
	return steal_fd(&diag);
}

static bool is_ours(uint32_t inode)
{
	struct error ignored;
	int count;

	if (listen_fds(&count, &ignored) < 0)
		return false;
	for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + count; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && (uint32_t)st.st_ino == inode)
			return true;
	}
	return false;
}

static bool is_loopback(const struct inet_diag_msg *m)
{
	struct in6_addr a;

	memcpy(&a, m->id.idiag_src, sizeof(a));
	if (m->idiag_family == AF_INET)
		return a.s6_addr[0] == 127;
	return IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127);
}

static void describe(const struct inet_diag_msg *m, struct listener *ret)
{
	ret->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	ret->loopback = is_loopback(m);
}

enum socket_found sock_diag_find(int diag, int type, const struct target *t, struct listener *ret)
{
	struct question q = {
		.header.nlmsg_flags = NLM_F_REQUEST,
		.request = {.sdiag_protocol = protocol_of(type), .idiag_states = ~0U},
	};
	struct inet_diag_sockid *id = &q.request.id;
	const struct inet_diag_msg *found = NULL;
	union answer answer;

	if (t->addr.ss_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)&t->addr;

		id->idiag_sport = sin->sin_port;
		id->idiag_src[0] = sin->sin_addr.s_addr;
	} else if (t->addr.ss_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)&t->addr;

		id->idiag_sport = sin6->sin6_port;
		id->idiag_if = sin6->sin6_scope_id;
		memcpy(id->idiag_src, &sin6->sin6_addr, sizeof(sin6->sin6_addr));
	} else {
		return SOCKET_NONE;
	}
	q.request.sdiag_family = (uint8_t)t->addr.ss_family;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	/* For TCP, a lookup without a destination finds only sockets in LISTEN state. */
	if (type == SOCK_DGRAM) {
		/* udp_diag swaps source and destination compared with tcp_diag ("swapped for historical reasons",
		 * net/ipv4/udp_diag.c): set both. */
		id->idiag_dport = id->idiag_sport;
		memcpy(id->idiag_dst, id->idiag_src, sizeof(id->idiag_dst));
	}
	(void)ask(diag, &q, &answer, &found);
	if (!found)
		return SOCKET_NONE;
	if (ret)
		describe(found, ret);
	return is_ours(found->idiag_inode) ? SOCKET_OURS : SOCKET_LISTENS;
}

enum socket_found sock_diag_look(int diag, int type, const struct target *t)
{
	return sock_diag_find(diag, type, t, NULL);
}

/* The listed ports, in the kernel's order. */
struct listing {
	uint16_t *ports;
	size_t n, max;
	bool ours;
};

static void add_port(struct listing *l, uint16_t port)
{
	for (size_t k = 0; k < l->n; k++) {
		if (l->ports[k] == port)
			return;
	}
	if (l->n < l->max)
		l->ports[l->n++] = port;
}

/* Reads the messages of one part of a dump. Returns whether there may be another part. */
static bool take_part(struct listing *l, const struct nlmsghdr *header, size_t len)
{
	for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len)) {
		const struct inet_diag_msg *m;

		if (sock_diag_read(header, header->nlmsg_len, &m) != 0 || !m)
			return false;
		l->ours |= is_ours(m->idiag_inode);
		add_port(l, ntohs(m->id.idiag_sport));
	}
	return true;
}

/* Uses a socket of its own, so that the unread rest is not taken for another answer. */
static void list_family(struct listing *l, uint8_t family)
{
	struct question q = {
		.header = {.nlmsg_len = sizeof(q),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 1 << TCP_LISTEN},
	};
	_cleanup_close_ int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	union {
		struct nlmsghdr header;
		char bytes[8192];
	} part;
	ssize_t n;

	if (diag < 0 || send(diag, &q, sizeof(q), 0) < 0)
		return;
	for (int k = 0; k < PARTS_MAX; k++) {
		n = receive(diag, &part, sizeof(part));
		if (n < 0 || (size_t)n > sizeof(part) || !take_part(l, &part.header, (size_t)n))
			return;
	}
}

size_t sock_diag_listening(uint16_t *ret, size_t max)
{
	struct listing l = {.ports = ret, .max = max};

	list_family(&l, AF_INET);
	list_family(&l, AF_INET6);
	return l.ours ? 0 : l.n;
}
