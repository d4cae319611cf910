#include "router/system.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "router/admission.h"
#include "router/guests.h"
#include "router/settings.h"
#include "router/system_engine.h"

struct system_worker {
	struct guests guests;
	const char *socket;
	struct config config;
};

static int connect_system(struct guests *g, const struct guest_client *c, char ret_engine[static 16], struct error *err)
{
	const struct system_worker *s = container_of(g, struct system_worker, guests);

	if (admission_check(&s->config, s->socket, c->owner, err) < 0)
		return -1;
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

int system_run(int channel, const struct router_options *options, struct error *err)
{
	static struct system_worker s = {
		.guests = {.connect = connect_system, .start = start_nothing, .told = told_nothing},
	};

	s.socket = options->engine_socket;
	config_defaults(&s.config);
	/* Who is refused needs nothing of it, also where it is wrong. */
	if (strcmp(options->worker, "refusing") != 0 && settings_receive(options, &s.config, NULL, err) < 0)
		return -1;
	if (guests_open(&s.guests, channel, options->idle_timeout, err) < 0)
		return -1;
	return guests_run(&s.guests, err);
}
