/* Blocks signals during a change. */
#pragma once

#include <signal.h>
#include <stdbool.h>

/* Blocks the signals that would end the program (SIGINT, SIGQUIT, SIGTERM, SIGHUP) until signals_release() gets the
 * returned mask. May be nested. The change needs its own time limit. */
sigset_t signals_block(void);

/* The mask to give back later if somebody blocks them meanwhile. */
sigset_t signals_mask(void);

/* Does one of them wait, blocked? A long change may stop early then. */
bool signals_wait(void);
void signals_release(const sigset_t *before);
