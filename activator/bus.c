#include "activator/bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

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
