#include "relay/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/extremes.h"

/* #syscalls: recvmmsg sendmmsg sendmsg sendto setsockopt write */
/* #before: mmap */

/* <netinet/udp.h> of older C libraries lacks these; values from linux/udp.h */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

struct batch_storage {
	struct mmsghdr headers[BATCH_SIZE];
	struct iovec iovs[BATCH_SIZE];
	struct sockaddr_in6 clients[BATCH_SIZE]; /* or sockaddr_in */
	union control controls[BATCH_SIZE];
};

int batch_open(struct batch *b, struct error *err)
{
	void *memory = mmap(NULL, (size_t)BATCH_SIZE * DATAGRAM_MAX, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return error_errno(err, errno, "out of memory for datagrams");
	b->storage = calloc(1, sizeof(*b->storage));
	if (!b->storage)
		return error_set(err, ENOMEM, "out of memory");
	b->memory = memory;
	return 0;
}

bool datagram_join(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

int datagram_options(int fd, int family, struct error *err)
{
	int on = 1, r;

	if (family == AF_INET)
		r = setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	if (r < 0)
		return error_errno(err, errno, "cannot ask for the addresses of datagrams");
	(void)datagram_join(fd);
	return 0;
}

static void read_control(struct msghdr *msg, struct datagram *d)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(&d->key.local, &info.ipi_spec_dst, sizeof(info.ipi_spec_dst));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			d->key.local = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				d->key.interface = info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int segment;

			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
			if (segment > 0 && (size_t)segment < d->len)
				d->segment = (unsigned)segment;
		}
	}
	/* The client sent to a multicast group; the kernel chooses an address of ours for the answer. */
	if (IN6_IS_ADDR_MULTICAST(&d->key.local))
		d->key.local = in6addr_any;
}

static void read_client(const struct sockaddr_in6 *client, int family, struct datagram *d)
{
	const struct sockaddr_in *client4 = (const struct sockaddr_in *)(const void *)client;

	d->client = (const struct sockaddr *)client;
	if (family == AF_INET) {
		memcpy(&d->key.client, &client4->sin_addr, sizeof(client4->sin_addr));
		d->key.port = client4->sin_port;
		return;
	}
	d->key.client = client->sin6_addr;
	d->key.port = client->sin6_port;
	if (IN6_IS_ADDR_LINKLOCAL(&client->sin6_addr))
		d->key.interface = client->sin6_scope_id;
}

static uint8_t next_want(uint8_t want, int got)
{
	if (got >= want)
		return (uint8_t)least_of(want * 2U, BATCH_SIZE);
	return got < want / 2 ? want / 2 : want;
}

size_t batch_receive(struct batch *b, int fd, int family, uint8_t *want)
{
	struct batch_storage *s = b->storage;
	int n;

	if (*want == 0)
		*want = 1;
	for (size_t i = 0; i < *want; i++) {
		s->iovs[i] = (struct iovec){.iov_base = b->memory + i * DATAGRAM_MAX, .iov_len = DATAGRAM_MAX};
		s->headers[i].msg_hdr = (struct msghdr){
			.msg_name = family == AF_UNSPEC ? NULL : &s->clients[i],
			.msg_namelen = family == AF_UNSPEC ? 0 : sizeof(s->clients[i]),
			.msg_iov = &s->iovs[i],
			.msg_iovlen = 1,
			.msg_control = &s->controls[i],
			.msg_controllen = sizeof(s->controls[i]),
		};
	}
	n = recvmmsg(fd, s->headers, *want, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	*want = next_want(*want, n);
	for (int i = 0; i < n; i++) {
		struct datagram *d = &b->datagrams[i];

		*d = (struct datagram){.data = s->iovs[i].iov_base, .len = s->headers[i].msg_len};
		read_control(&s->headers[i].msg_hdr, d);
		if (family != AF_UNSPEC)
			read_client(&s->clients[i], family, d);
	}
	return (size_t)n;
}

static socklen_t fill_name(const struct flow_key *to, struct sockaddr_in6 *ret)
{
	struct sockaddr_in *ret4 = (struct sockaddr_in *)(void *)ret;

	if (to->forward->family == AF_INET) {
		*ret4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = to->port};
		memcpy(&ret4->sin_addr, &to->client, sizeof(ret4->sin_addr));
		return sizeof(*ret4);
	}
	*ret = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = to->port,
		.sin6_addr = to->client,
		.sin6_scope_id = to->interface,
	};
	return sizeof(*ret);
}

static void *append(struct msghdr *msg, int level, int type, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)((char *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	msg->msg_controllen += CMSG_SPACE(len);
	return CMSG_DATA(c);
}

static void fill_control(const struct flow_key *to, unsigned segment, union control *control, struct msghdr *msg)
{
	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = 0;
	if (to && !IN6_IS_ADDR_UNSPECIFIED(&to->local) && to->forward->family == AF_INET) {
		struct in_pktinfo *info = append(msg, IPPROTO_IP, IP_PKTINFO, sizeof(*info));

		memcpy(&info->ipi_spec_dst, &to->local, sizeof(info->ipi_spec_dst));
	} else if (to && !IN6_IS_ADDR_UNSPECIFIED(&to->local)) {
		struct in6_pktinfo *info = append(msg, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info));

		info->ipi6_addr = to->local;
		info->ipi6_ifindex = to->interface;
	}
	if (segment > 0)
		*(uint16_t *)append(msg, IPPROTO_UDP, UDP_SEGMENT, sizeof(uint16_t)) = (uint16_t)segment;
	if (msg->msg_controllen == 0)
		msg->msg_control = NULL;
}

/* For routes that cannot segment (udp(7)): sends one datagram after the other. */
static bool send_segments(const struct datagram *d, int fd, struct msghdr msg, const struct flow_key *to)
{
	union control control;

	fill_control(to, 0, &control, &msg);
	for (size_t at = 0; at < d->len; at += d->segment) {
		size_t left = d->len - at;
		struct iovec iov = {.iov_base = d->data + at, .iov_len = least_of(left, d->segment)};

		msg.msg_iov = &iov;
		if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0)
			return false;
	}
	return true;
}

/* After a failure that may not concern this datagram: ECONNREFUSED belongs to an earlier one, and is now cleared. */
static bool send_again(const struct datagram *d, int fd, const struct msghdr *msg, const struct flow_key *to)
{
	if (errno == ECONNREFUSED && sendmsg(fd, msg, MSG_DONTWAIT) >= 0)
		return true;
	return d->segment > 0 && send_segments(d, fd, *msg, to);
}

/* The common case by the common call: one datagram through a connected socket. */
static size_t send_one(const struct datagram *d, int fd)
{
	/* This reports, and clears, the error of an earlier datagram; this one was not sent. */
	return write(fd, d->data, d->len) >= 0 || (errno == ECONNREFUSED && write(fd, d->data, d->len) >= 0);
}

/* Sends one after the other through a connected socket. */
static size_t send_plainly(const struct datagram *d, int fd)
{
	size_t step = d->segment ? d->segment : d->len, at = 0;

	do {
		size_t left = d->len - at, len = least_of(left, step);

		if (send(fd, d->data + at, len, MSG_DONTWAIT) < 0 &&
		    (errno != ECONNREFUSED || send(fd, d->data + at, len, MSG_DONTWAIT) < 0))
			return 0;
		at += len;
	} while (at < d->len);
	return 1;
}

size_t batch_send(struct batch *b, size_t first, size_t end, int fd, const struct flow_key *to)
{
	struct batch_storage *s = b->storage;
	struct sockaddr_in6 name;
	socklen_t name_len = to ? fill_name(to, &name) : 0;
	size_t sent = 0;

	if (!to && end - first == 1 && b->datagrams[first].segment == 0 && b->datagrams[first].len > 0)
		return send_one(&b->datagrams[first], fd);
	if (!to && b->plain) {
		for (size_t i = first; i < end; i++)
			sent += send_plainly(&b->datagrams[i], fd);
		return sent;
	}
	for (size_t i = first; i < end; i++) {
		struct msghdr *msg = &s->headers[i].msg_hdr;

		s->iovs[i].iov_len = b->datagrams[i].len;
		*msg = (struct msghdr){
			.msg_name = to ? &name : NULL,
			.msg_namelen = name_len,
			.msg_iov = &s->iovs[i],
			.msg_iovlen = 1,
		};
		fill_control(to, b->datagrams[i].segment, &s->controls[i], msg);
	}
	for (size_t i = first; i < end;) {
		int n = sendmmsg(fd, &s->headers[i], (unsigned)(end - i), MSG_DONTWAIT);

		if (n > 0) {
			sent += (size_t)n;
			i += (size_t)n;
			continue;
		}
		sent += send_again(&b->datagrams[i], fd, &s->headers[i].msg_hdr, to);
		i++;
	}
	return sent;
}
