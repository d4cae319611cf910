#include "control/gone.h"

#include <stdio.h>

#include "backends/backend.h"

bool gone_describe(const struct instance *i, bool missing, bool without_unit, char *ret, size_t size)
{
	const char *user = i->scope == SCOPE_USER ? "--user " : "";

	if (i->unit && without_unit && i->made_container)
		snprintf(ret, size,
			 "there is no unit '%s', with which sockwake makes its container: the 'sockwake create %s "
			 "--image …' of then writes it again, with --force added",
			 i->unit, i->name);
	else if (i->unit && without_unit)
		snprintf(ret, size,
			 "there is no unit '%s', which runs its container: put its file back, and run 'systemctl "
			 "%sdaemon-reload'",
			 i->unit, user);
	else if (!i->unit && missing && i->made_container)
		snprintf(
			ret, size,
			"the container that sockwake made is gone: 'sockwake refresh %s' brings it back where only its "
			"replacement was broken off; else the 'sockwake create %s --image …' of then makes it again, "
			"with --force added",
			i->name, i->name);
	else if (!i->unit && missing)
		snprintf(ret, size,
			 "there is no container '%s': '%s ps -a' lists those that there are; one that is made under "
			 "that name is woken as this one was",
			 i->container_name, backend_kind_name(i->backend));
	else
		return false;
	return true;
}
