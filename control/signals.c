#include "control/signals.h"

static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
#define N_ENDING (sizeof(ending) / sizeof(*ending))

sigset_t signals_block(void)
{
	sigset_t blocked, before;

	sigemptyset(&blocked);
	for (size_t k = 0; k < N_ENDING; k++)
		sigaddset(&blocked, ending[k]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	return before;
}

sigset_t signals_mask(void)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	return mask;
}

bool signals_wait(void)
{
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t k = 0; k < N_ENDING; k++) {
		if (sigismember(&pending, ending[k]) == 1)
			return true;
	}
	return false;
}

void signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}
