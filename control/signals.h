/* Blocks signals during a change. */
#pragma once

#include <signal.h>

/* Blocks the signals that would end the program (SIGINT, SIGQUIT, SIGTERM, SIGHUP) until signals_release() gets the
 * returned mask. May be nested. The change needs its own time limit. */
sigset_t signals_block(void);
void signals_release(const sigset_t *before);
