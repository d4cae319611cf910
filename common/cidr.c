#include "common/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/parse.h"

static const unsigned char mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Bit i of an address, counted from the front. */
static bool bit(const unsigned char *address, unsigned i)
{
	return address[i / 8] >> (7 - i % 8) & 1;
}

int cidr_parse(const char *s, struct cidr *ret, struct error *err)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	struct cidr c = {.prefix = 128};
	char text[INET6_ADDRSTRLEN];
	unsigned skip = 0;
	uint64_t n;

	if (len >= sizeof(text))
		return error_set(err, 0, "'%s' is not a range of addresses like 192.0.2.0/24 or 2001:db8::/32", s);
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, c.address + 12) == 1) {
		memcpy(c.address, mapped_prefix, sizeof(mapped_prefix));
		skip = 96;
	} else if (inet_pton(AF_INET6, text, c.address) != 1) {
		return error_set(err, 0, "'%s' is not a range of addresses like 192.0.2.0/24 or 2001:db8::/32", s);
	}
	if (slash) {
		if (parse_u64("the prefix length", slash + 1, 0, 128 - skip, &n, err) < 0)
			return error_context(err, "'%s'", s);
		c.prefix = skip + (unsigned)n;
	}
	for (unsigned i = c.prefix; i < 128; i++) {
		if (bit(c.address, i))
			return error_set(err, 0, "'%s' has address bits behind its prefix of %u bits", s,
					 c.prefix - skip);
	}
	*ret = c;
	return 0;
}

static bool begins_alike(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++) {
		if (bit(a, i) != bit(b, i))
			return false;
	}
	return true;
}

bool cidr_covers(const struct cidr *outer, const struct cidr *inner)
{
	return outer->prefix <= inner->prefix && begins_alike(outer->address, inner->address, outer->prefix);
}

bool cidr_contains(const struct cidr *c, const struct sockaddr *address)
{
	unsigned char a[16];

	if (address->sa_family == AF_INET) {
		memcpy(a, mapped_prefix, sizeof(mapped_prefix));
		memcpy(a + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		memcpy(a, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	} else {
		return false;
	}
	return begins_alike(a, c->address, c->prefix);
}
