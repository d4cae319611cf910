/* Remarks of `sockwake create` on valid options that may surprise. */
#include "control/advice.h"

#include <string.h>

#include "common/cidr.h"
#include "control/create_request.h"
#include "control/dns_port.h"
#include "control/note.h"
#include "instance/instance.h"

/* Ports of web servers: a reverse proxy before them answers 502 until they listen. */
static const uint16_t web_ports[] = {80, 3000, 5000, 8000, 8008, 8080, 8081, 8088, 8888, 9000};

static bool covers(char *const *list, const struct cidr *inner)
{
	struct error ignored; /* they were validated */
	struct cidr outer;

	for (; list && *list; list++) {
		if (cidr_parse(*list, &outer, &ignored) == 0 && cidr_covers(&outer, inner))
			return true;
	}
	return false;
}

/* A monitor that may not wake the container would keep it awake for ever, once another client has woken it. */
static void advise_monitors(const struct instance *i)
{
	struct error ignored;
	struct cidr c;

	for (char *const *p = i->no_wake_from; p && *p; p++) {
		if (cidr_parse(*p, &c, &ignored) == 0 && !covers(i->no_hold_from, &c) && !covers(i->ignore_from, &c))
			note_print(
				"clients of %s do not wake the container, but keep it awake: --ignore-from %s is for "
				"those that shall do neither",
				*p, *p);
	}
}

static void advise_web(const struct instance *i)
{
	const struct publish *p = &i->ports[0];

	for (size_t k = 0; k < sizeof(web_ports) / sizeof(*web_ports); k++) {
		if (p->type == SOCK_STREAM && p->container_port == web_ports[k])
			note_print("it is ready as soon as port %u listens: if the server there answers 502 or 503 at "
				   "first, --health-check http waits until it does not",
				   web_ports[k]);
	}
}

void advice_note_name(const struct create_request *r)
{
	const struct instance *i = &r->instance;

	if (r->name_assumed && !i->unit && strcmp(i->name, i->container_name) != 0)
		note_print(
			"the instance of the container '%s' is called '%s', for an instance's name has only letters, "
			"digits, _ and -: the label 'sockwake.name', or --name, gives it another one",
			i->container_name, i->name);
}

void advice_note(const struct create_request *r)
{
	advice_note_name(r);
	advise_monitors(&r->instance);
	dns_port_note(&r->instance, DNS_NETWORKS);
	if (r->check_assumed && strcmp(r->instance.health_check, "listen") == 0)
		advise_web(&r->instance);
}
