#include "units/listen_addresses.h"

#include "units/ask.h"

#define SYSTEMD_SOCKET "org.freedesktop.systemd1.Socket"

int listen_addresses_each(struct manager *m, const char *object, listen_visitor visit, void *data, struct error *err)
{
	static const char what[] = "cannot ask the service manager where a socket listens";
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *kind, *address;
	int r;

	if (ask_property(m, object, SYSTEMD_SOCKET, "Listen", "a(ss)", what, &reply, err) < 0)
		return -1;
	r = bus.sd_bus_message_enter_container(reply, 'a', "(ss)");
	while (r >= 0 && (r = bus.sd_bus_message_read(reply, "(ss)", &kind, &address)) > 0)
		visit(data, kind, address);
	return r < 0 ? bus_failed(m, err, what, r, NULL) : 0;
}
