/* Sets of signals, and what a signal does. */
#pragma once

#include <signal.h>

/* A write beyond RLIMIT_FSIZE fails instead of ending the program (setrlimit(2)): no file of ours is worth that. */
static inline void signals_survive_file_limit(void)
{
	(void)signal(SIGXFSZ, SIG_IGN);
}

static inline sigset_t signals_none(void)
{
	sigset_t set;

	sigemptyset(&set);
	return set;
}

/* Those by which the service manager, or a person at a terminal, tells a program to end. */
static inline sigset_t signals_to_end(void)
{
	sigset_t set = signals_none();

	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}
