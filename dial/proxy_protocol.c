#include "dial/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* #syscalls: getpeername getsockname */

/* Section 2.2 of the specification. */
static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";
enum {
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	V2_UNSPEC = 0x00,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_ADDRESSES = 16, /* offset of the addresses */
};

struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16];
	size_t len;
	uint16_t port; /* network byte order */
};

int proxy_protocol_parse(const char *s, enum proxy_protocol *ret, struct error *err)
{
	if (strcmp(s, "v1") == 0)
		*ret = PROXY_PROTOCOL_V1;
	else if (strcmp(s, "v2") == 0)
		*ret = PROXY_PROTOCOL_V2;
	else
		return error_set(err, 0, "the version of the PROXY protocol is v1 or v2, not '%s'", s);
	return 0;
}

static bool read_address(const struct sockaddr *addr, struct address *ret)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)(const void *)addr;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)(const void *)addr;

	if (addr->sa_family == AF_INET) {
		*ret = (struct address){.family = AF_INET, .len = 4, .port = a4->sin_port};
		memcpy(ret->bytes, &a4->sin_addr, 4);
	} else if (addr->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr)) {
		*ret = (struct address){.family = AF_INET, .len = 4, .port = a6->sin6_port};
		memcpy(ret->bytes, &a6->sin6_addr.s6_addr[12], 4);
	} else if (addr->sa_family == AF_INET6) {
		*ret = (struct address){.family = AF_INET6, .len = 16, .port = a6->sin6_port};
		memcpy(ret->bytes, &a6->sin6_addr, 16);
	} else {
		return false;
	}
	return true;
}

static size_t format_v1(const struct address *from, const struct address *to, char *ret)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	int n;

	if (!from)
		return (size_t)snprintf(ret, PROXY_PROTOCOL_MAX, "PROXY UNKNOWN\r\n");
	inet_ntop(from->family, from->bytes, source, sizeof(source));
	inet_ntop(to->family, to->bytes, destination, sizeof(destination));
	n = snprintf(ret, PROXY_PROTOCOL_MAX, "PROXY %s %s %s %u %u\r\n", from->family == AF_INET ? "TCP4" : "TCP6",
		     source, destination, ntohs(from->port), ntohs(to->port));
	return (size_t)n;
}

static size_t format_v2(const struct address *from, const struct address *to, char *ret)
{
	size_t len = from ? 2 * from->len + 2 * sizeof(from->port) : 0;
	char *p = ret + V2_ADDRESSES;

	memcpy(ret, v2_signature, sizeof(v2_signature));
	ret[12] = from ? V2_PROXY : V2_LOCAL;
	ret[13] = !from ? V2_UNSPEC : from->family == AF_INET ? V2_TCP4 : V2_TCP6;
	ret[14] = 0;
	ret[15] = (char)len;
	if (from) {
		memcpy(p, from->bytes, from->len);
		memcpy(p + from->len, to->bytes, to->len);
		memcpy(p + 2 * from->len, &from->port, sizeof(from->port));
		memcpy(p + 2 * from->len + sizeof(from->port), &to->port, sizeof(to->port));
	}
	return V2_ADDRESSES + len;
}

size_t proxy_protocol_format(enum proxy_protocol version, const struct sockaddr *source,
			     const struct sockaddr *destination, char ret[static PROXY_PROTOCOL_MAX])
{
	struct address from, to;
	bool known = read_address(source, &from) && read_address(destination, &to) && from.family == to.family;

	if (version == PROXY_PROTOCOL_V1)
		return format_v1(known ? &from : NULL, &to, ret);
	return format_v2(known ? &from : NULL, &to, ret);
}

size_t proxy_protocol_header(enum proxy_protocol version, int fd, const struct outside *outside,
			     char ret[static PROXY_PROTOCOL_MAX])
{
	struct sockaddr_storage source = {}, destination = {};
	socklen_t source_len = sizeof(source), destination_len = sizeof(destination);

	if (getpeername(fd, (struct sockaddr *)&source, &source_len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&destination, &destination_len) < 0)
		return 0;
	outside_disguise(outside, &source);
	return proxy_protocol_format(version, (struct sockaddr *)&source, (struct sockaddr *)&destination, ret);
}
