#include "units/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *file, const char *names, void *table, const char *remedy, struct error *err)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL), *address;
	char *to = table;

	if (!library)
		return error_set(err, ENOENT, "cannot load %s: install %s", file, remedy);
	for (; *names; names += strlen(names) + 1, to += sizeof(address)) {
		address = dlsym(library, names);
		if (!address)
			return error_set(err, ENOENT, "%s has no %s: it is too old", file, names);
		/* A function's address as a void *, and back: POSIX, dlsym(), "Application usage". */
		memcpy(to, &address, sizeof(address));
	}
	return 0;
}
