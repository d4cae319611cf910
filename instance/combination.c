/* Options that are valid by themselves, but not together: each wake would fail, or one of them would do nothing. */
#include "instance/combination.h"

#include <arpa/inet.h>
#include <string.h>

#include "instance/health_check.h"
#include "instance/instance.h"

static bool both_tell_who_comes(const struct instance *i)
{
	return i->transparent && i->proxy_protocol;
}

static bool check_has_no_stream(const struct instance *i)
{
	return i->ports[0].type != SOCK_STREAM && health_check_needs_stream(i->health_check);
}

static bool takes_connections(const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (i->ports[k].type != SOCK_DGRAM)
			return true;
	}
	return false;
}

static bool announces_no_connection(const struct instance *i)
{
	return i->proxy_protocol && !takes_connections(i);
}

static size_t count_paths(const struct instance *i)
{
	size_t n = 0;

	for (size_t k = 0; k < i->n_ports; k++)
		n += i->ports[k].path[0] != '\0';
	return n;
}

static bool shows_no_address(const struct instance *i)
{
	return i->transparent && count_paths(i) == i->n_ports;
}

static bool has_rights_without_path(const struct instance *i)
{
	return (i->socket_mode || i->socket_group) && count_paths(i) == 0;
}

static bool is_nowhere(const char *target)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET6, target, &six) == 1)
		return IN6_IS_ADDR_LINKLOCAL(&six) || IN6_IS_ADDR_MULTICAST(&six);
	return inet_pton(AF_INET, target, &four) == 1 && ntohl(four.s_addr) >= 0xe0000000;
}

static bool leads_nowhere(const struct instance *i)
{
	for (char **t = i->targets; t && *t; t++) {
		if (is_nowhere(*t))
			return true;
	}
	return false;
}

static const struct {
	bool (*applies)(const struct instance *i);
	const char *why;
} table[] = {
	{both_tell_who_comes, "--transparent and --proxy-protocol both tell the server who the client is: use one"},
	{check_has_no_stream,
	 "this health check needs a stream, and the first port is none: publish a TCP port before it, "
	 "or use --health-check listen"},
	{announces_no_connection, "--proxy-protocol announces connections, and all ports are UDP: leave it out, or use "
				  "--transparent"},
	{shows_no_address, "--transparent shows the server a client's address, and clients of a Unix socket have none: "
			   "leave it out"},
	{has_rights_without_path,
	 "--socket-mode and --socket-group are for Unix sockets, and there is none: leave them "
	 "out ('sockwake set' forgets stored ones with --unset socket-mode --unset socket-group), or listen on one with "
	 "-p /PATH:CPORT"},
	{leads_nowhere,
	 "a --target is multicast, or needs the name of an interface beside it: use another address of the "
	 "container"},
};

int combination_check(const struct instance *i, struct error *err)
{
	for (size_t k = 0; k < sizeof(table) / sizeof(*table); k++) {
		if (table[k].applies(i))
			return error_set(err, EINVAL, "%s", table[k].why);
	}
	return 0;
}
