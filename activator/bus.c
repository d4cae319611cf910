#include "activator/bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "units/paths.h"

#define LIBRARY "libsystemd.so.0"

struct bus_library bus;

static int load_function(void *library, const char *name, void *ret, struct error *err)
{
	void *address = dlsym(library, name);

	if (!address)
		return error_set(err, ENOENT, LIBRARY " has no %s: it is too old", name);
	/* A function's address as a void *, and back: POSIX, dlsym(), "Application usage". */
	memcpy(ret, &address, sizeof(address));
	return 0;
}

int bus_load(struct error *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return error_set(err, ENOENT, "cannot load " LIBRARY ": install libsystemd");
#define X(function)                                                                                                    \
	if (load_function(library, #function, &bus.function, err) < 0)                                                 \
		return -1;
	BUS_FUNCTIONS(X)
#undef X
	return 0;
}

int bus_connect_manager(enum scope scope, sd_bus **ret, struct error *err)
{
	_cleanup_bus_ sd_bus *connection = NULL;
	char path[PATH_MAX], address[PATH_MAX + 64];
	int r;

	if (manager_socket(scope, path, err) < 0)
		return -1;
	snprintf(address, sizeof(address), "unix:path=%s", path);
	if (bus_load(err) < 0)
		return -1;
	r = bus.sd_bus_new(&connection);
	if (r >= 0)
		r = bus.sd_bus_set_address(connection, address);
	if (r >= 0)
		r = bus.sd_bus_start(connection);
	if (r < 0)
		return error_set(err, ENOTCONN, "cannot reach the service manager at '%s': %s", path, strerror(-r));
	*ret = steal_ptr(&connection);
	return 0;
}
