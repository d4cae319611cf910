#include "control/no_effect.h"

#include <stdio.h>
#include <sys/socket.h>

#include "control/note.h"
#include "control/outlook.h"

bool no_effect_warms(const struct instance *i)
{
	return i->warm_for && outlook_span(i->warm_for) > outlook_span(i->idle_timeout);
}

static bool has_port(const struct instance *i, bool datagrams)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if ((i->ports[k].type == SOCK_DGRAM) == datagrams)
			return true;
	}
	return false;
}

static bool has_tcp(const struct instance *i)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (i->ports[k].type == SOCK_STREAM && !i->ports[k].path[0])
			return true;
	}
	return false;
}

static bool flows_nowhere(const struct instance *i)
{
	return i->flow_timeout && !has_port(i, true);
}

static bool probes_nobody(const struct instance *i)
{
	return i->keepalive && !has_tcp(i);
}

static bool drains_nothing(const struct instance *i)
{
	return i->drain_timeout && !has_port(i, false);
}

static const struct {
	bool (*applies)(const struct instance *i);
	const char *option, *why;
} table[] = {
	{flows_nowhere, "--flow-timeout", "is for UDP, and no port is UDP"},
	{probes_nobody, "--keepalive", "is for TCP, and no port is TCP"},
	{drains_nothing, "--drain-timeout", "is for connections, and all ports are UDP"},
};

void no_effect_note(const struct instance *i)
{
	if (i->warm_for && !no_effect_warms(i))
		note_print("--warm-for %s changes nothing: it is no longer than the idle time-out of %s", i->warm_for,
			   i->idle_timeout);
	for (size_t k = 0; k < sizeof(table) / sizeof(*table); k++) {
		if (table[k].applies(i))
			note_print("%s changes nothing: it %s", table[k].option, table[k].why);
	}
}
