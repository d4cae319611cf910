#include "units/ask.h"

#include <stdarg.h>

#include "common/clock.h"
#include "common/log.h"

#define REVIVAL_TIMEOUT (10 * USEC_PER_SEC)
#define REVIVALS_MAX	10

bool ask_again(struct manager *m, struct error *err)
{
	if (m->revivals >= REVIVALS_MAX || !bus_revive(m, now_usec() + REVIVAL_TIMEOUT))
		return false;
	error_clear(err);
	return true;
}

/* The first argument if it is a string: usually a unit's name. */
static const char *first_text(const char *types, va_list ap)
{
	return types && types[0] == 's' ? va_arg(ap, const char *) : "";
}

static int call_once(struct manager *m, sd_bus_message **ret, uint64_t timeout, const char *what, struct error *err,
		     const char *method, const char *types, va_list ap)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *call = NULL;
	uint64_t began = log_clock();
	va_list again;
	int r;

	va_copy(again, ap);
	r = bus.sd_bus_message_new_method_call(m->bus, &call, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
	if (r >= 0 && types)
		r = bus.sd_bus_message_appendv(call, types, ap);
	if (r >= 0)
		r = bus.sd_bus_call(m->bus, call, timeout, &bus_error, ret);
	bus_tell(method, first_text(types, again), began, r);
	va_end(again);
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
	} while (r < 0 && ask_again(m, err));
	return r;
}

static int get_once(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		    const char *what, sd_bus_message **ret, struct error *err)
{
	_cleanup_bus_err_ sd_bus_error bus_error = SD_BUS_ERROR_NULL;
	uint64_t began = log_clock();
	int r = bus.sd_bus_get_property(m->bus, SYSTEMD_NAME, path, interface, property, &bus_error, ret, type);

	bus_tell("Get", property, began, r);
	return r < 0 ? bus_failed(m, err, what, r, &bus_error) : 0;
}

int ask_property(struct manager *m, const char *path, const char *interface, const char *property, const char *type,
		 const char *what, sd_bus_message **ret, struct error *err)
{
	int r;

	do
		r = get_once(m, path, interface, property, type, what, ret, err);
	while (r < 0 && ask_again(m, err));
	return r;
}
