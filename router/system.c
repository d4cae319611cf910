#include "router/system.h"

#include <stdio.h>
#include <sys/socket.h>

#include "router/guests.h"
#include "router/system_engine.h"

struct system_worker {
	struct guests guests;
	const char *socket;
};

static int connect_system(struct guests *g, int client, bool contained, char ret_engine[static 16], struct error *err)
{
	const struct system_worker *s = container_of(g, struct system_worker, guests);

	(void)client;
	(void)contained;
	(void)snprintf(ret_engine, 16, "system");
	return system_engine_connect(s->socket, SOCK_NONBLOCK, err);
}

static void start_nothing(struct guests *g)
{
	(void)g;
}

static void told_nothing(struct guests *g, const struct message *m)
{
	(void)g;
	(void)m;
}

int system_run(int channel, const char *engine_socket, uint64_t idle_timeout, struct error *err)
{
	static struct system_worker s = {
		.guests = {.connect = connect_system, .start = start_nothing, .told = told_nothing},
	};

	s.socket = engine_socket;
	return guests_open(&s.guests, channel, idle_timeout, err) < 0 ? -1 : guests_run(&s.guests, err);
}
