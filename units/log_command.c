#include "units/log_command.h"

#include <stdio.h>

#include "units/instance.h"

const char *log_command(enum scope scope, const char *unit, enum backend_kind engine, const char *container,
			char ret[static LOG_COMMAND_MAX])
{
	if (unit)
		snprintf(ret, LOG_COMMAND_MAX, "journalctl %s-u %s", scope == SCOPE_USER ? "--user " : "", unit);
	else
		snprintf(ret, LOG_COMMAND_MAX, "%s logs %s", backend_kind_name(engine), container);
	return ret;
}
