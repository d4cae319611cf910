#include "instance/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/parse.h"

static const struct protocol {
	const char *suffix;
	int type;
} protocols[] = {
	{"/tcp", SOCK_STREAM},
	{"/udp", SOCK_DGRAM},
	{"/seqpacket", SOCK_SEQPACKET},
};

static int bad(const char *spec, struct error *err)
{
	const char *slash = strrchr(spec, '/');

	if (slash && strcmp(slash, "/sctp") == 0)
		return error_set(err, 0, "'%s': SCTP cannot be relayed, only tcp and udp", spec);
	return error_set(err, 0, "'%s' is not of the form [ADDR:]PORT:CPORT[/tcp|/udp] or /PATH:CPORT", spec);
}

/* Canonical text of an IPv4 address, or of an IPv6 address in brackets. */
static int parse_address(const char *spec, char *s, struct publish *p, struct error *err)
{
	size_t len = strlen(s);
	struct in6_addr a6;
	struct in_addr a4;

	if (inet_pton(AF_INET, s, &a4) == 1) {
		inet_ntop(AF_INET, &a4, p->address, sizeof(p->address));
		return 0;
	}
	if (len > 2 && s[0] == '[' && s[len - 1] == ']') {
		s[len - 1] = '\0';
		if (inet_pton(AF_INET6, s + 1, &a6) == 1) {
			inet_ntop(AF_INET6, &a6, p->address, sizeof(p->address));
			return 0;
		}
		s[len - 1] = ']';
	}
	return error_set(err, 0, "the address '%s' in '%s' is neither an IPv4 address nor an IPv6 address in brackets",
			 s, spec);
}

int publish_parse(const char *spec, struct publish *ret, struct error *err)
{
	struct publish p = {.type = SOCK_STREAM};
	char s[256];
	char *container, *port;
	uint64_t n;

	if (strlen(spec) >= sizeof(s) || !text_is_printable(spec))
		return bad(spec, err);
	strcpy(s, spec);
	container = strrchr(s, ':');
	if (!container || container == s)
		return bad(spec, err);
	*container++ = '\0';
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		char *slash = strchr(container, '/');

		if (slash && strcmp(slash, protocols[i].suffix) == 0) {
			p.type = protocols[i].type;
			*slash = '\0';
		}
	}
	if (strchr(container, '/') || !*container)
		return bad(spec, err);
	/* Port 0 inside stands for a Unix socket inside, which the caller must have requested. */
	if (parse_u64("the container port", container, 0, UINT16_MAX, &n, err) < 0)
		return error_context(err, "'%s'", spec);
	p.container_port = (uint16_t)n;

	if (s[0] == '/') {
		if (p.type == SOCK_DGRAM)
			return error_set(err, 0, "'%s': a path listens on a stream or seqpacket socket, not on udp",
					 spec);
		if (!path_is_valid(s) || strlen(s) >= sizeof(p.path))
			return error_set(err, 0, "the path '%s' is not an absolute path of at most %zu bytes", s,
					 sizeof(p.path) - 1);
		strcpy(p.path, s);
		*ret = p;
		return 0;
	}
	if (p.type == SOCK_SEQPACKET)
		return error_set(err, 0, "'%s': only a path can listen on a seqpacket socket", spec);
	port = strrchr(s, ':');
	if (s[strlen(s) - 1] == ']' || (port ? !port[1] : strchr(s, '.') != NULL))
		return bad(spec, err);
	if (port) {
		*port++ = '\0';
		if (parse_address(spec, s, &p, err) < 0)
			return -1;
	}
	if (parse_port("the listening port", port ? port : s, &p.port, err) < 0)
		return error_context(err, "'%s'", spec);
	*ret = p;
	return 0;
}

struct range {
	uint16_t first, last;
};

/* "80", "80-90" */
static int parse_range(char *s, struct range *ret, struct error *err)
{
	char *last = strchr(s, '-');

	if (last)
		*last++ = '\0';
	if (parse_port("the port", s, &ret->first, err) < 0)
		return -1;
	ret->last = ret->first;
	if (last && parse_port("the last port of the range", last, &ret->last, err) < 0)
		return -1;
	if (ret->last < ret->first)
		return error_set(err, 0, "the range %s-%s ends before it begins", s, last);
	return 0;
}

/* Has the range, or the port, both ends? */
static bool is_range(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && s[0] != '-' && s[n - 1] != '-';
}

/* The parts of the specification; all but the ports may be "". */
struct parts {
	char text[256];
	char address[256]; /* with the colon after it */
	char *listening, *container;
	char protocol[16]; /* with the slash before it */
};

static bool cut(const char *spec, struct parts *ret)
{
	char *slash, *colon;

	if (strlen(spec) >= sizeof(ret->text))
		return false;
	strcpy(ret->text, spec);
	ret->listening = ret->container = ret->text;
	ret->address[0] = ret->protocol[0] = '\0';
	slash = strchr(ret->text, '/');
	if (slash) {
		snprintf(ret->protocol, sizeof(ret->protocol), "%s", slash);
		*slash = '\0';
	}
	colon = strrchr(ret->text, ':');
	if (!colon)
		return true;
	*colon = '\0';
	ret->container = colon + 1;
	colon = strrchr(ret->text, ':');
	if (colon) {
		ret->listening = colon + 1;
		snprintf(ret->address, sizeof(ret->address), "%.*s", (int)(ret->listening - ret->text), ret->text);
	}
	return true;
}

static int parse_one(const struct parts *parts, unsigned listening, unsigned container, struct publish *ret,
		     struct error *err)
{
	char one[320]; /* more than all parts together */

	snprintf(one, sizeof(one), "%s%u:%u%s", parts->address, listening, container, parts->protocol);
	return publish_parse(one, ret, err);
}

int publish_parse_range(const char *spec, struct publish *ret, size_t room, size_t *ret_n, struct error *err)
{
	struct range listening, container;
	struct parts parts;
	unsigned n;

	if (room < 1)
		return error_set(err, E2BIG, "'%s' is one port too many", spec);
	*ret_n = 1;
	if (!*spec || spec[0] == '/' || !cut(spec, &parts) || (strchr(spec, ':') && !strchr(spec, '-')))
		return publish_parse(spec, ret, err);
	if (strpbrk(parts.listening, ".[]") || !is_range(parts.listening) || !is_range(parts.container))
		return bad(spec, err);
	if (parse_range(parts.listening, &listening, err) < 0)
		return error_context(err, "'%s'", spec);
	container = listening;
	if (parts.container != parts.listening && parse_range(parts.container, &container, err) < 0)
		return error_context(err, "'%s'", spec);
	n = listening.last - listening.first + 1U;
	if (container.last - container.first + 1U != n)
		return error_set(err, 0, "'%s': the two ranges are not of the same length", spec);
	if (n > room)
		return error_set(err, E2BIG, "'%s' is more than the %zu ports that are left", spec, room);
	for (unsigned k = 0; k < n; k++) {
		if (parse_one(&parts, listening.first + k, container.first + k, &ret[k], err) < 0)
			return error_context(err, "'%s'", spec);
	}
	*ret_n = n;
	return 0;
}

void publish_format(const struct publish *p, char ret[static PUBLISH_TEXT_MAX])
{
	const char *suffix = "";

	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		if (p->type == protocols[i].type && p->type != SOCK_STREAM)
			suffix = protocols[i].suffix;
	}
	if (p->path[0])
		snprintf(ret, PUBLISH_TEXT_MAX, "%s:%u%s", p->path, p->container_port, suffix);
	else if (strchr(p->address, ':'))
		snprintf(ret, PUBLISH_TEXT_MAX, "[%s]:%u:%u%s", p->address, p->port, p->container_port, suffix);
	else
		snprintf(ret, PUBLISH_TEXT_MAX, "%s%s%u:%u%s", p->address, p->address[0] ? ":" : "", p->port,
			 p->container_port, suffix);
}

static int matches_inet(const struct publish *p, const struct sockaddr_in *bound)
{
	struct in_addr want = {.s_addr = htonl(INADDR_ANY)};

	if (p->address[0] && inet_pton(AF_INET, p->address, &want) != 1)
		return 0;
	return ntohs(bound->sin_port) == p->port && bound->sin_addr.s_addr == want.s_addr;
}

static int matches_inet6(const struct publish *p, const struct sockaddr_in6 *bound)
{
	struct in6_addr want = IN6ADDR_ANY_INIT;

	if (p->address[0] && inet_pton(AF_INET6, p->address, &want) != 1)
		return 0;
	return ntohs(bound->sin6_port) == p->port && memcmp(&bound->sin6_addr, &want, sizeof(want)) == 0;
}

int publish_matches(const struct publish *p, int type, const struct sockaddr *bound, socklen_t len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)bound;

	if (type != p->type)
		return 0;
	switch (bound->sa_family) {
	case AF_INET:
		return !p->path[0] && matches_inet(p, (const struct sockaddr_in *)(const void *)bound);
	case AF_INET6:
		return !p->path[0] && matches_inet6(p, (const struct sockaddr_in6 *)(const void *)bound);
	case AF_UNIX:
		/* The kernel does not always terminate sun_path with a NUL (unix(7)). */
		return p->path[0] && len > offsetof(struct sockaddr_un, sun_path) &&
		       strnlen(un->sun_path, len - offsetof(struct sockaddr_un, sun_path)) == strlen(p->path) &&
		       memcmp(un->sun_path, p->path, strlen(p->path)) == 0;
	default:
		return 0;
	}
}
