#include "instance/instance.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "instance/dependency.h"

static void free_list(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

void instance_clear(struct instance *i)
{
	free(i->name);
	free(i->container_name);
	free(i->engine_socket);
	free(i->unit);
	free(i->drop_in);
	for (size_t k = 0; k < i->n_dependencies; k++)
		dependency_clear(&i->dependencies[k]);
	free_list(i->targets);
	free(i->startup_timeout);
	free(i->idle_timeout);
	free(i->warm_for);
	free_list(i->schedule);
	free(i->health_check);
	free(i->user);
	free(i->keepalive);
	free(i->connection_timeout);
	free(i->flow_timeout);
	free(i->drain_timeout);
	free(i->proxy_protocol);
	free_list(i->no_wake_from);
	free_list(i->no_hold_from);
	free_list(i->ignore_from);
	free(i->hold);
	free(i->socket_mode);
	free(i->socket_group);
	*i = (struct instance){};
}

static int find_word(const char *const *words, size_t n, const char *s)
{
	for (size_t k = 0; k < n; k++) {
		if (strcmp(words[k], s) == 0)
			return (int)k;
	}
	return -1;
}

#define DEFINE_WORDS(type, prefix, ...)                                                                                \
	static const char *const prefix##_words[] = {__VA_ARGS__};                                                     \
	const char *prefix##_name(enum type value)                                                                     \
	{                                                                                                              \
		return prefix##_words[value];                                                                          \
	}                                                                                                              \
	int prefix##_from_name(const char *s, enum type *ret)                                                          \
	{                                                                                                              \
		int k = find_word(prefix##_words, sizeof(prefix##_words) / sizeof(*prefix##_words), s);                \
                                                                                                                       \
		if (k < 0)                                                                                             \
			return -1;                                                                                     \
		*ret = (enum type)k;                                                                                   \
		return 0;                                                                                              \
	}

DEFINE_WORDS(scope, scope, [SCOPE_SYSTEM] = "system", [SCOPE_USER] = "user")
DEFINE_WORDS(backend_kind, backend_kind, [BACKEND_DOCKER] = "docker", [BACKEND_PODMAN] = "podman")
DEFINE_WORDS(idle_action, idle_action, [IDLE_STOP] = "stop", [IDLE_PAUSE] = "pause")

/* An IPv4 address in IPv6 notation, "::ffff:192.0.2.1", is bound as the IPv4 address. Addresses are canonical. */
static const char *unmapped(const char *address)
{
	size_t len = strlen("::ffff:");

	return strncmp(address, "::ffff:", len) == 0 && strchr(address, '.') ? address + len : address;
}

/* Does a socket bound to `wide` also accept connections to `narrow`? systemd binds a bare port to :: for both
 * families. */
static bool address_includes(const char *wide, const char *narrow)
{
	wide = unmapped(wide);
	narrow = unmapped(narrow);
	if (!wide[0] || strcmp(wide, "::") == 0 || strcmp(wide, narrow) == 0)
		return true;
	return strcmp(wide, "0.0.0.0") == 0 && !strchr(narrow, ':');
}

bool publish_overlap(const struct publish *a, const struct publish *b)
{
	if (strcmp(a->path, b->path) != 0)
		return false;
	return a->path[0] || (a->type == b->type && a->port == b->port &&
			      (address_includes(a->address, b->address) || address_includes(b->address, a->address)));
}

static bool is_loopback(const char *address)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

enum appearance instance_appearance(const struct instance *i)
{
	if (i->targets && strncmp(i->targets[0], "unix:", strlen("unix:")) == 0)
		return APPEAR_NOWHERE;
	if (!i->outside_source)
		return APPEAR_LOCAL_BEFORE;
	for (char **t = i->targets; t && *t; t++) {
		if (!is_loopback(*t))
			return APPEAR_OUTSIDE;
	}
	return i->targets ? APPEAR_LOCAL : APPEAR_OUTSIDE;
}
