/* A client of a fake service manager. */
#pragma once

#include "tests/unit/fake_manager.h"
#include "units/bus.h"
#include "units/manager.h"

static struct fake_manager fake;
static struct manager *m;

static inline int manager_setup(void **state)
{
	struct error err;

	(void)state;
	fake_manager_start(&fake);
	return manager_connect(SCOPE_USER, &m, &err);
}

static inline int manager_teardown(void **state)
{
	(void)state;
	manager_close(&m);
	fake_manager_stop(&fake);
	return 0;
}
