#include "control/instance_engine.h"

#include <errno.h>

#include "backends/backend.h"
#include "backends/silence.h"
#include "common/clock.h"

/* A request with a shorter limit does not tell that the engine hangs. */
#define SILENT_LEAST (9 * USEC_PER_SEC)
#define ANSWER_LIMIT (10 * USEC_PER_SEC)

int instance_open_engine(const struct instance *i, uint64_t timeout_usec, struct engine **ret, struct error *err)
{
	if (engine_open(i->backend, i->scope, i->engine_socket, ret, err) < 0)
		return -1;
	(*ret)->deadline = now_usec() + timeout_usec;
	return 0;
}

static bool many; /* instances, for this command */

void instance_engine_ask_once(size_t n)
{
	many = n > 1;
	if (many)
		silence_ask_once(SILENT_LEAST);
}

bool instance_engine_is_silent(const struct instance *i)
{
	char socket[ENGINE_SOCKET_MAX];
	struct error ignored;

	return many && engine_find_socket(i->backend, i->scope, i->engine_socket, socket, &ignored) == 0 &&
	       silence_is_known(socket);
}

int instance_engine_check(const struct instance *i, struct error *err)
{
	_cleanup_container_ struct container c = {};
	_cleanup_engine_ struct engine *e = NULL;

	if (!many || instance_open_engine(i, ANSWER_LIMIT, &e, err) < 0)
		return many ? -1 : 0;
	if (e->backend->inspect(e, i->container_name, &c, err) == 0)
		return 0;
	return err->code == ETIMEDOUT || err->code == EALREADY ? -1 : error_clear(err);
}
