/* What holds for an instance that is not told otherwise. A span as the units have it, and, where programs that are run by
 * hand need it, in microseconds. */
#pragma once

#include "common/clock.h"

#define DEFAULT_STARTUP_TIMEOUT	     (30 * USEC_PER_SEC)
#define DEFAULT_STARTUP_TIMEOUT_TEXT "30s"
#define DEFAULT_IDLE_TIMEOUT_TEXT    "15min"
#define DEFAULT_DRAIN_TIMEOUT_TEXT   "10s"
#define DEFAULT_STOP_TIMEOUT	     10 /* seconds: that of both engines, until the engine is asked */
