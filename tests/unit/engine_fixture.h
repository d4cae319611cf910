/* A client of a fake engine. */
#pragma once

#include "backends/engine.h"
#include "common/clock.h"
#include "tests/unit/fake_engine.h"

static inline struct engine *engine_opened(const struct fake_engine *f, enum backend_kind kind)
{
	struct engine *e;
	struct error err;

	if (engine_open(kind, SCOPE_SYSTEM, f->socket, &e, &err) < 0)
		fail_msg("%s", err.text);
	e->deadline = now_usec() + 20 * USEC_PER_SEC;
	return e;
}
