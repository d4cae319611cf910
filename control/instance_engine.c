#include "control/instance_engine.h"

#include "common/clock.h"

int instance_open_engine(const struct instance *i, uint64_t timeout_usec, struct engine **ret, struct error *err)
{
	if (engine_open(i->backend, i->scope, i->engine_socket, ret, err) < 0)
		return -1;
	(*ret)->deadline = now_usec() + timeout_usec;
	return 0;
}
