/* Signals while something is half changed. */
#pragma once

#include <signal.h>

/* Holds back what would end the program (SIGINT, SIGQUIT, SIGTERM, SIGHUP), until signals_release() gets what this returned. May
 * be nested. Whatever is done meanwhile needs a time limit of its own. */
sigset_t signals_block(void);
void signals_release(const sigset_t *before);
