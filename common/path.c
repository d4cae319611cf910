#include "common/path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int path_print(char ret[static PATH_MAX], const char *format, struct error *err, ...)
{
	va_list ap;
	int n;

	va_start(ap, err);
	n = vsnprintf(ret, PATH_MAX, format, ap);
	va_end(ap);
	return n < PATH_MAX ? 0 : error_set(err, ENAMETOOLONG, "the path '%.64s…' is too long", ret);
}

int path_join(const char *directory, const char *name, char ret[static PATH_MAX], struct error *err)
{
	return path_print(ret, "%s/%s", err, directory, name);
}

const char *path_from_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

int path_user_runtime(char ret[static PATH_MAX], struct error *err)
{
	const char *runtime = path_from_variable("XDG_RUNTIME_DIR");

	if (runtime)
		return path_print(ret, "%s", err, runtime);
	return path_print(ret, "/run/user/%u", err, (unsigned)geteuid());
}
