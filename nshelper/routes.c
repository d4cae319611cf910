/* Does over rtnetlink(7) what these commands do, once for each family:
 *
 *	ip rule add pref 1 fwmark MARK lookup TABLE
 *	ip route replace local default dev lo table TABLE
 *
 *	ip route add local ADDRESS dev lo table local src SOURCE
 *
 * The rule has a fixed preference: otherwise the kernel chooses a new one each time, and NLM_F_EXCL, which also
 * compares the preference, would let a second copy in. The rule comes right after the table `local`, before rules of
 * other software in the container: only our own traffic carries the mark. The route replaces any other route in its
 * place; replacing it by itself changes nothing. In the table `local`, which belongs to the container, nothing is
 * replaced.
 */
#include "nshelper/routes.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/netlink.h"

#define RULE_PREFERENCE 1U
#define LOOPBACK_INDEX	1U /* of lo in every network namespace (LOOPBACK_IFINDEX in the kernel's net/flow.h) */
#define REPLY_SECONDS	5

struct request {
	struct nlmsghdr header;
	char body[128];
};

/* Grows the message by len bytes, aligned and zeroed. Every request here is far smaller than the buffer. */
static void *extend(struct request *r, size_t len)
{
	void *p = (char *)r + NLMSG_ALIGN(r->header.nlmsg_len);

	r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + len);
	return p;
}

static void add_attribute(struct request *r, unsigned short type, const void *value, size_t len)
{
	struct rtattr *a = extend(r, RTA_LENGTH(len));

	*a = (struct rtattr){.rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len)};
	memcpy(RTA_DATA(a), value, len);
}

static void add_u32(struct request *r, unsigned short type, uint32_t value)
{
	add_attribute(r, type, &value, sizeof(value));
}

static struct request new_request(uint16_t type, uint16_t flags)
{
	return (struct request){
		.header = {.nlmsg_len = NLMSG_HDRLEN,
			   .nlmsg_type = type,
			   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | flags)},
	};
}

static struct request rule_request(unsigned char family, uint32_t mark, uint32_t table)
{
	struct request r = new_request(RTM_NEWRULE, NLM_F_EXCL);
	struct fib_rule_hdr *h = extend(&r, sizeof(*h));

	*h = (struct fib_rule_hdr){.family = family, .action = FR_ACT_TO_TBL};
	add_u32(&r, FRA_PRIORITY, RULE_PREFERENCE);
	add_u32(&r, FRA_FWMARK, mark);
	add_u32(&r, FRA_TABLE, table);
	return r;
}

static struct request route_request(uint16_t flags, unsigned char family, unsigned char prefix, uint32_t table)
{
	struct request r = new_request(RTM_NEWROUTE, flags);
	struct rtmsg *h = extend(&r, sizeof(*h));

	*h = (struct rtmsg){
		.rtm_family = family,
		.rtm_dst_len = prefix,
		.rtm_type = RTN_LOCAL,
		.rtm_scope = RT_SCOPE_HOST,
		.rtm_protocol = RTPROT_STATIC,
	};
	add_u32(&r, RTA_TABLE, table);
	add_u32(&r, RTA_OIF, LOOPBACK_INDEX);
	return r;
}

/* Waits for the kernel's acknowledgement of the one message that was sent. Returns an errno value, 0 for success. Other
 * processes of the namespace may write to this socket: messages that are not from port 0, the kernel, are skipped; a
 * flood of them ends in ENOBUFS. */
static int receive_acknowledgement(int fd)
{
	for (int n = 0; n < 64; n++) {
		struct {
			struct nlmsghdr header;
			struct nlmsgerr error;
		} reply;
		struct sockaddr_nl from = {0};
		socklen_t len = sizeof(from);
		ssize_t size = recvfrom(fd, &reply, sizeof(reply), 0, (struct sockaddr *)&from, &len);

		if (size < 0 && errno != EINTR)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		if (size < 0 || len != sizeof(from) || from.nl_pid != 0)
			continue;
		if (size < (ssize_t)(offsetof(__typeof__(reply), error.msg)) || reply.header.nlmsg_type != NLMSG_ERROR)
			return EPROTO;
		return netlink_errno(&reply.error);
	}
	return ENOBUFS;
}

static int exchange(int fd, const struct request *r)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, r, r->header.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return errno;
	return receive_acknowledgement(fd);
}

/* EAFNOSUPPORT, EOPNOTSUPP: the kernel has no IPv6; EACCES: disable_ipv6 is set for lo in this namespace. */
static bool means_no_ipv6(int code)
{
	return code == EAFNOSUPPORT || code == EOPNOTSUPP || code == EACCES;
}

static const char *family_name(unsigned char family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

static int loopback_is_down(const char *option, struct error *err)
{
	return error_set(err, ENETDOWN,
			 "%s needs the loopback interface of the container's network, which is down: bring lo up in it",
			 option);
}

/* Close-on-exec. Returns -1 with *err set. */
static int open_socket(const char *option, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	static const struct timeval timeout = {.tv_sec = REPLY_SECONDS};

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		return error_errno(
			err, errno,
			"cannot open a netlink socket for %s (RestrictAddressFamilies= of the unit must name "
			"AF_NETLINK)",
			option);
	return steal_fd(&fd);
}

static int install_family(int fd, unsigned char family, uint32_t mark, uint32_t table, struct error *err)
{
	struct request route = route_request(NLM_F_REPLACE, family, 0, table);
	struct request rule = rule_request(family, mark, table);
	const char *name = family_name(family);
	int code = exchange(fd, &route);

	if (family == AF_INET6 && means_no_ipv6(code))
		return 0;
	if (code == ENETDOWN)
		return loopback_is_down("--transparent", err);
	if (code)
		return error_errno(err, code, "cannot add the %s route of --transparent to the container's network",
				   name);
	code = exchange(fd, &rule);
	if (code && code != EEXIST)
		return error_errno(err, code, "cannot add the %s rule of --transparent to the container's network",
				   name);
	return 0;
}

int routes_install(uint32_t mark, uint32_t table, struct error *err)
{
	_cleanup_close_ int fd = open_socket("--transparent", err);

	if (fd < 0 || install_family(fd, AF_INET, mark, table, err) < 0 ||
	    install_family(fd, AF_INET6, mark, table, err) < 0)
		return -1;
	return 0;
}

/* EINVAL: lo has no ::1, because IPv6 was switched off in this namespace before lo came up. */
static bool means_no_ipv6_loopback(int code)
{
	return means_no_ipv6(code) || code == EINVAL;
}

int routes_add_local(unsigned char family, const void *address, const void *source, struct error *err)
{
	const size_t len = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	struct request r = route_request(NLM_F_EXCL, family, (unsigned char)(8 * len), RT_TABLE_LOCAL);
	_cleanup_close_ int fd = open_socket("--outside-source", err);
	int code;

	if (fd < 0)
		return -1;
	add_attribute(&r, RTA_DST, address, len);
	add_attribute(&r, RTA_PREFSRC, source, len);
	code = exchange(fd, &r);
	if (code == 0)
		return ROUTE_ADDED;
	if (code == EEXIST)
		return ROUTE_WAS_THERE;
	if (family == AF_INET6 && means_no_ipv6_loopback(code))
		return ROUTE_WITHOUT_FAMILY;
	if (code == ENETDOWN)
		return loopback_is_down("--outside-source", err);
	return error_errno(
		err, code,
		"cannot add the %s route of --outside-source, by which servers tell clients from local ones, "
		"to the container's network (that takes CAP_NET_ADMIN: CapabilityBoundingSet= of the unit); "
		"'--target 127.0.0.1' does without it",
		family_name(family));
}
