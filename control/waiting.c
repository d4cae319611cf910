/* /proc/net/tcp and tcp6 begin with the listeners; a listener's receive queue is its backlog (net/ipv4/tcp_ipv4.c,
 * get_tcp4_sock()). So only that part is read, however many connections there are. */
#include "control/waiting.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "instance/publish.h"

#define STATE_LISTEN 0x0a

/* Reads words in network byte order, each printed as a number in host byte order. */
static bool read_address(const char *hex, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	size_t words = strlen(hex) / 8;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	uint32_t address[4] = {};

	if (words != 1 && words != 4)
		return false;
	for (size_t k = 0; k < words; k++) {
		if (sscanf(hex + 8 * k, "%8x", &address[k]) != 1)
			return false;
	}
	*ret = (struct sockaddr_storage){.ss_family = words == 1 ? AF_INET : AF_INET6};
	memcpy(words == 1 ? (void *)&in->sin_addr : (void *)&in6->sin6_addr, address, words * sizeof(*address));
	*ret_len = words == 1 ? sizeof(*in) : sizeof(*in6);
	return true;
}

static bool is_listener(const struct instance *i, const struct sockaddr_storage *bound, socklen_t len)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (publish_matches(&i->ports[k], SOCK_STREAM, (const struct sockaddr *)bound, len))
			return true;
	}
	return false;
}

int64_t waiting_read_line(const struct instance *i, const char *line)
{
	unsigned port, state, backlog;
	struct sockaddr_storage bound;
	socklen_t len;
	char hex[33];

	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*x:%8x", hex, &port, &state, &backlog) != 4 ||
	    state != STATE_LISTEN || !read_address(hex, &bound, &len))
		return -1;
	((struct sockaddr_in *)&bound)->sin_port = htons((uint16_t)port); /* at the same offset in both */
	return is_listener(i, &bound, len) ? backlog : 0;
}

static uint64_t count(const struct instance *i, const char *table)
{
	_cleanup_fclose_ FILE *f = fopen(table, "re");
	uint64_t sum = 0;
	char line[512];
	int64_t n = 0;

	if (!f || !fgets(line, sizeof(line), f)) /* the headings */
		return 0;
	while (n >= 0 && fgets(line, sizeof(line), f)) {
		n = waiting_read_line(i, line);
		sum += n > 0 ? (uint64_t)n : 0;
	}
	return sum;
}

uint64_t waiting_count(const struct instance *i)
{
	return count(i, "/proc/net/tcp") + count(i, "/proc/net/tcp6");
}
