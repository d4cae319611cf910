#include "units/bus_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LIBRARY "libsystemd.so.0"

struct bus_library bus;

int bus_load(struct error *err)
{
#define X(function) #function "\0"
	static const char names[] = BUS_FUNCTIONS(X); /* one after another, in the order of the table */
#undef X
	static bool loaded;
	char *to = (char *)&bus;
	void *library, *address;

	if (loaded)
		return 0;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return error_set(err, ENOENT, "cannot load " LIBRARY ": install libsystemd");
	for (const char *name = names; *name; name += strlen(name) + 1, to += sizeof(address)) {
		address = dlsym(library, name);
		if (!address)
			return error_set(err, ENOENT, LIBRARY " has no %s: it is too old", name);
		/* A function's address as a void *, and back: POSIX, dlsym(), "Application usage". */
		memcpy(to, &address, sizeof(address));
	}
	loaded = true;
	return 0;
}
