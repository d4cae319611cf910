#include "backends/ports.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/parse.h"

#define PORTS_MAX 65536U

/* Canonical text, "" for all addresses. */
static bool take_address(const char *s, char ret[static INET6_ADDRSTRLEN])
{
	struct in6_addr a6;
	struct in_addr a4;

	ret[0] = '\0';
	if (!s || !*s)
		return true;
	if (inet_pton(AF_INET, s, &a4) == 1)
		return a4.s_addr == htonl(INADDR_ANY) || inet_ntop(AF_INET, &a4, ret, INET6_ADDRSTRLEN);
	if (inet_pton(AF_INET6, s, &a6) == 1)
		return IN6_IS_ADDR_UNSPECIFIED(&a6) || inet_ntop(AF_INET6, &a6, ret, INET6_ADDRSTRLEN);
	return false;
}

bool reply_add_port(struct container *ret, const char *address, int64_t host_port, int64_t container_port,
		    const char *protocol)
{
	struct published_port p = {.type = SOCK_STREAM};
	struct published_port *more;

	if (strcmp(protocol, "udp") == 0)
		p.type = SOCK_DGRAM;
	else if (strcmp(protocol, "tcp") != 0)
		return true; /* sctp: cannot collide with any of our ports */
	if (ret->n_ports >= PORTS_MAX)
		return true;
	if (host_port < 0 || host_port > UINT16_MAX || container_port < 1 || container_port > UINT16_MAX ||
	    !take_address(address, p.host_address))
		return false;
	p.host_port = (uint16_t)host_port;
	p.container_port = (uint16_t)container_port;
	/* The capacity is a power of two. */
	if ((ret->n_ports & (ret->n_ports - 1)) == 0) {
		more = reallocarray(ret->ports, ret->n_ports ? 2 * ret->n_ports : 1, sizeof(*more));
		if (!more)
			return false;
		ret->ports = more;
	}
	ret->ports[ret->n_ports++] = p;
	return true;
}

/* "80/tcp"; without a protocol, "tcp". */
static bool read_port(const char *text, uint16_t *ret, const char **ret_protocol)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct error ignored;
	char number[8];

	if (len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	*ret_protocol = slash ? slash + 1 : "tcp";
	return parse_port("", number, ret, &ignored) == 0;
}

static bool add_bindings(struct container *ret, const char *port, const cJSON *bindings)
{
	const char *protocol;
	struct error ignored;
	uint16_t inner;
	const cJSON *j;

	if (!read_port(port, &inner, &protocol))
		return false;
	cJSON_ArrayForEach(j, bindings)
	{
		const char *host = json_string(j, "HostPort");
		uint64_t n;

		/* Empty, "0" or a range: the engine chooses the port when it starts the container. */
		if (!host || parse_u64("", host, 0, UINT16_MAX, &n, &ignored) < 0)
			n = 0;
		if (!reply_add_port(ret, json_string(j, "HostIp"), (int64_t)n, inner, protocol))
			return false;
	}
	return true;
}

bool reply_port_bindings(const cJSON *object, const char *key, struct container *ret)
{
	const cJSON *bindings = json_member(object, key);
	const cJSON *j;

	if (!bindings)
		return true;
	if (!cJSON_IsObject(bindings))
		return false;
	cJSON_ArrayForEach(j, bindings)
	{
		if (!add_bindings(ret, j->string, j))
			return false;
	}
	return true;
}

bool reply_exposed_ports(const cJSON *object, const char *key, uint16_t *ret)
{
	const cJSON *ports = json_member(object, key);
	const char *protocol;
	const cJSON *j;
	uint16_t port;

	if (!ports)
		return true;
	if (!cJSON_IsObject(ports))
		return false;
	cJSON_ArrayForEach(j, ports)
	{
		if (!read_port(j->string, &port, &protocol))
			return false;
		if (strcmp(protocol, "tcp") == 0 && (*ret == 0 || port < *ret))
			*ret = port;
	}
	return true;
}
