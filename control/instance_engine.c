#include "control/instance_engine.h"

#include "backends/silence.h"
#include "common/clock.h"

/* A request with a shorter limit does not tell that the engine hangs. */
#define SILENT_LEAST (9 * USEC_PER_SEC)

int instance_open_engine(const struct instance *i, uint64_t timeout_usec, struct engine **ret, struct error *err)
{
	if (engine_open(i->backend, i->scope, i->engine_socket, ret, err) < 0)
		return -1;
	(*ret)->deadline = now_usec() + timeout_usec;
	return 0;
}

void instance_engine_ask_once(size_t n)
{
	if (n > 1)
		silence_ask_once(SILENT_LEAST);
}
