#include "units/bus_library.h"

#include <stdbool.h>

#include "units/library.h"

struct bus_library bus;

int bus_load(struct error *err)
{
#define X(function) #function "\0"
	static const char names[] = BUS_FUNCTIONS(X); /* in the order of the table */
#undef X
	static bool loaded;

	loaded = loaded || library_load("libsystemd.so.0", names, &bus, "libsystemd", err) == 0;
	return loaded ? 0 : -1;
}
