#include "common/path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int print_path(char ret[static PATH_MAX], const char *format, struct error *err, ...)
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
	return print_path(ret, "%s/%s", err, directory, name);
}

const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

int user_runtime_directory(char ret[static PATH_MAX], struct error *err)
{
	const char *runtime = absolute_variable("XDG_RUNTIME_DIR");

	if (runtime)
		return print_path(ret, "%s", err, runtime);
	return print_path(ret, "/run/user/%u", err, (unsigned)geteuid());
}
