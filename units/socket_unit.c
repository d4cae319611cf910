#include "units/socket_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "units/ask.h"

#define SOCKETS_MAX 256

/* "127.0.0.1:80", "[::]:80"; other sockets have paths and names. */
static bool is_at(const char *address, uint16_t port)
{
	const char *colon = address[0] == '/' || address[0] == '@' ? NULL : strrchr(address, ':');
	char *end;

	return colon && colon[1] && strtoul(colon + 1, &end, 10) == port && !*end;
}

/* org.freedesktop.systemd1(5): Listen of a socket is a list of types and addresses. */
static bool listens(struct manager *m, const char *path, int type, uint16_t port)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *kind, *address, *wanted = type == SOCK_DGRAM ? "Datagram" : "Stream";
	struct error ignored;

	if (ask_property(m, path, "org.freedesktop.systemd1.Socket", "Listen", "a(ss)",
			 "cannot ask the service manager about a socket", &reply, &ignored) < 0 ||
	    bus.sd_bus_message_enter_container(reply, 'a', "(ss)") < 0)
		return false;
	while (bus.sd_bus_message_read(reply, "(ss)", &kind, &address) > 0) {
		if (strcmp(kind, wanted) == 0 && is_at(address, port))
			return true;
	}
	return false;
}

bool socket_unit_find(struct manager *m, int type, uint16_t port, char ret[static UNIT_NAME_MAX])
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *name, *path;
	struct error ignored;

	if (ask_manager(m, &reply, 0, "cannot ask the service manager for units", &ignored, "ListUnitsByPatterns",
			"asas", 1, "active", 1, "*.socket") < 0 ||
	    bus.sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0)
		return false;
	for (int n = 0; n < SOCKETS_MAX && bus.sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, NULL, NULL,
								   NULL, &path, NULL, NULL, NULL) > 0;
	     n++) {
		if (listens(m, path, type, port))
			return snprintf(ret, UNIT_NAME_MAX, "%s", name) < UNIT_NAME_MAX;
	}
	return false;
}
