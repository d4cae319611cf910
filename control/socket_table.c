#include "control/socket_table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

/* Reads words in network byte order, each printed as a number in host byte order. */
static bool read_address(const char *hex, struct socket_row *ret)
{
	size_t words = strlen(hex) / 8;
	struct sockaddr_in *in = (struct sockaddr_in *)&ret->bound;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ret->bound;
	uint32_t address[4] = {};

	if (words != 1 && words != 4)
		return false;
	for (size_t k = 0; k < words; k++) {
		if (sscanf(hex + 8 * k, "%8x", &address[k]) != 1)
			return false;
	}
	ret->bound.ss_family = words == 1 ? AF_INET : AF_INET6;
	memcpy(words == 1 ? (void *)&in->sin_addr : (void *)&in6->sin6_addr, address, words * sizeof(*address));
	in->sin_port = htons(ret->port); /* at the same offset in both */
	ret->len = words == 1 ? sizeof(*in) : sizeof(*in6);
	return true;
}

bool socket_table_read_line(const char *line, struct socket_row *ret)
{
	unsigned port, state, queue;
	struct socket_row row = {};
	char hex[33];

	if (sscanf(line, " %*u: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*x:%8x %*x:%*x %*x %*u %*u %lu", hex, &port, &state,
		   &queue, &row.inode) != 5)
		return false;
	row.port = (uint16_t)port;
	row.state = state;
	row.receive_queue = queue;
	if (!read_address(hex, &row))
		return false;
	*ret = row;
	return true;
}

void socket_table_each(const char *path, bool (*visit)(const struct socket_row *row, void *data), void *data)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct socket_row row;
	bool more = true;
	char line[512];

	while (more && f && fgets(line, sizeof(line), f)) {
		if (socket_table_read_line(line, &row))
			more = visit(&row, data);
	}
}
