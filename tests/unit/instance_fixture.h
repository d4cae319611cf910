/* An instance with every member set, for tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "instance/instance.h"

static inline char **list_of(const char *a, const char *b)
{
	char **list = calloc(3, sizeof(*list));

	list[0] = strdup(a);
	list[1] = b ? strdup(b) : NULL;
	return list;
}

static inline void add_port(struct instance *i, const char *spec)
{
	struct error err;

	assert_int_equal(publish_parse(spec, &i->ports[i->n_ports++], &err), 0);
}

/* Only the required members. */
static inline struct instance small_instance(const char *name)
{
	struct instance i = {
		.name = strdup(name),
		.scope = SCOPE_USER,
		.backend = BACKEND_PODMAN,
		.container_name = strdup(name),
		.startup_timeout = strdup("30"),
		.idle_timeout = strdup("15min"),
		.health_check = strdup("listen"),
		.stop_timeout = 10,
	};

	add_port(&i, "5432:5432");
	return i;
}

static inline struct instance full_instance(void)
{
	struct instance i = small_instance("pg");

	i.scope = SCOPE_SYSTEM;
	i.engine_socket = strdup("/run/podman/podman.sock");
	i.unit = strdup("db\\x2d1.service");
	i.dependencies[i.n_dependencies++] =
		(struct dependency){.container = strdup("db"), .port = 5432, .health_check = strdup("postgres")};
	i.dependencies[i.n_dependencies++] =
		(struct dependency){.container = strdup("cache"), .unit = strdup("cache.service")};
	add_port(&i, "127.0.0.1:53:5353/udp");
	add_port(&i, "[2001:db8::1]:8080:80");
	add_port(&i, "/run/pg/%s.sock:5432");
	i.targets = list_of("127.0.0.1", "fd00::1");
	i.idle_action = IDLE_PAUSE;
	i.keep_running = true;
	i.notifications = true;
	i.user = strdup("wake");
	i.no_selinux = true;
	i.warm_for = strdup("30m");
	i.schedule = list_of("Mon..Fri 08:30-17:15", "Sat,Sun 22:00-06:00");
	i.keepalive = strdup("1min");
	i.connection_timeout = strdup("2h 30min");
	i.flow_timeout = strdup("3min");
	i.drain_timeout = strdup("0");
	i.workers = 3;
	i.proxy_protocol = strdup("v2");
	i.transparent = true;
	i.outside_source = true;
	i.no_wake_from = list_of("192.0.2.0/24", "2001:db8::/32");
	i.no_hold_from = list_of("192.0.2.7", NULL);
	i.ignore_from = list_of("198.51.100.0/24", NULL);
	i.hold = strdup("data");
	i.socket_mode = strdup("0666");
	i.socket_group = strdup("db");
	return i;
}
