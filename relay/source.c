#include "relay/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* #syscalls: bind getpeername setsockopt */

static bool client_address(const struct connection *c, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_in6 a6;

	*ret = (struct sockaddr_storage){};
	*ret_len = sizeof(*ret);
	if (getpeername(c->ends[CLIENT].watch.fd, (struct sockaddr *)ret, ret_len) < 0)
		return false;
	if (ret->ss_family == AF_INET6) {
		memcpy(&a6, ret, sizeof(a6));
		if (IN6_IS_ADDR_V4MAPPED(&a6.sin6_addr)) {
			struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = a6.sin6_port};

			memcpy(&a4.sin_addr, &a6.sin6_addr.s6_addr[12], sizeof(a4.sin_addr));
			memcpy(ret, &a4, sizeof(a4));
			*ret_len = sizeof(a4);
		}
	}
	return ret->ss_family == AF_INET || ret->ss_family == AF_INET6;
}

int source_family(const struct worker *w, const struct connection *c)
{
	struct sockaddr_storage addr;
	socklen_t len;

	if (!client_address(c, &addr, &len) || outside_is_inside(&w->service->outside, &addr))
		return AF_UNSPEC;
	return addr.ss_family;
}

void source_give_up(struct worker *w, struct connection *c)
{
	c->anonymous = true;
	service_anonymous(w->service);
}

bool source_bind(struct worker *w, struct connection *c, int fd, int family)
{
	const unsigned mark = w->service->mark;
	struct sockaddr_storage addr;
	socklen_t len;
	int on = 1, r;

	r = client_address(c, &addr, &len) ? 0 : -1;
	if (r == 0 && outside_is_inside(&w->service->outside, &addr)) {
		c->anonymous = true; /* as intended: nothing to report */
		return false;
	}
	if (r < 0 || addr.ss_family != family) {
		source_give_up(w, c);
		return false;
	}
	/* Allows a port that is still in TIME_WAIT after the client's last connection. */
	r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0)
		r = setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (r == 0 && family == AF_INET)
		r = setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
	if (r == 0 && family == AF_INET6)
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	if (r == 0)
		r = bind(fd, (struct sockaddr *)&addr, len);
	if (r < 0)
		source_give_up(w, c);
	return r == 0;
}
