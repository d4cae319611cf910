#include "units/ask.h"

#include <stdarg.h>

#include "common/clock.h"

#define REVIVAL_TIMEOUT (10 * USEC_PER_SEC)
#define REVIVALS_MAX	10

bool ask_again(struct manager *m)
{
	return m->revivals < REVIVALS_MAX && bus_revive(m, now_usec() + REVIVAL_TIMEOUT);
}

static int call_once(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
		     const char *method, const char *types, va_list ap)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *call = NULL;
	int r;

	r = bus.sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
	if (r >= 0 && types)
		r = bus.sd_bus_message_appendv(call, types, ap);
	if (r >= 0)
		r = bus.sd_bus_call(m->bus, call, timeout, &bus_error, ret);
	return r < 0 ? bus_failed(m, err, what, r, &bus_error) : 0;
}

int ask_manager(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
		const char *method, const char *types, ...)
{
	va_list ap;
	int r;

	do {
		va_start(ap, types);
		r = call_once(m, ret, timeout, what, err, method, types, ap);
		va_end(ap);
	} while (r < 0 && ask_again(m));
	return r;
}

static int get_once(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		    const char *what, sd_bus_message **ret, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	int r = bus.sd_bus_get_property(m->bus, SYSTEMD_NAME, path, interface, property, &bus_error, ret, type);

	return r < 0 ? bus_failed(m, err, what, r, &bus_error) : 0;
}

int ask_property(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		 const char *what, sd_bus_message **ret, struct error *err)
{
	int r;

	do
		r = get_once(m, path, interface, property, type, what, ret, err);
	while (r < 0 && ask_again(m));
	return r;
}
