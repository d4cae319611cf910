#include "units/log_command.h"

#include <stdio.h>

#include "instance/instance.h"

const char *journal_command(enum scope scope)
{
	return scope == SCOPE_USER ? "journalctl --user -u" : "journalctl -u";
}

const char *log_command(enum scope scope, const char *unit, enum backend_kind engine, const char *container,
			char ret[static LOG_COMMAND_MAX])
{
	if (unit)
		snprintf(ret, LOG_COMMAND_MAX, "%s %s", journal_command(scope), unit);
	else
		snprintf(ret, LOG_COMMAND_MAX, "%s logs %s", backend_kind_name(engine), container);
	return ret;
}
